"""A chart's legend: each line with its stroke, its marker, its name and its value, as fully as there is room.

Which reading a line is stays longer than its value: without it the value says nothing.
"""

from __future__ import annotations

from enum import Enum, auto

from grok_tui.ui.widgets.cells import BOLD, Cells, Token
from grok_tui.ui.widgets.plot import Line, Plot
from grok_tui.ui.widgets.strokes import Stroke


def draw(cells: Cells, plot: Plot, most: int) -> int:
    """Name the lines with their values in at most `most` rows; returns how many it took."""
    head = f"at {plot.cursor:,}" if plot.cursor is not None else ""
    for form in _forms(plot):
        items = [_item(line, plot.cursor, form) for line in _named(plot, form)] + _ghost(plot, form)
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

    BOTH = auto()
    SHORT_BOTH = auto()
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
        return self not in (Form.BOTH, Form.FULL, Form.SHORT_NOTE)

    @property
    def both(self) -> bool:
        """Whether the ghost's value stands beside a line's, where there is a cursor."""
        return self in (Form.BOTH, Form.SHORT_BOTH)


def _forms(plot: Plot) -> list[Form]:
    """From most to least; those with ghosts' values only where there are any to read."""
    cursor = plot.cursor
    read = cursor is not None and any(line.ghost and line.ghost.read(cursor) is not None for line in plot.lines)
    return [form for form in Form if read or not form.both]


def _named(plot: Plot, form: Form) -> list[Line]:
    """The lines in the legend's order; where notes do not fit, a weak one gives way to its stronger namesake."""
    lines = list(reversed(plot.lines))
    if not form.short:
        return lines
    strong = {line.short for line in lines if not line.weak}
    return [line for line in lines if not (line.weak and line.short in strong)]


def _item(line: Line, cursor: int | None, form: Form) -> tuple[str, str, int]:
    """(sample, text, style) of a line in the legend."""
    stroke, value = line.stroke.sample[0], _value(line, cursor, form)
    long, word, sign = (*line.notes, "", "", "")[:3]
    match form:
        case Form.BOTH | Form.FULL | Form.SHORT_NOTE:
            note = word if form is Form.SHORT_NOTE else long
            named = f"{line.name} ({note})" if note else line.name
            return f"{stroke}{line.marker or stroke}{stroke} ", f"{named} {value}", line.style
        case Form.SHORT_BOTH | Form.SHORT | Form.NAMES:
            named = f"{line.short} {word}" if word else line.short
            return f"{stroke}{line.marker} ", named if form is Form.NAMES else f"{named} {value}", line.style
        case Form.TIGHT:
            named = f"{line.short.rstrip('.')}.{word.rstrip('.')}" if word else line.short
            return line.marker or stroke, named, line.style
        case Form.SIGNS:
            return line.marker or stroke, f"{line.short.rstrip('.')}{sign}", line.style


def _value(line: Line, cursor: int | None, form: Form) -> str:
    """A line's read-out, and its ghost's at the cursor."""
    value = line.read(cursor)
    there = line.ghost.read(cursor) if line.ghost and cursor is not None and form.both else None
    return value if there is None else f"{value} {Stroke.GHOST.sample[0]} {line.said_of(there)}"


def _ghost(plot: Plot, form: Form) -> list[tuple[str, str, int]]:
    """Whose the ghosts are, once for all of them."""
    ghost = next((line.ghost for line in plot.lines if line.ghost and line.ghost.since <= plot.epochs.end), None)
    if ghost is None:
        return []
    at = 0 if not form.short else 1 if form in (Form.SHORT_BOTH, Form.SHORT) else 2
    name = ghost.names[min(at, len(ghost.names) - 1)]
    return [(f"{Stroke.GHOST.sample[0]} ", name, Token.MUTED)]


def _flow(lengths: list[int], width: int, start: int, gap: int) -> list[tuple[int, int]]:
    """(column, row) of items that follow each other, broken into rows."""
    places, x, y = [], start + 2 if start else 0, 0
    for length in lengths:
        if x and x + length > width:
            x, y = 0, y + 1
        places.append((x, y))
        x += length + gap
    return places
