"""Several runs side by side: their curves over each other, their phases below each other, and what differs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from grok_tui import aligning, comparing
from grok_tui.aligning import START, Alignment
from grok_tui.runs import Run
from grok_tui.ui import keys, sheets
from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors
from grok_tui.ui.members import Member
from grok_tui.ui.messages import HomeWanted, RunWanted, StateAdvanced
from grok_tui.ui.overlaid import CURVES, Comparison
from grok_tui.ui.pace import Pace
from grok_tui.ui.screens.guarded import Guarded
from grok_tui.ui.screens.looking import PAN
from grok_tui.ui.sheets import SHEETS, Lower, Sheet
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Cells, cut
from grok_tui.ui.widgets.overlay import Overlay

CHART = 11
"""Rows that a chart has at least, before anything stands below."""

MOST = 6
"""Charts that are shown at once."""

SIZES = ("both", "chart", "tables")
"""What fills the screen, in the order in which `m` goes through them."""


class CompareScreen(Guarded):
    """Two to eight runs, each followed for as long as somebody looks; it only looks."""

    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = ""
    KEYS = keys.COMPARE_KEYS
    BINDINGS = keys.bindings(keys.COMPARE_KEYS)

    def __init__(
        self, runs: Sequence[Run], doors: Doors, every: float, alignment: Alignment = START, note: str = ""
    ) -> None:
        super().__init__(id="compare")
        self.doors = doors
        members = [Member(place, run, doors.source(run)) for place, run in enumerate(runs[: comparing.MOST])]
        self.comparison = Comparison(members, alignment)
        self.curve = 0
        """Which of `CURVES` is looked at."""
        self.sheet = 0
        """Which of `SHEETS` comes first."""
        self.filled = 0
        """Which of `SIZES` it is."""
        self._note = note
        self._sheets: dict[str, tuple[Hashable, Cells]] = {}
        """Those that were drawn last, and what they depend on."""
        self._pace = Pace(self, self._draw, every)

    def compose(self) -> ComposeResult:
        yield Static(id="status")
        with Container(id="overlays"):
            for _ in range(MOST):
                yield Overlay()
        yield Lower(id="lower")
        yield Hints()

    def on_mount(self) -> None:
        self.query_one(Hints).offer((*keys.COMPARE_KEYS, *keys.APP_KEYS))
        self._draw()
        if self._note:
            self.say(self._note, "$warn")
        self.run_worker(self._follow(), name="follow")

    def on_unmount(self) -> None:
        for member in self.comparison.members:
            member.source.close()

    async def _follow(self) -> None:
        """Open one after the other, so that the first is there at once and keys have their turn; then follow all."""
        known: dict[Path, comparing.Lean] = {}
        for member in self.comparison.members:
            self.run_worker(member.follow(self.post_message), name=f"follow {member.sign}")
            await member.read.wait()
            await member.look_up([each.run for each in self.comparison.members], known)
            self._pace.ask()

    def on_state_advanced(self, _message: StateAdvanced) -> None:
        self._pace.ask()

    # What is drawn

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Everything: charts, tables, and the line above."""
        width, height = self.size
        self.comparison.settle()
        columns, rows = self._grid(width, height)
        below = self._below(width - 2, height - 2 - CHART * rows)
        self._place(columns, rows, sum(sheet.height + 1 for sheet in below), height - 2)
        shown = self._shown(columns * rows)
        for overlay, curve in zip(self.query(Overlay), shown, strict=False):
            overlay.show(
                self.comparison.picture(CURVES[curve], curve == self.curve and len(shown) > 1, len(shown) == 1)
            )
        self.query_one(Lower).show(below)
        self._say_how(width - 2)

    def _grid(self, width: int, height: int) -> tuple[int, int]:
        """Columns and rows of charts."""
        if SIZES[self.filled] == "chart":
            return 1, 1
        return (3 if width >= 160 else 2 if width >= 100 else 1), (2 if height >= 48 and width >= 100 else 1)

    def _shown(self, count: int) -> range:
        """The page of curves that holds the one that is looked at."""
        start = min(self.curve // count * count, max(len(CURVES) - count, 0))
        return range(start, min(start + count, len(CURVES)))

    def _below(self, width: int, room: int) -> list[Cells]:
        """What stands below the charts: notes, then the sheets from the chosen one on, as many as fit whole."""
        if SIZES[self.filled] == "chart":
            return []
        if SIZES[self.filled] == "tables":
            room = self.size.height
        order = [SHEETS[(self.sheet + n) % len(SHEETS)] for n in range(len(SHEETS))]
        drawn = [sheets.notes(self.comparison, width), *(self._drawn(sheet, width) for sheet in order)]
        found: list[Cells] = []
        for cells in drawn:
            if cells.height and (not found or cells.height < room):
                found.append(cells)
                room -= cells.height + 1
        return found

    def _drawn(self, sheet: Sheet, width: int) -> Cells:
        """A sheet as it is now; drawn once while a cursor moves, where it does not look at that."""
        seen = (width, self.comparison.seen(), self.comparison.axis() if sheet.along else None)
        if self._sheets.get(sheet.name, (None, None))[0] != seen:
            self._sheets[sheet.name] = seen, sheet.draw(self.comparison, width)
        return self._sheets[sheet.name][1]

    def _place(self, columns: int, rows: int, below: int, height: int) -> None:
        """Share the screen between charts and tables."""
        overlays, lower = self.query_one("#overlays"), self.query_one(Lower)
        tables = SIZES[self.filled] == "tables"
        overlays.display, lower.display = not tables, below > 0
        least = 0 if tables else CHART - 3
        lower.styles.height = max(min(below - 1, height - 1 - least), 1)
        overlays.styles.grid_size_columns, overlays.styles.grid_size_rows = columns, rows
        for nth, overlay in enumerate(self.query(Overlay)):
            overlay.display = nth < min(columns * rows, len(CURVES))

    def _say_how(self, width: int) -> None:
        """The line above: what is compared, how it is aligned, and what is still being read."""
        comparison = self.comparison
        parts = [f"comparing {len(comparison.members)} runs", CURVES[self.curve].title]
        if comparison.alignment != START:
            parts.append(comparison.alignment.label)
        reading = [member for member in comparison.members if not member.read.is_set()]
        if reading:
            done = sum(member.share for member in comparison.members) / len(comparison.members)
            parts.insert(1, f"reading {reading[0].run.name} … {done:.0%}")
        if comparison.emphasis is not None:
            parts.append(f"{comparison.emphasis.sign} {comparison.emphasis.run.name}")
        if living := sum(member.standing in ("live", "replaying") for member in comparison.members):
            parts.append(f"● {living} live")
        text = cut("   ".join(parts), max(width, 1))
        self.query_one("#status", Static).update(Content(text), layout=False)

    # Looking

    def look(self, view: View) -> None:
        """Show another part of the runs."""
        self.comparison.view = view
        self._pace.now()

    def action_next_curve(self, step: int) -> None:
        """Another series."""
        self.curve = (self.curve + step) % len(CURVES)
        self._pace.now()

    def action_next_alignment(self, step: int) -> None:
        """Another moment at 0 of the axis, of those that at least one of the runs has."""
        offered = aligning.offered([member.state for member in self.comparison.members])
        names = [each.name for each in offered]
        now = names.index(self.comparison.alignment.name) if self.comparison.alignment.name in names else 0
        self.comparison.align(offered[(now + step) % len(offered)])
        self._pace.now()
        if len(offered) == 1:
            self.say("no run has a change, a phase or a branch to be aligned by yet", "$warn")

    def action_next_run(self, step: int) -> None:
        """Let another run stand out; after the last, none."""
        choices = [None, *self.comparison.members]
        now = choices.index(self.comparison.emphasis)
        self.comparison.emphasis = choices[(now + step) % len(choices)]
        self._pace.now()

    def action_run(self, number: int) -> None:
        """Let one run stand out, or none."""
        if number > len(self.comparison.members):
            self.say(f"there are {len(self.comparison.members)} runs", "$warn")
            return
        member = self.comparison.members[number - 1]
        self.comparison.emphasis = None if self.comparison.emphasis is member else member
        self._pace.now()

    def action_next_sheet(self, step: int) -> None:
        """Another table first; one that has nothing to say is passed over."""
        for _ in SHEETS:
            self.sheet = (self.sheet + step) % len(SHEETS)
            if self._drawn(SHEETS[self.sheet], self.size.width - 2).height:
                break
        self._pace.now()

    def action_large(self) -> None:
        """One chart alone, the tables alone, or both."""
        self.filled = (self.filled + 1) % len(SIZES)
        self._pace.now()

    def action_cursor(self) -> None:
        """Show or hide the cursor."""
        view, newest = self.comparison.view, self.comparison.newest
        self.look(view.place_cursor(newest) if view.cursor is None else view.without_cursor())

    def action_move(self, steps: int) -> None:
        """Move the cursor, or what is zoomed."""
        view, newest = self.comparison.view, self.comparison.newest
        self.look(view.pan(newest, steps * PAN) if view.cursor is None else view.move_cursor(newest, steps))

    def action_zoom_in(self) -> None:
        """Show half of the epochs."""
        self.look(self.comparison.view.zoom_in(self.comparison.newest))

    def action_zoom_out(self) -> None:
        """Show twice the epochs."""
        self.look(self.comparison.view.zoom_out(self.comparison.newest))

    def action_reset_view(self) -> None:
        """Show all epochs."""
        self.look(self.comparison.view.reset())

    def action_log_x(self) -> None:
        """Epochs on the other axis."""
        self.look(self.comparison.view.toggle_log_x())

    def action_log_y(self) -> None:
        """Losses on the other axis."""
        self.look(self.comparison.view.toggle_log_y())

    def action_back(self) -> None:
        """One step back: what is large, the cursor, the run that stands out."""
        if self.filled:
            self.filled = 0
        elif self.comparison.view.cursor is not None:
            self.comparison.view = self.comparison.view.without_cursor()
        else:
            self.comparison.emphasis = None
        self._pace.now()

    def on_key(self, event: events.Key) -> None:
        """A notice lasts until the next key."""
        self.say("")
        super().on_key(event)

    # Leaving

    def action_open(self) -> None:
        """Open the run that stands out."""
        if self.comparison.emphasis is None:
            self.say("↑ ↓ choose a run first", "$warn")
        else:
            self.want(RunWanted(self.comparison.emphasis.run))

    def action_home(self) -> None:
        """Presets and runs."""
        self.want(HomeWanted())

    def action_leave(self) -> None:
        """Leave; what trains goes on."""
        names = [member.run.name for member in self.comparison.members]
        self.app.exit(f"compare them again: grok-tui compare {' '.join(names)}")
