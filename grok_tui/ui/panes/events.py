"""What happened, newest last."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

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


class EventsPane(Pane):
    """What happened, newest last."""

    title: ClassVar[str] = "Events"
    look_for: ClassVar[str] = "every change with the epoch at which it took effect"
    figure: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        yield _Text()

    def present(self, state: RunState, view: View) -> None:
        text = self.query_one(_Text)
        text.lines = (*(f"{e.epoch:,} {e.text}" for e in state.events[-20:]),)
        text.redraw()
