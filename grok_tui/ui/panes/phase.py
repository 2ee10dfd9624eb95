"""The phase of the run, with its evidence."""

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


class PhasePane(Pane):
    """The phase of the run, with its evidence."""

    title: ClassVar[str] = "Phase"
    look_for: ClassVar[str] = "memorization, circuit formation, cleanup"
    figure: ClassVar[str] = "Nanda et al. 2023, Sec. 5"

    def compose(self) -> ComposeResult:
        yield _Text()

    def present(self, state: RunState, view: View) -> None:
        text = self.query_one(_Text)
        text.lines = (str(state.phases.call.phase),)
        text.redraw()
