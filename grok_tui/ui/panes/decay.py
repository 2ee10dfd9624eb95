"""Weight decay: its value, its history, and what it does per step."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Cells
from grok_tui.ui.widgets.grid import Grid


class _Text(Grid):
    """Lines of text."""

    lines: tuple[str, ...] = ()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        for y, line in enumerate(self.lines[:height]):
            cells.text(0, y, line)
        return cells


class DecayPane(Pane):
    """Weight decay: its value, its history, and what it does per step."""

    title: ClassVar[str] = "Weight decay"
    look_for: ClassVar[str] = "more decay: the circuit forms earlier, or not at all"
    figure: ClassVar[str] = "Nanda et al. 2023, App. D"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.pending: tuple[float, ...] | None = None
        """Values that were asked for and are not confirmed yet, oldest first; set by the app."""

    def compose(self) -> ComposeResult:
        yield _Text()
        yield Container(id="decay-input-slot")

    def present(self, state: RunState, view: View) -> None:
        text = self.query_one(_Text)
        text.lines = (f"{state.control_value('weight_decay'):g}",)
        text.redraw()
