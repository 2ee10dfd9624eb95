"""One series in memory: columns that grow, and their reduction to a chart's columns.

A chart never sees the history, only the least and the greatest value in each of its columns, so a
slingshot of a single epoch stays visible. Coarser and coarser block extremes are kept beside the values,
so the cost of a reduction depends on the chart's width and not on the length of the run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 32
"""Points in a block of the first coarse level; each further level is as much coarser again."""

FINE = 8
"""A bin is read from the coarsest level on which it still has this many blocks."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A series reduced to bins: `low[i] <= values <= high[i]` in bin i; NaN where the bin has no finite value."""

    low: Floats
    high: Floats
    last: Floats
    """The value at the right end of the bin, by which neighbouring bins connect."""


class Series:
    """A number against the epoch, in the order of the epochs."""

    def __init__(self) -> None:
        self._epochs = np.empty(1024, np.int64)
        self._values = np.empty(1024, np.float64)
        self._size = 0
        self._levels: list[tuple[list[float], list[float]]] = []

    def __len__(self) -> int:
        return self._size

    @property
    def epochs(self) -> Ints:
        """[n], increasing."""
        return self._epochs[: self._size]

    @property
    def values(self) -> Floats:
        """[n]."""
        return self._values[: self._size]

    @property
    def last(self) -> float:
        """The newest value; NaN when there is none."""
        return float(self._values[self._size - 1]) if self._size else float("nan")

    def add(self, epochs: Ints, values: Floats) -> None:
        """Append columns. What they say again about an epoch replaces what was there from that epoch on."""
        if not len(epochs):
            return
        if self._size and epochs[0] <= self._epochs[self._size - 1]:
            self._cut(int(np.searchsorted(self.epochs, epochs[0])))
        end = self._size + len(epochs)
        if end > len(self._epochs):
            room = max(end, 2 * len(self._epochs))
            self._epochs = np.concatenate((self.epochs, np.empty(room - self._size, np.int64)))
            self._values = np.concatenate((self.values, np.empty(room - self._size, np.float64)))
        self._epochs[self._size : end] = epochs
        self._values[self._size : end] = values
        self._size = end
        self._summarise()

    def at(self, epoch: float) -> tuple[int, float] | None:
        """The point at `epoch`, or the last one before it; None when there is none."""
        index = int(np.searchsorted(self.epochs, epoch, side="right")) - 1
        return (int(self._epochs[index]), float(self._values[index])) if index >= 0 else None

    def extent(self, start: float, end: float) -> tuple[float, float]:
        """The least and greatest finite value at epochs in [start, end]; NaN when there is none."""
        columns = self.columns(np.array([start, np.nextafter(end, np.inf)]))
        return float(columns.low[0]), float(columns.high[0])

    def columns(self, edges: Floats) -> Columns:
        """The extremes between each pair of neighbouring `edges` (epochs, increasing).  [w+1] -> [w]."""
        cuts = np.searchsorted(self.epochs, edges)
        starts, ends = cuts[:-1], cuts[1:]
        low = np.full(len(starts), np.nan)
        high = np.full(len(starts), np.nan)
        last = np.full(len(starts), np.nan)
        for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            if start < end:
                low[i], high[i] = self._extremes(start, end)
                last[i] = self._values[end - 1]
        return Columns(low, high, last)

    def _extremes(self, start: int, end: int) -> tuple[float, float]:
        """Exact least and greatest finite value of points start..end: whole coarse blocks, fine ends."""
        block, level = 1, -1
        while level + 1 < len(self._levels) and (end - start) >= FINE * block * BLOCK:
            block, level = block * BLOCK, level + 1
        if level < 0:
            return _finite_extremes(self._values[start:end], self._values[start:end])
        first, stop = -(-start // block), end // block
        lows, highs = self._levels[level]
        stop = min(stop, len(lows))
        parts = [_finite_extremes(np.array(lows[first:stop]), np.array(highs[first:stop]))]
        if start < first * block:
            parts.append(self._extremes(start, first * block))
        if stop * block < end:
            parts.append(self._extremes(stop * block, end))
        ends = np.array(parts)
        return _finite_extremes(ends[:, 0], ends[:, 1])

    def _summarise(self) -> None:
        """Bring the block extremes up to the present end; only whole blocks are kept."""
        lows, highs, block = self._values, self._values, 1
        count, level = self._size, 0
        while count >= BLOCK:
            if level == len(self._levels):
                self._levels.append(([], []))
            mine = self._levels[level]
            done, whole = len(mine[0]), count // BLOCK
            for i in range(done, whole):
                part = slice(i * BLOCK, (i + 1) * BLOCK)
                low, high = _finite_extremes(np.asarray(lows[part]), np.asarray(highs[part]))
                mine[0].append(low)
                mine[1].append(high)
            lows, highs = mine  # type: ignore[assignment]
            count, level, block = whole, level + 1, block * BLOCK

    def _cut(self, size: int) -> None:
        self._size = size
        block = BLOCK
        for lows, highs in self._levels:
            del lows[size // block :], highs[size // block :]
            block *= BLOCK


def _finite_extremes(lows: Floats, highs: Floats) -> tuple[float, float]:
    low, high = lows[np.isfinite(lows)], highs[np.isfinite(highs)]
    return (float(low.min()) if len(low) else float("nan"), float(high.max()) if len(high) else float("nan"))
