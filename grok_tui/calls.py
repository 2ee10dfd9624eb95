"""The phase of a run as it was called at any of its measured epochs: by what was known then, and no more.

The fold cannot be run backwards, so it is kept now and then, and for an epoch in between folded on from there.
"""

from __future__ import annotations

import pickle
from bisect import bisect_right

from grok_tui.samples import Phases
from grok_tui.science.phases import PhaseFold, Sample

EVERY = 16
"""Samples between two kept folds: to fold on over so many takes about a millisecond."""

MOST = 512
"""Kept folds, of some 10 kB each; of more, every second one is dropped and they are kept half as often."""


class Calls(Phases):
    """The phase fold at the newest sample and, for as long as samples are added in order, at every earlier one."""

    def __init__(self, chance: float) -> None:
        super().__init__(chance)
        self._kept: list[tuple[int, bytes]] = []
        """(samples folded, the fold then), in order."""
        self._every = EVERY
        self._told: tuple[int, PhaseFold] = (0, PhaseFold(chance))
        """(samples folded, the fold then) of the last answer."""

    def add(self, sample: Sample) -> None:
        """Take in the measures of an epoch."""
        super().add(sample)
        if len(self._epochs) % self._every == 0:
            self._kept.append((len(self._epochs), pickle.dumps(self.newest)))
            if len(self._kept) > MOST:
                self._kept, self._every = self._kept[1::2], 2 * self._every

    def at(self, epoch: int) -> PhaseFold:
        """The fold as it stood after the last sample up to `epoch`; one without samples when there was none."""
        size = bisect_right(self._epochs, epoch)
        if size == len(self._epochs):
            return self.newest
        if size != self._told[0]:
            self._told = size, self._folded(size)
        return self._told[1]

    def _keep(self, size: int) -> None:
        self._kept = [(count, fold) for count, fold in self._kept if count <= size]
        self._told = (0, PhaseFold(self._chance))
        super()._keep(size)

    def _folded(self, size: int) -> PhaseFold:
        nearest = bisect_right(self._kept, size, key=lambda kept: kept[0])
        if not nearest:
            return super()._folded(size)
        begun, data = self._kept[nearest - 1]
        return self._fold_on(pickle.loads(data), begun, size)
