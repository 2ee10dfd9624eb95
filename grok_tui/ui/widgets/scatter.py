"""Points on planes in dots of braille, with labels where they fit, and a faint line through them in an order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grok_tui.series import Floats, Ints
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.strokes import ACROSS, BLANK, DOWN, Bools, braille

NARROWEST, LOWEST = 14, 6
"""Columns and rows of cells that a plane needs."""

MARGIN = 3
"""Cells left free beside the points for labels, where there is room."""

GAP = 2
"""Columns between two planes."""

NO_ROOM = "needs more room"


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Points with both axes of one length, the origin in the middle."""

    points: Floats
    """[n, 2]"""
    reach: float
    """How far the axes go in each direction."""
    titles: tuple[str, ...] = ("",)
    """The longest that fits is written above it."""
    order: Ints | None = None
    """The points that a closed line visits, in this order; None for no line."""


class Scatter(CellGrid):
    """Planes that are drawn again when others are given."""

    planes: tuple[Plane, ...] = ()
    missing: str = ""

    def show(self, planes: tuple[Plane, ...], missing: str = "") -> None:
        """Draw `planes`, or say what is missing."""
        self.planes, self.missing = planes, missing
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.planes, width, height, self.missing)


def room(width: int, height: int, most: int) -> tuple[int, int]:
    """How many of `most` planes to show and how many across, so that they are many and not small."""
    best = (0, 0, 0.0)
    for shown in range(1, most + 1):
        for across in range(1, shown + 1):
            columns, rows = (width + GAP) // across - GAP, height // -(-shown // across)
            if columns < NARROWEST or rows < LOWEST:
                continue
            side = min(columns, 2 * (rows - 1))
            worth = side * shown**0.75  # six tiny planes tell less than two large ones
            if worth > best[2]:
                best = (shown, across, worth)
    return best[:2]


def picture(planes: tuple[Plane, ...], width: int, height: int, missing: str = "") -> Cells:
    """As many planes as there is room for, the first ones first."""
    cells = Cells(width, height)
    shown, across = room(width, height, len(planes))
    if not shown:
        text = cut(NO_ROOM if planes else missing, width)
        cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
        return cells
    columns, rows = (width + GAP) // across - GAP, height // -(-shown // across)
    for index, plane in enumerate(planes[:shown]):
        y, x = divmod(index, across)
        cells.put(x * (columns + GAP), y * rows, drawn(plane, columns, rows))
    return cells


def drawn(plane: Plane, width: int, height: int) -> Cells:
    """One plane with its title."""
    cells = Cells(width, height)
    title = next((title for title in plane.titles if len(title) <= width), "")
    cells.text((width - len(title)) // 2, 0, title, Token.TEXT)
    canvas = Cells(width, height - 1)
    finite: Bools = np.logical_and.reduce(np.isfinite(plane.points), axis=1)
    x, y = dots(plane, width, height - 1)
    if plane.order is not None:
        line = braille(_line(x, y, plane.order[finite[plane.order]], canvas))
        canvas.chars[line > 0] = BLANK + line[line > 0]
        canvas.styles[line > 0] = Token.AXIS
    mask = np.zeros((canvas.height * DOWN, canvas.width * ACROSS), bool)
    mask[y[finite], x[finite]] = True
    found = braille(mask)
    canvas.chars[found > 0] = BLANK + found[found > 0]  # without the line's dots, so that points stand out
    canvas.styles[found > 0] = Token.TRAIN
    _label(canvas, x // ACROSS, canvas.height - 1 - y // DOWN, finite)
    cells.put(0, 1, canvas)
    return cells


def dots(plane: Plane, width: int, height: int) -> tuple[Ints, Ints]:
    """The dot of each point, in columns and in rows from the bottom; dots are as far apart across as down."""
    wide, high = width * ACROSS, height * DOWN
    margin = MARGIN * ACROSS if min(wide, high) >= 40 else 0
    size = max(min(wide, high) - 1 - 2 * margin, 1) / 2
    places = np.clip(np.nan_to_num(plane.points) / (plane.reach or 1.0), -1, 1) * size
    x = np.rint((wide - 1) / 2 + places[:, 0])
    y = np.rint((high - 1) / 2 + places[:, 1])
    return np.clip(x, 0, wide - 1).astype(np.int64), np.clip(y, 0, high - 1).astype(np.int64)


def _line(x: Ints, y: Ints, order: Ints, canvas: Cells) -> Bools:
    """The dots of a closed line through the points in their order: [rows from the bottom, columns]."""
    mask = np.zeros((canvas.height * DOWN, canvas.width * ACROSS), bool)
    if len(order):
        along = np.linspace(0, 1, max(mask.shape) + 1)[:, None]
        ends = np.roll(order, -1)
        across, up = (np.rint(part[order] + along * (part[ends] - part[order])).astype(np.int64) for part in (x, y))
        mask[up, across] = True
    return mask


def _label(canvas: Cells, x: Ints, y: Ints, some: Bools) -> None:
    """Number the points from 0 on, each on the side that faces outwards, where nothing is near."""
    taken = [bytearray(row) for row in (canvas.chars != ord(" ")).astype(np.uint8)]
    right, low = (x >= canvas.width / 2).tolist(), (y >= canvas.height / 2).tolist()
    columns, rows = x.tolist(), y.tolist()
    for number in np.flatnonzero(some)[: 2 * canvas.height].tolist():
        label = f"{number}"
        size, px, py = len(label), columns[number], rows[number]
        side = px + 1 if right[number] else px - size
        beside = (side, py, 0 if right[number] else 1, 1 if right[number] else 0)
        above = (px - size // 2, py + 1 if low[number] else py - 1, 1, 1)
        for start, row, before, after in (beside, above):
            if not (0 <= row < canvas.height and start >= 0 and start + size <= canvas.width):
                continue
            if 1 not in taken[row][max(start - before, 0) : start + size + after]:
                canvas.text(start, row, label, Token.KEY | BOLD if number == 0 else Token.MUTED)
                taken[row][start : start + size] = b"\x01" * size
                break
