"""A grid of character cells, each with a style: what every widget of ours draws on. Pure."""

from __future__ import annotations

from enum import IntEnum, auto
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from grok_tui.ui.widgets import glyphs

GAP = 6
"""Unchanged cells in a row that are cheaper to send again than to skip."""

BOLD, DIM, REVERSE = 0x100, 0x200, 0x400
"""Added to a token."""

HEATS, SIGNS = 16, 15
"""Steps of a heat map's two ramps: from least to most, and from negative through 0 to positive."""

_GROUND = 11
"""Lowest of the five bits that hold a cell's ground: none, or one of the ramps' 31 steps."""


class Token(IntEnum):
    """What a cell means; the theme has a colour for each."""

    TEXT = 0
    MUTED = auto()
    AXIS = auto()
    TRAIN = auto()
    TRAIN_WEAK = auto()
    TEST = auto()
    TEST_WEAK = auto()
    RESTRICTED = auto()
    RESTRICTED_WEAK = auto()
    EXCLUDED = auto()
    EXCLUDED_WEAK = auto()
    OTHER = auto()
    OTHER_WEAK = auto()
    CHANCE = auto()
    MARK = auto()
    NOTE = auto()
    CURSOR = auto()
    CONTROL = auto()
    PENDING = auto()
    COS = auto()
    SIN = auto()
    KEY = auto()
    GOOD = auto()
    WARN = auto()
    BAD = auto()
    FITTING = auto()
    MEMORIZATION = auto()
    CIRCUIT = auto()
    CLEANUP = auto()
    GENERALIZED = auto()
    DIRECT = auto()
    STALLED = auto()
    DEGRADED = auto()
    HEAT_0 = auto()
    HEAT_1 = auto()
    HEAT_2 = auto()
    HEAT_3 = auto()
    HEAT_4 = auto()
    HEAT_5 = auto()
    HEAT_6 = auto()
    HEAT_7 = auto()
    HEAT_8 = auto()
    HEAT_9 = auto()
    HEAT_10 = auto()
    HEAT_11 = auto()
    HEAT_12 = auto()
    HEAT_13 = auto()
    HEAT_14 = auto()
    HEAT_15 = auto()
    SIGNED_0 = auto()
    SIGNED_1 = auto()
    SIGNED_2 = auto()
    SIGNED_3 = auto()
    SIGNED_4 = auto()
    SIGNED_5 = auto()
    SIGNED_6 = auto()
    SIGNED_7 = auto()
    SIGNED_8 = auto()
    SIGNED_9 = auto()
    SIGNED_10 = auto()
    SIGNED_11 = auto()
    SIGNED_12 = auto()
    SIGNED_13 = auto()
    SIGNED_14 = auto()
    RUN_1 = auto()
    RUN_2 = auto()
    RUN_3 = auto()
    RUN_4 = auto()
    RUN_5 = auto()
    RUN_6 = auto()
    RUN_7 = auto()
    RUN_8 = auto()
    INK = auto()
    """As dark or as light as the screen: what is written on the far half of a ramp."""

    @property
    def variable(self) -> str:
        """The theme's name for its colour."""
        name = self.name.lower().replace("_", "-")
        return f"phase-{name}" if Token.FITTING <= self <= Token.DEGRADED else _SHARED.get(name, name)


_SHARED = {"text": "foreground", "chance": "muted", "control": "other"}
"""Tokens whose colour goes by another name."""


def on(token: int) -> int:
    """Added to a style: the cell's ground has the colour of a step of a ramp."""
    return (token - Token.HEAT_0 + 1) << _GROUND


def ground(style: int) -> Token | None:
    """What `on` added to a style."""
    step = style >> _GROUND
    return Token(Token.HEAT_0 + step - 1) if step else None


class Cells:
    """`height` rows of `width` cells; what lies outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.chars: NDArray[np.uint32] = np.full((max(height, 0), max(width, 0)), ord(" "), np.uint32)
        self.styles: NDArray[np.uint16] = np.zeros((max(height, 0), max(width, 0)), np.uint16)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.chars.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.chars.shape[0])

    def text(self, x: int, y: int, text: str, style: int = Token.TEXT) -> int:
        """Write `text` from column `x` of row `y`; returns the column after it."""
        whole = glyphs.codes(text)
        end = x + len(whole)
        if 0 <= y < self.height and x < self.width and end > 0 and len(whole):
            codes = whole[max(-x, 0) : max(self.width - x, 0)]
            start = max(x, 0)
            self.chars[y, start : start + len(codes)] = codes
            self.styles[y, start : start + len(codes)] = style
        return end

    def free(self, x: int, y: int, length: int) -> bool:
        """Whether so many cells from there on are blank and inside."""
        if not (0 <= y < self.height and x >= 0 and x + length <= self.width):
            return False
        return bool((self.chars[y, x : x + length] == ord(" ")).all())

    def stamp(self, x: int, y: int, label: str, style: int) -> None:
        """Write `label` around column `x`, inside, and blank what is left of words that it cuts."""
        size = glyphs.size(label)
        start = min(max(x - size // 2, 0), max(self.width - size, 0))
        blank = self.chars[y] == ord(" ")
        for edge, step in ((start - 1, -1), (start + size, 1)):
            while 0 <= edge < self.width and not blank[edge]:
                self.chars[y, edge] = ord(" ")
                edge += step
        self.text(start, y, label, style)

    def put(self, x: int, y: int, part: Cells) -> None:
        """Copy `part` with its upper left corner at (x, y)."""
        part_ = part.chars[: max(self.height - y, 0), : max(self.width - x, 0)]
        rows, columns = part_.shape
        self.chars[y : y + rows, x : x + columns] = part_
        self.styles[y : y + rows, x : x + columns] = part.styles[:rows, :columns]

    def runs(self, y: int, start: int = 0, end: int | None = None) -> list[tuple[str, int]]:
        """Row `y` as (text, style) pairs; or its columns from `start` up to `end`."""
        styles = self.styles[y, start:end]
        if not len(styles):
            return []
        cuts = [0, *(np.flatnonzero(styles[1:] != styles[:-1]) + 1).tolist(), len(styles)]
        line = glyphs.texts(self.chars[y, start:end])
        return [("".join(line[first:last]), int(styles[first])) for first, last in pairwise(cuts)]

    def line(self, y: int) -> str:
        """Row `y` as text."""
        return "".join(glyphs.texts(self.chars[y]))

    def lines(self) -> list[str]:
        """Every row as text."""
        return [self.line(y) for y in range(self.height)]


def changed(before: Cells, after: Cells) -> list[tuple[int, int, int]]:
    """(row, first column, column after the last) of the cells that differ between two grids of one size.

    Differences closer than `GAP` are one piece: to place the cursor costs as much as to send the cells between.
    """
    differ = (before.chars != after.chars) | (before.styles != after.styles)
    pieces = []
    for y in np.flatnonzero(differ.any(axis=1)).tolist():
        columns = np.flatnonzero(differ[y])
        cuts = np.flatnonzero(np.diff(columns) > GAP) + 1
        pieces += [(y, *_whole(before, after, y, int(p[0]), int(p[-1]) + 1)) for p in np.split(columns, cuts)]
    return pieces


def _whole(before: Cells, after: Cells, y: int, start: int, end: int) -> tuple[int, int]:
    """The columns with the other halves of what is two cells wide, in either grid."""
    rows = before.chars[y], after.chars[y]
    start -= start > 0 and any(row[start] == glyphs.REST for row in rows)
    return start, end + (end < after.width and any(row[end] == glyphs.REST for row in rows))


def cut(text: str, width: int) -> str:
    """`text` shortened to `width` cells, with an ellipsis where something is missing."""
    return text if glyphs.size(text) <= width else glyphs.head(text, max(width - 1, 0)) + "…"[: max(width, 0)]


def wrap(text: str, width: int) -> list[str]:
    """`text` broken between words into lines of at most `width` cells."""
    lines: list[str] = []
    for word in text.split():
        if lines and glyphs.size(lines[-1]) + 1 + glyphs.size(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(cut(word, max(width, 1)))
    return lines
