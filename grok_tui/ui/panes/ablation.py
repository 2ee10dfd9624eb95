"""What the loss becomes without each frequency."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.series import Floats
from grok_tui.state import RunState
from grok_tui.ui.panes import tracks
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.measured import MeasuredPane
from grok_tui.ui.panes.waiting import not_yet
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading, Words
from grok_tui.ui.widgets.ladder import Ladder, LadderBars, note


class AblationPane(MeasuredPane):
    """Bars of the loss over all pairs with one frequency taken out of the logits."""

    title: ClassVar[str] = "Loss without each frequency"
    look_for: ClassVar[str] = "only a few bars stand out: without those frequencies the network fails"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 6"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield LadderBars()

    def present(self, state: RunState, view: View) -> None:
        found = array_at(state, "ablation_per_frequency", view.cursor)
        heading, bars = self.query_one(Heading), self.query_one(LadderBars)
        if found is None:
            heading.say()
            self.note("")
            bars.show(Ladder(np.zeros(0), empty=not_yet(state, "ablation_per_frequency", view.cursor)))
            return
        values = found.values.ravel().astype(np.float64)
        _, keys = tracks.strengths(state, found.epoch)
        keys = tuple(k for k in keys if k <= len(values))
        level = unablated(state, found.epoch)
        at = f"at {found.epoch:,}  " if view.cursor is not None else ""
        heading.say(*wordings(at, values, level))
        ladder = Ladder(values, frozenset(keys), level)
        self.note(note(ladder, bars.size.width, bars.size.height))
        bars.show(ladder)


def unablated(state: RunState, epoch: int) -> float:
    """The loss over all pairs with every frequency in place, from those of train and test pairs."""
    fraction = float(state.setting("data", "fraction") or 0)
    parts = []
    for name in ("train_loss", "test_loss"):
        found = state.series[name].at(epoch) if name in state.series else None
        parts.append(found[1] if found else float("nan"))
    return fraction * parts[0] + (1 - fraction) * parts[1]


def wordings(at: str, values: Floats, level: float) -> tuple[Words, ...]:
    """The frequency that is missed most, and the loss with all of them."""
    worst = int(np.nanargmax(values)) + 1 if np.isfinite(values).any() else 0
    lead = ((at, Token.CURSOR | BOLD),) if at else ()
    most = (f"{wording.number(float(values[worst - 1]))} nats without k={worst}", Token.KEY | BOLD)
    whole = (f", {wording.number(level)} with all (╌╌)", Token.MUTED)
    return ((*lead, most, whole), (*lead, most))
