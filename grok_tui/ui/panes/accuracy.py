"""Accuracy on the pairs that are trained on, and on the others."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Values
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.plot import Plot

SERIES = ("train_accuracy", "test_accuracy")


class AccuracyPane(Pane):
    """The picture that grokking is known by: test accuracy jumps long after train accuracy has."""

    title: ClassVar[str] = "Accuracy"
    look_for: ClassVar[str] = "test stays low long after train has reached 1, then jumps"
    figure: ClassVar[str] = "Power et al. 2022, Fig. 1"

    def parts(self) -> ComposeResult:
        yield Chart()

    def present(self, state: RunState, view: View) -> None:
        found = [line for name in SERIES if (line := lines.line(state, name, digits=3))]
        self.query_one(Chart).show(
            Plot(
                tuple(found),
                lines.epochs(state, view),
                Values(0.0, 1.0),
                marks=lines.marks(state),
                cursor=view.cursor,
            )
        )
