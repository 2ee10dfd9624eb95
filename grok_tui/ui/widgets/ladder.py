"""One number per frequency as bars on a logarithmic axis, and a level that they are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grok_tui.series import Floats
from grok_tui.ui.widgets.axis import Values, linear_ticks, span
from grok_tui.ui.widgets.bars import Layout, bar_rows, layout
from grok_tui.ui.widgets.cells import BOLD, DIM, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

LABELS = 5
"""Columns left of the bars, for the numbers of the axis."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is drawn: values for k = 1..n."""

    values: Floats
    """[n]; NaN where there is none."""
    keys: frozenset[int] = frozenset()
    level: float = float("nan")
    empty: str = "no data yet"


class LadderBars(CellGrid):
    """Bars that are drawn again when others are given."""

    ladder = Ladder(np.zeros(0))

    def show(self, ladder: Ladder) -> None:
        """Draw `ladder`."""
        self.ladder = ladder
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.ladder, width, height)


def picture(ladder: Ladder, width: int, height: int) -> Cells:
    """The bars, the axis and the level in so many cells."""
    cells = Cells(width, height)
    finite = np.isfinite(ladder.values)
    if not finite.any():
        text = cut(ladder.empty, width)
        cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
        return cells
    left = _left(width)
    rows = height - int(height >= 4)
    if width <= left or not rows:
        return cells
    ends = np.append(ladder.values[finite], ladder.level if np.isfinite(ladder.level) else [])
    positive = ends[ends > 0]
    values = span(positive.min() / 2, positive.max(), log=True) if len(positive) else span(0.0, 1.0, log=False)
    plan = layout(len(ladder.values), width - left, height)
    canvas = Cells(width - left, rows)
    _draw_level(canvas, ladder, values)
    _draw_bars(canvas, ladder, values, plan)
    cells.put(left, 0, canvas)
    _draw_axis(cells, values, left, rows)
    if rows < height:
        _draw_names(cells, ladder, plan, left, rows)
    return cells


def note(ladder: Ladder, width: int, height: int) -> str:
    """What the bars of a picture of that size mean."""
    plan = layout(len(ladder.values), max(width - _left(width), 1), height)
    return f"log axis, each the largest of {plan.group}" if plan.group > 1 else "log axis"


def _left(width: int) -> int:
    return LABELS if width >= 4 * LABELS else 0


def _draw_bars(canvas: Cells, ladder: Ladder, values: Values, plan: Layout) -> None:
    """A bar for each frequency, or the largest of a few neighbours where columns are short."""
    padded = np.pad(np.nan_to_num(ladder.values), (0, -len(ladder.values) % plan.group))
    tall = padded.reshape(-1, plan.group).max(axis=1)
    keys = {(k - 1) // plan.group for k in ladder.keys}
    for y, line in enumerate(bar_rows(_share(tall, values), canvas.height)):
        for index, block in enumerate(line):
            if block != " ":
                place = plan.columns(index)
                token = Token.KEY if index in keys else Token.COS
                canvas.text(place.start, y, block * (place.stop - place.start), token)


def _draw_level(canvas: Cells, ladder: Ladder, values: Values) -> None:
    """The level across, behind the bars."""
    if not np.isfinite(ladder.level):
        return
    y = canvas.height - 1 - int(_share(np.array([ladder.level]), values)[0] * (canvas.height - 1e-6))
    canvas.text(0, y, "╌" * canvas.width, Token.CHANCE | DIM)


def _share(values: Floats, axis: Values) -> Floats:
    """How high values stand on the axis: 0 at its foot, 1 at its top."""
    with np.errstate(divide="ignore"):
        low, high, at = axis.unit(np.array([axis.low])), axis.unit(np.array([axis.high])), axis.unit(values)
    return np.asarray(np.clip((at - low) / (high - low), 0.0, 1.0))


def _draw_axis(cells: Cells, values: Values, left: int, rows: int) -> None:
    if not left:
        return
    for value, label in values.ticks(rows):
        y = rows - 1 - int(min(_share(np.array([value]), values)[0] * rows, rows - 1))
        cells.text(0, y, f"{label:>{left - 1}}"[: left - 1], Token.MUTED)
        cells.text(left - 1, y, "┤", Token.AXIS)
    for y in range(rows):
        if cells.free(left - 1, y, 1):
            cells.text(left - 1, y, "│", Token.AXIS)


def _draw_names(cells: Cells, ladder: Ladder, plan: Layout, left: int, y: int) -> None:
    """The key frequencies below their bars, then round ones."""
    for k in sorted(ladder.keys, key=lambda k: -ladder.values[k - 1]):
        _name(cells, plan, left, y, k, Token.KEY | BOLD)
    for value in linear_ticks(1, len(ladder.values), max(plan.width // 8, 2)):
        _name(cells, plan, left, y, int(value), Token.MUTED)


def _name(cells: Cells, plan: Layout, left: int, y: int, k: int, style: int) -> None:
    place = plan.columns((k - 1) // plan.group)
    label = f"{k}"
    x = min(max(left + (place.start + place.stop - len(label)) // 2, 0), cells.width - len(label))
    before, after = max(x - 1, 0), min(x + len(label) + 1, cells.width)
    if cells.free(before, y, after - before):
        cells.text(x, y, label, style)
