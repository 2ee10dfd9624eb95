"""By how much answers are right or wrong, beside the share of them that are right."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes.lines import LOOKS, Look
from grok_tui.ui.panes.measured import SHARES, MeasuredPane, looked, plot
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.panels import Panel, Panels
from grok_tui.ui.widgets.strokes import Stroke

MARGINS = {
    "margin_test_05": Look("test 5 %", "5 %", Token.TEST, Stroke.DOTTED),
    "margin_test_95": Look("test 95 %", "95 %", Token.TEST, Stroke.DASHED),
    "margin_test_50": Look("test median", "median", Token.TEST, Stroke.SOLID),
    "margin_train": Look("train", "train", Token.TRAIN),
    "margin_test": LOOKS["test_accuracy"],
}
ACCURACY = {
    "about_to_flip": Look("about to flip", "flips", Token.OTHER, Stroke.DASHED, "△"),
    "test_accuracy": LOOKS["test_accuracy"],
}


class MarginsPane(MeasuredPane):
    """Accuracy takes a margin for its sign alone; here is how far each answer was from flipping."""

    title: ClassVar[str] = "Margins"
    look_for: ClassVar[str] = "a margin that rises evenly through 0: the jump of accuracy is the argmax's"
    figure: ClassVar[str] = "the correct logit less the best wrong one"

    def parts(self) -> ComposeResult:
        yield Panels()

    def present(self, state: RunState, view: View) -> None:
        level = (0.0, "right above, wrong below", "right above")
        margins, accuracy = looked(state, MARGINS), looked(state, ACCURACY, digits=3)
        self.query_one(Panels).show(
            Panel("Margin, nats", plot(state, view, margins, *MARGINS, level=level)),
            Panel("Shares of the test pairs", plot(state, view, accuracy, *ACCURACY, values=SHARES)),
        )
