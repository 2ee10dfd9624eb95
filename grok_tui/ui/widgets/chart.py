"""A line chart: plotext's frame and ticks, our own dots. The only module that imports plotext."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import plotext

from grok_tui.ui.widgets import curves, legend
from grok_tui.ui.widgets.axis import Epochs, Tick, Values, span
from grok_tui.ui.widgets.cells import BOLD, DIM, REVERSE, Cells, Token, cut
from grok_tui.ui.widgets.curves import Ghosts
from grok_tui.ui.widgets.plot import EPOCH, FLAG, Level, Plot
from grok_tui.ui.widgets.pointing import Pointable, epoch_of
from grok_tui.ui.widgets.strokes import DOWN

LABELS = 4
"""Width of the labels beside the vertical axis, at least: charts below each other then share their columns."""

PAD = 2
"""Dots left free above and below the lines."""

BODIES = 4
"""Charts without a cursor that a sheet keeps: a legend of one row more makes another."""


class Chart(Pointable):
    """A plot that is drawn again when it is given another."""

    plot: Plot | None = None

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._sheet = Sheet()

    def show(self, plot: Plot) -> None:
        """Draw `plot`; its series may have grown since."""
        self.plot = plot
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return self._sheet.picture(self.plot, width, height) if self.plot else Cells(width, height)

    def epoch_at(self, x: int, y: int, start: tuple[int, int]) -> float | None:  # noqa: ARG002 - it has one axis
        return self._sheet.epoch_at(x)


def picture(plot: Plot, width: int, height: int) -> Cells:
    """The chart in so many cells: legend, frame and lines, as much of them as there is room for."""
    return Sheet().picture(plot, width, height)


class Sheet:
    """Draws one chart again and again. What does not depend on the cursor is drawn once: most of the work."""

    def __init__(self) -> None:
        self._bodies: dict[Hashable, tuple[Cells, int, int]] = {}
        """(frame and lines, the canvas's first column, its rows)."""
        self._ghosts = Ghosts()
        self._named: tuple[Hashable, int] = (None, 0)
        """What the cursor was last moved over, and the rows that the legend took then."""
        self._axis: tuple[Epochs, int, int] | None = None
        """The last picture's axis of epochs, its first column, and its columns."""

    def picture(self, plot: Plot, width: int, height: int) -> Cells:
        """The chart in so many cells."""
        cells = Cells(width, height)
        self._axis = None
        if not any(len(line.series) for line in plot.lines):
            text = cut(plot.empty, width)
            cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
            return cells
        what = (replace(plot, cursor=None), _versions(plot), width, height)
        used = self._name(cells, plot, what)
        if (what, used) not in self._bodies:
            while len(self._bodies) >= BODIES:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[what, used] = _body(plot, width, height - used, self._ghosts)
        body, left, rows = self._bodies[what, used]
        cells.put(0, used, body)
        if plot.across == EPOCH:
            self._axis = plot.epochs, left, width - left
        if plot.cursor is not None:
            _draw_cursor(cells, plot, left, used, rows)
        return cells

    def epoch_at(self, x: int) -> float | None:
        """The epoch at a column of the last picture; None where it counts something else, or nothing."""
        if self._axis is None:
            return None
        epochs, left, columns = self._axis
        return epoch_of(epochs, x - left, columns)

    def _name(self, cells: Cells, plot: Plot, what: Hashable) -> int:
        """Draw the legend; returns its rows. While a cursor moves they get no fewer, so that the chart stays put."""
        height = cells.height
        most = max(height // 6, 1) if plot.cursor is None else max(height // 5, 3 if height >= 8 else 1)
        used = legend.draw(cells, plot, min(most, 3)) if plot.legend and height > 2 else 0
        if plot.cursor is None:
            self._named = (None, 0)
            return used
        self._named = what, max(used, self._named[1] if self._named[0] == what else 0)
        return self._named[1]


def _versions(plot: Plot) -> Hashable:
    """Changes whenever a series or a ghost has grown."""
    return tuple((line.series.version, line.ghost.series.version if line.ghost else 0) for line in plot.lines)


def _body(plot: Plot, width: int, height: int, ghosts: Ghosts) -> tuple[Cells, int, int]:
    """Frame and lines without a cursor, the canvas's first column, and its rows."""
    body = Cells(width, height)
    values = plot.values or _fitted(plot, ghosts)
    left, rows, values = _frame(body, plot.epochs, values, plot.across)
    canvas = Cells(width - left, rows)
    ghosts.draw(canvas, plot, values)
    curves.draw(canvas, plot, values)
    _draw_levels(canvas, _levels(plot), values)
    _draw_marks(canvas, plot)
    body.put(left, 0, canvas)
    return body, left, rows


def _fitted(plot: Plot, ghosts: Ghosts) -> Values:
    """The vertical axis that holds every line between the ends of the horizontal one."""
    first, last = plot.epochs.start, plot.epochs.end
    spans = [line.series.extent(first, last) for line in plot.lines]
    held = [line.series.at(first) for line in plot.lines if line.steps]  # in force where the axis begins
    spans += [(point[1], point[1]) for point in held if point]
    spans += ghosts.spans(plot)
    spans += [(value, value) for value, *_ in _levels(plot)]
    ends = np.array(spans)
    finite = ends[np.isfinite(ends)]
    if plot.log and (finite > 0).any():
        finite = finite[finite > 0]
    return span(finite.min(), finite.max(), plot.log) if len(finite) else span(np.nan, np.nan, plot.log)


def _frame(cells: Cells, epochs: Epochs, values: Values, counts: str) -> tuple[int, int, Values]:
    """Draw axes and ticks; returns the canvas's first column, its number of rows, and what they span."""
    rows = cells.height - 2
    up = values.ticks(rows) if rows >= 2 else []
    labels = max((len(label) for _, label in up), default=0)
    left = max(labels, LABELS) + 1
    columns = cells.width - left
    if rows < 2 or columns < 8:
        return 0, cells.height, values
    values = values.padded(rows * DOWN, PAD)
    across = [(epochs.column(e, columns), label) for e, label in epochs.ticks(columns)]
    found = (values.row(np.array([v for v, _ in up]), rows * DOWN) // DOWN).tolist()
    ticks_x = _apart([(float(x), label) for x, label in across if x is not None])
    ticks_y = tuple((row, f"{label:>{left - 1}}") for row, (_, label) in zip(found, up, strict=True))
    name = f" {counts}, log " if epochs.log else f" {counts} "
    cells.put(0, 0, _plotext_frame(cells.width, cells.height, columns, rows, ticks_x, ticks_y, name))
    return left, rows, values


def _apart(ticks: list[Tick]) -> tuple[Tick, ...]:
    """Those whose labels do not touch the one before: of two that do, plotext leaves out one by chance."""
    kept: list[Tick] = []
    end = -2.0
    for x, label in ticks:
        if (start := x - len(label) // 2) > end + 1:
            kept.append((x, label))
            end = start + len(label) - 1
    return tuple(kept)


@lru_cache(maxsize=64)
def _plotext_frame(
    width: int, height: int, columns: int, rows: int, across: tuple[Tick, ...], up: tuple[Tick, ...], name: str
) -> Cells:
    """Axes and ticks as plotext draws them around a canvas of `columns` x `rows`; ticks are given in cells.

    It takes plotext some milliseconds, and changes only when an axis does.
    """
    figure = plotext._figure._figure_class()  # an instance: plotext's module-level functions share one figure
    figure._limit_size(False, False)  # otherwise cut to the terminal of this process
    figure.plot_size(width, height)
    figure.theme("clear")
    figure.xaxes(True, False)
    figure.yaxes(True, False)
    figure.xlim(0, columns - 1)
    figure.ylim(0, rows - 1)
    figure.plot([0], [0], marker=" ")  # without a point it draws no axes
    figure.xticks([x for x, _ in across], [label for _, label in across])
    figure.yticks([y for y, _ in up], [label for _, label in up])
    frame = Cells(width, height)
    for y, line in enumerate(figure.build().replace("\x1b[0m", "").splitlines()):
        for x, char in enumerate(line):
            frame.text(x, y, char, Token.AXIS if char in "│┤└┬─┼" else Token.MUTED)
    if (place := frame.line(rows).find("─" * (len(name) + 2))) >= 0:
        frame.text(place + 1, rows, name, Token.AXIS)
    return frame


def _levels(plot: Plot) -> tuple[Level, ...]:
    return plot.levels or ((plot.level,) if plot.level else ())


def _draw_levels(canvas: Cells, levels: Sequence[Level], values: Values) -> None:
    """The reference values: dashed lines where nothing else is, and their names where there is room."""
    places = []
    for value, *names in sorted(levels):
        if canvas.height and values.low <= value <= values.high:
            y = canvas.height - 1 - int(values.row(np.array([value]), canvas.height * DOWN)[0]) // DOWN
            blank = canvas.chars[y] == ord(" ")
            canvas.chars[y, blank], canvas.styles[y, blank] = ord("╌"), Token.CHANCE | DIM
            places.append((y, names))
    for nth, (y, names) in enumerate(places, 1):
        _name_level(canvas, names, (y - 1, y + 1) if nth == len(places) else (y + 1, y - 1))  # only the highest above


def _name_level(canvas: Cells, names: Sequence[str], rows: tuple[int, int]) -> None:
    for name in names:
        for row in rows:
            for x in (canvas.width - len(name), 1):
                if canvas.free(x, row, len(name)):
                    canvas.text(x, row, name, Token.CHANCE)
                    return


def _draw_marks(canvas: Cells, plot: Plot) -> None:
    """A vertical line for each mark where nothing else is, and its letters in the first free place from the top.

    What was done to the run wins over what was noted; a note's flag is shown beside it.
    """
    places = [(plot.epochs.column(mark.epoch, canvas.width), mark) for mark in plot.marks]
    shown = sorted(((x, mark) for x, mark in places if x is not None), key=lambda place: not place[1].flag)
    columns = dict(shown)  # the last one that falls into a column
    for x, mark in columns.items():
        blank = canvas.chars[:, x] == ord(" ")
        canvas.chars[blank, x], canvas.styles[blank, x] = ord(mark.stroke), mark.token
    for x, mark in shown:
        if mark.flag:
            _plant(canvas, x, mark.token)
    for x, mark in columns.items():
        for y in range(canvas.height // 2):
            start = next((s for s in (x + 1, x - len(mark.label)) if canvas.free(s, y, len(mark.label))), None)
            if start is not None:
                canvas.text(start, y, mark.label, mark.token)
                break


def _plant(canvas: Cells, x: int, style: int) -> None:
    """A flag in the uppermost cell of a column that shows no line's dots."""
    for y in range(canvas.height):
        if chr(canvas.chars[y, x]) in " ┊╎╌":
            canvas.text(x, y, FLAG, style | BOLD)
            return


def _draw_cursor(cells: Cells, plot: Plot, left: int, top: int, rows: int) -> None:
    """The cursor's line, and its epoch on the axis."""
    if plot.cursor is None or (x := plot.epochs.column(plot.cursor, cells.width - left)) is None:
        return
    for y in range(top, top + rows):
        if cells.free(left + x, y, 1) or chr(cells.chars[y, left + x]) in "┊╎╌":
            cells.text(left + x, y, "│", Token.CURSOR)
    if top + rows < cells.height:
        cells.stamp(left + x, cells.height - 1, f" {plot.cursor:,} ", Token.CURSOR | REVERSE)
