"""The phases along the epochs: each a colour, a pattern and its name or letter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import BOLD, DIM, REVERSE, Cells, Token
from grok_tui.ui.widgets.pointing import Pointable, epoch_of

GUTTER = 5
"""Columns left of it; as wide as the labels of a chart, so that ribbon and charts share their columns."""


@dataclass(frozen=True, slots=True)
class Band:
    """One phase, from its first epoch up to the next one's."""

    start: float
    end: float
    names: tuple[str, ...]
    """Longest first; what fits is written on it."""
    token: Token
    pattern: str
    """One cell, by which it differs without colour."""


@dataclass(frozen=True, slots=True)
class Strip:
    """What a ribbon shows."""

    epochs: Epochs
    bands: tuple[Band, ...] = ()
    marks: tuple[int, ...] = ()
    """Epochs at which a control was changed."""
    cursor: int | None = None
    ghost: tuple[Band, ...] = ()
    """The parent's, in a thinner row below; from where the two parted on."""
    ghost_names: tuple[str, ...] = ()
    """Whose they are, longest first; written where the row is empty."""


class Ribbon(Pointable):
    """A strip that is drawn again when it is given another."""

    strip: Strip | None = None

    def show(self, strip: Strip) -> None:
        """Draw `strip`."""
        self.strip = strip
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.strip, width, height) if self.strip else Cells(width, height)

    def epoch_at(self, x: int, y: int, start: tuple[int, int]) -> float | None:  # noqa: ARG002 - it has one axis
        if self.strip is None:
            return None
        left = gutter(self.size.width)
        return epoch_of(self.strip.epochs, x - left, self.size.width - left)


def picture(strip: Strip, width: int, height: int) -> Cells:
    """The ribbon in so many cells: one row of bands, repeated; the parent's and ticks below where there is room."""
    cells = Cells(width, height)
    left = gutter(width)
    columns = width - left
    if columns < 1 or not height:
        return cells
    ghost = int(bool(strip.ghost) and height >= 2)
    ticks = int(height >= 2 + ghost)
    rows = height - ticks - ghost
    marked = {strip.epochs.column(epoch, columns) for epoch in strip.marks} - {None}
    for start, end, band in spread(strip, columns):
        for y in range(rows):
            cells.text(left + start, y, band.pattern * (end - start), band.token)
        name, x = _named(band, start, end, marked)
        cells.text(left + x, (rows - 1) // 2, name, band.token | BOLD | REVERSE)
    if ghost:
        _ghost(cells, strip, left, columns, rows)
    for column in marked:
        for y in range(rows):
            cells.text(left + (column or 0), y, "┊", Token.MARK)
    if ticks:
        _ticks(cells, strip, left, columns, height - 1)
    return cells


def _ghost(cells: Cells, strip: Strip, left: int, columns: int, y: int) -> None:
    """The parent's bands in row `y`, and whose they are in the first empty place."""
    places = spread(replace(strip, bands=strip.ghost), columns)
    for start, end, band in places:
        cells.text(left + start, y, band.pattern * (end - start), band.token | DIM)
        name, x = _named(band, start, end, set())
        cells.text(left + x, y, name, band.token)
    begins = left + places[0][0] if places else cells.width
    ends = left + places[-1][1] if places else 0
    for room, at in ((begins, 0), (cells.width - ends, ends)):
        if name := next((name for name in strip.ghost_names if len(name) + 1 <= room), ""):
            cells.text(begins - len(name) - 1 if not at else at + 1, y, name, Token.MUTED)
            return


def gutter(width: int) -> int:
    """Columns left of the bands in so many."""
    return GUTTER if width >= 30 else 0


def _named(band: Band, start: int, end: int, marked: set[int | None]) -> tuple[str, int]:
    """The longest name that fits between the marks, and its first column: as near the middle as can be."""
    for name in band.names:
        text = f" {name} " if len(name) > 1 else name
        middle = (start + end - len(text)) // 2
        for x in sorted(range(start, end - len(text) + 1), key=lambda x: abs(x - middle)):
            if marked.isdisjoint(range(x, x + len(text))):
                return text, x
    return "", start


def spread(strip: Strip, columns: int) -> list[tuple[int, int, Band]]:
    """(first column, column after the last, band): in order, at least a column each while there is room."""
    inside = [b for b in strip.bands if b.end >= strip.epochs.start and b.start <= strip.epochs.end and b.end > b.start]
    places, x = [], 0
    for nth, band in enumerate(inside):
        start = max(strip.epochs.column(max(band.start, strip.epochs.start), columns) or 0, x)
        end = (strip.epochs.column(min(band.end, strip.epochs.end), columns) or 0) + 1
        if nth + 1 < len(inside):
            end = max(end - 1, start + 1)
        places.append((start, min(end, columns), band))
        x = end
    return [place for place in places if place[0] < place[1]]


def _ticks(cells: Cells, strip: Strip, left: int, columns: int, y: int) -> None:
    if strip.cursor is not None and (x := strip.epochs.column(strip.cursor, columns)) is not None:
        cells.stamp(left + x, y, f" {strip.cursor:,} ", Token.CURSOR | REVERSE)
    for epoch, label in strip.epochs.ticks(columns):
        if (column := strip.epochs.column(epoch, columns)) is not None:
            x = min(max(left + column - len(label) // 2, left), cells.width - len(label))
            before, after = max(x - 1, 0), min(x + len(label) + 1, cells.width)
            if cells.free(before, y, after - before):
                cells.text(x, y, label, Token.MUTED)
