"""What happened, newest last."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.protocol import Event
from grok_tui.state import RunState
from grok_tui.ui.panes import phase as phase_pane
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid


@dataclass(frozen=True, slots=True)
class Look:
    """The sign before an event, and its colour."""

    sign: str
    token: Token


PHASE = "phase"
"""Not as the recording has it: phases are derived anew, under rules that may be better than those of then."""

LOOKS = {
    "imported": Look("▸", Token.GOOD),
    "started": Look("▸", Token.GOOD),
    "branched": Look("├", Token.GOOD),
    "changed": Look("◆", Token.MARK),
    "paused": Look("‖", Token.WARN),
    "continued": Look("▸", Token.GOOD),
    "checkpoint": Look("▪", Token.MUTED),
    "resumed": Look("↻", Token.GOOD),
    "replayed": Look("↻", Token.MUTED),
    "stopped": Look("■", Token.WARN),
    "finished": Look("✓", Token.GOOD),
    "failed": Look("✗", Token.BAD),
}
OTHER = Look("·", Token.MUTED)
LOOKS |= {phase: Look(look.pattern, look.token) for phase, look in phase_pane.LOOKS.items()}
"""A change of phase has the new phase's own look, as on the ribbon."""


class EventsPane(Pane):
    """Every intervention and every change of phase, each at its epoch."""

    title: ClassVar[str] = "Events"
    look_for: ClassVar[str] = "a change takes effect at its epoch; the same mark runs through every chart"
    figure: ClassVar[str] = ""

    def parts(self) -> ComposeResult:
        yield Log()

    def sees(self, state: RunState, _view: View) -> Hashable:
        return state.run, len(state.events), state.phases.boundaries

    def present(self, state: RunState, _view: View) -> None:
        log = self.query_one(Log)
        log.entries = tuple(sorted((*entries(state.events), *phases(state)), key=lambda entry: entry[0]))
        log.redraw()


def entries(events: list[Event]) -> list[tuple[int, str, str]]:
    """(epoch, what, text) of each event but phases; of resume points in a row only the last, with their number."""
    found: list[tuple[int, str, str]] = []
    row = 0
    for event in events:
        if event.what == PHASE:
            continue
        row = row + 1 if event.what == "checkpoint" else 0
        text = event.text if row < 2 else f"{event.text} ({row} kept)"
        if row > 1:
            found.pop()
        found.append((event.epoch, event.what, text))
    return found


def phases(state: RunState) -> list[tuple[int, str, str]]:
    """The changes of phase, placed where they happened; says when one was known only later."""
    found = []
    for boundary in state.phases.boundaries[1:]:
        late = f" (known at {boundary.confirmed:,})" if boundary.confirmed > boundary.epoch else ""
        found.append((boundary.epoch, str(boundary.phase), f"{boundary.phase}{late}"))
    return found


class Log(CellGrid):
    """The newest events that there is room for."""

    entries: tuple[tuple[int, str, str], ...] = ()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        shown = self.entries[-height:] if height else ()
        if not shown:
            cells.text(0, 0, cut("nothing yet", width), Token.MUTED)
        wide = max((len(f"{epoch:,}") for epoch, _, _ in shown), default=0)
        for y, (epoch, what, text) in enumerate(shown):
            look = LOOKS.get(what, OTHER)
            x = cells.text(0, y, f"{epoch:>{wide},}", Token.MUTED)
            x = cells.text(x + 1, y, look.sign, look.token | BOLD)
            cells.text(
                x + 1, y, cut(text, max(width - x - 1, 0)), Token.MUTED if look.token is Token.MUTED else Token.TEXT
            )
        return cells
