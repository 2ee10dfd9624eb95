"""Several runs in one chart: a title, the curves, and beside them every run's value, the largest first."""

from __future__ import annotations

from dataclasses import dataclass

from grok_tui.ui.widgets import chart
from grok_tui.ui.widgets.cells import BOLD, REVERSE, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.plot import Plot

BESIDE = 11
"""Columns of the values."""

LEAST = 46
"""Columns of the whole from which there is room for them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of a chart's column of values."""

    sign: str
    text: str
    style: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart, with its title and its column of values."""

    title: str
    note: str
    """Which reading of the measure it is."""
    plot: Plot
    head: str
    readings: tuple[Reading, ...]
    chosen: bool = False


class Overlay(CellGrid):
    """A comparison of one series; drawn again when it is given another."""

    picture: Picture | None = None

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._sheet = chart.Sheet()

    def show(self, picture: Picture) -> None:
        """Draw `picture`; its series may have grown since."""
        self.picture = picture
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if self.picture is None or height < 2:
            return cells
        room = width - BESIDE if width >= LEAST else width
        _title(cells, self.picture, room)
        cells.put(0, 1, self._sheet.picture(self.picture.plot, room, height - 1))
        if room < width:
            _values(cells, self.picture, room + 1)
        return cells


def _title(cells: Cells, picture: Picture, room: int) -> None:
    head = f" {picture.title} "
    x = cells.text(0, 0, cut(head, room), Token.KEY | BOLD | REVERSE if picture.chosen else Token.TEXT | BOLD)
    if picture.note and x + 1 < room:
        cells.text(x + 1, 0, cut(picture.note, room - x - 1), Token.MUTED)


def _values(cells: Cells, picture: Picture, x: int) -> None:
    cells.text(
        x, 0, cut(picture.head, cells.width - x), Token.CURSOR if picture.plot.cursor is not None else Token.MUTED
    )
    for y, reading in enumerate(picture.readings[: cells.height - 1], 1):
        end = cells.text(x, y, reading.sign, reading.style | BOLD)
        cells.text(end + 1, y, reading.text, reading.style)
