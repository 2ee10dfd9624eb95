"""How strongly each of the strongest frequencies speaks in the logits, over time."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes import tracks
from grok_tui.ui.panes.measured import MeasuredPane, plot
from grok_tui.ui.panes.tracks import Tracks
from grok_tui.ui.view import View
from grok_tui.ui.widgets.panels import Panel, Panels


class AlphaPane(MeasuredPane):
    """The coefficients of cos(w_k(a+b-c)), fitted over all pairs and over test pairs alone."""

    title: ClassVar[str] = "Strength of the frequencies, alpha_k"
    look_for: ClassVar[str] = "some leave the crowd early and grow while test accuracy stands still"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 14"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._all, self._test = Tracks("alpha"), Tracks("alpha_test")

    def parts(self) -> ComposeResult:
        yield Panels()

    def present(self, state: RunState, view: View) -> None:
        over_all, over_test = (tuple(tracks.lines(each, state)) for each in (self._all, self._test))
        self.note(tracks.note(state, "alpha", view.cursor, self.size.width))
        self.query_one(Panels).show(
            Panel("over all pairs", plot(state, view, over_all, "alpha")),
            Panel("test pairs alone: no leak", plot(state, view, over_test, "alpha_test")),
        )
