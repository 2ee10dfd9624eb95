"""The phase of the run: a ribbon over the epochs, the present phase, and why it is called so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize
from textual.widget import Widget

from grok_tui.science import forecast
from grok_tui.science.phases import Phase, PhaseFold
from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut, wrap
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.ribbon import Band, Ribbon, Strip
from grok_tui.wording import ENDED

AROUND = 6
"""Columns that the corners take from a note in the lower border."""

ROOM_TO_GUESS = 4
"""Rows from which a forecast is among what is said: the evidence comes first."""


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

UNTOLD = "one checkpoint: no phase can be told"

MORE = "m shows all"
"""For the lower border, when something was cut or left out that a larger pane has room for."""


class PhasePane(Pane):
    """Which of the phases of grokking the run is in."""

    title: ClassVar[str] = "Phase"
    look_for: ClassVar[str] = "the circuit forms while accuracy stands still; only cleanup shows it"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 7"

    _badge: str = ""

    def parts(self) -> ComposeResult:
        yield Heading(classes="heading")
        yield Ribbon()
        yield Evidence()

    def present(self, state: RunState, view: View) -> None:
        heading, evidence = self.query_one(Heading), self.query_one(Evidence)
        found, fold = bands(state), state.phases_at(view.cursor)
        call = fold.call if found and fold.last is not None else None
        past = view.cursor if view.cursor is not None and fold is not state.phases else None
        now = next((band for band in reversed(found) if past is None or band.start <= past), None)
        then = _band(call.phase, call.since, state.epoch) if call else None
        differs = past is not None and then and now and (then.names, then.start) != (now.names, now.start)
        heading.band, heading.newest, heading.cursor = then, state.epoch, past
        heading.until = now.end if now and now.end < state.epoch and not differs else None
        heading.spike = bool(call and call.spike)
        heading.untold = is_alone(state)
        evidence.head = f"called so then; now known: {now.names[0]} since {now.start:,.0f}" if now and differs else ""
        evidence.reasons = (*call.evidence, of_the_run(fold)) if call else ()
        if heading.untold:
            evidence.reasons = state.phases.call.evidence
        evidence.ahead = call.next if call else ""
        guess = forecast.forecast(fold) if call else None
        evidence.guess = forecast.in_words(guess) if guess else ""
        self._badge = "" if is_alone(state) else badge(fold)
        self.set_class(state.ghost is not None, "-ghost")
        self.tell_whether_cut()
        changes = tuple(event.epoch for event in state.changes())
        ghost, names = of_the_parent(state)
        self.query_one(Ribbon).show(Strip(lines.epochs(state, view), found, changes, view.cursor, ghost, names))
        heading.redraw()
        evidence.redraw()

    def tell_whether_cut(self) -> None:
        """Say in the lower border that there is more to read, where a larger pane would have it."""
        evidence, around = self.query_one(Evidence), self.parent
        cut_off = evidence.said(*evidence.size)[1] and evidence.size.area > 0
        larger = isinstance(around, Widget) and around.size.area > self.outer_size.area
        more = MORE if cut_off and larger else ""
        text = " · ".join(text for text in (self._badge, more) if text)
        self.note(text if len(text) <= self.outer_size.width - AROUND else more or self._badge)


def is_alone(state: RunState) -> bool:
    """Whether the run is one checkpoint, with nothing before or after it."""
    return state.phases.alone and (state.state in ENDED or state.epoch > 0)


def bands(state: RunState) -> tuple[Band, ...]:
    """The phases so far; none for one checkpoint."""
    if is_alone(state):
        return ()
    boundaries = state.phases.boundaries
    starts = [*(b.epoch for b in boundaries), state.epoch]
    found = []
    for boundary, (start, end) in zip(boundaries, pairwise(starts), strict=True):
        found.append(_band(boundary.phase, start, end))
    return tuple(found)


def of_the_parent(state: RunState) -> tuple[tuple[Band, ...], tuple[str, ...]]:
    """The parent's phases from where the two parted on, and whose they are; nothing where there is no parent."""
    if state.ghost is None:
        return (), ()
    since, run = state.ghost.since, state.ghost.state.run
    found = [replace(band, start=max(band.start, since)) for band in bands(state.ghost.state) if band.end > since]
    return tuple(found), (f"┄ parent {run}", f"┄ {run}", "┄ parent", "par.", "┄")


def _band(phase: Phase, start: int, end: int) -> Band:
    look = LOOKS[phase]
    return Band(start, end, (str(phase), *look.names), look.token, look.pattern)


def badge(fold: PhaseFold) -> str:
    """The run's class in few words, by what the fold has seen."""
    found = fold.run_class.badge
    if fold.last is None:
        return ""
    return f"Liu's class: {found.kind}" + ("" if found.sure else " so far")


def of_the_run(fold: PhaseFold) -> str:
    """The run's class, and why."""
    found = fold.run_class.badge
    return f"Liu: {found.kind}{'' if found.sure else ' so far'}, {found.why}"


class Heading(CellGrid):
    """The present phase, or the one that was called at the cursor, and since when."""

    band: Band | None = None
    until: float | None = None
    """Where it ended, when it did and that is known now."""
    cursor: int | None = None
    """Where it is read; None for now."""
    newest: int = 0
    spike: bool = False
    untold: bool = False
    """There is one checkpoint only."""

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        there = "" if self.cursor is None else f"at {self.cursor:,}: "
        if self.band is None:
            text = UNTOLD if self.untold else f"{there}no phase yet"
            cells.text(0, 0, cut(text, width), Token.MUTED)
            return cells
        x = cells.text(0, 0, f"{self.band.pattern} {there}{self.band.names[0]}", self.band.token | BOLD)
        if self.spike:
            x = cells.text(x + 2, 0, "spike", Token.BAD | BOLD)
        since = f"since {self.band.start:,.0f}"
        lasted = f", for {(self.newest if self.cursor is None else self.cursor) - self.band.start:,.0f} epochs"
        if self.until is not None:
            lasted = f", until {self.until:,.0f}"
        for text in (since + lasted, since):
            if x + 2 + len(text) <= width:
                cells.text(x + 2, 0, text, Token.MUTED)
                break
        return cells


class Evidence(CellGrid):
    """What speaks for the phase, and what would end it: both as they were read when it was called."""

    head: str = ""
    """What is known now, where something else was called then."""
    reasons: tuple[str, ...] = ()
    ahead: str = ""
    guess: str = ""

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if not width:
            return cells
        y = 1 if self.head else 0
        cells.text(0, 0, cut(self.head, width), Token.CURSOR)
        for sign, style, rows in self.said(width, height)[0]:
            cells.text(0, y, sign, Token.MUTED)
            for row in rows:
                cells.text(2, y, row, style)
                y += 1
        return cells

    def said(self, width: int, height: int) -> tuple[list[tuple[str, Token, list[str]]], bool]:
        """(sign, colour, rows) of what there is room to say, and whether anything was cut or left out."""
        height -= bool(self.head)
        last = [("→", Token.MUTED, self.ahead)] if self.ahead else []
        if self.guess and height >= ROOM_TO_GUESS:
            last.append(("≈", Token.MUTED, self.guess))
        told = [("·", Token.TEXT, reason) for reason in self.reasons[: max(height - len(last), 1)]] + last
        spare = height - len(told)
        short = spare < 0 or len(told) < len(self.reasons) + bool(self.ahead) + bool(self.guess)
        found = []
        for sign, style, text in told:
            rows = wrap(text, width - 2)
            if len(rows) - 1 > spare:  # a line each at least; more while there are any to spare
                rows, short = [cut(text, width - 2)], True
            spare -= len(rows) - 1
            found.append((sign, style, rows))
        return found, short

    def on_resize(self, _event: Resize) -> None:
        if isinstance(self.parent, PhasePane):
            self.parent.tell_whether_cut()
