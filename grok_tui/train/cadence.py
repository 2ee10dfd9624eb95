"""At which epochs something is due."""

from __future__ import annotations

import math

PER_DECADE = 16
"""Measures in a decade of the log-spaced start."""


def next_measure(after: int, every: int) -> int:
    """The first measured epoch later than `after`.

    Measures are log-spaced until their gaps reach `every`, then at its multiples: 0, 1, 2, 3, 4, 5, 6, 7,
    9, 10, 12, 13, 15, 18, ... Each depends on itself alone, so a resumed run measures at the same epochs.
    """
    if after < 0:
        return 0
    grid = (after // every + 1) * every
    dense = every * PER_DECADE / math.log(10)  # from here on the log spacing is the coarser one
    if after >= dense:
        return grid
    step = math.floor(PER_DECADE * math.log10(after)) if after else 0
    while (epoch := round(10 ** (step / PER_DECADE))) <= after:
        step += 1
    return min(epoch, grid)


def is_measured(epoch: int, every: int) -> bool:
    """Whether the measures of `every` are due at `epoch`."""
    return next_measure(epoch - 1, every) == epoch


def next_snapshot(after: int, every: int) -> int:
    """The first epoch later than `after` whose weights are kept: 0, 1, 2, 5, 10, 20, ..., then multiples of `every`."""
    if after < 0:
        return 0
    power = 10 ** (len(str(after)) - 1)
    early = next(step * power for step in (1, 2, 5, 10) if step * power > after)
    grid = next_multiple(after, every)
    return early if early < every else grid


def next_multiple(after: int, every: int) -> int:
    """The first multiple of `every` later than `after`."""
    return (after // every + 1) * every
