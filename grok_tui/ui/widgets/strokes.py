"""From a series' columns to the dots of a line: two across and four down in each cell. Pure.

Dots of our own inside the frame that plotext draws: handing plotext the points of four lines costs ten
times as much per picture as this, and a live screen shows several pictures a few times a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from grok_tui.series import Columns, Floats
from grok_tui.ui.widgets.axis import Values

Bools = NDArray[np.bool_]

ACROSS, DOWN = 2, 4
"""Dots in a cell of braille."""

BLANK, FULL = 0x2800, 0x28FF
"""No dot of a cell, and all of them."""

_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint32)


class Stroke(Enum):
    """How a line is drawn, so that lines differ without colour: (dots on, off, on, ...; two dots high; its sample)."""

    SOLID = ((1,), False, "──")
    THICK = ((1,), True, "━━")
    DASHED = ((6, 2), False, "╌╌")
    DOTTED = ((1, 2), False, "··")
    DASH_DOT = ((8, 3, 1, 3), False, "─·")
    SPARSE = ((3, 5), False, "╴ ")
    THICK_DASHED = ((6, 4), True, "╍╍")
    THICK_DOTTED = ((2, 4), True, "▖▖")
    GHOST = ((2, 2), False, "┄┄")

    def __init__(self, runs: tuple[int, ...], thick: bool, sample: str) -> None:
        self.lit: Bools = np.repeat([not n % 2 for n in range(len(runs))], runs)
        """Which dots of a period are on."""
        self.thick = thick
        """It is two dots high."""
        self.sample = sample
        """Two cells of it."""


@dataclass(frozen=True, slots=True)
class Trail:
    """A line in dots. Rows count from the bottom; NaN where there is nothing."""

    low: Floats
    high: Floats
    end: Floats
    """Where the line leaves each column."""


Outside = tuple[float, float] | None
"""A point beyond the chart's edge, that the line comes from or goes to: (dot column, value)."""


def trail(
    columns: Columns, values: Values, height: int, *, before: Outside = None, after: Outside = None, steps: bool = False
) -> Trail:
    """The line through `columns`, one for each column of dots, on `height` rows of dots.

    Columns that no point falls into are bridged, straight or by holding the value (`steps`); columns whose
    points are all NaN or infinite are gaps.
    """
    low, high, end = (values.row(part, height) for part in (columns.low, columns.high, columns.last))
    end = np.where(np.isfinite(columns.last), end, np.nan)
    width = len(low)
    place = np.arange(width, dtype=float)
    # what lies before and after each column: position, and the row at which the line is there
    x0, y0 = _carried(place, end, columns.seen, before, values, height)
    reach = low[::-1], columns.seen[::-1]
    x1, y1 = _carried(place, reach[0], reach[1], _mirrored(after, width), values, height)
    x1, y1 = width - 1 - x1[::-1], y1[::-1]
    _, top = _carried(place, high[::-1], reach[1], _mirrored(after, width), values, height)
    y1 = np.clip(y0, y1, top[::-1])  # towards the nearest part of what the next column holds
    with np.errstate(invalid="ignore", divide="ignore"):  # before a ghost begins, which is not drawn
        share = 0.0 if steps else (place - x0) / (x1 - x0)
        between = np.rint(y0 + (y1 - y0) * share)
    low, high, end = (np.where(columns.seen, part, between) for part in (low, high, end))
    return Trail(*_joined(low, high, end), end)


def dots(line: Trail, stroke: Stroke, height: int) -> Bools:
    """The dots of a line: [height, width], row 0 at the bottom."""
    rows = np.arange(height, dtype=float)[:, None]
    high = line.high + 1 if stroke.thick else line.high
    mask = (rows >= line.low) & (rows <= np.minimum(high, height - 1))
    if (period := len(stroke.lit)) > 1:
        steep = line.high - line.low > 2
        along, across = (stroke.lit[np.arange(length) % period] for length in (mask.shape[1], height))
        mask &= np.where(steep[None, :], across[:, None], along[None, :])
    return np.asarray(mask)


def braille(mask: Bools) -> NDArray[np.uint32]:
    """Dots as patterns for U+2800: [4 h, 2 w] with row 0 at the bottom -> [h, w] with row 0 at the top."""
    height, width = mask.shape[0] // DOWN, mask.shape[1] // ACROSS
    blocks = mask[::-1].reshape(height, DOWN, width, ACROSS).astype(np.uint32)
    return np.asarray((blocks * _WEIGHTS[:, None, :]).sum(axis=(1, 3)), np.uint32)


def _carried(
    place: Floats, rows: Floats, seen: Bools, start: Outside, values: Values, height: int
) -> tuple[Floats, Floats]:
    """For each column, where the last seen column before it is, and the row there."""
    index = np.maximum.accumulate(np.where(seen, np.arange(len(rows)), -1))
    x = place[np.maximum(index, 0)]
    y = rows[np.maximum(index, 0)]
    if start is None:
        return x, np.where(index >= 0, y, np.nan)
    row = float(values.row(np.array([start[1]]), height)[0]) if np.isfinite(start[1]) else float("nan")
    return np.where(index >= 0, x, start[0]), np.where(index >= 0, y, row)


def _mirrored(point: Outside, width: int) -> Outside:
    return None if point is None else (width - 1 - point[0], point[1])


def _joined(low: Floats, high: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Each column stretched until it touches where the line left the one before."""
    came = np.concatenate(([np.nan], end[:-1]))
    with np.errstate(invalid="ignore"):
        low = np.where(came < low - 1, came + 1, low)
        high = np.where(came > high + 1, came - 1, high)
    return low, high
