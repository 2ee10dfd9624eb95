"""Commands, carried out between two steps: checked, written down, applied, answered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from grok_tui import config as configs
from grok_tui import feasible, locks
from grok_tui.config import CONTROLS
from grok_tui.errors import ConfigError, RecordError
from grok_tui.offshoot import Wish
from grok_tui.protocol import ORDERS, Command, ControlInfo, Order, Plan, Reply, SetControl

if TYPE_CHECKING:
    from grok_tui.plan import Branch, Schedule
    from grok_tui.train.serve import Ticket
    from grok_tui.train.session import Session

Data = Mapping[str, Any]

NOBODY: Data = MappingProxyType({})

HOOKLESS = f"{feasible.HOOKLESS} when this trainer started: resume the run with --hook COMMAND"


def catalogue(config: configs.Config) -> tuple[ControlInfo, ...]:
    """The controls as they are announced."""
    infos = []
    for name, label in CONTROLS.items():
        limits = configs.limits(f"optimizer.{name}")
        value = getattr(config.optimizer, name)
        infos.append(ControlInfo(name, label, value, limits["low"], limits["high"], limits["about"]))
    return tuple(infos)


def carry_out(session: Session, ticket: Ticket, command: Command) -> None:
    """Carry out or refuse one command, and answer it; a stop is answered once its resume point is saved."""
    epoch = session.epoch
    match command:
        case _ if session.run.locked:
            id_ = command.id
            what, outcome = _called(command), (False, locks.remedy(session.run.name))
        case SetControl(id=id_, name=name, value=value):
            what, outcome = _called(command), _set(session, name, value)
        case Order(id=id_, name="stop"):
            session.stop("stopped by a command", (ticket, id_))
            return
        case Order(id=id_, name=name):
            what, outcome = _called(command), _order(session, name)
        case Plan(id=id_, line=line):
            what, outcome = _called(command), session.planner.order(line)
    done, text = outcome
    if done:
        session.journal.answer(ticket, Reply(id_, True, epoch, text))
    else:
        session.journal.refuse(ticket, epoch, id_, what, text)


def _called(command: Command) -> str:
    """A command in the ledger, when it was refused."""
    if isinstance(command, Plan):
        return "plan"
    name = str(command.name)[:40]
    return f"set {name}" if isinstance(command, SetControl) else name


def _set(session: Session, name: str, value: Any) -> tuple[bool, str]:
    if name not in CONTROLS:
        return False, f"there is no control {str(name)[:40]!r}; there are {', '.join(CONTROLS)}"
    if session.replaying:
        return False, session.replaying
    try:
        new = configs.check(f"optimizer.{name}", value, name)
    except ConfigError as error:
        return False, str(error)[:200]
    return True, change(session, name, new)


def _order(session: Session, name: str) -> tuple[bool, str]:
    if name not in ORDERS:
        return False, f"there is no order {str(name)[:40]!r}; there are {', '.join(ORDERS)}"
    if session.replaying:
        return False, session.replaying
    return True, checkpoint(session) if name == "checkpoint" else pause(session, name == "pause")


def change(session: Session, name: str, value: float, by: Data = NOBODY, who: str = "") -> str:
    """Give a control another value, and end its schedule; says what was done, as all that follow.

    `by` is what the ledger keeps of the rule that did it, and `who` says the same in words.
    """
    previous = session.controls.values[name]
    scheduled = session.controls.scheduled(name, session.epoch)
    if value == previous and not scheduled:
        return f"{name} is {value:g} already"
    text = f"{name} {previous:g} → {value:g}" + (", its schedule ends" if scheduled else "") + who
    session.intervene("changed", text, control=name, value=value, previous=previous, **by)
    return text


def schedule(session: Session, wanted: Schedule, by: Data = NOBODY, who: str = "") -> str:
    """Have a control follow a schedule from here on."""
    name = wanted.control
    previous = session.controls.values[name]
    begun = wanted.begun(previous)
    text = f"{str(begun).removeprefix('set ').replace('->', '→')}{who}"
    data = {"control": name, "value": begun.value(0), "previous": previous, "schedule": str(begun), **by}
    session.intervene("scheduled", text, **data)
    return text


def end_schedules(session: Session) -> None:
    """Say of each schedule that has come to its end that the control stays where it is."""
    for name, previous, value in session.controls.ended(session.epoch):
        text = f"{name} {value:g}, the end of its schedule"
        session.intervene("changed", text, control=name, value=value, previous=previous, ended="schedule")


def pause(session: Session, pausing: bool, by: Data = NOBODY, who: str = "") -> str:
    """Pause, or continue; either drops the goal that the run had."""
    if session.paused == pausing and (pausing or session.planner.plans.goal is None):
        return "is paused already" if pausing else "is running already"
    session.paused = pausing
    text = ("paused" if pausing else "continued") + who
    session.intervene("paused" if pausing else "continued", text, **by)
    return text


def checkpoint(session: Session, by: Data = NOBODY, who: str = "") -> str:
    """Keep weights and a resume point of this epoch."""
    file = session.checkpoint()
    session.intervene("checkpoint", f"saved {file}{who}", file=file, **by)
    return f"saved {file}"


def hook(session: Session, by: Data = NOBODY, who: str = "") -> str:
    """Start the command that was given when this trainer started; one that stands in the run's directory is not run."""
    if not session.hook.given:
        session.intervene("amiss", f"the hook was not run{who}: {HOOKLESS}", failed=HOOKLESS, **by)
        return HOOKLESS
    session.intervene("hook", f"hook started{who}", **by)
    session.hook.call(session.phases.as_turn(session.epoch, f"hook started{who}"))
    return "hook started"


def branch(session: Session, wanted: Branch, by: Data = NOBODY, who: str = "") -> tuple[str, Wish]:
    """Keep what a branch of this epoch needs, and say that it is owed from now on; `offshoots` see to it."""
    changes = {wanted.control: wanted.value} if wanted.control else {}
    text = f"a {wanted}{who}"
    session.settle()  # what cannot be recorded is lost, and ends the run
    try:
        session.checkpoint()
    except RecordError as error:  # no reason to: it only takes longer to compute the branch again
        text += f", without a resume point here: {error}"
    session.intervene("branch", text, changes=changes, owed=True, **by)
    return text, Wish(session.epoch, session.journal.ledger.entries[-1].seq, changes)
