"""The logits in the two-dimensional Fourier basis of the inputs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from grok_tui.protocol import Array
from grok_tui.series import Floats
from grok_tui.ui.panes.maps import MapsPane
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Words
from grok_tui.ui.widgets.heatmap import HeatMap, Maps, logarithmic

NAMED = 12
"""Key frequencies above which naming their blocks says nothing: all are keys before the circuit forms."""

GREATEST = float(np.finfo(np.float16).max)
"""What stands for a norm too large for the half precision it was sent in."""


class LogitsPane(MapsPane):
    """Of all products of waves in a and in b, the logits keep those of equal, key frequencies."""

    title: ClassVar[str] = "Logits in the 2D Fourier basis"
    look_for: ClassVar[str] = "all fades but a few bright blocks on the diagonal, one per key frequency"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 4"
    arrays: ClassVar[tuple[str, ...]] = ("logits_2d", "key_frequencies")
    axes: ClassVar[int] = 2

    def drawn(self, found: Array, others: tuple[Array | None, ...], at: str) -> tuple[tuple[Words, ...], Maps]:
        (known,) = others
        values = np.nan_to_num(found.values.astype(np.float64), posinf=GREATEST)
        keys = [int(k) for k in known.values.ravel() if 0 < 2 * k < len(values)] if known is not None else []
        values[0, 0] = 0.0  # the mean logit of each c: no wave, and it would set the scale
        few = 0 < len(keys) <= NAMED
        named = keys if few else list(range(10, (len(values) - 1) // 2 + 1, 10))
        marks = tuple((2.0 * k - 0.5, f"{k}") for k in named)
        lead = (at, Token.CURSOR | BOLD)
        inside = f"{inside_blocks(values, keys):.0%}" if keys else "–"
        listed = " ".join(map(str, sorted(keys))) if few else f"{len(keys)} keys"
        share = (inside, Token.KEY | BOLD)
        words = (
            (lead, share, (" of the squared norm in the blocks of ", Token.MUTED), (listed, Token.KEY)),
            (lead, share, (" in the blocks of ", Token.MUTED), (listed, Token.KEY)),
            (lead, share, (" in key blocks", Token.MUTED)),
            (lead, share, (" in blocks", Token.MUTED)),
        )
        style = Token.KEY | BOLD if few else Token.MUTED
        picture = HeatMap(values, logarithmic(values), extremes=True, marks=marks, style=style)
        what = "norm over c, log scale: 1, cos 1, sin 1, cos 2, ... in a down, in b across"
        return words, Maps((picture,), what=what)


def inside_blocks(values: Floats, keys: list[int]) -> float:
    """The share of the squared norm, the constant aside, that products of waves of equal key frequency hold."""
    squares = values**2
    total = float(squares.sum())
    held = sum(float(squares[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum()) for k in set(keys))
    return held / total if total > 0 else 0.0
