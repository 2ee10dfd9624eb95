"""The lines of a chart on its canvas, and what their run's parent did behind them. Pure."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from grok_tui.series import Series
from grok_tui.ui.widgets.axis import Epochs, Values
from grok_tui.ui.widgets.cells import BOLD, Cells
from grok_tui.ui.widgets.plot import Line, Plot, Shade
from grok_tui.ui.widgets.strokes import ACROSS, BLANK, DOWN, FULL, Bools, Outside, Stroke, Trail, braille, dots, trail

EVERY = 16
"""Cells between a line's markers."""


def draw(canvas: Cells, plot: Plot, values: Values) -> None:
    """Every line with its markers; where one goes, what was there before is hidden."""
    width, height = canvas.width * ACROSS, canvas.height * DOWN
    if not width or not height:
        return
    edges = plot.epochs.edges(width)
    codes = np.zeros(canvas.chars.shape, np.uint32)
    trails = []
    for line in plot.lines:
        columns = line.series.columns(edges)
        before, after = _outside(line.series, plot.epochs, width)
        drawn = trail(columns, values, height, before=before, after=after, steps=line.steps)
        found = braille(dots(drawn, line.stroke, height))
        codes |= found
        canvas.styles[found > 0] = line.style
        trails.append((line, drawn, columns.low < values.low))
    canvas.chars[codes > 0] = BLANK + codes[codes > 0]
    for nth, (line, drawn, below) in enumerate(trails):
        _draw_markers(canvas, line.marker, drawn, nth * EVERY // len(trails), line.style | BOLD)
        if values.log:
            _draw_floor(canvas, below, line.style)


class Ghosts:
    """What a chart's lines have behind them. A parent that has ended is drawn again only when an axis changes."""

    def __init__(self) -> None:
        self._spans: tuple[Hashable, list[tuple[float, float]]] = None, []
        self._layer: tuple[Hashable, Cells] = None, Cells(0, 0)

    def spans(self, plot: Plot) -> list[tuple[float, float]]:
        """The extremes of each from where it is drawn on, between the ends of the horizontal axis."""
        key = _key(plot)
        if self._spans[0] != key:
            self._spans = key, [span for line, ghost in _shown(plot) for span in _extremes(line, ghost, plot.epochs)]
        return self._spans[1]

    def draw(self, canvas: Cells, plot: Plot, values: Values) -> None:
        """Draw them on an empty canvas."""
        if not canvas.chars.size or not _shown(plot):
            return
        key = _key(plot), values, canvas.chars.shape
        if self._layer[0] != key:
            self._layer = key, _drawn(plot, values, canvas.width, canvas.height)
        canvas.put(0, 0, self._layer[1])


def _shown(plot: Plot) -> list[tuple[Line, Shade]]:
    """The lines that have a ghost on the chart."""
    return [(line, line.ghost) for line in plot.lines if line.ghost and line.ghost.since <= plot.epochs.end]


def _key(plot: Plot) -> Hashable:
    """Changes whenever a ghost may look otherwise, whatever the lines do."""
    looks = tuple((ghost, ghost.series.version, line.weaker, line.marker, line.steps) for line, ghost in _shown(plot))
    return plot.epochs, len(plot.lines), looks


def _extremes(line: Line, ghost: Shade, epochs: Epochs) -> list[tuple[float, float]]:
    start = max(epochs.start, ghost.since)
    held = ghost.series.at(start) if line.steps else None  # in force where it begins
    return [ghost.series.extent(start, epochs.end), *([(held[1], held[1])] if held else [])]


def _drawn(plot: Plot, values: Values, width: int, height: int) -> Cells:
    """The ghosts alone, each from where the two runs parted on."""
    layer = Cells(width, height)
    edges = plot.epochs.edges(width * ACROSS)
    for nth, (line, ghost) in enumerate(_shown(plot)):
        columns = ghost.series.columns(np.maximum(edges, ghost.since))
        before, after = _outside(ghost.series, plot.epochs, width * ACROSS, ghost.since)
        drawn = trail(columns, values, height * DOWN, before=before, after=after, steps=line.steps)
        hidden = plot.epochs.column(ghost.since, width * ACROSS) or 0
        for part in (drawn.low, drawn.high, drawn.end):
            part[:hidden] = np.nan
        found = braille(dots(drawn, Stroke.GHOST, height * DOWN))
        under = (layer.chars >= BLANK) & (layer.chars <= FULL)  # another ghost's dots stay
        codes = found | np.where(under, layer.chars - BLANK, 0)
        layer.chars[found > 0], layer.styles[found > 0] = BLANK + codes[found > 0], line.weaker
        _draw_markers(layer, line.marker, drawn, nth * EVERY // len(plot.lines) + EVERY // 2, line.weaker)
        if values.log:
            _draw_floor(layer, columns.low < values.low, line.weaker)
    return layer


def _outside(series: Series, epochs: Epochs, width: int, since: float = -np.inf) -> tuple[Outside, Outside]:
    """The points next to the axis's ends, between which a line goes on beyond them; or before `since` on it."""
    before, after = series.at(max(np.nextafter(epochs.start, -np.inf), since)), series.after(epochs.end)
    return tuple((epochs.share(p[0]) * width, p[1]) if p else None for p in (before, after))  # type: ignore[return-value]


def _draw_markers(canvas: Cells, marker: str, drawn: Trail, shift: int, style: int) -> None:
    """Set a line's marker on it every few cells, each line at its own places."""
    for x in range((3 + shift) % EVERY, canvas.width if marker else 0, EVERY):
        row = drawn.end[x * ACROSS]
        if row == row:
            canvas.text(x, canvas.height - 1 - int(row) // DOWN, marker, style)


def _draw_floor(canvas: Cells, below: Bools, style: int) -> None:
    """A sign where a line is too small for the axis, zeros among it."""
    for x in np.unique(np.flatnonzero(below) // ACROSS).tolist():
        canvas.text(x, canvas.height - 1, "▾", style)
