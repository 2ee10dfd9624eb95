"""What happened, newest last; around the cursor, where there is one."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp, Resize

from grok_tui import notes
from grok_tui.protocol import Event
from grok_tui.state import RunState
from grok_tui.ui.panes import phase as phase_pane
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, DIM, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.plot import FLAG


@dataclass(frozen=True, slots=True)
class Look:
    """The sign before an event, and its colour."""

    sign: str
    token: Token


NOTCH = 3
"""Rows by which a notch of the wheel scrolls."""

PHASE = "phase"
"""Not as the recording has it: phases are derived anew, under rules that may be better than those of then."""

LOOKS = {
    "imported": Look("▸", Token.GOOD),
    "started": Look("▸", Token.GOOD),
    "branched": Look("├", Token.GOOD),
    "changed": Look("◆", Token.MARK),
    "scheduled": Look("◇", Token.MARK),
    "planned": Look("◦", Token.MUTED),
    "unplanned": Look("◦", Token.MUTED),
    "fired": Look("•", Token.GOOD),
    "branch": Look("├", Token.MUTED),
    "offshoot": Look("├", Token.GOOD),
    "amiss": Look("✗", Token.BAD),
    "hook": Look("»", Token.MUTED),
    "paused": Look("‖", Token.WARN),
    "continued": Look("▸", Token.GOOD),
    "checkpoint": Look("▪", Token.MUTED),
    "resumed": Look("↻", Token.GOOD),
    "replayed": Look("↻", Token.MUTED),
    "stopped": Look("■", Token.WARN),
    "finished": Look("✓", Token.GOOD),
    "failed": Look("✗", Token.BAD),
}
LOOKS[notes.WHAT] = Look(FLAG, Token.NOTE)
OTHER = Look("·", Token.MUTED)
LOOKS |= {phase: Look(look.pattern, look.token) for phase, look in phase_pane.LOOKS.items()}
"""A change of phase has the new phase's own look, as on the ribbon."""


class EventsPane(Pane):
    """Every intervention, every change of phase and every note, each at its epoch."""

    title: ClassVar[str] = "Events"
    look_for: ClassVar[str] = "a change takes effect at its epoch; the same mark runs through every chart"
    figure: ClassVar[str] = ""

    def parts(self) -> ComposeResult:
        yield Log()

    def sees(self, state: RunState, view: View) -> Hashable:
        return state.run, state.happened, state.phases.boundaries, view.cursor

    def present(self, state: RunState, view: View) -> None:
        self.query_one(Log).tell(told(state, view.cursor), view.cursor)

    def scroll_by(self, rows: int) -> None:
        """Show what is so many rows further down; up when negative."""
        self.query_one(Log).scroll_rows(rows)


class Told(NamedTuple):
    """One line of the events."""

    epoch: int
    what: str
    text: str
    later: bool = False
    """It happened, or was known, only after the cursor."""


def told(state: RunState, cursor: int | None) -> tuple[Told, ...]:
    """Everything that happened, in its order; what came after the cursor says so."""
    split = math.inf if cursor is None else cursor
    parts = [[e for e in state.events if e.epoch <= split], [e for e in state.events if e.epoch > split]]
    found = [Told(*entry, later) for later, part in zip((False, True), parts, strict=True) for entry in entries(part)]
    for boundary, entry in zip(state.phases.boundaries[1:], phases(state), strict=True):
        found.append(Told(*entry, boundary.confirmed > split))
    return tuple(sorted(found, key=lambda entry: entry.epoch))


def entries(events: list[Event]) -> list[tuple[int, str, str]]:
    """(epoch, what, text) of each event but phases.

    Of resume points in a row only the last, with their number; of goes from pause to pause only the last pause.
    """
    found: list[tuple[int, str, str]] = []
    row = goes = 0
    for event in events:
        if event.what == PHASE:
            continue
        if "reached" in event.data and found and found[-1][1] == "continued":
            found.pop()
            goes += 1
            if goes > 1:
                found.pop()
            found.append((event.epoch, event.what, event.text + (f" ({goes} times)" if goes > 1 else "")))
            row = 0
            continue
        goes = goes if "until" in event.data and found and found[-1][1] == "paused" else 0
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
    """The newest events that there is room for, or those around the cursor; may be scrolled away from both."""

    entries: tuple[Told, ...] = ()
    cursor: int | None = None
    _below: int = 0
    """Rows that are scrolled out at the lower end."""

    def tell(self, entries: tuple[Told, ...], cursor: int | None) -> None:
        """Show other entries. What was scrolled to stays in place until the cursor moves."""
        if cursor != self.cursor:
            self._below = self._around(entries, cursor)
        elif self._below:
            self._below += len(entries) - len(self.entries)
        self.entries, self.cursor = entries, cursor
        self.redraw()
        self._say_what_is_hidden()

    def scroll_rows(self, rows: int) -> None:
        """Scroll by so many rows: down, towards the newest, when positive."""
        self._below = min(max(self._below - rows, 0), max(self._total - self.size.height, 0))
        self.redraw()
        self._say_what_is_hidden()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self.scroll_rows(-NOTCH)
        event.stop()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self.scroll_rows(NOTCH)
        event.stop()

    def on_resize(self, event: Resize) -> None:
        self._below = self._around(self.entries, self.cursor)
        super().on_resize(event)
        self._say_what_is_hidden()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        rows = self._rows()
        shown = rows[self._first(len(rows), height) :][:height]
        if not shown:
            cells.text(0, 0, cut("nothing yet", width), Token.MUTED)
        wide = max((len(f"{entry.epoch:,}") for entry in self.entries), default=0)
        for y, entry in enumerate(shown):
            if entry is None:
                cells.text(0, y, f"{self.cursor:>{wide},} " + "─" * width, Token.CURSOR | BOLD)
            else:
                _line(cells, y, entry, wide)
        return cells

    def _rows(self) -> list[Told | None]:
        """The entries, and None where the cursor is."""
        if self.cursor is None:
            return list(self.entries)
        at = bisect_right(self.entries, self.cursor, key=lambda entry: entry.epoch)
        return [*self.entries[:at], None, *self.entries[at:]]

    @property
    def _total(self) -> int:
        return len(self.entries) + (self.cursor is not None)

    def _first(self, count: int, height: int) -> int:
        """The uppermost row in sight."""
        return max(count - min(self._below, max(count - height, 0)) - height, 0)

    def _around(self, entries: tuple[Told, ...], cursor: int | None) -> int:
        """Rows to hide at the lower end, so that the cursor's is in sight with a few of what came later."""
        if cursor is None:
            return 0
        later = sum(entry.epoch > cursor for entry in entries)
        return max(later - self.size.height // 3, 0)

    def _say_what_is_hidden(self) -> None:
        """Say in the pane's lower border how much is above and below."""
        height, pane = self.size.height, self.parent
        above = self._first(self._total, height)
        below = max(self._total - above - height, 0)
        parts = [f"↑ {above} more"] * (above > 0) + [f"↓ {below} more"] * (below > 0)
        if isinstance(pane, EventsPane):
            pane.note(" · ".join(parts))


def _line(cells: Cells, y: int, entry: Told, wide: int) -> None:
    """Write one entry; dim, when it came later than the cursor."""
    look = LOOKS.get(entry.what, OTHER)
    weak = DIM if entry.later else 0
    x = cells.text(0, y, f"{entry.epoch:>{wide},}", Token.MUTED | weak)
    x = cells.text(x + 1, y, look.sign, look.token | (weak or BOLD))
    quiet = entry.later or look.token is Token.MUTED
    text = cut(entry.text, max(cells.width - x - 1, 0))
    cells.text(x + 1, y, text, (Token.MUTED if quiet else Token.TEXT) | weak)
