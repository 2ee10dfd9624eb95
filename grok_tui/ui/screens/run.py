"""One run: its panes, and the keys that look at it and steer it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual import events
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.sources import Source
from grok_tui.state import RunState
from grok_tui.ui import keys, link
from grok_tui.ui.bell import Bell, Mishaps
from grok_tui.ui.board import Board
from grok_tui.ui.bottom import Hints, Prompt
from grok_tui.ui.doors import Doors
from grok_tui.ui.layouts import MAIN
from grok_tui.ui.messages import HomeWanted, LinkEnded, StateAdvanced
from grok_tui.ui.pace import Pace
from grok_tui.ui.panes import DecayPane
from grok_tui.ui.screens.arranging import Arranging
from grok_tui.ui.screens.branching import Branching
from grok_tui.ui.screens.ghosts import Ghosts
from grok_tui.ui.screens.noting import Noting
from grok_tui.ui.screens.planning import Planning
from grok_tui.ui.screens.relating import Relating
from grok_tui.ui.screens.replaying import Replaying
from grok_tui.ui.status import StatusLine
from grok_tui.ui.steer import Requests
from grok_tui.ui.view import View

NOTICE = 8.0
"""Seconds for which an answer stays in the bottom line, unless a key is pressed before."""

WATCHED = frozenset({"live", "paused", "replaying", "replay"})
"""States out of which a run may fall while it is looked at."""


HELD = frozenset({"paused", "replay paused"})
"""States in which p goes on."""


class RunScreen(Arranging, Noting, Ghosts, Planning, Branching, Relating, Replaying):
    """One run, looked at and steered. It draws `state` through `view`, and changes neither's truth."""

    CSS_PATH = "run.tcss"
    AUTO_FOCUS = ""
    KEYS = keys.RUN_KEYS
    BINDINGS = keys.bindings(keys.RUN_KEYS)

    def __init__(
        self, source: Source, doors: Doors, charts_every: float, status_every: float, like: RunScreen | None = None
    ) -> None:
        """Show what comes from `source`, in the panes and on the axes of another such screen."""
        super().__init__()
        self.source = source
        self.doors = doors
        self._charts = Pace(self, self.draw_panes, charts_every)
        self._line = Pace(self, self._draw_line, status_every)
        self.state = RunState()
        self.view = like.view.without_cursor() if like else View()
        self._arrangement = like._board.arrangement if like else MAIN
        self.requests = Requests()
        self._bell, self._mishaps = Bell(), Mishaps()
        self._note = ""
        self._stood = ""
        self._configured = like is not None
        """The layout that the run's preset names has been looked for."""

    def compose(self) -> ComposeResult:
        yield StatusLine()
        yield Board(self._arrangement)
        yield Hints()
        yield Prompt()

    def on_mount(self) -> None:
        self._board.place()
        self._draw_line()
        self.run_worker(link.follow(self.source, self.state, self.post_message), name="link")

    def on_unmount(self) -> None:
        self.source.close()
        self.leave_parent()

    # What arrives

    def on_state_advanced(self, _message: StateAdvanced) -> None:
        if self.requests.settle(self.state):
            self.echo()
        if self.source.link == "cut off":
            self.requests.forget()
        self._tell_what_turned()
        if text := self._mishaps.news(self.state, self.source.link):
            self.say(text, "$bad")
        if self._bell.due(self.state, self.source.link):
            self.app.bell()
        if self.state.hello and not self._configured:
            self._configured = True
            if named := self.state.setting("view", "layout"):
                self.run_worker(self.action_layout(str(named)), name="layout")
        if self.state.hello:
            self.look_for_parent()
        self._charts.ask()
        self._line.ask()

    def _tell_what_turned(self) -> None:
        """A notice when the run has come to another state while it was watched, or the source has one."""
        before, self._stood = self._stood, self.standing
        if self.source.note != self._note:
            self._note = self.source.note
            self.say(self._note, "$warn")
        elif before == "replay" and self._stood != "replay paused" and before != self._stood:
            self.say("the replay is over; R plays it again", "$warn")
        elif before != self._stood and before in WATCHED:
            self.say("" if self.refusal("resume") else self.why_not(), "$warn")

    def on_link_ended(self, message: LinkEnded) -> None:
        self.requests.forget()
        self.say(message.text, "$bad")
        self._line.ask()

    def on_key(self, _event: events.Key) -> None:
        self.say("")

    def on_resize(self, _event: events.Resize) -> None:
        self._board.place()
        self.call_after_refresh(self.draw_now)

    # What is drawn

    @property
    def standing(self) -> str:
        """How the run stands, in a word."""
        return wording.standing(self.state.state, self.source.link)

    @property
    def guard(self) -> str:
        """What keeps this viewer from changing the run, in a word; empty when nothing does."""
        return "read-only" if self.doors.read_only else "locked" if self.source.locked else ""

    def say(self, text: str, style: str = "") -> None:
        """A notice in the bottom line, for a while."""
        self.hints.say(text, style)
        if text:
            self.set_timer(NOTICE, partial(self._unsay, text))

    def say_beside(self, *texts: str) -> None:
        """A notice of one line, beside which the keys to leave and to be helped stay in sight."""
        self.set_timer(NOTICE, partial(self._unsay, self.hints.say_beside(*texts)))

    def _unsay(self, text: str) -> None:
        if self.hints.notice == text:
            self.hints.say("")

    def draw_now(self) -> None:
        """Draw everything at once."""
        self._charts.now()
        self._line.now()

    def echo(self) -> None:
        """Draw at once what was asked for or has been confirmed; the charts can wait for their time."""
        self._line.now()
        for decay in self.query(DecayPane):
            decay.pending = self.requests.pending("weight_decay")
            decay.show(self.state, self.view)
        self._charts.ask()

    def draw_panes(self) -> None:
        self._board.draw(self.state, self.view, self.requests.pending("weight_decay"))

    def _draw_line(self) -> None:
        asked, cursor = self.requests.pending("weight_decay"), self.view.cursor
        self.query_one(StatusLine).show(self.state, self.source.link, asked, self.guard, cursor, self.tempo)
        self.hints.offer(self._offered())

    def _offered(self) -> list[keys.Key]:
        """The keys that do something now, with the words that fit."""
        found = []
        for row in (*keys.RUN_KEYS, *keys.APP_KEYS):
            if self.refusal(row.needs):
                continue
            found.append(replace(row, label="Continue") if row.label == "Pause" and self.standing in HELD else row)
        return found

    def action_back(self) -> None:
        """One step back: the input, the large pane, the cursor, the focus."""
        if self.prompt.is_open:
            self.prompt.close()
        elif self.large:
            self._enlarge(None)
        elif self.view.cursor is not None:
            self.look(self.view.without_cursor())
        else:
            self.set_focus(None)

    # Leaving

    def action_home(self) -> None:
        """Presets and runs, with the bar on this one."""
        self.want(HomeWanted(self.source.place))

    def action_leave(self) -> None:
        """Leave; the run goes on."""
        self.app.exit(wording.farewell(self.state.run or "the run", self.standing, self.state.epoch))
