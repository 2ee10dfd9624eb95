"""What the phase rules look at: picked out of a run's recorded series, and folded for as long as it is told in order.

One that is told again, because it was given up and trained anew, is forgotten from there on and folded anew.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter

from grok_tui.course import Course
from grok_tui.science.phases import PhaseFold, Sample

SERIES = {
    "train_loss": "train_loss",
    "train_accuracy": "train_accuracy",
    "test_loss": "test_loss",
    "test_accuracy": "test_accuracy",
    "restricted_loss": "restricted_loss",
    "excluded_loss": "excluded_loss",
    "excluded_loss_key_free": "excluded_key_free",
    "test_fve": "test_fve",
    "sum_of_squares": "sum_of_squares",
}
"""Series -> the field of `Sample`."""

_NAMES = [field.name for field in fields(Sample)]
_row = attrgetter(*_NAMES)


def sample(epoch: int, known: Mapping[str, float], courses: Mapping[str, Course]) -> Sample:
    """The sample of an epoch at which so much is `known` of the series, and the controls follow these courses."""
    measures = {field: known.get(name, math.nan) for name, field in SERIES.items()}
    controls = {name: courses[name].at(epoch) if name in courses else math.nan for name in ("weight_decay", "lr")}
    return Sample(epoch=epoch, **measures, **controls)


class Phases:
    """The phase fold over a run's samples."""

    def __init__(self, chance: float) -> None:
        self._chance = chance
        self.newest = PhaseFold(chance)
        """The fold over all of them."""
        self._samples = array("d")
        self._epochs: list[int] = []

    def add(self, sample: Sample) -> None:
        """Take in the measures of an epoch; one that is not after the last begins what is told anew."""
        self.cut(sample.epoch)
        self._epochs.append(sample.epoch)
        self._samples.extend(_row(sample))
        self.newest.add(sample)

    def cut(self, epoch: int) -> None:
        """Forget what was said of `epoch` and later, if anything was."""
        if self._epochs and epoch <= self._epochs[-1]:
            self._keep(bisect_left(self._epochs, epoch))

    def _keep(self, size: int) -> None:
        """Forget all but the first `size` samples."""
        del self._epochs[size:], self._samples[size * len(_NAMES) :]
        self.newest = self._folded(size)

    def _folded(self, size: int) -> PhaseFold:
        """The fold over the first `size` samples."""
        return self._fold_on(PhaseFold(self._chance), 0, size)

    def _fold_on(self, fold: PhaseFold, begun: int, size: int) -> PhaseFold:
        """`fold`, which holds the first `begun` samples, with those after them up to `size`."""
        width = len(_NAMES)
        for row in range(begun, size):
            epoch, *measures = self._samples[row * width : (row + 1) * width]
            fold.add(Sample(int(epoch), *measures))
        return fold
