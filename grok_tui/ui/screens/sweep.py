"""A sweep on one screen: a heat map of times to grok, the members' curves, how far it is, and what one cell says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Static

from grok_tui import sweep_lists, wording
from grok_tui.errors import GrokTuiError
from grok_tui.grok_times import Sign
from grok_tui.runs import Run
from grok_tui.sweep_board import Board, Cell, build, collapsible
from grok_tui.sweep_state import DONE, MARKS, NEVER, OVER, Standing, SweepState, heading
from grok_tui.ui import keys
from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors
from grok_tui.ui.messages import CompareWanted, HomeWanted, RunWanted
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.guarded import Guarded
from grok_tui.ui.widgets.cells import cut
from grok_tui.ui.widgets.sweep_grid import Look, SweepGrid

LOOK, REST = 1.0, 3.0
"""Seconds between looks at the members: while something trains, and when nothing does."""

NOTICE = 8.0
"""Seconds for which an answer stays in the bottom line."""

EIGHT = 8
"""Runs that can be compared at once."""


class Said(Static):
    """A line that sends nothing to the terminal while it says the same."""

    said = ""

    def say(self, text: str) -> None:
        """Show as much of it as fits."""
        text = cut(text, max(self.size.width - 2, 1))
        if text != self.said:
            self.said = text
            self.update(text.replace("[", "\\["), layout=False)


class SweepScreen(Guarded):
    """One sweep, live."""

    CSS_PATH = "sweep.tcss"
    AUTO_FOCUS = ""
    KEYS = keys.SWEEP_KEYS
    BINDINGS = keys.bindings(keys.SWEEP_KEYS)

    def __init__(self, state: SweepState, doors: Doors, number: int = 0, like: SweepScreen | None = None) -> None:
        """`number`: the member that is chosen at first, 0 for the first one; `like`: the same sweep as it was shown."""
        super().__init__(id="sweep")
        self._first = number
        self.state = state
        self.doors = doors
        axes = state.contents.axes
        self.sign: Sign = like.sign if like else Sign.ACCURACY
        self.collapsed: bool = like.collapsed if like else collapsible(axes) and len(axes) > 2
        self.look: Look = like.look if like else Look()
        self.board: Board | None = None
        self._looking = False

    def compose(self) -> ComposeResult:
        yield Said(id="status")
        yield SweepGrid(id="grid")
        yield Said(id="member")
        yield Said(id="boundaries")
        yield Hints()

    def on_mount(self) -> None:
        rows = (row for row in keys.SWEEP_KEYS if not self.refusal(row.needs))
        self.query_one(Hints).offer((*rows, *keys.APP_KEYS))
        self.run_worker(self._follow(), name="sweep", exclusive=True)

    def on_resize(self, _event: Resize) -> None:
        self.call_after_refresh(self.draw)

    async def _follow(self) -> None:
        """Look at the members again and again, in a thread; draw what has changed."""
        while True:
            try:
                more = await asyncio.to_thread(self.state.look)
            except GrokTuiError as error:
                self.say(str(error), "$bad")
                more = False
            self.draw()
            await asyncio.sleep(0 if more else REST if self.state.over else LOOK)

    # What is drawn

    def draw(self) -> None:
        """Everything, from what was read last."""
        if not self.state.standings:
            return
        self.board = board = build(self.state, self.sign, self.collapsed)
        at, self._first = (board.place(self._first) or (self.look.row, self.look.column)), 0
        row, column = min(at[0], len(board.rows) - 1), min(at[1], len(board.columns) - 1)
        self.look = replace(self.look, row=row, column=column, sign=self.sign.short)
        self.query_one("#status", Said).say(self._progress(self.query_one("#status").size.width - 2))
        self.query_one(SweepGrid).show(board, self.look)
        self.query_one("#member", Said).say(self._member())
        self.query_one("#boundaries", Said).say(self._boundaries())

    def _progress(self, width: int) -> str:
        """How the sweep stands: as many of its parts as fit."""
        parts = [self.state.sweep.name, heading(self.state), *self.state.progress()]
        while len(parts) > 3 and len("   ".join(parts)) > width:
            parts.pop(-1 if len(parts) > 4 else 0)
        return "   ".join(parts)

    @property
    def cell(self) -> Cell:
        """The chosen one."""
        return self.board.at(self.look.row, self.look.column) if self.board else Cell()

    def _standings(self, cell: Cell) -> list[Standing]:
        return [self.state.standings[number] for number in cell.numbers]

    def _member(self) -> str:
        """The chosen cell's configuration and state."""
        standings = self._standings(self.cell)
        if not standings:
            return ""
        first = standings[0]
        if len(standings) > 1:
            told = ", ".join(f"{s.member.run or 'no run'} {self._timed(s)}" for s in standings)
            said = first.member.place.said.rpartition(", seed")[0] or f"{len(standings)} seeds"
            return f"{said}   {told}"
        parts = [
            f"member {first.member.number}: {first.member.run or 'no run yet'}",
            first.member.place.said,
            f"{MARKS.get(first.state, '…')} {first.state}",
            f"epoch {first.epoch:,} of {first.epochs:,}",
        ]
        if first.rate:
            parts.append(f"{wording.rate(first.rate)} epochs/s")
        if (track := self.state.tracks.get(first.member.number)) and len(track.accuracy):
            parts.append(f"test accuracy {wording.percent(track.accuracy.last)}")
        return "   ".join(parts)

    def _boundaries(self) -> str:
        """Where its phases began and when it grokked; or why it failed."""
        standings = self._standings(self.cell)
        if len(standings) != 1:
            found = self.state.over_seeds(self.cell.numbers, self.sign)
            over = all(standing.state in OVER for standing in standings)
            said = sweep_lists.spread_said(found, over)
            return f"median over seeds, {self.sign.said}: {said}" if standings else ""
        standing = standings[0]
        if standing.why:
            return standing.why
        track = self.state.tracks.get(standing.member.number)
        if track is None:
            return ""
        phases = " · ".join(f"{b.phase.value} {b.epoch:,}" for b in track.phases.boundaries)
        return f"{self.sign.short}: {self._time(standing)}   {phases}"

    def _timed(self, standing: Standing) -> str:
        """A member's mark and its time."""
        found = self.state.time(standing.member.number, self.sign)
        never = standing.state in DONE and found is not None and not found.reached
        return f"{NEVER if never else MARKS.get(standing.state, '…')} {self._time(standing)}"

    def _time(self, standing: Standing) -> str:
        return sweep_lists.time_said(self.state.time(standing.member.number, self.sign), standing)

    def say(self, text: str, style: str = "") -> None:
        """A notice in the bottom line, for a while."""
        hints = self.query_one(Hints)
        hints.say(text, style)
        if text:
            self.set_timer(NOTICE, partial(self._unsay, text))

    def _unsay(self, text: str) -> None:
        if self.left:
            return
        hints = self.query_one(Hints)
        if hints.notice == text:
            hints.say("")

    # Keys

    def action_move(self, down: int, right: int) -> None:
        """To a neighbouring cell."""
        if self.board is None:
            return
        row = min(max(self.look.row + down, 0), len(self.board.rows) - 1)
        column = min(max(self.look.column + right, 0), len(self.board.columns) - 1)
        self.look = replace(self.look, row=row, column=column)
        self.query_one(Hints).say("")
        self.draw()

    def action_sign(self, step: int) -> None:
        """Tell the time to grok by another sign."""
        signs = list(Sign)
        self.sign = signs[(signs.index(self.sign) + step) % len(signs)]
        self.say(f"time to grok: when {self.sign.said}")
        self.draw()

    def action_seeds(self) -> None:
        """Seeds one by one, or their median."""
        if not collapsible(self.state.contents.axes):
            self.say("this sweep has no seeds to take together", "$warn")
            return
        self.collapsed = not self.collapsed
        self.look = Look()
        self.say("the median over seeds, with the least and the greatest" if self.collapsed else "each seed by itself")
        self.draw()

    def action_mark(self) -> None:
        """Mark the chosen cell for comparing, or not."""
        at = (self.look.row, self.look.column)
        self.look = replace(self.look, marked=self.look.marked ^ {at})
        self.draw()

    def action_back(self) -> None:
        """No marks."""
        self.look = replace(self.look, marked=frozenset())
        self.say("")
        self.draw()

    def action_open(self) -> None:
        """The chosen member's own screen."""
        run = next((s.run for s in self._standings(self.cell) if s.run is not None), None)
        if run is None:
            self.say("this member has no run yet", "$warn")
        elif run.problem is not None:
            self.say(run.problem, "$bad")
        else:
            self.want(RunWanted(run))

    def action_compare(self) -> None:
        """The marked members; without marks, those of the chosen row."""
        runs = list(self._marked())
        if len(runs) < 2:
            self.say("nothing to compare yet: fewer than two of these have a run", "$warn")
        else:
            if len(runs) > EIGHT:
                self.say(f"the first {EIGHT} of {len(runs)}", "$warn")
            self.want(CompareWanted(tuple(runs[:EIGHT])))

    def _marked(self) -> Iterator[Run]:
        if self.board is None:
            return
        places: Sequence[tuple[int, int]] = sorted(self.look.marked)
        places = places or [(self.look.row, column) for column in range(len(self.board.columns))]
        for row, column in places:
            for standing in self._standings(self.board.at(row, column)):
                if standing.run is not None:
                    yield standing.run

    def action_resume(self) -> None:
        """Go on with what was stopped or cut off."""
        self.run_worker(self._do(self.doors.resume_sweep, "goes on"), name="resume")

    def action_stop(self) -> None:
        """Stop the sweep, once that is confirmed."""
        if self.state.over:
            self.say(f"{self.state.sweep.name} is not running", "$warn")
            return
        question = ConfirmScreen(
            f"Stop {self.state.sweep.name}?", "Each member in training saves a resume point first.", "Stop it"
        )
        self.app.push_screen(question, self._stop)

    def _stop(self, sure: bool | None) -> None:
        if sure:
            self.say("stopping …")
            self.run_worker(self._do(self.doors.stop_sweep, "is stopped"), name="stop")

    async def _do(self, deed: object, done: str) -> None:
        try:
            await asyncio.to_thread(deed, self.state.sweep)  # type: ignore[arg-type]
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.say(f"{self.state.sweep.name} {done}")

    def action_home(self) -> None:
        """Presets and runs; the sweep goes on."""
        self.want(HomeWanted())

    def action_leave(self) -> None:
        """Leave; the sweep goes on."""
        self.app.exit(sweep_lists.farewell(self.state))
