"""The four progress measures side by side."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes.lines import LOOKS, Look
from grok_tui.ui.panes.measured import SHARES, MeasuredPane, chance, looked, plot
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.panels import Panel, Panels
from grok_tui.ui.widgets.strokes import Stroke

EXCLUDED = {name: LOOKS[name] for name in ("excluded_loss_key_free", "excluded_loss")}
LOSSES = {name: LOOKS[name] for name in ("restricted_loss", "train_loss", "test_loss")}
GINI = {
    "gini_W_L": Look("W_L", "W_L", Token.TEST, Stroke.THICK, "○"),
    "gini_W_E": Look("W_E", "W_E", Token.TRAIN),
}
SQUARES = {"sum_of_squares": Look("all weights", "all", Token.OTHER)}


class ProgressPane(MeasuredPane):
    """What moves while the accuracies stand still, in the paper's own arrangement."""

    title: ClassVar[str] = "Progress measures"
    look_for: ClassVar[str] = "excluded rises, then restricted falls, then test: cleanup with a drop of the weights"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 7"

    def parts(self) -> ComposeResult:
        yield Panels()

    def present(self, state: RunState, view: View) -> None:
        excluded, losses, gini, squares = (looked(state, looks) for looks in (EXCLUDED, LOSSES, GINI, SQUARES))
        self.note_reading(state, excluded + losses)
        level = chance(state)
        self.query_one(Panels).show(
            Panel("Excluded loss, train", plot(state, view, excluded, *EXCLUDED, log=view.log_y, level=level)),
            Panel("Train, test, restricted loss", plot(state, view, losses, *LOSSES, log=view.log_y, level=level)),
            Panel("Gini coefficients in the Fourier basis", plot(state, view, gini, *GINI, values=SHARES)),
            Panel("Sum of squared weights", plot(state, view, squares, *SQUARES)),
        )
