"""Accuracy of the key frequencies alone, beside test accuracy, and why not to trust it by itself."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes.lines import LOOKS, Look
from grok_tui.ui.panes.measured import SHARES, MeasuredPane, looked, plot
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.heading import Heading
from grok_tui.ui.widgets.strokes import Stroke

SERIES = {
    "test_fve": Look("test logits explained", "FVE", Token.OTHER, Stroke.DOTTED),
    "restricted_accuracy": Look("restricted", "restr.", Token.RESTRICTED, Stroke.DASHED, "△"),
    "train_accuracy": LOOKS["train_accuracy"],
    "test_accuracy": LOOKS["test_accuracy"],
}

WARNING = (
    "restricted accuracy leaks: it averages the training pairs' logits too, and a lookup table alone scores well on it",
    "leaks: it averages the training pairs' logits; a lookup table alone scores well",
    "leaks: a lookup table alone scores well on it",
    "it leaks the training pairs",
    "it leaks",
)


class RestrictedPane(MeasuredPane):
    """The circuit's own accuracy, long before the network's: with a grain of salt."""

    title: ClassVar[str] = "Restricted accuracy"
    look_for: ClassVar[str] = "believe it only together with the test logits explained, which cannot leak"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 13"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield Chart()

    def present(self, state: RunState, view: View) -> None:
        drawn = looked(state, SERIES, digits=3)
        self.note_reading(state, drawn)
        self.query_one(Heading).say(*(((f"! {text}", int(Token.WARN)),) for text in WARNING))
        self.query_one(Chart).show(plot(state, view, drawn, "restricted_accuracy", values=SHARES))
