"""The logits in the two-dimensional Fourier basis of the inputs."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui.series import Floats
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import looked_at, not_yet, when, with_it
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading
from grok_tui.ui.widgets.heatmap import HeatMap, HeatMaps, Maps, logarithmic

NAMES = ("logits_2d", "key_frequencies")

NAMED = 12
"""Key frequencies above which naming their blocks says nothing: all are keys before the circuit forms."""

GREATEST = float(np.finfo(np.float16).max)
"""What stands for a norm too large for the half precision it was sent in."""


class LogitsPane(Pane):
    """Of all products of waves in a and in b, the logits keep those of equal, key frequencies."""

    title: ClassVar[str] = "Logits in the 2D Fourier basis"
    look_for: ClassVar[str] = "all fades but a few bright blocks on the diagonal, one per key frequency"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 4"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield HeatMaps()

    def sees(self, state: RunState, view: View) -> Hashable:
        return looked_at(state, view, *NAMES)

    def present(self, state: RunState, view: View) -> None:
        norms = array_at(state, NAMES[0], view.cursor)
        (found,) = with_it(state, norms, NAMES[1])
        heading, pictures = self.query_one(Heading), self.query_one(HeatMaps)
        if norms is None or norms.values.ndim != 2:
            heading.say()
            pictures.show(Maps(missing=not_yet(state, NAMES[0], view.cursor)))
            return
        values = np.nan_to_num(norms.values.astype(np.float64), posinf=GREATEST)
        keys = [int(k) for k in found.values.ravel() if 0 < 2 * k < len(values)] if found is not None else []
        values[0, 0] = 0.0  # the mean logit of each c: no wave, and it would set the scale
        few = 0 < len(keys) <= NAMED
        named = keys if few else list(range(10, (len(values) - 1) // 2 + 1, 10))
        marks = tuple((2.0 * k - 0.5, f"{k}") for k in named)
        at = (when(norms.epoch, view), Token.CURSOR | BOLD)
        inside = f"{inside_blocks(values, keys):.0%}" if keys else "–"
        listed = " ".join(map(str, sorted(keys))) if few else f"{len(keys)} keys"
        heading.say(
            (
                at,
                (inside, Token.KEY | BOLD),
                (" of the squared norm in the blocks of ", Token.MUTED),
                (listed, Token.KEY),
            ),
            (at, (inside, Token.KEY | BOLD), (" in the blocks of ", Token.MUTED), (listed, Token.KEY)),
            (at, (inside, Token.KEY | BOLD), (" in key blocks", Token.MUTED)),
            (at, (inside, Token.KEY | BOLD), (" in blocks", Token.MUTED)),
        )
        style = Token.KEY | BOLD if few else Token.MUTED
        picture = HeatMap(values, logarithmic(values), extremes=True, marks=marks, style=style)
        pictures.show(
            Maps((picture,), what="norm over c, log scale: 1, cos 1, sin 1, cos 2, ... in a down, in b across")
        )


def inside_blocks(values: Floats, keys: list[int]) -> float:
    """The share of the squared norm, the constant aside, that products of waves of equal key frequency hold."""
    squares = values**2
    total = float(squares.sum())
    held = sum(float(squares[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum()) for k in set(keys))
    return held / total if total > 0 else 0.0
