"""A chart's legend: each line with its stroke, its marker, its name and its value, as fully as there is room.

Which reading a line is stays longer than its value: without it the value says nothing.
"""

from __future__ import annotations

from enum import Enum, auto

from grok_tui.ui.widgets.cells import BOLD, Cells, Token
from grok_tui.ui.widgets.plot import Line, Plot


def draw(cells: Cells, plot: Plot, most: int) -> int:
    """Name the lines with their values in at most `most` rows; returns how many it took."""
    head = f"at {plot.cursor:,}" if plot.cursor is not None else ""
    for form in Form:
        items = [_item(line, plot.cursor, form) for line in _named(plot, form)]
        places = _flow([len(sample) + len(text) for sample, text, _ in items], cells.width, len(head), form.gap)
        if places[-1][1] < most:
            break
    cells.text(0, 0, head, Token.CURSOR | BOLD)
    for (sample, text, style), (x, y) in zip(items, places, strict=True):
        if y < most:
            end = cells.text(x, y, sample, style | BOLD)
            cells.text(end, y, text, style)
    return min(places[-1][1] + 1, most)


class Form(Enum):
    """How much a legend says of each line, from most to least."""

    FULL = auto()
    SHORT_NOTE = auto()
    SHORT = auto()
    NAMES = auto()
    TIGHT = auto()
    SIGNS = auto()

    @property
    def gap(self) -> int:
        """Cells between two lines' entries."""
        return 1 if self.short else 3

    @property
    def short(self) -> bool:
        """Whether names are shortened."""
        return self not in (Form.FULL, Form.SHORT_NOTE)


def _named(plot: Plot, form: Form) -> list[Line]:
    """The lines in the legend's order; where notes do not fit, a weak one gives way to its stronger namesake."""
    lines = list(reversed(plot.lines))
    if not form.short:
        return lines
    strong = {line.short for line in lines if not line.weak}
    return [line for line in lines if not (line.weak and line.short in strong)]


def _item(line: Line, cursor: int | None, form: Form) -> tuple[str, str, int]:
    """(sample, text, style) of a line in the legend."""
    stroke, value = line.stroke.sample[0], line.read(cursor)
    long, word, sign = (*line.notes, "", "", "")[:3]
    match form:
        case Form.FULL | Form.SHORT_NOTE:
            note = long if form is Form.FULL else word
            named = f"{line.name} ({note})" if note else line.name
            return f"{stroke}{line.marker or stroke}{stroke} ", f"{named} {value}", line.style
        case Form.SHORT | Form.NAMES:
            named = f"{line.short} {word}" if word else line.short
            return f"{stroke}{line.marker} ", named if form is Form.NAMES else f"{named} {value}", line.style
        case Form.TIGHT:
            named = f"{line.short.rstrip('.')}.{word.rstrip('.')}" if word else line.short
            return line.marker or stroke, named, line.style
        case Form.SIGNS:
            return line.marker or stroke, f"{line.short.rstrip('.')}{sign}", line.style


def _flow(lengths: list[int], width: int, start: int, gap: int) -> list[tuple[int, int]]:
    """(column, row) of items that follow each other, broken into rows."""
    places, x, y = [], start + 2 if start else 0, 0
    for length in lengths:
        if x and x + length > width:
            x, y = 0, y + 1
        places.append((x, y))
        x += length + gap
    return places
