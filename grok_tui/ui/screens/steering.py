"""The part of the run screen that steers: asked here, decided by the trainer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial

from grok_tui import locks, wording
from grok_tui.errors import GrokTuiError
from grok_tui.protocol import Command
from grok_tui.ui import link
from grok_tui.ui.messages import Answered, Typed
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.parts import Part

EARLY = frozenset({"stopped", "failed", "cut off"})
"""How a run stands that can be resumed."""


class Steering(Part):
    """Controls, orders, and what a process of its own does for the run."""

    _resuming = False
    _recomputing = False

    def __init__(self) -> None:
        super().__init__()
        self.typed: dict[int, Callable[[str], None]] = {}
        """What was typed and has no answer yet, by its command's number: asks again, with the reason of a refusal."""

    def on_typed(self, message: Typed) -> None:
        command = self.requests.set(message.name, message.value)
        self.typed[command.id] = partial(self._ask, message.name, message.text)
        self.send(command)

    def on_answered(self, message: Answered) -> None:
        self.requests.answered(message.id, message.reply)
        self.requests.settle(self.state)
        self.echo()
        again = self.typed.pop(message.id, None)
        if again and message.reply and not message.ok and not self.why_not() and not self.prompt.is_open:
            again(message.text)
        else:
            self._tell_answer(message)
        self.after_answer(message)

    def _tell_answer(self, message: Answered) -> None:
        at = f" (epoch {message.reply.epoch:,})" if message.reply else ""
        self.say(message.text + at, "$good" if message.ok else "$bad")

    def after_answer(self, message: Answered) -> None:
        """What is to be done now that a command was answered, or could not be sent."""

    def refusal(self, needs: str) -> str:
        """See `Guarded`."""
        if reason := super().refusal(needs):
            return reason
        match needs:
            case "steer":
                return self.why_not()
            case "resume":
                return self.why_no_resume()
        return ""

    def why_not(self) -> str:
        """Why the run cannot be steered now; empty when it can."""
        locked = self.source.locked and self.standing != "finished"
        if self.source.can_steer and self.state.state not in wording.ENDED and not locked:
            return ""
        if locked:
            return locks.refusal(self.state.run or "the run")
        if self.standing in EARLY:
            return f"nobody is training {self.state.run} now; r resumes it"
        return f"{self.state.run or 'the run'} is {self.standing}: there is nothing to steer"

    def why_no_resume(self) -> str:
        """Why the run cannot be resumed now; empty when it has ended early, and may be gone on with."""
        name = self.state.run or "the run"
        if self.standing not in EARLY:
            return f"{name} is {self.standing}: there is nothing to resume"
        return locks.refusal(name) if self.source.locked else ""

    def send(self, command: Command) -> None:
        self.run_worker(link.send(self.source, command, self.post_message), name="send")
        self.echo()

    def action_ask(self, control: str) -> None:
        """Open the input for a control."""
        asked = self.requests.pending(control)
        value = asked[-1] if asked else self.state.control_value(control)
        self._ask(control, f"{value:g}" if math.isfinite(value) else "")

    def _ask(self, control: str, value: str, refused: str = "") -> None:
        if (info := self.state.control(control)) is not None:
            self.prompt.open(info, value, self.state.control_value("lr"), refused)

    def action_step(self, control: str, factor: float) -> None:
        """Ask for a control's newest value times `factor`."""
        if self.state.control(control) is not None:
            self.send(self.requests.set(control, self.requests.stepped(control, factor, self.state)))

    def action_pause(self) -> None:
        """Pause or continue, whatever was asked for last; the screen shows it when the trainer has done it."""
        self.send(self.requests.order("resume" if self.requests.paused(self.state) else "pause"))

    def action_checkpoint(self) -> None:
        """Keep a resume point now."""
        if not self.requests.waiting("checkpoint"):
            self.send(self.requests.order("checkpoint"))

    def action_stop(self) -> None:
        """Stop the run, if that is really meant."""
        detail = f"A resume point is saved first; grok-tui resume {self.state.run} goes on from there."
        question = ConfirmScreen(f"Stop {self.state.run}?", detail, "Stop and save")
        self.app.push_screen(question, self._stop)

    def _stop(self, sure: bool | None) -> None:
        if not sure:
            return
        if reason := self.refusal("steer"):  # while the question stood there
            self.say(reason, "$warn")
        else:
            self.send(self.requests.order("stop"))

    def action_resume(self) -> None:
        """Start a trainer on a run that has none."""
        if not self._resuming:
            self._resuming = True
            self.hints.say(f"resuming {self.state.run} …")
            self.run_worker(self._resume(), name="resume")

    async def _resume(self) -> None:
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            await asyncio.to_thread(self.doors.resume, run)
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
        self.hints.say("looking for the final keys …")
        self.run_worker(self._hindsight(), name="hindsight")

    async def _hindsight(self) -> None:
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            found = await asyncio.to_thread(self.doors.hindsight, run)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.say(found.text, "$good")
        finally:
            self._recomputing = False
