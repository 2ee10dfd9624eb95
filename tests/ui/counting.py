"""How many numbers of a series a picture reads."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np

from grok_tui.series import Floats, Ints, Series


def points_read(work: Callable[[], object]) -> int:
    """The numbers that `work` takes out of series, on all their levels."""
    count = 0
    take = Series._take

    def counted(self: Series, level: int, bins: Ints, starts: Ints, ends: Ints, low: Floats, high: Floats) -> None:
        nonlocal count
        count += int(np.maximum(ends - starts, 0).sum())
        take(self, level, bins, starts, ends, low, high)

    with patch.object(Series, "_take", counted):
        work()
    return count
