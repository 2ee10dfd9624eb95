"""Which of the four classes of Liu et al. 2022 a run is in. Standard library only.

    train 90 % and test 90 % less than 1,000 steps later   comprehension
    both, test 1,000 steps later or more                   grokking
    train 90 %, test never                                 memorization
    neither                                                confusion

"Never" is within 100,000 steps (their Table 1, arXiv 2205.10343). It is a word for a whole run, not for a time in
it, and its memorization is not the phase of that name. Two corners are ours: test accuracy that is there before train
accuracy is comprehension; test accuracy alone is in none of the four, and counts as confusion.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ENOUGH = 0.9
"""Accuracy, of both."""

GAP = 1000
"""Steps between the two from which it is grokking."""

BUDGET = 100_000
"""Steps after which what was not reached is never reached."""


class RunClass(StrEnum):
    """What kind of run it is."""

    COMPREHENSION = "comprehension"
    GROKKING = "grokking"
    MEMORIZATION = "memorization"
    CONFUSION = "confusion"


@dataclass(frozen=True, slots=True)
class Badge:
    """The class of a run, as far as it has come."""

    kind: RunClass
    sure: bool
    """Nothing that may still come would change it."""
    why: str


class ClassFold:
    """Remembers at which measured epochs the accuracies first reached 90 %."""

    def __init__(self) -> None:
        self.train: int | None = None
        self.test: int | None = None
        self.epoch = 0

    def add(self, epoch: int, train_accuracy: float, test_accuracy: float) -> None:
        """Take in the accuracies of one epoch; NaN where one is unknown. Only what came within the budget counts."""
        self.epoch = max(self.epoch, epoch)
        if epoch > BUDGET:
            return
        if self.train is None and train_accuracy >= ENOUGH:
            self.train = epoch
        if self.test is None and test_accuracy >= ENOUGH:
            self.test = epoch

    @property
    def badge(self) -> Badge:
        """The class by what has been seen so far."""
        train, test = self.train, self.test
        over = self.epoch >= BUDGET
        if train is not None and test is not None:
            kind = RunClass.GROKKING if test - train >= GAP else RunClass.COMPREHENSION
            return Badge(kind, True, f"90 % of train at {train:,}, of test at {test:,}")
        if train is not None:
            why = f"90 % of train at {train:,}, of test not {'within 100,000' if over else 'yet'}"
            if not over:
                late = self.epoch - train >= GAP
                why += "; grokking if it comes" if late else f"; comprehension if before {train + GAP:,}"
            return Badge(RunClass.MEMORIZATION, over, why)
        if test is not None:
            return Badge(RunClass.CONFUSION, over, f"90 % of test at {test:,}, of train not: in none of the four")
        return Badge(RunClass.CONFUSION, over, "neither accuracy has reached 90 %")
