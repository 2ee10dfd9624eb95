"""Arrays against time: what was sent whole at each epoch, as one series for each of its entries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from grok_tui.protocol import Array
from grok_tui.series import Floats, Series
from grok_tui.state import RunState
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.lines import Look, shade
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.plot import Line
from grok_tui.ui.widgets.strokes import Stroke

LOOKS = (
    (Token.TRAIN, Stroke.SOLID, ""),
    (Token.TEST, Stroke.THICK, "○"),
    (Token.EXCLUDED, Stroke.DASHED, "△"),
    (Token.RESTRICTED, Stroke.SOLID, "□"),
    (Token.OTHER, Stroke.DASHED, "◇"),
    (Token.SIN, Stroke.DOTTED, ""),
)
"""For the strongest frequencies, in the order of their numbers: the same in every pane."""


AROUND = 2
"""Columns of a pane's width that a note in its lower border leaves free."""


class Tracks:
    """The entries of the arrays of one name as series. Takes in what is new: a redraw costs no more late in a run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._series: list[Series] = []
        self._taken = 0
        self._last: Array | None = None
        self._ghost: Tracks | None = None

    def of(self, state: RunState) -> list[Series]:
        """One series for each entry, up to the newest array; empty before the first."""
        found = state.arrays.get(self.name, [])
        if self._taken and (len(found) < self._taken or found[self._taken - 1] is not self._last):
            self._series, self._taken = [], 0  # another run, or a past that was told anew
        fresh = found[self._taken :]
        if not fresh:
            return self._series
        width = len(self._series) or fresh[0].values.size
        fresh = [array for array in fresh if array.values.size == width]
        self._series = self._series or [Series() for _ in range(width)]
        cuts = [0, *(n for n, (a, b) in enumerate(pairwise(fresh), 1) if b.epoch <= a.epoch), len(fresh)]
        for start, end in pairwise(cuts):
            self._take(fresh[start:end])
        self._taken, self._last = len(found), found[-1]
        return self._series

    def ghost(self, state: RunState) -> list[Series]:
        """The same of the run's parent; empty where it has none."""
        if state.ghost is None:
            return []
        self._ghost = self._ghost or Tracks(self.name)
        return self._ghost.of(state.ghost.state)

    def _take(self, arrays: list[Array]) -> None:
        """Arrays of growing epochs, as columns."""
        if not arrays:
            return
        epochs = np.array([array.epoch for array in arrays], np.int64)
        columns = np.stack([array.values.ravel() for array in arrays]).astype(np.float64)
        for series, column in zip(self._series, columns.T, strict=True):
            series.add(epochs, column)


def strongest(state: RunState, epoch: int | None = None) -> tuple[int, ...]:
    """The key frequencies with the largest alpha_k, or the largest of all while there are none; in their order."""
    alpha, keys = strengths(state, epoch)
    among = keys or tuple(range(1, len(alpha) + 1))
    found = sorted(among, key=lambda k: -abs(alpha[k - 1]))[: len(LOOKS)]
    return tuple(sorted(found))


def strengths(state: RunState, epoch: int | None = None) -> tuple[Floats, tuple[int, ...]]:
    """(alpha_k for k = 1.., the key frequencies), the newest or those at an epoch."""
    alpha, keys = array_at(state, "alpha", epoch), array_at(state, "key_frequencies", epoch)
    values = np.nan_to_num(alpha.values.ravel().astype(np.float64)) if alpha else np.zeros(0)
    return values, tuple(int(k) for k in keys.values.ravel() if 1 <= k <= len(values)) if keys else ()


def measured(state: RunState, epoch: int | None = None) -> int:
    """At which epoch those strengths were measured; 0 before the first."""
    alpha = array_at(state, "alpha", epoch)
    return alpha.epoch if alpha else 0


def look(nth: int, k: int) -> Look:
    """How the nth of the strongest frequencies is drawn."""
    token, stroke, marker = LOOKS[nth % len(LOOKS)]
    return Look(f"k={k}", f"{k}", token, stroke, marker)


def lines(tracks: Tracks, state: RunState) -> list[Line]:
    """A line for each of the strongest frequencies."""
    series, ghosts = tracks.of(state), tracks.ghost(state)
    found = []
    for nth, k in enumerate(strongest(state)):
        if k <= len(series):
            seen = look(nth, k)
            ghost = shade(state.ghost, ghosts[k - 1]) if state.ghost and k <= len(ghosts) else None
            found.append(Line(seen.name, seen.short, series[k - 1], seen.token, seen.stroke, seen.marker, ghost=ghost))
    return found


def note(state: RunState, name: str = "", cursor: int | None = None, width: int = 80) -> str:
    """For a lower border: whose lines these are, and at a cursor, when the arrays that are read were measured."""
    whose, array = _whose(state), array_at(state, name, cursor) if cursor is not None else None
    if array is None or not whose:
        return whose
    read = f"values of epoch {array.epoch:,}"
    both = f"{whose} · {read}"
    return both if len(both) <= width - AROUND else read


def _whose(state: RunState) -> str:
    _, keys = strengths(state)
    count, whole = len(strongest(state)), len(keys)
    if not count:
        return ""
    if state.keys_are_final:
        return f"the {count} strongest key frequencies"
    return f"the {count} strongest of {whole} provisional keys" if whole > count else f"{count} provisional keys"
