"""Weight decay: its value, its history, and what it does per step."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.series import Series
from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.plot import Line, Plot
from grok_tui.ui.widgets.strokes import Stroke


class DecayPane(Pane):
    """The control that decides whether and when a run groks."""

    title: ClassVar[str] = "Weight decay"
    look_for: ClassVar[str] = "more decay brings the jump of test accuracy forward; none at all, and it stays away"
    figure: ClassVar[str] = "Power et al. 2022, Fig. 2"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.pending: tuple[float, ...] | None = None
        """Values that were asked for and are not confirmed yet, oldest first; set by the app."""

    def parts(self) -> ComposeResult:
        yield Effect(classes="heading")
        yield Chart()

    def sees(self, state: RunState, view: View) -> Hashable:
        return super().sees(state, view), self.pending

    def present(self, state: RunState, view: View) -> None:
        effect = self.query_one(Effect)
        effect.now, effect.cursor = state.control_value("weight_decay"), view.cursor
        effect.decay, effect.lr = (in_force(state, control, view.cursor) for control in ("weight_decay", "lr"))
        effect.pending = self.pending or ()
        effect.theirs = _parents(state, state.epoch if view.cursor is None else view.cursor)
        effect.redraw()
        what = "history of weight_decay"
        values, ghost = state.derived(what, lambda: history(state, "weight_decay")), None
        if state.ghost:
            parent = state.ghost.state
            ghost = lines.shade(state.ghost, parent.derived(what, lambda: history(parent, "weight_decay")))
        line = Line("weight decay", "wd", values, Token.CONTROL, steps=True, ghost=ghost)
        self.query_one(Chart).show(
            Plot(
                (line,),
                lines.epochs(state, view),
                marks=lines.marks(state),
                cursor=view.cursor,
                legend=view.cursor is not None or ghost is not None,
            )
        )


def history(state: RunState, control: str) -> Series:
    """The confirmed values of a control up to now, as a series."""
    found = dict(state.control_line(control))
    series = Series()
    if found:
        found.setdefault(max(state.epoch, max(found)), found[max(found)])
        series.add(np.array(list(found), np.int64), np.array(list(found.values())))
    return series


def in_force(state: RunState, control: str, cursor: int | None) -> float:
    """The value of a control at the cursor's epoch, or now."""
    if cursor is None:
        return state.control_value(control)
    return state.control_at(control, cursor)


def _parents(state: RunState, epoch: int) -> float:
    """What the parent's weight decay is at an epoch after the two parted; NaN where it has none to hold against."""
    ghost = state.ghost
    return ghost.state.control_at("weight_decay", epoch) if ghost and epoch >= ghost.since else math.nan


def half_life(lr: float, decay: float) -> float:
    """Epochs in which weight decay alone halves the weights; infinite without decay."""
    per_step = lr * decay
    return -math.log(2) / math.log1p(-per_step) if 0 < per_step < 1 else math.inf if per_step <= 0 else 0.0


class Effect(CellGrid):
    """The value, what was asked for, and the effect of a step."""

    decay: float = math.nan
    lr: float = math.nan
    cursor: int | None = None
    """Where these two are read; None for now."""
    now: float = math.nan
    pending: tuple[float, ...] = ()
    theirs: float = math.nan
    """The parent's."""

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if math.isnan(self.decay):
            cells.text(0, 0, cut("not known yet", width), Token.MUTED)
            return cells
        x = 0 if self.cursor is None else cells.text(0, 0, f"at {self.cursor:,}: ", Token.CURSOR | BOLD)
        x = cells.text(x, 0, wording.number(self.decay), Token.CONTROL | BOLD)
        if self.pending:
            if self.cursor is not None:
                x = cells.text(x, 0, f", now {wording.number(self.now)}", Token.CONTROL)
            asked = " → ".join(("", *map(wording.number, self.pending[-2:])))
            x = cells.text(x, 0, f"{asked} asked", Token.PENDING | BOLD)
        if not math.isnan(self.theirs):
            x = cells.text(x, 0, f" {Stroke.GHOST.sample[0]} {wording.number(self.theirs)}", Token.MUTED)
        for form in self._forms():
            if x + 2 + len(form) <= width:
                cells.text(x + 2, 0, form, Token.MUTED)
                break
        return cells

    def _forms(self) -> tuple[str, ...]:
        """The effect of lr x weight decay, longest first."""
        per_step, half = self.lr * self.decay, half_life(self.lr, self.decay)
        if math.isnan(per_step):
            return ()
        if not per_step > 0:
            return ("nothing shrinks the weights", "no decay")
        share, epochs = f"{wording.number(100 * per_step)} %", f"{half:,.0f}" if half >= 10 else wording.number(half)
        return (
            f"× lr {wording.number(self.lr)}: the weights shrink by {share} a step, half-life {epochs} epochs",
            f"× lr {wording.number(self.lr)} = {share} a step, half-life {epochs} epochs",
            f"{share} a step, half-life {epochs} epochs",
            f"half-life {epochs} epochs",
            f"half-life {epochs}",
        )
