"""The phase of the run: a ribbon over the epochs, the present phase, and why it is called so."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.science.phases import Phase
from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut, wrap
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.ribbon import Band, Ribbon, Strip


@dataclass(frozen=True, slots=True)
class Look:
    """How a phase is told apart."""

    names: tuple[str, ...]
    """Shorter names, down to a letter."""
    token: Token
    pattern: str


LOOKS = {
    Phase.FITTING: Look(("fit", "F"), Token.FITTING, "·"),
    Phase.MEMORIZATION: Look(("memo", "M"), Token.MEMORIZATION, "░"),
    Phase.CIRCUIT_FORMATION: Look(("circuit", "C"), Token.CIRCUIT, "▒"),
    Phase.CLEANUP: Look(("clean", "U"), Token.CLEANUP, "▓"),
    Phase.GENERALIZED: Look(("gen", "G"), Token.GENERALIZED, "█"),
    Phase.DIRECT: Look(("direct", "D"), Token.DIRECT, "▞"),
    Phase.STALLED: Look(("stall", "S"), Token.STALLED, "╌"),
    Phase.DEGRADED: Look(("lost", "X"), Token.DEGRADED, "╳"),
}


class PhasePane(Pane):
    """Which of the phases of grokking the run is in."""

    title: ClassVar[str] = "Phase"
    look_for: ClassVar[str] = "the circuit forms while accuracy stands still; only cleanup shows it"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 7"

    def parts(self) -> ComposeResult:
        yield Heading(classes="heading")
        yield Ribbon()
        yield Evidence()

    def present(self, state: RunState, view: View) -> None:
        heading, evidence = self.query_one(Heading), self.query_one(Evidence)
        found = bands(state)
        call = state.phases.call if found else None
        heading.band, heading.newest, heading.spike = (
            found[-1] if found else None,
            state.epoch,
            bool(call and call.spike),
        )
        heading.cursor = cursor = view.cursor
        heading.at = next((b for b in reversed(found) if b.start <= cursor), None) if cursor is not None else None
        evidence.reasons = call.evidence if call else ()
        evidence.ahead = call.next if call else ""
        changes = tuple(event.epoch for event in state.changes())
        self.query_one(Ribbon).show(Strip(lines.epochs(state, view), found, changes, view.cursor))
        heading.redraw()
        evidence.redraw()


def bands(state: RunState) -> tuple[Band, ...]:
    """The phases so far."""
    boundaries = state.phases.boundaries
    starts = [*(b.epoch for b in boundaries), state.epoch]
    found = []
    for boundary, (start, end) in zip(boundaries, pairwise(starts), strict=True):
        look = LOOKS[boundary.phase]
        found.append(Band(start, end, (str(boundary.phase), *look.names), look.token, look.pattern))
    return tuple(found)


class Heading(CellGrid):
    """The present phase, and since when."""

    band: Band | None = None
    at: Band | None = None
    """The phase at the cursor."""
    cursor: int | None = None
    newest: int = 0
    spike: bool = False

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if self.band is None:
            cells.text(0, 0, cut("no phase yet", width), Token.MUTED)
            return cells
        x = cells.text(0, 0, f"{self.band.pattern} {self.band.names[0]}", self.band.token | BOLD)
        if self.spike:
            x = cells.text(x + 2, 0, "spike", Token.BAD | BOLD)
        since = f"since {self.band.start:,.0f}"
        long = f"{since}, for {self.newest - self.band.start:,.0f} epochs"
        there = f"at {self.cursor:,}: {self.at.names[0]}" if self.at is not None else ""
        for text in (long, since, ""):
            if x + 2 + len(text) + (2 + len(there) if there else 0) <= width:
                break
        x = cells.text(x + 2, 0, text, Token.MUTED)
        if self.at is not None:
            cells.text(x + 2 if text else x, 0, cut(there, max(width - x - 2, 0)), self.at.token)
        return cells


class Evidence(CellGrid):
    """What speaks for it, and what would end it."""

    reasons: tuple[str, ...] = ()
    ahead: str = ""

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if not width:
            return cells
        said = [("·", Token.TEXT, reason) for reason in self.reasons[: max(height - 1, 1)]]
        said += [("→", Token.MUTED, self.ahead)] if self.ahead else []
        y, spare = 0, height - len(said)
        for sign, style, text in said:
            rows = wrap(text, width - 2)
            if len(rows) - 1 > spare:  # a line each at least; more while there are any to spare
                rows = [cut(text, width - 2)]
            spare -= len(rows) - 1
            cells.text(0, y, sign, Token.MUTED)
            for row in rows:
                cells.text(2, y, row, style)
                y += 1
        return cells
