"""How fast a recording is played: the pace at which it was made, and what its user makes of that. No IO."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from grok_tui.errors import ConfigError
from grok_tui.protocol import Event, Hello, Stored

LEAST, MOST = 0.01, 1e6
"""Bounds of a speed, in either unit."""

MINUTE = 60.0
"""Seconds that a replay takes when nobody says how fast, unless the run itself took less."""

BREAKS = frozenset({"resumed", "branched"})
"""Events before which nobody trained for a time of which nothing is recorded."""

HIDDEN, LONG = 10.0, 5.0
"""A stretch that is so many times slower than usual, and so many seconds long, has a pause in it that is not recorded:
the machine slept, or it is a branch's past."""


@dataclass(frozen=True, slots=True)
class Speed:
    """So many times as fast as it was recorded, or so many epochs per second."""

    value: float
    steady: bool = False
    """Epochs per second."""

    def __str__(self) -> str:
        number = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:g}"
        return number + ("/s" if self.steady else "x")

    def faster(self) -> Speed:
        """The next of 1, 2, 5, 10, 20, 50, ..."""
        above = (step for step in _ladder(self.value) if self.value * 1.001 < step <= MOST)
        return Speed(min(above, default=MOST), self.steady)

    def slower(self) -> Speed:
        """The one before."""
        below = (step for step in _ladder(self.value) if LEAST <= step < self.value * 0.999)
        return Speed(max(below, default=LEAST), self.steady)


def parse(text: str) -> Speed:
    """A speed as typed.

    Raises:
        ConfigError: it is none, or out of bounds.
    """
    number, steady = text.strip(), text.strip().endswith("/s")
    number = number.removesuffix("/s") if steady else number.removesuffix("x").removesuffix("×")
    try:
        value = float(number)
    except ValueError:
        raise ConfigError(
            f"--speed {text!r}: 100x (times as recorded) or 500/s (epochs per second) was expected"
        ) from None
    if not LEAST <= value <= MOST:
        raise ConfigError(f"--speed {text!r} is out of bounds: {LEAST:g} to {MOST:,.0f}")
    return Speed(value, steady)


@dataclass(slots=True)
class Playback:
    """What the user of a replay can do: pause it, go on, faster and slower. Whoever plays it waits for that."""

    speed: Speed | None = None
    """None until the recording has been looked at, when nobody said how fast."""
    paused: bool = False
    _turned: asyncio.Event = field(default_factory=asyncio.Event)

    def toggle(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused
        self.wake()

    def change(self, faster: bool) -> None:
        """A step faster or slower."""
        if self.speed is not None:
            self.speed = self.speed.faster() if faster else self.speed.slower()
            self.wake()

    def wake(self) -> None:
        """End a `wait`."""
        self._turned.set()

    async def wait(self, seconds: float) -> bool:
        """Until something was changed (True), or so many seconds are over; paused, until something was changed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._turned.wait(), None if self.paused else seconds)
        turned = self._turned.is_set()
        self._turned.clear()
        return turned


@dataclass(frozen=True, slots=True)
class Timeline:
    """The pace of a recording between its events, without the times in which nobody trained."""

    paces: tuple[float, ...]
    """Epochs per second after each event; infinite where no time passes."""
    usual: float
    """The pace where none is known."""
    seconds: float
    """How long all of it took, as far as is known."""

    @classmethod
    def of(cls, frames: Iterable[Stored]) -> Timeline:
        """From a recording's hello and events; other frames say nothing of time."""
        events: list[Event] = []
        epochs = 0
        for frame in frames:
            if isinstance(frame, Event):
                events.append(frame)
            elif isinstance(frame, Hello):
                epochs = frame.epochs
        legs = [_leg(events, i) for i in range(len(events) - 1)]
        known = sorted((gained / took, gained) for gained, took in legs if gained > 0 and 0 < took < math.inf)
        usual = _median(known) or max(epochs, 1) / MINUTE
        paces = [_pace(gained, took, usual) for gained, took in legs]
        lasted = sum(max(gained, 0) / pace for (gained, _), pace in zip(legs, paces, strict=True))
        return cls(tuple(paces), usual, lasted)

    def pace(self, event: int) -> float:
        """Epochs per second after that many events."""
        return self.paces[event - 1] if 0 < event <= len(self.paces) else self.usual

    @property
    def fitting(self) -> Speed:
        """The speed at which all of it takes a minute; as recorded where it took less."""
        times = self.seconds / MINUTE
        return Speed(1.0) if times <= 1 else Speed(min(MOST, *(s for s in _ladder(times) if s >= times * 0.999)))


def _leg(events: list[Event], i: int) -> tuple[int, float]:
    """(epochs gained, seconds) from an event to the next; 0 seconds where time is skipped, infinite if unknown."""
    here, there = events[i], events[i + 1]
    gained = there.epoch - here.epoch
    if there.what in BREAKS or here.text.startswith("imported") or here.what == "imported":
        return gained, math.inf
    return gained, 0.0 if _computed_again(events, i) else there.time - here.time


def _computed_again(events: list[Event], i: int) -> bool:
    """Whether what follows is a resume's replay of recorded epochs."""
    before = next((e.what for e in reversed(events[: i + 1]) if e.what in ("resumed", "replayed")), "")
    after = next((e.what for e in events[i + 1 :] if e.what in ("resumed", "replayed")), "")
    return before == "resumed" and after == "replayed"


def _pace(gained: int, took: float, usual: float) -> float:
    if math.isinf(took) or (gained > 0 and took < 0):
        return usual
    if gained <= 0 or not took:
        return math.inf
    return usual if took > LONG and took > HIDDEN * gained / usual else gained / took


def _median(known: list[tuple[float, int]]) -> float:
    """The pace of the middle epoch; 0 when none is known."""
    half = sum(gained for _, gained in known) / 2
    for pace, gained in known:
        half -= gained
        if half <= 0:
            return pace
    return 0.0


def _ladder(value: float) -> list[float]:
    """1, 2 and 5 times the powers of ten around a value."""
    exponent = math.floor(math.log10(value))
    return [float(f"{digit}e{exponent + n}") for n in (-1, 0, 1) for digit in (1, 2, 5)]
