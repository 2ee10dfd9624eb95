"""Several small charts in one frame, each below its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Region

from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.chart import Sheet
from grok_tui.ui.widgets.plot import Plot
from grok_tui.ui.widgets.pointing import Pointable

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


class Panels(Pointable):
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

    def epoch_at(self, x: int, y: int, start: tuple[int, int]) -> float | None:  # noqa: ARG002 - all go across
        for sheet, place in zip(self._sheets, places(len(self.panels), *self.size), strict=False):
            if place.contains(*start):
                return sheet.epoch_at(x - place.x)
        return None


def picture(panels: tuple[Panel, ...], width: int, height: int, sheets: Sequence[Sheet] = ()) -> Cells:
    """As many of the charts as there is room for, row by row; on `sheets`, where they are drawn again and again."""
    cells = Cells(width, height)
    shown = places(len(panels), width, height)
    left_out = f" (of {len(panels)})" if len(shown) < len(panels) else ""
    for nth, (panel, place) in enumerate(zip(panels, shown, strict=False)):
        sheet = sheets[nth] if nth < len(sheets) else Sheet()
        cells.put(place.x, place.y + 1, sheet.picture(panel.plot, place.width, place.height - 1))
        cells.text(place.x, place.y, cut(panel.title, place.width - len(left_out)) + left_out, Token.TEXT | BOLD)
    return cells


def places(count: int, width: int, height: int) -> list[Region]:
    """Where the charts lie, each with its title; fewer than `count` where there is no room for all."""
    if not count or not width or not height:
        return []
    columns = columns_for(count, width, height)
    rows = min(-(-count // columns), max(height // LEAST_HIGH, 1))
    wide = (width - GAP * (columns - 1)) // columns
    found = []
    for nth in range(min(count, rows * columns)):
        row, column = divmod(nth, columns)
        top, bottom = height * row // rows, height * (row + 1) // rows
        found.append(Region(column * (wide + GAP), top, wide, bottom - top))
    return found


def columns_for(count: int, width: int, height: int) -> int:
    """How many charts stand side by side, so that the smaller of their two sides is as large as can be."""

    def smaller(columns: int) -> float:
        return min((width - GAP * (columns - 1)) / columns / SQUARE, height / -(-count // columns))

    return max(range(1, max(min(count, width // LEAST_WIDE), 1) + 1), key=smaller)
