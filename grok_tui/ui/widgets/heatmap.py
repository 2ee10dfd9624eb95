"""Matrices as coloured half-block cells, as many side by side as there is room for, with a scale below.

Two pixels to a cell, so that a matrix keeps its shape. Where colours are few a pixel is two cells of a
shade, and negative values have glyphs of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from grok_tui import wording
from grok_tui.series import Floats
from grok_tui.ui.widgets.axis import grown_value
from grok_tui.ui.widgets.cells import BOLD, HEATS, SIGNS, Cells, Token, cut, on
from grok_tui.ui.widgets.grid import CellGrid

Steps = NDArray[np.int64]

LEAST = (16, 12, 12)
"""Pixels across that a map needs at least: with axes, with a title only, bare. Two thirds of that in shades."""

FEWEST = 4
"""Pixels across that a single map needs."""

GAP = 2
"""Columns between two maps."""

DECADES = 3.0
"""What a logarithmic scale spans."""

SHADES = " ░▒▓█"
SIGNED_SHADES = "≡=- ░▒█"
"""From least to most; from the most negative through 0 to the most positive."""

NO_ROOM = "needs more room"


@dataclass(frozen=True, slots=True)
class Scale:
    """Which step of a ramp stands for a number."""

    low: float
    high: float
    kind: str = "linear"
    """"linear", "log", or "signed": from -high to high."""

    def steps(self, values: Floats) -> Steps:
        """The ramp's step of each value, clipped to its ends; what is not a number is the least, or 0 if signed."""
        values = np.nan_to_num(values, nan=0.0 if self.kind == "signed" else self.low)
        if self.kind == "signed":
            half = SIGNS // 2
            return np.asarray(np.clip(np.rint(values / self.high * half), -half, half) + half, np.int64)
        low, high = self.low, self.high
        if self.kind == "log":
            values, low, high = np.log10(np.maximum(values, low)), math.log10(low), math.log10(high)
        return np.asarray(np.clip((values - low) / (high - low) * HEATS, 0, HEATS - 1), np.int64)

    @property
    def count(self) -> int:
        """Steps of its ramp."""
        return SIGNS if self.kind == "signed" else HEATS

    @property
    def token(self) -> int:
        """The ramp's first colour."""
        return Token.SIGNED_0 if self.kind == "signed" else Token.HEAT_0

    @property
    def ends(self) -> tuple[str, str]:
        """How the ends are written."""
        low = -self.high if self.kind == "signed" else self.low
        return wording.number(low), wording.number(self.high)


def linear(values: Floats) -> Scale:
    """The scale of numbers that are positive, or that have either sign, with round ends."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < -0.01 * max(high, 0.0):
        top = grown_value(max(-low, high))
        return Scale(-top, top, "signed")
    return Scale(0.0, grown_value(high))


def logarithmic(values: Floats) -> Scale:
    """The `DECADES` below the largest."""
    finite = values[np.isfinite(values)]
    high = grown_value(float(finite.max(initial=0.0)))
    return Scale(high / 10**DECADES, high, "log")


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """One matrix, the first row on top."""

    values: Floats
    """[rows, columns]"""
    scale: Scale
    titles: tuple[str, ...] = ("",)
    """The longest that fits is written above it."""
    names: tuple[str, str] = ("a", "b")
    """What is counted downwards and across."""
    finest: float = 0.0
    """Pixels across that its finest wave needs; with fewer, its corner is shown and not a grey average. 0: any."""
    extremes: bool = False
    """Reduced by the largest of neighbours, not by their mean."""
    marks: tuple[tuple[float, str], ...] = ()
    """(row and column, label): places that both axes name, in place of their ends."""
    style: int = Token.KEY | BOLD
    """Of the marks."""


@dataclass(frozen=True, slots=True)
class Maps:
    """What the widget shows."""

    maps: tuple[HeatMap, ...] = ()
    ends: tuple[str, str] | None = None
    """What the scale's ends are called, where the maps have scales of their own."""
    what: str = ""
    """What the scale measures."""
    missing: str = ""
    """Said in place of maps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the maps lie."""

    shown: int
    across: int
    side: tuple[int, int]
    """Rows and columns of cells for the pixels of one map."""
    left: int
    """Columns for the labels of its rows."""
    above: int
    below: int
    """Rows for its title, and for the labels of its columns."""

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a map with all that belongs to it."""
        return self.side[0] + self.above + self.below, self.side[1] + self.left


class HeatMaps(CellGrid):
    """Heat maps that are drawn again when others are given."""

    maps = Maps()

    def show(self, maps: Maps) -> None:
        """Draw `maps`."""
        self.maps = maps
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.maps, width, height, shades=self.few_colours)

    @property
    def few_colours(self) -> bool:
        """Whether the terminal has too few colours for a ramp."""
        if self.app.no_color:
            return True
        return not self.app.is_headless and self.app.console.color_system not in ("256", "truecolor")


def picture(maps: Maps, width: int, height: int, *, shades: bool = False) -> Cells:
    """As many of the maps as fit, and their scale in the last row."""
    cells = Cells(width, height)
    found = [each for each in maps.maps if each.values.ndim == 2 and each.values.size]
    plan = arrange(found, width, height - 1, shades) if found else None
    if plan is None:
        text = cut(NO_ROOM if found else maps.missing, width)
        cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
        return cells
    rows, columns = plan.tile
    margin = max((width - plan.across * (columns + GAP) + GAP) // 2, 0)
    part = 0
    for index, each in enumerate(found[: plan.shown]):
        y, x = divmod(index, plan.across)
        tile, seen = _tile(each, plan, shades)
        cells.put(margin + x * (columns + GAP), y * rows, tile)
        part = max(part, seen)
    x = _scale(cells, height - 1, maps, found[0].scale, shades)
    hidden = len(found) - plan.shown
    said = [f"the first {part} of {found[0].values.shape[1]} numbers"] if part else []
    said += [f"+{hidden} more"] if hidden else []
    for words in (*said, maps.what):
        if words and x + 3 + len(words) <= width:
            x = cells.text(x + 3, height - 1, words, Token.MUTED)
    return cells


def arrange(maps: list[HeatMap], width: int, height: int, shades: bool = False) -> Plan | None:
    """The arrangement with the largest maps: first without axes, then fewer of them, where they would be too small.

    None: there is no room for one.
    """
    above = int(any(maps[0].titles))
    frames = ((len(str(max(maps[0].values.shape))) + 1, above, 1), (0, above, 0), (0, 0, 0))
    best = None
    for shown in range(len(maps), 0, -1):
        for frame, least in zip(frames, LEAST, strict=True):
            best = _largest(maps[0], shown, width, height, frame, shades)
            if best and _pixels(best.side, shades) >= (least * 2 // 3 if shades else least):
                return best
    return best if best and _pixels(best.side, shades) >= FEWEST else None


def _largest(
    sample: HeatMap, shown: int, width: int, height: int, frame: tuple[int, int, int], shades: bool
) -> Plan | None:
    """The arrangement of so many maps in which each has the most pixels."""
    left, above, below = frame
    found: list[Plan] = []
    for across in range(1, shown + 1):
        rows = height // -(-shown // across) - above - below
        columns = (width + GAP) // across - GAP - left
        if rows > 0 and columns > 0:
            down, wide = _fitting(sample, *_room(rows, columns, shades)).shape
            side = (down, wide * 2) if shades else (-(-down // 2), wide)
            found.append(Plan(shown, across, side, left, above, below))
    return max(found, key=lambda plan: _pixels(plan.side, shades), default=None)


def _pixels(side: tuple[int, int], shades: bool) -> int:
    return side[1] // 2 if shades else side[1]


def _room(rows: int, columns: int, shades: bool) -> tuple[int, int]:
    """Pixels down and across in so many cells."""
    return (rows, columns // 2) if shades else (2 * rows, columns)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a matrix becomes pixels."""

    shape: tuple[int, int]
    zoom: int = 1
    whole: bool = True
    """Otherwise its upper left corner."""


def _fitting(sample: HeatMap, rows: int, columns: int) -> Fit:
    """The whole matrix enlarged by a whole number, as it is, or reduced; or its corner, where waves would be lost."""
    down, across = sample.values.shape
    factor = min(rows / down, columns / across)
    if factor >= 1:
        return Fit((down * int(factor), across * int(factor)), int(factor))
    if factor * across < sample.finest:
        side = min(rows, columns)
        return Fit((min(side, down), min(side, across)), whole=False)
    return Fit((max(int(down * factor), 1), max(int(across * factor), 1)))


def pixels(each: HeatMap, rows: int, columns: int) -> Floats:
    """The matrix in at most so many pixels."""
    fit = _fitting(each, rows, columns)
    values: Floats = np.asarray(each.values, float)
    values = np.nan_to_num(values, posinf=each.scale.high, neginf=-each.scale.high)
    if not fit.whole:
        return values[: fit.shape[0], : fit.shape[1]]
    if fit.shape[0] >= len(values):
        return np.asarray(values.repeat(fit.zoom, 0).repeat(fit.zoom, 1))
    if each.extremes:
        for axis, size in enumerate(fit.shape):
            starts = np.arange(size) * values.shape[axis] // size
            values = np.maximum.reduceat(values, starts, axis=axis)
        return values
    down, across = (_shares(*sizes) for sizes in zip(values.shape, fit.shape, strict=True))
    return np.asarray(down @ values @ across.T)


@lru_cache(maxsize=32)
def _shares(size: int, fewer: int) -> Floats:
    """How much of each of `size` neighbours falls into each of `fewer` equal parts: [fewer, size], rows add to 1."""
    edges = np.arange(fewer + 1) * size / fewer
    place = np.arange(size)
    overlap = np.minimum(edges[1:, None], place + 1) - np.maximum(edges[:-1, None], place)
    return np.asarray(np.clip(overlap, 0, None) * fewer / size)


def _tile(each: HeatMap, plan: Plan, shades: bool) -> tuple[Cells, int]:
    """A map with its title and its axes; and how many numbers it shows, where that is not all."""
    cells = Cells(plan.tile[1], plan.tile[0])
    shown = pixels(each, *_room(*plan.side, shades))
    steps = each.scale.steps(shown)
    cells.put(plan.left, plan.above, _shaded(steps, each.scale) if shades else half_blocks(steps, each.scale.token))
    if plan.above:
        title = next((title for title in each.titles if len(title) <= cells.width - plan.left), "")
        cells.text(plan.left, 0, title, Token.TEXT)
    fit = _fitting(each, *_room(*plan.side, shades))
    numbers = each.values.shape if fit.whole else fit.shape
    if plan.below:
        _axes(cells, each, plan, numbers, shown.shape, shades)
    return cells, 0 if fit.whole else max(fit.shape)


def half_blocks(steps: Steps, first: int) -> Cells:
    """Pixels as cells, the upper one in front of the lower one; a last odd row has nothing below it."""
    rows, columns = -(-len(steps) // 2), steps.shape[1]
    cells = Cells(columns, rows)
    cells.chars[:] = ord("▀")
    cells.styles[:] = first + steps[::2]
    lower = steps[1::2]
    cells.styles[: len(lower)] |= np.asarray(on(first) + (lower << 11), np.uint16)
    return cells


def _shaded(steps: Steps, scale: Scale) -> Cells:
    """Pixels as pairs of shades."""
    glyphs = SIGNED_SHADES if scale.kind == "signed" else SHADES
    codes = np.array([ord(glyph) for glyph in glyphs], np.uint32)
    picked = np.rint(steps / (scale.count - 1) * (len(glyphs) - 1)).astype(int).repeat(2, 1)
    cells = Cells(picked.shape[1], len(picked))
    cells.chars[:] = codes[picked]
    if scale.kind == "signed":
        cells.styles[:] = np.where(picked < len(glyphs) // 2, Token.COS, Token.KEY)
    return cells


def _axes(
    cells: Cells, each: HeatMap, plan: Plan, numbers: tuple[int, ...], shown: tuple[int, ...], shades: bool
) -> None:
    """Name the first and the last row and column and what they count, or the marked ones."""
    (rows, columns), top, left, foot = plan.side, plan.above, plan.left, cells.height - 1
    if each.marks:
        for place, label in each.marks:
            down, across = (min(int(place * size / of), size - 1) for size, of in zip(shown, numbers, strict=True))
            x, y = (left + across * 2, top + down) if shades else (left + across, top + down // 2)
            start = min(max(x - len(label) // 2, left), cells.width - len(label))
            if cells.free(max(start - 1, 0), foot, min(len(label) + 1, cells.width - max(start - 1, 0))):
                cells.text(start, foot, label, each.style)
            elif cells.free(x, foot, 1):
                cells.text(x, foot, "▴", each.style)
            if cells.free(0, y, left):
                cells.text(left - 1 - len(label), y, label, each.style)
        return
    last = f"{numbers[0] - 1}", f"{numbers[1] - 1}"
    cells.text(left - 2, top, "0", Token.MUTED)
    cells.text(left - 1 - len(last[0]), top + rows - 1, last[0], Token.MUTED)
    cells.text(left - 2, top + rows // 2, each.names[0], Token.MUTED)
    cells.text(left, foot, "0", Token.MUTED)
    cells.text(left + columns // 2, foot, each.names[1], Token.MUTED)
    cells.text(cells.width - len(last[1]), foot, last[1], Token.MUTED)


def _scale(cells: Cells, y: int, maps: Maps, scale: Scale, shades: bool) -> int:
    """The ramp between its ends' names; returns the column after it."""
    low, high = maps.ends or scale.ends
    steps = np.arange(scale.count)[None, :: 1 if cells.width >= 40 and not shades else 2]
    ramp = _shaded(steps, scale) if shades else half_blocks(steps.repeat(2, 0), scale.token)
    if len(low) + len(high) + ramp.width + 2 > cells.width:
        return 0
    x = cells.text(0, y, low, Token.MUTED) + 1
    cells.put(x, y, ramp)
    return cells.text(x + ramp.width + 1, y, high, Token.MUTED)
