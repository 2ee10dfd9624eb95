"""One run being trained: steps, looks, snapshots and commands, each at its time.

The loop trains; what it produces goes to the journal. A run that was stopped or killed is gone on with
from its last resume point: the recorded epochs after it are computed again, with the ledger's changes at
their epochs, and compared with the recording.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from grok_tui.config import Config
from grok_tui.course import STEERED
from grok_tui.errors import RunError
from grok_tui.protocol import Command, Event, Points, Reply
from grok_tui.runs import Run
from grok_tui.train import steer
from grok_tui.train.cadence import is_measured, next_measure, next_multiple
from grok_tui.train.controls import Controls
from grok_tui.train.journal import Journal
from grok_tui.train.looks import Looks
from grok_tui.train.past import Past
from grok_tui.train.planner import Planner
from grok_tui.train.saves import Saves
from grok_tui.train.serve import Ticket
from grok_tui.train.step import HISTORY, Stepper, Steps
from grok_tui.train.task import Table
from grok_tui.train.telling import Teller
from grok_tui.train.throttle import Throttle

FLUSH = 0.25
"""Seconds between frames of training losses."""

BURST = 0.02
"""Seconds of steps between two looks at the commands, where a step is shorter than that."""

LINGER = 0.1
"""Seconds between looks whether a branch is made, for which the end of the run waits."""

Make = Callable[[Config, Table, torch.device], Steps]
"""Makes what takes a session's steps."""


class Session:
    """A run in training."""

    def __init__(
        self, run: Run, journal: Journal, past: Past, device: torch.device, hook: str = "", make: Make = Stepper
    ) -> None:
        """Go on from `past`; `hook` is run at each change of phase."""
        self.run, self.journal, self._past = run, journal, past
        self.config = run.config
        table = Table.of(self.config, device)
        self._stepper = make(self.config, table, device)
        self._looks = Looks(run, journal, past, table, hook)
        self.phases, self.hook = self._looks.phases, self._looks.hook
        self._steered = [entry.epoch for entry in past.changes]
        self.controls = Controls(self.config, past.changes)
        self.planner = Planner(self, past)
        self._saves = Saves(run, self._stepper, self._sync, lambda: (*self._steered, *self.phases.boundaries))
        self.throttle = Throttle()
        self._teller = Teller(self)
        self.paused = False
        self.seated = True
        """It may take steps, as far as those that it shares them with are concerned."""
        self.ready = False
        """As `attend` left it: what is due at this epoch is done, and steps may be taken."""
        self.lingering = False
        """All is saved, and the end waits for what becomes of branches that the plan has asked for."""
        self._stopping = ""
        self._asked: deque[tuple[Ticket, Command]] = deque()
        self._stoppers: list[tuple[Ticket, int]] = []
        self.each_epoch: dict[str, float] = {}
        """The newest value of what is recorded at each epoch."""
        self.latest = dict(past.latest)
        """The newest finite value of each series."""
        self._measured = past.measured
        """The last epoch that was measured; its turn may come again, after a pause or while the end waits."""
        self._burst = 1
        self._flushed = 0.0
        self._start_from_the_past()

    @property
    def epoch(self) -> int:
        """Steps taken so far."""
        return self._stepper.epoch

    @property
    def device(self) -> str:
        """Where it is trained."""
        return self._stepper.flat.device.type

    @property
    def replaying(self) -> str:
        """While recorded epochs are computed again: why commands must wait. Empty otherwise."""
        if self.epoch >= self._past.known:
            return ""
        return f"epochs {self.epoch:,} to {self._past.known:,} are being computed again; ask once that is done"

    @property
    def state(self) -> str:
        """As `protocol.Status.state`."""
        moving = "running" if self.seated else "waiting"
        return "replaying" if self.replaying else "paused" if self.paused else moving

    def stop(self, why: str, asked: tuple[Ticket, int] | None = None, *, urgent: bool = True) -> None:
        """End after the present step, with a resume point, and then answer. Safe to call from a signal handler.

        `urgent`: somebody waits for the end.
        """
        self._stopping = why
        if urgent:
            self.planner.offshoots.hurry()
        if asked:
            self._stoppers.append(asked)

    def intervene(self, what: str, text: str, **data: Any) -> None:
        """Something is done to the run at this epoch: written down, then in force from the next step on."""
        self.settle()  # what came before stands before it in the recording
        self.journal.intervention(self.epoch, what, text, **data)
        self.planner.plans.apply(self.epoch, what, data)
        if what in STEERED:
            self.phases.apply(Event(self.epoch, what, text, 0.0, 0, data))
            self.controls.take(self.epoch, what, data)
            self.controls.enter(self._stepper.optimizer, self.epoch)
            self._steered.append(self.epoch)
        if what in ("paused", "continued"):
            self._teller.forget_pace()
        self._teller.tell(force=True)

    def limit(self, rate: float) -> str:
        """Take so many epochs per second at most, or as many as there can be for 0; says so."""
        self.throttle.set(rate)
        self._teller.forget_pace()
        self._teller.tell(force=True)
        return f"{rate:g} epochs per second at most" if rate else "no limit on the epochs per second"

    def train(self) -> str:
        """Train until the end or a stop; returns the final state."""
        self.begin()
        while not (end := self.turn()):
            pass
        return end

    def begin(self) -> None:
        """Tell what nobody was told yet, before the first turn."""
        self._looks.begin()
        self._teller.tell(force=True)

    def turn(self) -> str:
        """Commands, what is due, a burst of steps. Returns the final state once there is one."""
        if end := self.attend():
            return end
        if not self.ready:
            self._idle()
            return ""
        steps, begun = self._far(), time.perf_counter()
        if self.controls.varying(self.epoch):
            for _ in range(steps):
                self.controls.enter(self._stepper.optimizer, self.epoch)
                self._stepper.advance(1)
        else:
            self._stepper.advance(steps)
        self._stepper.wait()
        self.stepped(steps, time.perf_counter() - begun)
        return ""

    @property
    def resting(self) -> bool:
        """No step may be taken now."""
        return not self.replaying and self.rest > 0

    @property
    def rest(self) -> float:
        """Seconds until the next step may be taken; without end while the run is paused."""
        if self.lingering:
            return LINGER
        return math.inf if self.paused or not self.seated else self.throttle.left

    def attend(self) -> str:
        """Commands, then what is due before the next step. Returns the final state once there is one.

        `ready` says if it was done: a rest ends by the clock, so that asking `resting` again may tell otherwise.
        """
        self.ready = self.lingering = False
        self._carry_out_commands()
        self.planner.offshoots.hear()
        if self._stopping:
            return self._end("stopped", self._stopping)
        if self.resting:
            return ""
        self._do_what_is_due()
        self.planner.act()
        if self._stopping:
            return self._end("stopped", self._stopping)
        if self.epoch >= self.config.training.epochs and not self.paused:
            return self._end("finished", f"finished at epoch {self.epoch:,}")
        self.ready = not self.resting  # a plan may have paused it
        return ""

    def settle(self) -> None:
        """Record every loss up to the present epoch."""
        first = self.epoch - self._stepper.unread
        losses, accuracies = (column.numpy() for column in self._stepper.read_losses())
        self._flushed = time.monotonic()
        new = max(0, self._past.end - first)
        self._past.compare(first, losses[:new])
        self._looks.trained(losses)
        if len(losses) > new:
            epochs = np.arange(first + new, self.epoch)
            columns = {"train_loss": losses[new:], "train_accuracy": accuracies[new:]}
            self._looks.record(Points(epochs, columns | self.controls.columns(epochs)))
        if len(losses):
            self.each_epoch = {"train_loss": float(losses[-1]), "train_accuracy": float(accuracies[-1])}
            self.latest |= self.each_epoch
            if not np.isfinite(losses).all():
                bad = first + int(np.argmin(np.isfinite(losses)))
                raise RunError(f"train loss is not finite from epoch {bad:,} on: the run has diverged")

    def checkpoint(self) -> str:
        """Save weights and a resume point of the present epoch; returns the resume point's name."""
        self._saves.save_weights()
        return f"resume/{self._saves.save_resume_point().name}"

    def _sync(self) -> None:
        """Record every loss up to the present epoch, and see it onto the disk."""
        self.settle()
        self.journal.recorder.sync()

    def _start_from_the_past(self) -> None:
        """Go back to the last resume point."""
        epoch = self._saves.go_back(self._past)
        known = self._past.losses[:epoch]
        self._looks.trained(known)
        self.each_epoch = {"train_loss": float(known[-1])} if len(known) else {}
        self.controls.enter(self._stepper.optimizer, epoch, anew=True)

    def take_back_what_diverged(self) -> None:
        """Before the change after which the loss ceased to be finite: undo it, and wait for a better idea."""
        for entry in self._past.diverged:
            control, value = entry.data["control"], entry.data["previous"]
            previous = self.controls.values[control]
            text = f"{control} {previous:g} → {value:g}, taken back: the run diverged"
            self.intervene("changed", text, control=control, value=value, previous=previous)
        self.paused = True
        self.intervene("paused", "paused: from here on the run had diverged")

    def _carry_out_commands(self) -> None:
        for ticket, command in self._commands():
            if self._stopping:
                self.journal.answer(ticket, Reply(command.id, False, self.epoch, "the run is ending"))
            else:
                steer.carry_out(self, ticket, command)

    def _commands(self) -> Iterator[tuple[Ticket, Command]]:
        """Those that have come in; each is among `_asked` until the next is wanted."""
        if self.journal.server is None:
            return
        self._asked.extend(self.journal.server.commands())
        while self._asked:
            yield self._asked[0]
            self._asked.popleft()

    def _idle(self) -> None:
        """Wait for a command, for a signal, or for the time of the next step. Nothing is sent meanwhile."""
        wait = min(0.5, self.rest)
        if self.paused:
            self._teller.forget_pace()
        if self.journal.server is None:
            time.sleep(min(wait, 0.2))
        else:
            self.journal.server.wait(wait)

    def _do_what_is_due(self) -> None:
        epoch, measure = self.epoch, self.config.measure
        last = epoch == self.config.training.epochs
        closely = last or epoch % measure.closely_every == 0
        if (closely or is_measured(epoch, measure.every)) and epoch > self._measured:
            self._measure(closely)
        self._saves.save_what_is_due(last=last)

    def reach(self) -> int:
        """Steps up to the next thing that is due, a burst of them at most; one while a schedule runs."""
        return 1 if self.controls.varying(self.epoch) else self._far()

    def _far(self) -> int:
        """The same, for who gives the optimiser the values of each step."""
        epoch, measure = self.epoch, self.config.measure
        burst = min(self._burst, self.throttle.burst or self._burst)
        stops = [self.config.training.epochs, epoch + burst, next_measure(epoch, measure.every)]
        stops += [next_multiple(epoch, measure.closely_every), self._saves.next(epoch)]
        stops += [*self.controls.turns(epoch), *self.planner.stops(epoch)]
        stops += [goal for goal in (self._past.end, self._past.known) if goal > epoch]
        return min(stops) - epoch

    def stepped(self, steps: int, took: float) -> None:
        """So many steps were taken, within `took` seconds."""
        epoch = self.epoch - steps
        self._burst = max(1, min(HISTORY // 4, int(BURST * steps / max(took, 1e-9))))
        self.throttle.took(steps)
        self.controls.enter(self._stepper.optimizer, self.epoch)
        replayed = epoch < self._past.end <= self.epoch
        if replayed or self._stepper.unread > HISTORY // 2 or time.monotonic() - self._flushed >= FLUSH:
            self.settle()
        if replayed:
            self.journal.event(self.epoch, "replayed", self._past.verdict())
            self._teller.forget_pace()
            if self._past.gave_up:
                self.take_back_what_diverged()
        self._teller.tell(force=replayed)

    def _measure(self, closely: bool) -> None:
        self.settle()
        numbers = self._looks.look(self.epoch, self._stepper.weights, closely)
        self._measured = self.epoch
        self.latest |= {name: value for name, value in numbers.items() if np.isfinite(value)}
        self.planner.look(numbers)

    def fail(self, why: str) -> None:
        """Tell whoever asked for something, viewers and listings that the run has failed."""
        for ticket, id_ in (*self._stoppers, *((ticket, command.id) for ticket, command in self._commands())):
            self.journal.answer(ticket, Reply(id_, False, self.epoch, why))
        self._teller.say("failed")

    def _end(self, state: str, text: str) -> str:
        self.settle()
        if not self._saves.resume_path.exists():
            self._saves.save_resume_point()
        self.lingering = self.planner.offshoots.awaited()
        if self.lingering:
            return ""
        if state == "finished":
            self.planner.offshoots.give_up()
        seq = self.journal.ledger.append(self.epoch, state, True, text)
        self.journal.event(self.epoch, state, text, seq)
        self._looks.ended(self.epoch)
        self._teller.say(state)
        for ticket, id_ in self._stoppers:
            kept = self._saves.resume_path.relative_to(self.run.path)
            self.journal.answer(ticket, Reply(id_, True, self.epoch, f"stopped; saved {kept}"))
        self._stopping = text
        self._carry_out_commands()  # those that came too late are answered too
        return state
