"""Train loss without one frequency, for each of the strongest, over time."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes import tracks
from grok_tui.ui.panes.lines import Look
from grok_tui.ui.panes.measured import MeasuredPane, looked, plot
from grok_tui.ui.panes.tracks import Tracks
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.strokes import Stroke

WHOLE = {
    "excluded_loss_max": Look("largest of all k", "max", Token.MUTED, Stroke.DOTTED),
    "train_loss": Look("train", "train", Token.MUTED),
}
"""What the single frequencies are held against."""


class ExcludedPane(MeasuredPane):
    """When each frequency became something that the network needs."""

    title: ClassVar[str] = "Excluded loss of each frequency"
    look_for: ClassVar[str] = "a line leaves the train loss when the network begins to need its frequency"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 15"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._tracks = Tracks("excluded_per_frequency")

    def parts(self) -> ComposeResult:
        yield Chart()

    def present(self, state: RunState, view: View) -> None:
        found = tuple(tracks.lines(self._tracks, state))
        self.note(tracks.note(state, self._tracks.name, view.cursor, self.size.width))
        drawn = (*looked(state, WHOLE), *found) if found else ()
        self.query_one(Chart).show(plot(state, view, drawn, self._tracks.name, log=view.log_y))
