"""A line of words above a picture: as many of them as fit."""

from __future__ import annotations

from grok_tui.ui.widgets.cells import Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

Words = tuple[tuple[str, int], ...]
"""(text, style) pairs."""


class Heading(CellGrid):
    """The first of several wordings that fits; the last one is cut."""

    wordings: tuple[Words, ...] = ()

    def __init__(self) -> None:
        super().__init__(classes="heading")

    def say(self, *wordings: Words) -> None:
        """Give it wordings, the longest first."""
        self.wordings = wordings
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        fitting = (words for words in self.wordings if sum(len(text) for text, _ in words) <= width)
        x = 0
        for text, style in next(fitting, self.wordings[-1] if self.wordings else ()):
            x = cells.text(x, 0, cut(text, max(width - x, 0)), style)
        return cells


def plain(*texts: str) -> tuple[Words, ...]:
    """Wordings without any colour."""
    return tuple(((text, int(Token.MUTED)),) for text in texts)
