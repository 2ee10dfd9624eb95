"""Bounded memories of a number that arrives sample by sample, at any cadence. Standard library only."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import fmean, median

POINTS = 64
"""About as many points are kept of a window, however long it is; at least an eighth of them, however short."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A level and the epoch at which it was seen."""

    epoch: int
    value: float


class Streak:
    """For how many samples in a row something has been true, and since when."""

    def __init__(self) -> None:
        self.began = 0
        self.length = 0

    def add(self, epoch: int, true: bool) -> None:
        """Take in the newest sample's answer."""
        if true and not self.length:
            self.began = epoch
        self.length = self.length + 1 if true else 0


class Trace:
    """The recent past of one number."""

    def __init__(self) -> None:
        self._points: deque[Mark] = deque()
        self._full = False

    def add(self, epoch: int, value: float, window: float) -> None:
        """Take in a value and forget what is older than `window` epochs. What has no mean leaves no trace."""
        points = self._points
        if not abs(value) < 1e300:
            return
        if len(points) > 1 and epoch - points[-2].epoch < window / POINTS:
            points.pop()
        points.append(Mark(epoch, value))
        while len(points) > POINTS // 8 and epoch - points[1].epoch >= window:
            points.popleft()
        self._full = len(points) >= POINTS // 8 and epoch - points[0].epoch >= window

    def clear(self) -> None:
        """Begin anew."""
        self._points.clear()
        self._full = False

    @property
    def start(self) -> int:
        """The epoch of the oldest point; 0 when there is none."""
        return self._points[0].epoch if self._points else 0

    def reached(self, level: float) -> int:
        """The epoch of the first point at or above `level`; 0 when there is none."""
        return next((mark.epoch for mark in self._points if mark.value >= level), 0)

    def quarters(self) -> tuple[float, float, float, float] | None:
        """Means over the window's quarters; None before the window is full, or where nothing was measured."""
        if not self._full:
            return None
        begin, end = self._points[0].epoch, self._points[-1].epoch
        parts: list[list[float]] = [[], [], [], []]
        for mark in self._points:
            parts[min(4 * (mark.epoch - begin) // (end - begin), 3)].append(mark.value)
        if not all(parts):
            return None
        first, second, third, fourth = map(fmean, parts)
        return first, second, third, fourth

    def slope(self) -> float:
        """Change per epoch between the means of the first and the last quarter; NaN before the window is full."""
        if (means := self.quarters()) is None:
            return math.nan
        return (means[3] - means[0]) / (0.75 * (self._points[-1].epoch - self._points[0].epoch))


class Usual:
    """The median of the last few epochs, against which a spike stands out."""

    def __init__(self, epochs: int, least: int) -> None:
        self._epochs, self._least = epochs, least
        self._past: deque[Mark] = deque()

    @property
    def value(self) -> float:
        """The median; NaN before there are a few values."""
        return median(mark.value for mark in self._past) if len(self._past) >= self._least else math.nan

    def add(self, epoch: int, value: float) -> None:
        """Take in a value; a NaN leaves no trace."""
        if math.isfinite(value):
            self._past.append(Mark(epoch, value))
        while len(self._past) > self._least and epoch - self._past[0].epoch > self._epochs:
            self._past.popleft()


class Hand:
    """A control: whether it has been moved so far that what was seen before says nothing of now."""

    def __init__(self, jump: float, drift: float) -> None:
        """By more than the share `jump` since the last value, or `drift` since the last such move."""
        self._jump, self._drift = jump, drift
        self._last: float | None = None
        self._held = math.nan

    def moved(self, value: float) -> bool:
        """Take in the next value."""
        last, self._last = self._last, value
        if last is None:
            self._held = value
            return False
        if _apart(last, value) <= self._jump and _apart(self._held, value) <= self._drift:
            return False
        self._held = value
        return True


def _apart(one: float, other: float) -> float:
    """How far two values differ, as a share of the larger; NaN is like NaN alone."""
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    return abs(one - other) / max(abs(one), abs(other)) if math.isfinite(one) and math.isfinite(other) else math.inf


def log(value: float) -> float:
    """The logarithm, or NaN where there is none."""
    return math.log(value) if 0 < value < math.inf else math.nan
