"""A widget drawn cell by cell, that asks the terminal only for the cells that changed."""

from __future__ import annotations

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Resize, Show
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from grok_tui.ui.widgets.cells import BOLD, DIM, REVERSE, Cells, Token, changed, ground


class CellGrid(Widget):
    """Rows of cells. A subclass says what they are in `draw`; `redraw` compares and refreshes what differs."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.cells = Cells(0, 0)
        self._strips: dict[tuple[int, int, int], Strip] = {}
        """Parts of rows as they were last sent; made again when a cell or the style sheet has changed."""
        self._looks: dict[int, Style] = {}

    def draw(self, width: int, height: int) -> Cells:
        """The picture now."""
        return Cells(width, height)

    def redraw(self) -> None:
        """Draw, and refresh the cells that are not what they were."""
        width, height = self.size
        if not width or not height:
            return
        before, after = self.cells, self.draw(width, height)
        self.cells = after
        if before.chars.shape != after.chars.shape:
            self._strips.clear()
            self.refresh()
            return
        regions = [Region(start, y, end - start, 1) for y, start, end in changed(before, after)]
        if regions:
            self._strips.clear()
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The cells of a region, made of these cells alone.

        Textual's own way makes whole rows first, with borders, padding and opacity, which a grid has none of, and then
        cuts them: half of the time that a heat map took.
        """
        return [self._part(y, crop.x, crop.right) for y in crop.line_range]

    def render_line(self, y: int) -> Strip:
        return self._part(y, 0, self.size.width)

    def _part(self, y: int, start: int, end: int) -> Strip:
        """The cells of a row from column `start` up to `end`."""
        if y >= self.cells.height:
            return Strip.blank(end - start, self._look(Token.TEXT))
        if (y, start, end) not in self._strips:
            runs = self.cells.runs(y, start, end)
            there = max(min(end, self.cells.width) - start, 0)  # told, because counting it takes as long as all else
            strip = Strip([Segment(text, self._look(style)) for text, style in runs], there)
            self._strips[y, start, end] = strip if there == end - start else strip.adjust_cell_length(end - start)
        return self._strips[y, start, end]

    def on_resize(self, _event: Resize) -> None:
        self.redraw()

    def on_show(self, _event: Show) -> None:
        self.redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._looks.clear()
        self._strips.clear()

    def _look(self, style: int) -> Style:
        """The style of a token with its flags, as the terminal's filters have it.

        From the theme's variables: with a component class for each token, matching them against the style
        sheet took 40 % of the time until a screen stood.
        """
        if style not in self._looks:
            look = self.rich_style + Style(color=self._colour(Token(style & 0xFF)))
            if (behind := ground(style)) is not None:
                look += Style(bgcolor=self._colour(behind))
            if style & (BOLD | DIM | REVERSE):
                look += Style(bold=bool(style & BOLD), dim=bool(style & DIM), reverse=bool(style & REVERSE))
            part = [Segment(" ", look)]
            for each in self.get_line_filters():
                part = each.apply(part, self.background_colors[1])
            self._looks[style] = part[0].style or look
        return self._looks[style]

    def _colour(self, token: Token) -> RichColor:
        return Color.parse(self.app.theme_variables[token.variable]).rich_color
