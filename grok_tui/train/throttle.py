"""A limit on the epochs per second, so that a fast run can be watched. It changes when steps are taken, and no step."""

from __future__ import annotations

import time
from collections.abc import Callable

EVEN = 0.04
"""Seconds of steps at once: viewers draw a few times a second."""

SLACK = 0.1
"""Seconds of steps that are made up for: a measure may hold the run up that long without slowing it down."""


class Throttle:
    """Says how many steps may be taken now, and how long to wait for the next."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = 0.0
        self.limit = 0.0
        """Epochs per second; 0 for no limit."""

    @property
    def burst(self) -> int | None:
        """Steps that may be taken at once; None for any number."""
        return max(1, int(self.limit * EVEN)) if self.limit else None

    @property
    def left(self) -> float:
        """Seconds until the next step may be taken; 0 when it may be now."""
        return max(0.0, self._due - self._clock()) if self.limit else 0.0

    def set(self, limit: float) -> None:
        """Another limit, or none."""
        self.limit, self._due = limit, self._clock()

    def took(self, steps: int) -> None:
        """So many steps have been taken."""
        if self.limit:
            self._due = max(self._due, self._clock() - SLACK) + steps / self.limit
