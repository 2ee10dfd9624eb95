"""By which of two known algorithms the network adds, and how few dimensions and frequencies it needs for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.science.classes import ENOUGH
from grok_tui.series import Series
from grok_tui.state import RunState
from grok_tui.ui.panes.lines import Look
from grok_tui.ui.panes.measured import SHARES, MeasuredPane, looked, plot
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading, Words, plain
from grok_tui.ui.widgets.panels import Panel, Panels
from grok_tui.ui.widgets.plot import Line
from grok_tui.ui.widgets.strokes import Stroke


@dataclass(frozen=True, slots=True)
class Known:
    """What the two models of Zhong et al. read (arXiv 2306.17844)."""

    series: str
    short: str
    look: Look
    clock: float
    pizza: float

    def leans(self, value: float) -> float:
        """Where a value stands between the two: 0 at the pizza's, 1 at the clock's."""
        return (value - self.pizza) / (self.clock - self.pizza)


IRRELEVANCE = Known("distance_irrelevance", "q", Look("q", "q", Token.TEST, Stroke.THICK, "○"), 0.85, 0.17)
SYMMETRICITY = Known("gradient_symmetricity", "symmetricity", Look("sym.", "sym.", Token.EXCLUDED), 0.33, 0.99)

DIMENSION = {"effective_dimension": Look("e^S of W_E", "e^S", Token.OTHER)}
WAVES = {
    "ipr_neurons": Look("IPR of neurons", "neurons", Token.COS, Stroke.DASHED, "△"),
    "ipr_W_E": Look("IPR of W_E", "W_E", Token.SIN, Stroke.DOTTED),
    "circularity": Look("circularity", "circ.", Token.RESTRICTED),
}

CIRCULAR = (0.9, "circular above", "circular")
CLEAR = 2 / 3
"""How far both must lean to one side to be called by its name."""

WITHHELD = (
    "says nothing before test accuracy rises: a lookup table reads q near 1 too",
    "nothing before test accuracy rises: a table reads q near 1",
    "nothing before test accuracy rises",
    "nothing yet",
)


class StructurePane(MeasuredPane):
    """A clock multiplies the two numbers' waves, a pizza adds them; both answer right."""

    title: ClassVar[str] = "Clock or pizza"
    look_for: ClassVar[str] = "q high and symmetricity low: a clock; the reverse: a pizza"
    figure: ClassVar[str] = "Zhong et al. 2023, Sec. 4; Liu et al. 2022, Sec. 4.2"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield Panels()

    def present(self, state: RunState, view: View) -> None:
        self.query_one(Heading).say(*verdict(state, view.cursor))
        waves, dimension = looked(state, WAVES), looked(state, DIMENSION)
        self.query_one(Panels).show(
            _known(state, view, "Distance irrelevance", IRRELEVANCE),
            _known(state, view, "Gradient symmetricity", SYMMETRICITY),
            Panel("Made of single waves", plot(state, view, waves, *WAVES, values=SHARES, level=CIRCULAR)),
            Panel("Effective dimension", plot(state, view, dimension, *DIMENSION)),
        )


def _known(state: RunState, view: View, title: str, known: Known) -> Panel:
    """A measure between what it is for a clock and for a pizza."""
    drawn = looked(state, {known.series: known.look}, digits=2)
    chart = plot(state, view, drawn, known.series, values=SHARES)
    if drawn:
        references = tuple(
            state.derived((name, value, chart.epochs), partial(_reference, name, value, chart.epochs))
            for name, value in (("clock", known.clock), ("pizza", known.pizza))
        )
        chart = plot(state, view, (*references, *drawn), known.series, values=SHARES)
    return Panel(title, chart)


def _reference(name: str, value: float, epochs: Epochs) -> Line:
    """A published value across the whole chart."""
    series = Series()
    series.add(np.array([math.floor(epochs.start), math.ceil(epochs.end)]), np.array([value, value]))
    stroke = Stroke.DASHED if name == "clock" else Stroke.DOTTED
    return Line(name, name, series, Token.MUTED, stroke, said=f"{value:.2f}")


def verdict(state: RunState, cursor: int | None) -> tuple[Words, ...]:
    """Which of the two it is, as far as that can be said: the wordings, longest first."""
    q, symmetricity = (_read(state, known.series, cursor) for known in (IRRELEVANCE, SYMMETRICITY))
    accuracy = _read(state, "test_accuracy", cursor)
    if math.isnan(q) and math.isnan(symmetricity):
        return plain("")
    if not accuracy >= ENOUGH:
        return plain(*WITHHELD)
    leans = (IRRELEVANCE.leans(q), SYMMETRICITY.leans(symmetricity))
    if any(math.isnan(lean) for lean in leans):
        word = "one of the two cannot be measured"
    elif min(leans) >= CLEAR:
        word = "a clock"
    elif max(leans) <= 1 - CLEAR:
        word = "a pizza"
    else:
        word = "between clock and pizza"
    at = "" if cursor is None else f"at {cursor:,}  "
    found = (word, int(Token.TEXT | BOLD))
    read = f"q {wording.number(q)}, symmetricity {wording.number(symmetricity)}"
    published = "(published: clock 0.85 and 0.33, pizza 0.17 and 0.99)"
    lead = ((at, int(Token.CURSOR | BOLD)),) if at else ()
    muted = int(Token.MUTED)
    return (*lead, found, (f"  {read} {published}", muted)), (*lead, found, (f"  {read}", muted)), (*lead, found)


def _read(state: RunState, name: str, cursor: int | None) -> float:
    """A series at the cursor, or its newest; NaN where there is none."""
    series = state.series.get(name)
    if series is None or not len(series):
        return math.nan
    found = series.at(cursor) if cursor is not None else None
    return found[1] if found else math.nan if cursor is not None else series.last
