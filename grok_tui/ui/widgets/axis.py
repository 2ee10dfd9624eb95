"""Axes: where a number falls, and which ticks name it. Pure; every widget that shares an axis agrees on it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tick = tuple[float, str]

ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Ends of an axis that grows: it moves in such steps, so that most redraws change a few cells only."""

DEEPEST = 16
"""Decades that a logarithmic axis spans at most; what is smaller lies on its floor."""


TINY, HUGE = 1e-280, 1e280
"""The least and the greatest number that an axis knows; beyond them, sums and ratios lose their meaning."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """The horizontal axis, from epoch `start` to `end`. Logarithmic means log10(epoch + 1), so that 0 has a place."""

    start: float
    end: float
    log: bool = False

    def unit(self, epoch: float) -> float:
        """Where `epoch` lies, in units in which the axis is linear."""
        return math.log10(max(epoch, 0.0) + 1) if self.log else epoch

    def epoch(self, unit: float) -> float:
        """The reverse of `unit`."""
        return 10**unit - 1 if self.log else unit

    def share(self, epoch: float) -> float:
        """How far along the axis `epoch` lies: 0 at its start, 1 at its end."""
        left, right = self.unit(self.start), self.unit(self.end)
        return (self.unit(epoch) - left) / (right - left) if right > left else 0.0

    def column(self, epoch: float, width: int) -> int | None:
        """Which of `width` columns holds `epoch`; None when it is outside."""
        if not self.start <= epoch <= self.end or width < 1:
            return None
        return min(int(self.share(epoch) * width + 1e-9), width - 1)

    def edges(self, width: int) -> Floats:
        """The epochs between which each of `width` columns lies: [width + 1]; the last includes the end."""
        units = np.linspace(self.unit(self.start), self.unit(self.end), width + 1)
        edges = 10**units - 1 if self.log else units
        edges[0], edges[-1] = self.start, np.nextafter(self.end, np.inf)
        return np.asarray(edges)

    def ticks(self, width: int) -> list[Tick]:
        """(epoch, label), as many as `width` columns can name: decades on a logarithmic axis of two or more."""
        if self.log and self.unit(self.end) - self.unit(self.start) >= 1.5:
            decades = [e for e in (10.0**k for k in range(16)) if self.start <= e <= self.end]
            step = -(-len(decades) // max(width // 7, 2))
            zero = [0.0] if self.start == 0 else []
            return [(e, short(e)) for e in zero + decades[::-step][::-1]]
        return [(e, short(e)) for e in linear_ticks(self.start, self.end, max(width // 9, 2))]


@dataclass(frozen=True, slots=True)
class Values:
    """The vertical axis, from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    def unit(self, values: Floats) -> Floats:
        """Where values lie, in units in which the axis is linear; what has no logarithm lies on the floor."""
        return np.log10(np.maximum(values, self.low)) if self.log else values

    def row(self, values: Floats, height: int) -> Floats:
        """Which of `height` rows, counted from the bottom, holds each value; clipped, NaN stays NaN."""
        low, high = (math.log10(self.low), math.log10(self.high)) if self.log else (self.low, self.high)
        share = np.clip((self.unit(values) - low) / (high - low), 0, 1)
        return np.asarray(np.rint(share * (height - 1)))

    def padded(self, height: int, dots: int) -> Values:
        """The same with `dots` of `height` left free at either end, so that no line hugs the frame."""
        share = dots / max(height - 1 - 2 * dots, 1)
        if self.log:
            by = (self.high / self.low) ** share
            return Values(self.low / by, self.high * by, log=True)
        more = (self.high - self.low) * share
        return Values(self.low - more, self.high + more)

    def ticks(self, height: int) -> list[Tick]:
        """(value, label), as many as `height` rows can name: powers of ten on a logarithmic axis."""
        room = max(height // 3, 3 if height >= 6 else 2)
        if not self.log:
            return [(v, f"{v:g}") for v in linear_ticks(self.low, self.high, room)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        step = next(s for s in (1, 2, 3, 4, 5, 8, 16, 32, 400) if (last - first) // s + 1 <= room)
        powers = [k for k in range(first, last + 1) if k % step == 0]
        return [(10.0**k, power(k)) for k in powers]


def grown(newest: float, most: float = math.inf) -> float:
    """The right end of an axis that shows everything up to `newest`: the next round number, at most `most`."""
    return max(min(_round_up(max(newest, 10.0)), most), newest, 1.0)


def grown_value(largest: float) -> float:
    """The top of an axis from 0 that shows everything up to `largest`: the next round number."""
    return _round_up(largest) if 0 < largest < math.inf else 1.0


def span(low: float, high: float, log: bool) -> Values:
    """The axis that shows values from `low` to `high`, on round ends; `low` and `high` may be NaN."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = (0.1, 10.0) if log else (0.0, 1.0)
    low, high = max(low, -HUGE), min(max(high, -HUGE), HUGE)
    if log:
        high = _round_up(max(high, TINY)) if high > 0 else 1.0
        low = max(_round_down(min(max(low, TINY), HUGE)) if low > 0 else high / 10, high / 10**DEEPEST)
        return Values(low if low < high else high / 10, high, log=True)
    low = min(low, 0.0)
    high = _round_up(high) if high > 0 else 0.0
    return Values(low, high if high > low else low + 1.0)


def linear_ticks(low: float, high: float, room: int) -> list[float]:
    """At most `room` round numbers from `low` to `high`, evenly spaced."""
    if not high > low:
        return [low]
    for step in _steps((high - low) / max(room, 1)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= room:
            return [round(k * step, 12) for k in range(first, last + 1)]
    return [low]


def short(epoch: float) -> str:
    """An epoch as an axis writes it: 0, 500, 2.5k, 40k, 1.2M, -500."""
    if epoch < 0:
        return f"-{short(-epoch)}"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if epoch >= size:
            return f"{epoch / size:.6g}{letter}"
    return f"{epoch:.6g}"


def power(exponent: int) -> str:
    """A power of ten as an axis writes it: 1e-8, 0.1, 1, 10, 1e4."""
    return f"{10.0**exponent:g}" if -1 <= exponent <= 2 else f"1e{exponent}"


def _steps(least: float) -> Iterator[float]:
    start = 10.0 ** math.floor(math.log10(least))
    return (start * 10**k * m for k in count() for m in (1.0, 2.0, 5.0) if start * 10**k * m >= least)


def _round_up(value: float) -> float:
    size = 10.0 ** math.floor(math.log10(value))
    return next((float(f"{size * m:.6g}") for m in ROUND if size * m >= value * (1 - 1e-12)), size * 10)


def _round_down(value: float) -> float:
    size = 10.0 ** math.floor(math.log10(value))
    return float(f"{size * (5 if value >= 5 * size else 2 if value >= 2 * size else 1):.6g}")
