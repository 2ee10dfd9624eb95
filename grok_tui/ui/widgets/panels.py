"""Several small charts in one frame, each below its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.chart import Sheet
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.plot import Plot

GAP = 2
"""Columns between two charts."""

LEAST_WIDE, LEAST_HIGH = 22, 5
"""Columns and rows of a chart with its title; where not all have so many, the last are left out."""

SQUARE = 3.5
"""Columns that a chart wants for each of its rows."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the charts."""

    title: str
    plot: Plot


class Panels(CellGrid):
    """Charts that are drawn again when others are given."""

    panels: tuple[Panel, ...] = ()

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._sheets: list[Sheet] = []

    def show(self, *panels: Panel) -> None:
        """Draw `panels`; their series may have grown since."""
        self.panels = panels
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        self._sheets += [Sheet() for _ in self.panels[len(self._sheets) :]]
        return picture(self.panels, width, height, self._sheets)


def picture(panels: tuple[Panel, ...], width: int, height: int, sheets: Sequence[Sheet] = ()) -> Cells:
    """As many of the charts as there is room for, row by row; on `sheets`, where they are drawn again and again."""
    cells = Cells(width, height)
    if not panels or not cells.chars.size:
        return cells
    columns = columns_for(len(panels), width, height)
    rows = min(-(-len(panels) // columns), max(height // LEAST_HIGH, 1))
    shown = panels[: rows * columns]
    left_out = f" (of {len(panels)})" if len(shown) < len(panels) else ""
    wide = (width - GAP * (columns - 1)) // columns
    for nth, panel in enumerate(shown):
        row, column = divmod(nth, columns)
        top, bottom = height * row // rows, height * (row + 1) // rows
        x = column * (wide + GAP)
        sheet = sheets[nth] if nth < len(sheets) else Sheet()
        cells.put(x, top + 1, sheet.picture(panel.plot, wide, bottom - top - 1))
        cells.text(x, top, cut(panel.title, wide - len(left_out)) + left_out, Token.TEXT | BOLD)
    return cells


def columns_for(count: int, width: int, height: int) -> int:
    """How many charts stand side by side, so that the smaller of their two sides is as large as can be."""

    def smaller(columns: int) -> float:
        return min((width - GAP * (columns - 1)) / columns / SQUARE, height / -(-count // columns))

    return max(range(1, max(min(count, width // LEAST_WIDE), 1) + 1), key=smaller)
