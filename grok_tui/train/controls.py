"""The controls of a run in training: their courses over the epochs, and their values now, which the next step reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grok_tui.config import Config
from grok_tui.course import Courses
from grok_tui.ledger import Entry
from grok_tui.train.step import Steered


class Controls:
    """Every value is a function of the epoch, from the ledger: a run that is gone on with computes the same again."""

    def __init__(self, config: Config, changes: Iterable[Entry]) -> None:
        """For a run of `config` to which `changes` were made."""
        self._courses = Courses.of(config)
        for entry in changes:
            self.take(entry.epoch, entry.what, entry.data)
        self.values = {name: course.at(0) for name, course in self._courses.items()}
        """Those that the next step uses."""

    def take(self, epoch: int, what: str, data: Mapping[str, Any]) -> None:
        """A confirmed change, or the begin of a schedule."""
        self._courses.take(epoch, what, data)

    def enter(self, optimizer: Steered, epoch: int, *, anew: bool = False) -> None:
        """Give the optimiser the values for the step from `epoch`; those that it has are left, unless `anew`."""
        for name, course in self._courses.items():
            value = course.at(epoch)
            if anew or value != self.values[name]:
                getattr(optimizer, name).fill_(value)
                self.values[name] = value

    def varying(self, epoch: int) -> bool:
        """Whether a value may be another at the next epoch, by a schedule."""
        return any(course.running(epoch) and not course.ended(epoch) for course in self._courses.values())

    def scheduled(self, name: str, epoch: int) -> bool:
        """Whether a schedule says what the control's value is."""
        return self._courses[name].running(epoch) is not None

    def turns(self, epoch: int) -> list[int]:
        """The later epochs at which something changes otherwise than by the schedules that run."""
        return [turn for course in self._courses.values() for turn in course.turns(epoch)]

    def ended(self, epoch: int) -> list[tuple[str, float, float]]:
        """(control, its last value but one, its last) of the schedules that have just come to their end."""
        found = [(name, course) for name, course in self._courses.items() if course.ended(epoch)]
        return [(name, course.at(epoch - 1), course.at(epoch)) for name, course in found]

    def columns(self, epochs: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """The values at these epochs, of the controls that have a schedule there."""
        found = [(name, course) for name, course in self._courses.items() if course.running(int(epochs[0]))]
        return {name: np.array([course.at(epoch) for epoch in epochs.tolist()]) for name, course in found}
