"""What is to be done with the run and when: the rules that wait, and for what; and those that were carried out."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.plan import At, Crossing, Entering, When
from grok_tui.planned import Planned
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

EMPTY = ("no plan yet", "a adds to it, such as", "  when cleanup: set weight_decay 0", "  at 6000: checkpoint; pause")


class PlanPane(Pane):
    """Rules, schedules and limits, with how far the run is from what they wait for."""

    title: ClassVar[str] = "Plan"
    of_now: ClassVar[bool] = True
    look_for: ClassVar[str] = "a rule acts once, at the first measured epoch at which its condition holds"
    figure: ClassVar[str] = ""

    def parts(self) -> ComposeResult:
        yield Rules()

    def sees(self, state: RunState, view: View) -> Hashable:
        return super().sees(state, view), state.status.limit if state.status else 0.0

    def present(self, state: RunState, view: View) -> None:  # noqa: ARG002 - a plan is about what comes
        rules = self.query_one(Rules)
        rules.rows = tuple(rows(state))
        rules.redraw()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the pane."""

    sign: str
    token: Token
    text: str
    beside: str
    """How far it is, or when it was."""


def rows(state: RunState) -> list[Row]:
    """What there is to say, the nearest first: what goes on, what waits, what is done (the newest first)."""
    return open_rows(state) + [_ended(rule) for rule in reversed(state.plans.fired)]


def _ended(rule: Planned) -> Row:
    """One that was carried out, or that could not be."""
    if rule.failed:
        return Row("✗", Token.BAD, f"{rule.first}: {rule.failed}", f"at {rule.fired:,}")
    return Row("✓", Token.MUTED, rule.first, f"at {rule.fired:,}")


def open_rows(state: RunState) -> list[Row]:
    """What goes on and what waits."""
    found = []
    if state.status is not None and state.status.limit:
        found.append(Row("≤", Token.CONTROL, f"{state.status.limit:g} epochs per second", ""))
    for name, (line, begin, length) in state.schedules().items():
        share = f", {(state.epoch - begin) / length:.0%}" if math.isfinite(length) else ""
        now = wording.number(state.control_at(name, state.epoch))
        found.append(Row("◇", Token.MARK, line.removeprefix("set "), f"now {now}{share}"))
    if (goal := state.plans.goal) is not None:
        text = goal.until.removeprefix("when ").removeprefix("at ")
        far = "never came" if state.state == "finished" else distance(state, goal.when)
        found.append(Row("‖", Token.WARN, f"pause at {text}", far))
    return found + [Row(f"{rule.id}", Token.PENDING, rule.line, _waits(state, rule)) for rule in state.plans.pending]


def _waits(state: RunState, rule: Planned) -> str:
    if state.state == "finished":
        return "never came"
    found = rule.rule
    return distance(state, found.when) if found else "of a newer version"


def distance(state: RunState, when: When | None) -> str:
    """How far the run is from a moment."""
    match when:
        case At(epoch=epoch):
            return f"in {max(epoch - state.epoch, 0):,}"
        case Entering():
            return f"now {state.phases.phase}"
        case Crossing(series=name):
            if state.control(name) is not None:
                return f"now {wording.number(state.control_at(name, state.epoch))}"
            return f"now {wording.number(state.series[name].last if name in state.series else math.nan)}"
    return ""


class Rules(CellGrid):
    """The rows that there is room for."""

    rows: tuple[Row, ...] = ()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if not self.rows:
            for y, text in enumerate(EMPTY[:height]):
                cells.text(0, y, cut(text, width), Token.MUTED)
            return cells
        hidden = len(self.rows) - height
        shown = self.rows if hidden <= 0 else self.rows[: max(height - 1, 0)]
        wide = max((len(row.sign) for row in shown), default=1)
        for y, row in enumerate(shown):
            x = cells.text(0, y, f"{row.sign:>{wide}}", row.token | BOLD)
            tone = Token.MUTED if row.token is Token.MUTED else Token.TEXT
            room = width - x - 1
            if len(row.text) + 2 + len(row.beside) <= room:
                cells.text(width - len(row.beside), y, row.beside, Token.MUTED)
            cells.text(x + 1, y, cut(row.text, max(room, 0)), tone)
        if hidden > 0 and height:
            cells.text(0, height - 1, cut(f"{hidden + 1} more", width), Token.MUTED)
        return cells
