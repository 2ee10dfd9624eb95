"""When a run grokked, by one of four signs; and the median over seeds, where some may never have within their time.

A time that was not reached is no number: it is only known to be later than the last epoch that was trained.
So is a median into which such a time enters: it is then a lower bound, and said as one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from grok_tui.crossings import crossing, learned
from grok_tui.science.phases import Phase
from grok_tui.tracks import Track

HALF = 0.5


class Sign(Enum):
    """By what the time to grok is told. (what it is called, short)."""

    ACCURACY = ("test accuracy reaches 50 %", "50 % test accuracy")
    CHANCE = ("test loss falls below chance", "below chance")
    CLEANED = ("cleanup ends", "end of cleanup")
    GENERALIZED = ("the run has generalized", "generalized")

    @property
    def said(self) -> str:
        """In words."""
        return self.value[0]

    @property
    def short(self) -> str:
        """In two or three."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Time:
    """The epoch of a sign, or the epoch up to which it was not seen."""

    epoch: int
    reached: bool = True

    @property
    def low(self) -> float:
        """It is not earlier than this."""
        return float(self.epoch)

    @property
    def high(self) -> float:
        """Nor later than this."""
        return float(self.epoch) if self.reached else math.inf


@dataclass(frozen=True, slots=True)
class Spread:
    """Over several seeds: bounds of the median, and the extremes. All the same number where all is known."""

    low: float
    high: float
    least: Time
    most: Time
    count: int
    reached: int

    @property
    def known(self) -> bool:
        """The median is a number."""
        return self.low == self.high


def when(track: Track, sign: Sign) -> int | None:
    """The epoch of a sign; None while it was not seen."""
    if sign is Sign.ACCURACY:
        return crossing(track.accuracy.epochs, track.accuracy.values, HALF, rising=True).epoch
    if sign is Sign.CHANCE:
        loss, train = track.below
        return crossing(loss.epochs, loss.values, track.config.chance, since=learned(train)).epoch
    phases = {
        Sign.CLEANED: (Phase.GENERALIZED,),
        Sign.GENERALIZED: (Phase.GENERALIZED, Phase.DIRECT),
    }[sign]
    cleaned = False
    for boundary in track.phases.boundaries:
        cleaned = cleaned or boundary.phase is Phase.CLEANUP
        if boundary.phase in phases and (cleaned or sign is not Sign.CLEANED):
            return boundary.epoch
    return None


def over_seeds(times: Sequence[Time]) -> Spread | None:
    """The spread of some times; None of none."""
    if not times:
        return None
    low, high = (median(getattr(time, end) for time in times) for end in ("low", "high"))
    last = max(times, key=lambda time: (not time.reached, time.epoch))
    first = min(times, key=lambda time: (time.epoch, not time.reached))
    return Spread(low, high, first, last, len(times), sum(time.reached for time in times))


def said(spread: Spread) -> str:
    """The median in a few signs: a number, or what is known of it."""
    if spread.known:
        return f"{spread.low:,.0f}"
    if math.isinf(spread.high):
        return f">{spread.low:,.0f}"
    return f"{spread.low:,.0f}-{spread.high:,.0f}"


def span(spread: Spread) -> str:
    """The least and the greatest, in brackets; of the greatest a plus says that it was not reached by then."""
    least, most = spread.least, spread.most
    return f"[{'' if least.reached else '>'}{least.epoch:,}-{most.epoch:,}{'' if most.reached else '+'}]"
