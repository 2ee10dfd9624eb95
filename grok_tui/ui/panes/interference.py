"""How the cosines of the key frequencies add up at the right answer, and cancel elsewhere."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.series import Floats, Ints, Series
from grok_tui.state import RunState
from grok_tui.ui.panes import tracks
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.lines import Look
from grok_tui.ui.panes.waiting import looked_at, not_yet, when
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading, Words
from grok_tui.ui.widgets.panels import Panel, Panels
from grok_tui.ui.widgets.plot import Line, Plot

SUM = Look("sum", "sum", Token.KEY)

NEAR = 6
"""The single waves are shown over so much less than the whole circle: on all of it they are too dense to follow."""


class InterferencePane(Pane):
    """The logit against the distance from the right answer, as the key frequencies make it."""

    title: ClassVar[str] = "Constructive interference"
    look_for: ClassVar[str] = "every wave peaks at 0; elsewhere they disagree, so only the right answer stands out"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 8"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield Panels()

    def sees(self, state: RunState, view: View) -> Hashable:
        return looked_at(state, view, "alpha", "key_frequencies"), state.final_keys

    def present(self, state: RunState, view: View) -> None:
        alpha, keys = tracks.strengths(state, view.cursor)
        keys, x = keys or tracks.strongest(state, view.cursor), distances(state.modulus)
        heading, pictures = self.query_one(Heading), self.query_one(Panels)
        if not keys:
            heading.say()
            pictures.show(Panel("", Plot((), Epochs(0.0, 1.0), empty=not_yet(state, "alpha", view.cursor))))
            return
        waves = {k: wave(x, float(alpha[k - 1]), k, state.modulus) for k in keys}
        total = np.sum(list(waves.values()), axis=0)
        shown = tracks.strongest(state, view.cursor)
        each = tuple(_line(x, waves[k], tracks.look(nth, k)) for nth, k in enumerate(shown))
        heading.say(*wordings(when(tracks.measured(state, view.cursor), view), x, total, len(keys)))
        pictures.show(
            Panel("their sum", _plot((_line(x, total, SUM),), x[-1], legend=False)),
            Panel("each wave, close to 0", _plot(each, max(x[-1] / NEAR, 1.0))),
        )


def _plot(drawn: tuple[Line, ...], reach: float, legend: bool = True) -> Plot:
    return Plot(drawn, Epochs(-float(reach), float(reach)), across="a + b - c", legend=legend)


def distances(p: int) -> Ints:
    """The values of a + b - c mod p, with the right answer in the middle."""
    return np.arange(-((p - 1) // 2), p // 2 + 1, dtype=np.int64)


def wave(x: Ints, alpha: float, k: int, p: int) -> Floats:
    """alpha_k cos(w_k x) with w_k = 2 pi k / p."""
    return np.asarray(alpha * np.cos(2 * np.pi * k * x / p))


def wordings(at: str, x: Ints, total: Floats, count: int) -> tuple[Words, ...]:
    """How far the right answer stands above the next best."""
    middle = int(np.flatnonzero(x == 0)[0])
    others = np.delete(total, middle)
    place = int(np.delete(x, middle)[np.argmax(others)])
    margin = wording.number(float(total[middle] - others.max()))
    lead = ((at, Token.CURSOR | BOLD),) if at else ()
    ahead = (f"right answer ahead by {margin} nats", Token.KEY | BOLD)
    behind = (f" of the next, at ±{abs(place)}", Token.MUTED)
    waves = (f"; sum of {count} waves", Token.MUTED)
    return (
        (*lead, ahead, behind, waves),
        (*lead, ahead, behind),
        (*lead, ahead),
        (*lead, (f"ahead by {margin}", Token.KEY | BOLD)),
    )


def _line(x: Ints, values: Floats, look: Look) -> Line:
    series = Series()
    series.add(x, values)
    return Line(look.name, look.short, series, look.token, look.stroke, look.marker, said="")
