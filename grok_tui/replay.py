"""A recording played as if it were live: at the pace at which it was made, or faster, through a viewer's usual path.

A replay shows what was known then: measures that were recomputed since, and notes, come when it is over. Then it is
the run as any viewer has it: live when somebody trains it, or its end. What is before the epoch to start from is
read at once. Times in which nobody trained are skipped: pauses, and those between a stop and a resume.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import numpy as np

from grok_tui import record
from grok_tui.course import STEERED, Course
from grok_tui.protocol import Array, Event, Frame, Hello, Points, Status, Stored
from grok_tui.runs import Run
from grok_tui.sources import BATCH, RunSource
from grok_tui.tempo import Playback, Speed, Timeline

TICK = 0.05
"""Seconds between two batches, where more is due all the time."""

HICCUP = 0.5
"""Seconds that count at most between two batches: a viewer that cannot keep up gets a slower replay, not gaps."""


def before(frame: Stored, epoch: float) -> Stored | None:
    """The part of a frame that belongs to epochs up to `epoch`; None when it has none."""
    match frame:
        case Event() | Array():
            return frame if frame.epoch <= epoch else None
        case Points():
            return _rows(frame, slice(0, int(np.searchsorted(frame.epochs, epoch, "right"))))
    return frame


def _rows(points: Points, rows: slice) -> Points | None:
    epochs = points.epochs[rows]
    if len(epochs) == len(points.epochs):
        return points
    return Points(epochs, {name: column[rows] for name, column in points.values.items()}) if len(epochs) else None


def _after(frame: Stored, part: Stored | None) -> Stored | None:
    """What `part` leaves of a frame."""
    if isinstance(frame, Points) and isinstance(part, Points):
        return _rows(frame, slice(len(part.epochs), None))
    return frame


class Player:
    """Hands out what a recording says, when it is due. Its clock is whoever calls it; it reads a bit at a time."""

    def __init__(self, path: Path, timeline: Timeline, since: int = 0, *, steady: bool = False) -> None:
        """Begin at the beginning.

        Args:
            path: the recording.
            timeline: its pace.
            since: what belongs to epochs up to this one is due at once.
            steady: one epoch a second, whatever its pace was.
        """
        self._path, self._timeline, self._steady = path, timeline, steady
        self._since: float = since
        self._ahead: deque[Stored] = deque()
        self._events = 0
        self._from, self._at = 0.0, 0.0
        """The epoch of the last event, and when that was due."""
        self._due = 0.0
        self.position = 0
        """Up to where everything was handed out, in bytes, once it is `over`."""
        self.epoch = 0
        """The newest that was handed out."""
        self._courses: dict[str, Course] = {}
        self._read()

    @property
    def controls(self) -> dict[str, float]:
        """Their values there."""
        return {name: course.at(self.epoch) for name, course in self._courses.items()}

    @property
    def over(self) -> bool:
        """Everything was handed out."""
        return not self._ahead

    @property
    def pace(self) -> float:
        """Epochs per second of its own time, now."""
        if self._steady:
            return 1.0
        pace = self._timeline.pace(self._events)
        return pace if math.isfinite(pace) else self._timeline.usual

    @property
    def due(self) -> float:
        """When there will be something to `take`, on its own clock; it may be already."""
        head = self._ahead[0] if self._ahead else None
        match head:
            case Event() | Array():
                return self._when(head.epoch)
            case Points(epochs=epochs) if len(epochs):
                return self._when(int(epochs[0]))
        return self._due

    def take(self, clock: float, limit: int = BATCH) -> list[Stored]:
        """What is due at `clock` and was not handed out, at most so many frames."""
        found: list[Stored] = []
        while self._ahead and len(found) < limit:
            head = self._ahead.popleft()
            part = self._part(head, clock)
            if part is not head and (rest := _after(head, part)) is not None:
                self._ahead.appendleft(rest)
            if part is None:
                break
            found.append(part)
            self._note(part)
            if not self._ahead:
                self._read()
        return found

    def _part(self, frame: Stored, clock: float) -> Stored | None:
        """What of a frame is due."""
        if isinstance(frame, Hello) or (isinstance(frame, Points) and not len(frame.epochs)):
            return frame
        part = before(frame, self._since)
        if part is None and self._since >= 0:
            self._from, self._since = max(self._from, self._since), -1
        return part if part is not None else before(frame, self._reached(clock))

    def _note(self, part: Stored) -> None:
        """Remember how far that is."""
        match part:
            case Hello(catalogue=catalogue):
                for info in catalogue.controls:
                    self._courses.setdefault(info.name, Course(info.value))
            case Points(epochs=epochs) if len(epochs):
                self._pass(int(epochs[-1]))
            case Array(epoch=epoch):
                self._pass(epoch)
            case Event(epoch=epoch, data=data):
                self._pass(epoch)
                self._from, self._at = epoch, self._due
                self._events += 1
                if part.what in STEERED:
                    name = str(data.get("control"))
                    self._courses.setdefault(name, Course(math.nan)).take(epoch, part.what, data)

    def _pass(self, epoch: int) -> None:
        self.epoch = epoch
        if self._since < 0:
            self._due = max(self._due, self._when(epoch))

    def _rate(self) -> float:
        return 1.0 if self._steady else self._timeline.pace(self._events)

    def _when(self, epoch: int) -> float:
        """When an epoch after the last event is due."""
        return self._at + max(0.0, epoch - self._from) / self._rate()

    def _reached(self, clock: float) -> float:
        """The epoch that is due at `clock`."""
        passed = clock - self._at
        if passed < 0:
            return -1.0
        rate = self._rate()
        return math.inf if math.isinf(rate) else math.floor(self._from + passed * rate + 1e-6)

    def _read(self) -> None:
        frames, self.position = record.read(self._path, self.position, BATCH)
        self._ahead.extend(frames)


class ReplaySource(RunSource):
    """A run, its recording played first. `replay` is what can be done to that; None once it is over."""

    def __init__(self, run: Run, speed: Speed | None = None, since: int = 0, *, follow: bool = True) -> None:
        super().__init__(run, follow=follow)
        self._since = since
        self.replay = Playback(speed)
        self.link = "replay"

    def close(self) -> None:
        """End `frames`. The run goes on."""
        super().close()
        if self.replay is not None:
            self.replay.wake()

    async def _recorded(self) -> AsyncIterator[list[Frame]]:
        if self.replay is not None:
            async for batch in self._played(self.replay):
                yield batch
            self.replay, self.link = None, "recording"
            yield []
        async for batch in super()._recorded():
            yield batch

    async def _played(self, replay: Playback) -> AsyncIterator[list[Frame]]:
        """The recording, batch by batch, when each is due."""
        skimmed = await asyncio.to_thread(record.skim, self.run.frames, ("hello", "event"))
        timeline = Timeline.of(skimmed)
        speed = replay.speed = replay.speed or timeline.fitting
        player = Player(self.run.frames, timeline, self._since, steady=speed.steady)
        clock, turned = 0.0, True
        while not self._closed.is_set():
            begun = monotonic()
            while (frames := player.take(clock)) or turned:
                turned = False
                yield [*self._taken(frames), *([] if player.over else [status(player, replay)])]
                await asyncio.sleep(0)
                if self._closed.is_set() or replay.paused:
                    break
            if player.over:
                break
            speed, paused = replay.speed or speed, replay.paused
            pause = max(TICK, (player.due - clock) / speed.value)
            turned = await replay.wait(pause)
            clock += 0.0 if paused else min(monotonic() - begun, pause + HICCUP) * speed.value
        self.position = player.position


def status(player: Player, replay: Playback) -> Status:
    """How the run stood then, at the replay's rate."""
    speed = replay.speed.value if replay.speed else 0.0
    state, rate = ("paused", 0.0) if replay.paused else ("running", speed * player.pace)
    return Status(player.epoch, state, rate, dict(player.controls), 0)
