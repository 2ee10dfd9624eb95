"""A sweep's table: times to grok as a heat map, and the members' test accuracies as small curves in the same grid.

A cell says its time in digits and its state by a sign; the colour only repeats the time. The two stand side by
side where there is room for both, one under the other in each cell where there is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grok_tui.sweep_board import Board, Cell
from grok_tui.ui.widgets import strokes
from grok_tui.ui.widgets.axis import Epochs, Values, short
from grok_tui.ui.widgets.cells import BOLD, HEATS, Cells, Token, cut, on
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.strokes import ACROSS, BLANK, DOWN, Stroke

LEAST, MOST = 8, 22
"""Columns of a heat cell."""

THUMB, WIDEST = 8, 48
"""Columns of a curve beside it."""

TALLEST = 15
"""Rows of a cell."""

DARK_STEPS = HEATS // 2
"""From this step on, a ramp's ground takes the background's colour as its ink."""

TOKENS = {
    "failed": Token.BAD,
    "cut off": Token.BAD,
    "gone": Token.BAD,
    "stopped": Token.WARN,
    "paused": Token.WARN,
    "live": Token.GOOD,
    "replaying": Token.GOOD,
    "waiting": Token.MUTED,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where things stand."""

    label: int
    heat: int
    """Columns of a heat cell."""
    thumb: int
    """Columns of a curve beside it; 0 when it is below."""
    height: int
    """Rows of a cell, with the empty one below."""
    text: int
    """Rows of a cell that the heat has where the curve is below it; all of them else."""
    rows: range
    columns: range
    """Those that are in sight."""

    @property
    def beside(self) -> int:
        """Where the curves begin."""
        return self.label + len(self.columns) * (self.heat + 1) + 2


@dataclass(frozen=True, slots=True)
class Look:
    """What is chosen on the board."""

    row: int = 0
    column: int = 0
    marked: frozenset[tuple[int, int]] = frozenset()
    sign: str = ""
    """What the times are of."""


class SweepGrid(CellGrid):
    """The table on the screen."""

    board: Board | None = None
    look = Look()

    def show(self, board: Board, look: Look) -> None:
        """Draw what has changed."""
        self.board, self.look = board, look
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        if self.board is None:
            return Cells(width, height)
        return picture(self.board, self.look, width, height)


def frame(board: Board, look: Look, width: int, height: int) -> Frame:
    """How the table is laid out in so many cells."""
    label = min(max((len(name) for name in board.rows), default=0), 12) + 2
    room, count = width - label, len(board.columns)
    below = room // (count * (LEAST + 1)) >= 1 and room < count * (LEAST + THUMB + 2) + 2
    if below or room < count * (LEAST + 1):
        shown = max(1, min(count, room // (LEAST + 1)))
        heat, thumb = min(room // shown - 1, WIDEST), 0
    else:
        shown, heat = count, min(max(int(0.42 * room / count), LEAST), MOST)
        thumb = min((room - count * (heat + 1) - 2) // count - 1, WIDEST)
    rows = max(len(board.rows), 1)
    least = 3 if thumb == 0 else 2
    tall = max(min((height - 3) // rows, TALLEST), least)
    seen = max(1, min(rows, (height - 3) // tall))
    text = (2 if tall >= 5 else 1) if thumb == 0 else tall - 1
    columns = _window(look.column, shown, count)
    return Frame(label, heat, thumb, tall, text, _window(look.row, seen, rows), columns)


def picture(board: Board, look: Look, width: int, height: int) -> Cells:
    """The table as cells."""
    cells, plan = Cells(width, height), frame(board, look, width, height)
    _heads(cells, board, look, plan)
    for y, row in enumerate(plan.rows):
        top = 2 + y * plan.height
        cells.text(0, top, cut(board.rows[row], plan.label - 1), Token.TEXT | BOLD)
        for x, column in enumerate(plan.columns):
            left, cell = plan.label + x * (plan.heat + 1), board.cells[row][column]
            _heat(cells, board, cell, left, top, plan)
            if plan.thumb:
                at = plan.beside + x * (plan.thumb + 1)
                _curves(cells, board, cell, at, top, plan.thumb, plan.height - 1)
            else:
                _curves(cells, board, cell, left, top + plan.text, plan.heat, plan.height - 1 - plan.text)
            _edges(cells, (row, column), look, left, top, plan)
    _legend(cells, board, look, min(2 + len(plan.rows) * plan.height, height - 1))
    return cells


def _heads(cells: Cells, board: Board, look: Look, plan: Frame) -> None:
    """What the axes count, and each column's value, over both halves."""
    hidden = len(board.rows) * len(board.columns) > len(plan.rows) * len(plan.columns)
    axes = "   ".join(f"{name} {arrow}" for name, arrow in ((board.down, "↓"), (board.across, "→")) if name)
    x = cells.text(0, 0, axes, Token.MUTED)
    more = f"   {len(board.rows)}x{len(board.columns)}, part of it in sight" if hidden else ""
    x = cells.text(x, 0, more, Token.WARN)
    if plan.thumb:
        cells.text(max(plan.beside, x + 2), 0, "test accuracy", Token.TEST)
    for i, column in enumerate(plan.columns):
        style = Token.TEXT | (BOLD if column == look.column else 0)
        cells.text(plan.label + i * (plan.heat + 1), 1, cut(board.columns[column], plan.heat), style)
        if plan.thumb:
            cells.text(plan.beside + i * (plan.thumb + 1), 1, cut(board.columns[column], plan.thumb), style)


def _heat(cells: Cells, board: Board, cell: Cell, left: int, top: int, plan: Frame) -> None:
    """One cell of the heat map: its ground, its sign and its time."""
    style = ink = int(TOKENS.get(cell.state, Token.TEXT))
    rows = plan.text
    if cell.time is not None and board.times is not None:
        step = heat_step(cell.time, *board.times)
        ink = (Token.INK if step >= DARK_STEPS else Token.TEXT) | on(Token.HEAT_0 + step)
        style = ink
        for y in range(rows):
            cells.text(left, top + y, " " * plan.heat, ink)
    elif cell.numbers and rows > 2:
        for y in range(rows):
            cells.text(left, top + y, "·" + " " * (plan.heat - 2) + "·", Token.AXIS)
    words = _fitting(cell.words, plan.heat - 2)
    middle = top + max((rows - 2) // 2, 0)
    cells.text(left, middle, cut(f"{cell.mark} {words}", plan.heat), style | BOLD)
    if rows > 1 and cell.more:
        cells.text(left, middle + 1, cut(f"  {_fitting(cell.more, plan.heat - 2)}", plan.heat), ink)


def heat_step(time: float, low: float, high: float) -> int:
    """Which step of the ramp stands for a time, on a logarithmic scale from the earliest to the latest."""
    if not high > low > 0:
        return HEATS // 2
    share = math.log(max(time, low) / low) / math.log(high / low)
    return min(int(share * HEATS), HEATS - 1)


def _curves(cells: Cells, board: Board, cell: Cell, left: int, top: int, width: int, height: int) -> None:
    """The test accuracies of a cell's members from 0 to 1 over all epochs, in braille."""
    if width < 1 or height < 1 or not cell.numbers:
        return
    edges = Epochs(0, max(board.epochs, 1)).edges(width * ACROSS)
    across, values = height * DOWN, Values(0.0, 1.0)
    mask = np.zeros((across, width * ACROSS), bool)
    for curve in cell.curves:
        columns = curve.columns(edges)
        line = strokes.trail(columns, values, across)
        if columns.seen.any():
            last = int(np.flatnonzero(columns.seen)[-1])
            drawn = strokes.dots(line, Stroke.SOLID, across)
            drawn[:, last + 1 :] = False
            mask |= drawn
    patterns = strokes.braille(mask)
    for y in range(height):
        cells.text(left, top + y, "".join(chr(BLANK + int(p)) if p else " " for p in patterns[y]), Token.TEST)
    base = top + height - 1
    for x in range(width):
        if cells.free(left + x, base, 1):
            cells.text(left + x, base, "·", Token.AXIS)


def _edges(cells: Cells, at: tuple[int, int], look: Look, left: int, top: int, plan: Frame) -> None:
    """The chosen cell between two bars; a marked one with a sign before it."""
    if at in look.marked:
        cells.text(left - 1, top, "◆", Token.KEY | BOLD)
    if at == (look.row, look.column):
        for y in range(plan.height - 1):
            if y or at not in look.marked:
                cells.text(left - 1, top + y, "▐", Token.CURSOR)
            cells.text(left + plan.heat, top + y, "▌", Token.CURSOR)


def _legend(cells: Cells, board: Board, look: Look, y: int) -> None:
    """What the colours stand for."""
    x = cells.text(0, y, f"{look.sign} at epoch ", Token.MUTED)
    if board.times is None:
        x = cells.text(x, y, "– (nowhere yet)", Token.MUTED)
    else:
        low, high = board.times
        x = cells.text(x, y, f"{low:,.0f} ", Token.TEXT)
        if high > low:
            for step in range(HEATS):
                x = cells.text(x, y, " ", on(Token.HEAT_0 + step))
            x = cells.text(x, y, f" {high:,.0f}", Token.TEXT)
    curve = f"   curves: test accuracy 0-1 over 0-{short(board.epochs)} epochs"
    if x + len(curve) <= cells.width:
        cells.text(x, y, curve, Token.MUTED)


def _fitting(wordings: Iterable[str], width: int) -> str:
    found = list(wordings) or [""]
    return next((words for words in found if len(words) <= width), found[-1])


def _window(at: int, size: int, count: int) -> range:
    """So many of `count`, with `at` among them."""
    start = min(max(at - size // 2, 0), max(count - size, 0))
    return range(start, min(start + size, count))
