"""One series in memory: columns that grow, and their reduction to a chart's columns.

A chart never sees the history, only the least and the greatest value in each of its columns, so a
slingshot of a single epoch stays visible. Coarser and coarser block extremes are kept beside the values,
so the cost of a reduction depends on the chart's width and not on the length of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

BLOCK = 16
"""Points in a block of the first coarse level; each further level is as much coarser again."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A series reduced to bins: `low[i] <= values <= high[i]` in bin i; NaN where the bin has no finite value."""

    low: Floats
    high: Floats
    last: Floats
    """The value at the right end of the bin, by which neighbouring bins connect."""
    seen: Bools
    """Whether the bin has any point at all: one that has, but no finite value, is a gap."""


class Series:
    """A number against the epoch, in the order of the epochs."""

    def __init__(self) -> None:
        self._epochs: _Column[np.int64] = _Column(np.int64)
        self._values: _Column[np.float64] = _Column(np.float64)
        self._levels: list[tuple[_Column[np.float64], _Column[np.float64]]] = []
        """(least, greatest) of each whole block, level by level; +inf and -inf where a block has nothing finite."""
        self.version = 0
        """Another one after each change."""

    def __len__(self) -> int:
        return self._values.size

    @property
    def epochs(self) -> Ints:
        """[n], increasing."""
        return self._epochs.all

    @property
    def values(self) -> Floats:
        """[n]."""
        return self._values.all

    @property
    def last(self) -> float:
        """The newest value; NaN when there is none."""
        return float(self.values[-1]) if len(self) else float("nan")

    def add(self, epochs: Ints, values: Floats) -> None:
        """Append columns. What they say again about an epoch replaces what was there from that epoch on."""
        if not len(epochs):
            return
        self.version += 1
        if len(self) and epochs[0] <= self.epochs[-1]:
            self._cut(int(np.searchsorted(self.epochs, epochs[0])))
        self._epochs.append(epochs)
        self._values.append(values)

    def copy(self) -> Series:
        """The same points in another series, which keeps them whatever comes to this one."""
        other = Series()
        other.add(self.epochs.copy(), self.values.copy())
        other.version = self.version
        return other

    def at(self, epoch: float) -> tuple[int, float] | None:
        """The point at `epoch`, or the last one before it; None when there is none."""
        if len(self) and epoch >= self.epochs[-1]:  # the usual question, 9 times for each measure of a recording
            return self._point(np.int64(len(self) - 1))
        return self._point(self._first(np.array([epoch]), after=True)[0] - 1)

    def after(self, epoch: float) -> tuple[int, float] | None:
        """The first point after `epoch`; None when there is none."""
        return self._point(self._first(np.array([epoch]), after=True)[0])

    def extent(self, start: float, end: float) -> tuple[float, float]:
        """The least and greatest finite value at epochs in [start, end]; NaN when there is none."""
        columns = self.columns(np.array([start, np.nextafter(end, np.inf)]))
        return float(columns.low[0]), float(columns.high[0])

    def columns(self, edges: Floats) -> Columns:
        """The extremes between each pair of neighbouring `edges` (epochs, increasing).  [w+1] -> [w]."""
        self._summarise()
        cuts = self._first(edges)
        starts, ends = cuts[:-1], cuts[1:]
        seen = starts < ends
        last = np.full(len(starts), np.nan)
        last[seen] = self.values[ends[seen] - 1]
        low, high = self._extremes(starts, ends)
        return Columns(low, high, last, seen)

    def _first(self, epochs: Floats, *, after: bool = False) -> Ints:
        """The index of the first point at or after each epoch; or strictly after it."""
        whole = np.clip(np.floor(epochs) + 1 if after else np.ceil(epochs), -(2.0**62), 2.0**62).astype(np.int64)
        return np.asarray(np.searchsorted(self.epochs, whole))  # floats would make it convert the whole history

    def _extremes(self, starts: Ints, ends: Ints) -> tuple[Floats, Floats]:
        """Exact extremes of the points starts[i]..ends[i]: whole coarse blocks in the middle, fine ends."""
        low, high = np.full(len(starts), np.inf), np.full(len(starts), -np.inf)
        bins, level = np.arange(len(starts)), 0
        while len(bins):
            coarser = level < len(self._levels) and (ends - starts >= 2 * BLOCK)
            heads = np.where(coarser, -(-starts // BLOCK) * BLOCK, ends)
            tails = np.where(coarser, ends // BLOCK * BLOCK, ends)
            self._take(level, bins, starts, heads, low, high)
            self._take(level, bins, tails, ends, low, high)
            rest = np.flatnonzero(coarser)
            bins, starts, ends = bins[rest], heads[rest] // BLOCK, tails[rest] // BLOCK
            level += 1
        low[np.isinf(low)], high[np.isinf(high)] = np.nan, np.nan
        return low, high

    def _take(self, level: int, bins: Ints, starts: Ints, ends: Ints, low: Floats, high: Floats) -> None:
        """Lower `low` and raise `high` by what lies in starts[i]..ends[i] on one level."""
        some = np.flatnonzero(starts < ends)
        if not len(some):
            return
        starts, lengths = starts[some], (ends - starts)[some]
        offsets = np.cumsum(lengths) - lengths
        index = np.arange(offsets[-1] + lengths[-1]) + np.repeat(starts - offsets, lengths)
        if level:
            lows, highs = (column.all[index] for column in self._levels[level - 1])
        else:
            lows, highs = _finite(self.values[index])
        bins = bins[some]
        low[bins] = np.minimum(low[bins], np.minimum.reduceat(lows, offsets))
        high[bins] = np.maximum(high[bins], np.maximum.reduceat(highs, offsets))

    def _summarise(self) -> None:
        """Bring the block extremes up to the present end, when they are asked for; only whole blocks are kept."""
        count, level = len(self), 0
        while (whole := count // BLOCK) > 0:
            if level == len(self._levels):
                self._levels.append((_Column(np.float64), _Column(np.float64)))
            lows, highs = self._levels[level]
            if lows.size == whole:
                return
            fresh = slice(lows.size * BLOCK, whole * BLOCK)
            below = [column.all[fresh] for column in self._levels[level - 1]] if level else _finite(self.values[fresh])
            lows.append(below[0].reshape(-1, BLOCK).min(axis=1))
            highs.append(below[1].reshape(-1, BLOCK).max(axis=1))
            count, level = whole, level + 1

    def _cut(self, size: int) -> None:
        self._epochs.cut(size)
        self._values.cut(size)
        for lows, highs in self._levels:
            size //= BLOCK
            lows.cut(size)
            highs.cut(size)

    def _point(self, index: np.int64) -> tuple[int, float] | None:
        return (int(self.epochs[index]), float(self.values[index])) if 0 <= index < len(self) else None


class Shifted(Series):
    """Another series, each epoch less by `by`: it grows with it, and costs nothing."""

    def __init__(self, series: Series, by: int) -> None:  # it has no columns of its own
        self._series, self._by = series, by

    @property
    def version(self) -> int:  # type: ignore[override]
        """See `Series`."""
        return self._series.version

    def __len__(self) -> int:
        return len(self._series)

    @property
    def epochs(self) -> Ints:
        """[n], increasing."""
        return self._series.epochs - self._by

    @property
    def values(self) -> Floats:
        """[n]."""
        return self._series.values

    def add(self, epochs: Ints, values: Floats) -> None:
        """Append to the series itself."""
        self._series.add(epochs + self._by, values)

    def at(self, epoch: float) -> tuple[int, float] | None:
        """See `Series`."""
        return self._moved(self._series.at(float(np.floor(epoch)) + self._by))

    def after(self, epoch: float) -> tuple[int, float] | None:
        """See `Series`."""
        return self._moved(self._series.after(float(np.floor(epoch)) + self._by))

    def columns(self, edges: Floats) -> Columns:
        """See `Series`."""
        return self._series.columns(np.ceil(edges) + self._by)  # rounded first: the sum would lose an edge's last bit

    def _moved(self, point: tuple[int, float] | None) -> tuple[int, float] | None:
        return (point[0] - self._by, point[1]) if point else None


class _Column(Generic[T]):
    """A column that grows at its end, at a cost that does not depend on its length."""

    def __init__(self, kind: type[T]) -> None:
        self._room: NDArray[T] = np.empty(64, kind)
        self.size = 0

    @property
    def all(self) -> NDArray[T]:
        return self._room[: self.size]

    def append(self, values: NDArray[T]) -> None:
        end = self.size + len(values)
        if end > len(self._room):
            room = np.empty(max(end, 2 * len(self._room)), self._room.dtype)
            room[: self.size] = self.all
            self._room = room
        self._room[self.size : end] = values
        self.size = end

    def cut(self, size: int) -> None:
        self.size = min(size, self.size)


def _finite(values: Floats) -> tuple[Floats, Floats]:
    """`values` for a least and for a greatest: what is not finite never wins."""
    finite = np.isfinite(values)
    return np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
