"""What is to be done while a run is trained, and when: its rules, its goal, and the ends of its schedules.

Rules at an epoch act at that epoch, before the step from it. Conditions are looked at when the run has been
measured. The ledger is the truth: a rule's actions carry its number, and the entry `fired` comes after the
last of them, so a kill in between leaves a rule that is begun: what it has done is not done again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from grok_tui import feasible, plan
from grok_tui.errors import PlanError
from grok_tui.plan import At, Crossing, Entering, Rule, When
from grok_tui.planned import Planned, Plans, owed
from grok_tui.train import steer
from grok_tui.train.offshoots import Offshoots

if TYPE_CHECKING:
    from grok_tui.config import Config
    from grok_tui.train.past import Past
    from grok_tui.train.session import Session

MOST = 200
"""Rules that may be pending."""


def check(config: Config) -> None:
    """Pass if the plan of a new run's configuration can be kept.

    Raises:
        PlanError: a line cannot; says which.
    """
    known = feasible.series(config)
    for line in config.plan.lines:
        plan.parse(line, known)


class Planner:
    """The rules of one session."""

    def __init__(self, session: Session, past: Past) -> None:
        self._session = session
        self._series = feasible.series(session.config)
        self.plans = Plans()
        for entry in past.entries:
            self.plans.apply(entry.epoch, entry.what, entry.data)
        self._given = {entry.data["preset"] for entry in past.entries if "preset" in entry.data}
        self._seen: tuple[int, Mapping[str, float]] = (past.measured, past.look)
        self._fresh = True
        self.offshoots = Offshoots(session, owed(past.entries))

    def begin(self, lines: Iterable[str]) -> None:
        """Plan what the configuration says; what the ledger has of it already, once."""
        for number, line in enumerate(lines, 1):
            if number not in self._given:
                self._add(plan.parse(line, self._series), preset=number)

    def look(self, numbers: Mapping[str, float]) -> None:
        """The run has been measured at the present epoch."""
        self._seen, self._fresh = (self._session.epoch, numbers), True

    def stops(self, epoch: int) -> list[int]:
        """The later epochs at which something is to be done."""
        goal = self.plans.goal.when if self.plans.goal else None
        whens = [rule.when for planned in self.plans.pending if (rule := planned.rule)]
        return [when.epoch for when in (*whens, goal) if isinstance(when, At) and when.epoch > epoch]

    def act(self) -> None:
        """Do what is due at the present epoch; its measures have been taken."""
        session = self._session
        if session.replaying:
            return
        steer.end_schedules(session)
        fresh, self._fresh = self._fresh and self._seen[0] == session.epoch, False
        for planned in self.plans.pending:
            if (rule := planned.rule) is not None and (planned.done or self._due(rule.when, planned.since, fresh)):
                self._fire(planned, rule)
        if (goal := self.plans.goal) is not None and self._due(goal.when, goal.since, fresh):
            self._arrive(goal.when)
        self.offshoots.start()

    def order(self, line: str) -> tuple[bool, str]:
        """Carry out what a viewer asks for in a line, or plan it: whether that was done, and what it was."""
        session = self._session
        if session.replaying:
            return False, session.replaying
        try:
            match plan.read(line, self._series):
                case plan.Unplan(id=id_):
                    return True, self._remove(id_)
                case plan.Go(until=until):
                    return True, self._go(plan.placed(until, session.epoch))
                case Rule(when=None, actions=actions) if feasible.hooks(actions) and not session.hook.given:
                    raise PlanError(steer.HOOKLESS)
                case Rule(when=None, actions=actions) if len(actions) > 1 and any(map(_branches, actions)):
                    return True, self._add(Rule(At(session.epoch), actions))  # its number tells them from the branch's
                case Rule(when=None, actions=actions):
                    self._fertile(Rule(At(session.epoch), actions))
                    texts = [self._do(action, {}) for action in actions]
                    self.offshoots.start()
                    return True, "; ".join(texts)
                case Rule() as rule:
                    return True, self._add(rule)
        except PlanError as error:
            return False, str(error)[:300]

    def _add(self, rule: Rule, **data: Any) -> str:
        session = self._session
        rule = rule.planned(session.epoch)
        if "preset" not in data:
            self._possible(rule.when)
            self._fertile(rule)
            if feasible.hooks(rule.actions) and not session.hook.given:
                raise PlanError(steer.HOOKLESS)
        if len(self.plans.pending) >= MOST:
            raise PlanError(f"{MOST} rules are pending; take some back first (unplan)")
        id_ = self.plans.next_id
        session.intervene("planned", f"plan {id_}: {rule}", id=id_, line=str(rule), **data)
        if isinstance(rule.when, At) and rule.when.epoch == session.epoch and "preset" not in data:
            self._fire(self.plans.rules[id_], rule)
            return f"plan {id_} done: {rule}"
        return f"plan {id_}: {rule}{self._now(rule.when)}"

    def _remove(self, id_: int) -> str:
        planned = self.plans.rules.get(id_)
        if planned is None or planned.fired >= 0:
            numbers = ", ".join(str(rule.id) for rule in self.plans.pending)
            raise PlanError(f"no rule {id_} is pending; there are {numbers}" if numbers else "no rule is pending")
        text = f"plan {id_} taken back: {planned.line}"
        self._session.intervene("unplanned", text, id=id_)
        return text

    def _go(self, until: When) -> str:
        self._possible(until)
        session = self._session
        if isinstance(until, At) and until.epoch == session.epoch:
            raise PlanError(f"the run is at epoch {until.epoch:,}")
        if isinstance(until, Entering | Crossing) and not until.after and self._true(until):
            raise PlanError(f"{_said(until)} is so already{self._now(until)}")
        session.paused = False
        text = f"on until {_said(until)}"
        session.intervene("continued", text, until=str(until))
        return text + self._now(until)

    def _possible(self, when: When | None) -> None:
        """Pass if the run may come to it."""
        session = self._session
        if isinstance(when, At) and when.epoch < session.epoch:
            raise PlanError(f"epoch {when.epoch:,} is past: the run is at {session.epoch:,}")
        if isinstance(when, Entering) and (over := session.phases.gone_by(when.phase)):
            raise PlanError(over)
        if never := feasible.beyond(when, session.config.training.epochs):
            raise PlanError(never)

    def _fertile(self, rule: Rule) -> None:
        """Pass if a branch that it asks for has epochs left to train."""
        if why := feasible.childless(rule, self._session.config.training.epochs):
            raise PlanError(why)

    def _due(self, when: When | None, since: int, fresh: bool) -> bool:
        """Whether it is time. Measures count that were taken after the epoch at which the rule was added."""
        if isinstance(when, At):
            return when.epoch <= self._session.epoch
        return fresh and since < self._session.epoch and self._true(when)

    def _true(self, when: When | None) -> bool:
        if isinstance(when, Entering):
            return when.phase in self._session.phases.called(self._seen[0])
        return isinstance(when, Crossing) and when.holds(self._value(when.series))

    def _value(self, name: str) -> float:
        """Of a series, at the last measure; NaN where that did not have it."""
        values = {**self._session.each_epoch, **self._session.controls.values, **self._seen[1]}
        return values.get(name, math.nan)

    def _later(self, when: When | None) -> int:
        """The epoch at which a condition that holds now is to act."""
        epoch = self._session.epoch
        if isinstance(when, Entering) and when.after:
            return max(self._session.phases.called(epoch)[when.phase] + when.after, epoch)
        return epoch + when.after if isinstance(when, Crossing) else epoch

    def _fire(self, planned: Planned, rule: Rule) -> None:
        session, id_ = self._session, planned.id
        if not planned.done and (due := self._later(rule.when)) > session.epoch:
            moved = Rule(At(due), rule.actions)
            session.intervene("planned", f"plan {id_}: {_said(rule.when)}; {moved}", id=id_, line=str(moved))
            return
        for part in range(planned.done, len(rule.actions)):
            self._do(rule.actions[part], {"by": id_, "part": part})
        self.offshoots.start()
        if failed := self.plans.rules[id_].failed:
            session.intervene("fired", f"plan {id_} failed: {rule}; {failed}", id=id_, failed=failed)
        else:
            session.intervene("fired", f"plan {id_} done: {rule}", id=id_)

    def _arrive(self, when: When | None) -> None:
        session = self._session
        if (due := self._later(when)) > session.epoch:
            session.intervene("continued", f"{_said(when)}; on until epoch {due:,}", until=str(At(due)))
            return
        steer.pause(session, True, {"reached": str(when)}, f", as asked: {_said(when)}")

    def _do(self, action: plan.Action, by: dict[str, Any]) -> str:
        """Carry out one action; says what was done."""
        session = self._session
        who = f", by plan {by['by']}" if by else ""
        match action:
            case plan.Set(control=control, value=value):
                return steer.change(session, control, value, by, who)
            case plan.Ramp() | plan.Stairs():
                return steer.schedule(session, action, by, who)
            case plan.Branch():
                text, wanted = steer.branch(session, action, by, who)
                self.offshoots.add(wanted)
                return text
            case plan.Limit(rate=rate):
                return session.limit(rate)
            case plan.Do(name="pause" | "continue" as name):
                return steer.pause(session, name == "pause", by, who)
            case plan.Do(name="checkpoint"):
                return steer.checkpoint(session, by, who)
            case plan.Do(name="hook"):
                return steer.hook(session, by, who)
        session.stop("stopped" + (who.removeprefix(",") or " by a command"), urgent=not by)
        return "stopping, with a resume point"

    def _now(self, when: When | None) -> str:
        """How far a condition is, for the answer to whoever added it."""
        if isinstance(when, Entering):
            return f"; now {self._session.phases.present}"
        if isinstance(when, Crossing) and math.isfinite(value := self._value(when.series)):
            return f"; {when.series} is {value:.4g}"
        return ""


def _branches(action: plan.Action) -> bool:
    return isinstance(action, plan.Branch)


def _said(when: When | None) -> str:
    if isinstance(when, At):
        return f"epoch {when.epoch:,}"
    return str(when).removeprefix("when ")
