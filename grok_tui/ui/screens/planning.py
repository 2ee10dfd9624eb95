"""The part of the run screen that plans: rules typed as one line, runs until a moment, single steps, a limit."""

from __future__ import annotations

from functools import partial

from grok_tui import plan
from grok_tui.errors import PlanError
from grok_tui.science.phases import Phase
from grok_tui.ui.messages import Answered
from grok_tui.ui.screens.steering import Steering

_NEXT = {
    Phase.FITTING: Phase.MEMORIZATION,
    Phase.MEMORIZATION: Phase.CIRCUIT_FORMATION,
    Phase.CIRCUIT_FORMATION: Phase.CLEANUP,
    Phase.CLEANUP: Phase.GENERALIZED,
    Phase.GENERALIZED: Phase.DEGRADED,
    Phase.DIRECT: Phase.DEGRADED,
    Phase.STALLED: Phase.CIRCUIT_FORMATION,
    Phase.DEGRADED: Phase.GENERALIZED,
}
"""The phase that a run comes to when it groks; of one that has grokked, the end of that."""


class Planning(Steering):
    """Lines of the plan language: checked while they are typed, carried out or kept by the trainer."""

    _steps = 0
    """Single steps asked for while an answer was awaited."""

    _target = 0
    """The epoch at which the single steps asked for end."""

    _began = (0, 0)
    """The number of the newest command that steps from where the run is, and by how many epochs."""

    def action_plan(self) -> None:
        """Ask for a rule, or for something to be done now."""
        self._ask_line("Plan", "such as when cleanup: set weight_decay 0 · Enter adds · Esc leaves", "")

    def action_until_when(self) -> None:
        """Ask where the run is to pause."""
        self._ask_line("Run until", "6000, cleanup or test_loss < 1 · Enter goes · Esc leaves", "until ")

    def action_limit(self) -> None:
        """Ask for a limit on the epochs per second."""
        self._ask_line("Epochs per second", "at most so many, or off · Enter sets · Esc leaves", "limit ")

    def action_until(self, moment: str) -> None:
        """Go on, and pause there; `next` for the next phase."""
        if moment == "next":
            moment = _NEXT[self.state.phases.phase]
        self._tell(f"until {moment}")

    def action_single_step(self) -> None:
        """One epoch, and pause; a run that is not paused is paused first."""
        if self.requests.waiting("plan") or self.requests.waiting("pause"):
            self._steps += 1
        elif self._on_its_way or self.requests.paused(self.state):
            self._step(1)
        else:
            self.send(self.requests.order("pause"))

    def action_pause(self) -> None:
        """See `Steering`; steps that were asked for are given up."""
        self._target = self._steps = 0
        super().action_pause()

    def _step(self, epochs: int) -> None:
        """So many more: counted from where the steps before will end, for they may not have been taken yet."""
        if self._on_its_way:
            self._target += epochs
            self._tell(f"until {self._target}")
        else:
            command = self.requests.plan(f"run {epochs}")
            self._began = command.id, epochs
            self.send(command)

    @property
    def _on_its_way(self) -> bool:
        """The run has not come to the end of the steps asked for, or has not said yet that it paused there."""
        epoch = self.state.epoch
        return epoch < self._target or (epoch == self._target > 0 and self.state.state != "paused")

    def after_answer(self, message: Answered) -> None:
        """Ask for the steps that were wanted in the meantime."""
        super().after_answer(message)
        if not message.ok:
            self._target = self._steps = 0
            return
        if message.reply is not None and message.id == self._began[0]:
            self._target = message.reply.epoch + self._began[1]
        if self._steps and not (self.requests.waiting("plan") or self.requests.waiting("pause")):
            steps, self._steps = self._steps, 0
            self._step(steps)

    def _ask_line(self, label: str, note: str, begin: str, line: str = "", refused: str = "") -> None:
        def then(line: str) -> None:
            if reason := self.refusal("steer"):
                self.say(reason, "$warn")
                return
            command = self.requests.plan(begin + line)
            self.typed[command.id] = partial(self._ask_line, label, note, begin, line)
            self.send(command)

        self.prompt.open_text(label, note, then, line, partial(self._wrong_line, begin), refused)
        self.prompt.add_class("-line")

    def _tell(self, line: str) -> None:
        self.send(self.requests.plan(line))

    def _wrong_line(self, begin: str, line: str) -> str:
        """What is wrong with a line, as far as can be told here; the trainer looks again."""
        known = self.state.catalogue
        announced = [info.name for info in known.series] + [info.name for info in known.controls]
        line = begin + line
        try:
            plan.read(line, announced or None)
        except PlanError as error:
            return str(error).removeprefix(f"{' '.join(line.split())!r}: ")
        return ""
