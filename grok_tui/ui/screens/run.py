"""One run: its panes, and the keys that look at it and steer it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from textual import events
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.errors import ConfigError, GrokTuiError
from grok_tui.protocol import Command
from grok_tui.sources import Source
from grok_tui.state import RunState
from grok_tui.ui import keys, layouts, link
from grok_tui.ui.bell import Bell
from grok_tui.ui.board import Board
from grok_tui.ui.bottom import Hints, Prompt
from grok_tui.ui.doors import Doors
from grok_tui.ui.messages import Answered, HomeWanted, LinkEnded, Named, PromptClosed, StateAdvanced, Typed
from grok_tui.ui.pace import Pace
from grok_tui.ui.panes import DecayPane
from grok_tui.ui.screens.arranging import Arranging
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.status import StatusLine
from grok_tui.ui.steer import Requests
from grok_tui.ui.view import View

NOTICE = 8.0
"""Seconds for which an answer stays in the bottom line, unless a key is pressed before."""

WATCHED = frozenset({"live", "paused", "replaying"})
"""States out of which a run may fall while it is looked at."""

PAN = 5
"""Hundredths of what is shown, by which an arrow moves a zoom; the cursor moves by one."""


class RunScreen(Arranging):
    """One run, looked at and steered. It draws `state` through `view`, and changes neither's truth."""

    CSS_PATH = "run.tcss"
    AUTO_FOCUS = ""
    BINDINGS = keys.bindings(keys.RUN_KEYS)

    def __init__(self, source: Source, doors: Doors, charts_every: float, status_every: float) -> None:
        super().__init__(id="run")
        self.source = source
        self._doors = doors
        self._charts = Pace(self, self.draw_panes, charts_every)
        self._line = Pace(self, self._draw_line, status_every)
        self.state = RunState()
        self.view = View()
        self.requests = Requests()
        self._bell = Bell()
        self._note = ""
        self._stood = ""
        self._resuming = False
        self._recomputing = False
        self._configured = False
        """The layout that the run's preset names has been looked for."""

    def compose(self) -> ComposeResult:
        yield StatusLine()
        yield Board()
        yield Hints()
        yield Prompt()

    def on_mount(self) -> None:
        self._board.place()
        self._draw_line()
        self.run_worker(link.follow(self.source, self.state, self.post_message), name="link")

    def on_unmount(self) -> None:
        self.source.close()

    # What arrives

    def on_state_advanced(self, _message: StateAdvanced) -> None:
        if self.requests.settle(self.state):
            self._echo()
        if self.source.link == "cut off":
            self.requests.forget()
        self._tell_what_turned()
        if self._bell.due(self.state, self.source.link):
            self.app.bell()
        if self.state.hello and not self._configured:
            self._configured = True
            if named := self.state.setting("view", "layout"):
                self.run_worker(self.action_layout(str(named)), name="layout")
        self._charts.ask()
        self._line.ask()

    def _tell_what_turned(self) -> None:
        """A notice when the run has come to another state while it was watched, or the source has one."""
        before, self._stood = self._stood, self.standing
        if self.source.note != self._note:
            self._note = self.source.note
            self.say(self._note, "$warn")
        elif before != self._stood and before in WATCHED:
            self.say(self._why_not() if self._resumable() else "", "$warn")

    def on_link_ended(self, message: LinkEnded) -> None:
        self.requests.forget()
        self.say(message.text, "$bad")
        self._line.ask()

    def on_answered(self, message: Answered) -> None:
        self.requests.answered(message.id, message.reply)
        self.requests.settle(self.state)
        self._echo()
        at = f" (epoch {message.reply.epoch:,})" if message.reply else ""
        self.say(message.text + at, "$good" if message.ok else "$bad")

    def on_typed(self, message: Typed) -> None:
        self._send(self.requests.set(message.name, message.value))

    def on_named(self, message: Named) -> None:
        try:
            self._board.arrangement = layouts.save(self._board.arrangement, message.text)
        except ConfigError as error:
            self.say(str(error), "$bad")
        else:
            name = self._board.arrangement.name
            start = f'[view] layout = "{name}" in a preset starts with it'
            self.say(f"saved: layout {name}; v comes to it, {start}", "$good")

    def on_prompt_closed(self, _message: PromptClosed) -> None:
        self.query_one(Hints).display = True
        self.set_focus(None)

    def on_key(self, _event: events.Key) -> None:
        self.say("")

    def on_resize(self, _event: events.Resize) -> None:
        self._board.place()
        self.call_after_refresh(self._draw)

    # What is drawn

    @property
    def standing(self) -> str:
        """How the run stands, in a word."""
        return wording.standing(self.state.state, self.source.link)

    def say(self, text: str, style: str = "") -> None:
        """A notice in the bottom line, for a while."""
        self.query_one(Hints).say(text, style)
        if text:
            self.set_timer(NOTICE, partial(self._unsay, text))

    def say_beside(self, *texts: str) -> None:
        """A notice of one line, beside which the keys to leave and to be helped stay in sight."""
        self.set_timer(NOTICE, partial(self._unsay, self.query_one(Hints).say_beside(*texts)))

    def _unsay(self, text: str) -> None:
        if self.query_one(Hints).notice == text:
            self.query_one(Hints).say("")

    def _draw(self) -> None:
        """Draw everything at once."""
        self._charts.now()
        self._line.now()

    def _echo(self) -> None:
        """Draw at once what was asked for or has been confirmed; the charts can wait for their time."""
        self._line.now()
        for decay in self.query(DecayPane):
            decay.pending = self.requests.pending("weight_decay")
            decay.show(self.state, self.view)
        self._charts.ask()

    def draw_panes(self) -> None:
        self._board.draw(self.state, self.view, self.requests.pending("weight_decay"))

    def _draw_line(self) -> None:
        self.query_one(StatusLine).show(self.state, self.source.link, self.requests.pending("weight_decay"))
        self.query_one(Hints).offer(self._offered())

    def _offered(self) -> list[keys.Key]:
        """The keys that do something now, with the words that fit."""
        found = []
        for row in (*keys.RUN_KEYS, *keys.APP_KEYS):
            if (row.needs == "steer" and self._why_not()) or (row.needs == "resume" and not self._resumable()):
                continue
            found.append(replace(row, label="Continue") if row.label == "Pause" and self.standing == "paused" else row)
        return found

    # Steering: asked here, decided by the trainer

    def _why_not(self) -> str:
        """Why the run cannot be steered now; empty when it can."""
        if self.source.can_steer and self.state.state not in wording.ENDED:
            return ""
        if self.standing in ("stopped", "failed", "cut off"):
            return f"nobody is training {self.state.run} now; r resumes it"
        return f"{self.state.run or 'the run'} is {self.standing}: there is nothing to steer"

    def _resumable(self) -> bool:
        return self.standing in ("stopped", "failed", "cut off")

    def _steerable(self) -> bool:
        """Whether the run can be steered; says why when not."""
        if reason := self._why_not():
            self.say(reason, "$warn")
        return not reason

    def _send(self, command: Command) -> None:
        self.run_worker(link.send(self.source, command, self.post_message), name="send")
        self._echo()

    def action_ask(self, control: str) -> None:
        """Open the input for a control."""
        info = self.state.control(control)
        if not self._steerable() or info is None:
            return
        asked = self.requests.pending(control)
        value = asked[-1] if asked else self.state.control_value(control)
        self.query_one(Hints).display = False
        self.query_one(Prompt).open(control, info.label, value, self.state.control_value("lr"))

    def action_step(self, control: str, factor: float) -> None:
        """Ask for a control's newest value times `factor`."""
        if self._steerable() and self.state.control(control) is not None:
            self._send(self.requests.set(control, self.requests.stepped(control, factor, self.state)))

    def action_pause(self) -> None:
        """Pause or continue; the screen shows it when the trainer has done it."""
        order = "resume" if self.state.state == "paused" else "pause"
        if self._steerable() and not self.requests.waiting(order):
            self._send(self.requests.order(order))

    def action_checkpoint(self) -> None:
        """Keep a resume point now."""
        if self._steerable() and not self.requests.waiting("checkpoint"):
            self._send(self.requests.order("checkpoint"))

    def action_stop(self) -> None:
        """Stop the run, if that is really meant."""
        if not self._steerable():
            return
        detail = f"A resume point is saved first; grok-tui resume {self.state.run} goes on from there."
        question = ConfirmScreen(f"Stop {self.state.run}?", detail, "Stop and save")
        self.app.push_screen(question, self._stop)

    def _stop(self, sure: bool | None) -> None:
        if sure and self._steerable():
            self._send(self.requests.order("stop"))

    def action_resume(self) -> None:
        """Start a trainer on a run that has none."""
        if not self._resumable():
            self.say(f"{self.state.run or 'the run'} is {self.standing}: there is nothing to resume", "$warn")
        elif not self._resuming:
            self._resuming = True
            self.query_one(Hints).say(f"resuming {self.state.run} …")
            self.run_worker(self._resume(), name="resume")

    async def _resume(self) -> None:
        try:
            run = await asyncio.to_thread(self._doors.find, self.source.place or self.state.run)
            await asyncio.to_thread(self._doors.resume, run)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            hook = self.state.setting("notify", "hook")
            self.say(
                f"{run.name} goes on" + (f" {wording.hookless(run.name)}" if hook else ""), "$warn" if hook else ""
            )
        finally:
            self._resuming = False

    def action_hindsight(self) -> None:
        """Have the measures recomputed with the final keys, in a process of its own; they come by the source."""
        if self.state.hello is None or self._recomputing:
            return
        self._recomputing = True
        self.query_one(Hints).say("looking for the final keys …")
        self.run_worker(self._hindsight(), name="hindsight")

    async def _hindsight(self) -> None:
        try:
            run = await asyncio.to_thread(self._doors.find, self.source.place or self.state.run)
            found = await asyncio.to_thread(self._doors.hindsight, run)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.say(found.text, "$good")
        finally:
            self._recomputing = False

    # Looking

    def _look(self, view: View) -> None:
        self.view = view
        self.draw_panes()

    def action_log_x(self) -> None:
        """Epochs on the other axis."""
        self._look(self.view.toggle_log_x())

    def action_log_y(self) -> None:
        """Losses on the other axis."""
        self._look(self.view.toggle_log_y())

    def action_cursor(self) -> None:
        """Show or hide the cursor."""
        newest = self.state.epoch
        self._look(self.view.place_cursor(newest) if self.view.cursor is None else self.view.without_cursor())

    def action_move(self, steps: int) -> None:
        """Move the cursor, or what is zoomed."""
        newest = self.state.epoch
        pan = self.view.cursor is None
        self._look(self.view.pan(newest, steps * PAN) if pan else self.view.move_cursor(newest, steps))

    def action_zoom_in(self) -> None:
        """Show half of the epochs."""
        self._look(self.view.zoom_in(self.state.epoch))

    def action_zoom_out(self) -> None:
        """Show twice the epochs."""
        self._look(self.view.zoom_out(self.state.epoch))

    def action_reset_view(self) -> None:
        """Show the whole run."""
        self._look(self.view.reset())

    def action_back(self) -> None:
        """One step back: the input, the large pane, the cursor, the focus."""
        if self.query_one(Prompt).is_open:
            self.query_one(Prompt).close()
        elif self.large:
            self._enlarge(None)
        elif self.view.cursor is not None:
            self._look(self.view.without_cursor())
        else:
            self.set_focus(None)

    def action_save_layout(self) -> None:
        """Ask for a name to save the present panes under."""
        self.query_one(Hints).display = False
        self.query_one(Prompt).open_text("Save layout as", "Enter saves · Esc leaves")

    # Leaving

    def action_home(self) -> None:
        """Presets and runs."""
        self.post_message(HomeWanted())

    def action_leave(self) -> None:
        """Leave; the run goes on."""
        self.app.exit(wording.farewell(self.state.run or "the run", self.standing, self.state.epoch))
