"""The slingshot watch: how far train losses jump between two measures."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

USUAL = 200
"""Epochs whose median says how large a train loss is usual, when the next measure looks for spikes."""


class Spikes:
    """Remembers as many train losses as a look needs."""

    def __init__(self, every: int, measured: int) -> None:
        """For a run that is measured every so many epochs, and was last at `measured`, or never when that is -1."""
        self._most = USUAL + every
        self._losses: deque[float] = deque(maxlen=self._most)
        self._measured = measured

    def saw(self, losses: NDArray[np.float64]) -> None:
        """The losses of the next epochs."""
        self._losses.extend(losses[-self._most :].tolist())

    def look(self, epoch: int) -> float:
        """How far the largest train loss since the last look stands above the usual one before it; NaN if unknown."""
        recent, since = np.array(self._losses), epoch - max(self._measured, 0)
        self._measured = epoch
        before, fresh = np.split(recent, [max(len(recent) - since, 0)])
        return float(fresh.max() / np.median(before[-USUAL:])) if len(before) and len(fresh) else np.nan
