"""Commands, carried out between two steps: checked, written down, applied, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grok_tui import config as configs
from grok_tui import locks
from grok_tui.config import CONTROLS
from grok_tui.errors import ConfigError
from grok_tui.protocol import ORDERS, Command, ControlInfo, Order, Reply, SetControl

if TYPE_CHECKING:
    from grok_tui.train.serve import Ticket
    from grok_tui.train.session import Session


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
            what, outcome = _called(command), (False, locks.refusal(session.run.name))
        case SetControl(id=id_, name=name, value=value):
            what, outcome = _called(command), _set(session, name, value)
        case Order(id=id_, name="stop"):
            session.stop("stopped by a command", (ticket, id_))
            return
        case Order(id=id_, name=name):
            what, outcome = _called(command), _order(session, name)
    done, text = outcome
    if done:
        session.journal.answer(ticket, Reply(id_, True, epoch, text))
    else:
        session.journal.refuse(ticket, epoch, id_, what, text)


def _called(command: Command) -> str:
    """A command in the ledger, when it was refused."""
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
    previous = session.controls[name]
    if new == previous:
        return True, f"{name} is {new:g} already"
    text = f"{name} {previous:g} → {new:g}"
    session.settle()  # what came before stands before it in the recording
    session.journal.intervention(session.epoch, "changed", text, control=name, value=new, previous=previous)
    session.apply(name, new)
    return True, text


def _order(session: Session, name: str) -> tuple[bool, str]:
    if name not in ORDERS:
        return False, f"there is no order {str(name)[:40]!r}; there are {', '.join(ORDERS)}"
    if session.replaying:
        return False, session.replaying
    session.settle()
    if name == "checkpoint":
        file = session.checkpoint()
        session.journal.intervention(session.epoch, "checkpoint", f"saved {file}", file=file)
        return True, f"saved {file}"
    pausing = name == "pause"
    if session.paused == pausing:
        return True, "is paused already" if pausing else "is running already"
    session.paused = pausing
    what, text = ("paused", "paused") if pausing else ("continued", "continued")
    session.journal.intervention(session.epoch, what, text)
    return True, text
