"""The size of the weights, whole and matrix by matrix, and the signs of a slingshot."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes.lines import Look
from grok_tui.ui.panes.measured import MeasuredPane, looked, plot
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.panels import Panel, Panels
from grok_tui.ui.widgets.strokes import Stroke

WHOLE = "sum_of_squares"
LOOKS = (
    (Token.TRAIN, Stroke.SOLID, ""),
    (Token.TEST, Stroke.THICK, "○"),
    (Token.EXCLUDED, Stroke.DASHED, "△"),
    (Token.RESTRICTED, Stroke.SOLID, "□"),
    (Token.GOOD, Stroke.DASHED, "◇"),
    (Token.SIN, Stroke.DOTTED, ""),
    (Token.COS, Stroke.SOLID, "×"),
    (Token.MUTED, Stroke.DASHED, ""),
    (Token.MUTED, Stroke.DOTTED, ""),
)
"""For the matrices, in the catalogue's order."""

RATIO = {"weight_norm_ratio": Look("‖w‖ / ‖w₀‖", "ratio", Token.OTHER)}
LAST = {"norm_W_U": Look("‖W_U‖", "‖W_U‖", Token.EXCLUDED)}
ZEROS = {"zero_losses": Look("train pairs", "pairs", Token.BAD)}


class WeightsPane(MeasuredPane):
    """What weight decay works on; and whether float32 has run out, which makes AdamW leap."""

    title: ClassVar[str] = "Weights"
    look_for: ClassVar[str] = "a sharp drop at cleanup; losses of exactly 0 and a growing W_U before a slingshot"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 7; Thilak et al. 2022"

    def parts(self) -> ComposeResult:
        yield Panels()

    def present(self, state: RunState, view: View) -> None:
        matrices = looked(state, looks(state))
        ratio, last, zeros = looked(state, RATIO), looked(state, LAST), looked(state, ZEROS)
        self.query_one(Panels).show(
            Panel("Sum of squares", plot(state, view, matrices, WHOLE, log=view.log_y)),
            Panel("Norm, against the start's", plot(state, view, ratio, *RATIO)),
            Panel("Norm of the last layer", plot(state, view, last, *LAST)),
            Panel("Losses of exactly 0", plot(state, view, zeros, *ZEROS)),
        )


def looks(state: RunState) -> dict[str, Look]:
    """The matrices that the catalogue names, each in a look, and all weights together on top; no biases."""
    names = [info.name for info in state.catalogue.series if info.name.startswith(f"{WHOLE}_W_")]
    found = {}
    for nth, name in enumerate(names):
        short = name.removeprefix(f"{WHOLE}_")
        found[name] = Look(short, short, *LOOKS[nth % len(LOOKS)])
    return found | {WHOLE: Look("all", "all", Token.OTHER, Stroke.THICK)}
