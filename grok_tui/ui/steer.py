"""What has been asked of the controls and is not yet confirmed. No IO, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from grok_tui.protocol import Order, Plan, Reply, SetControl
from grok_tui.state import RunState

FLOOR = 0.01
"""Halving goes to 0 below this, and doubling starts from it."""

PAUSING = {"pause": True, "resume": False}
"""Order -> whether the run is paused by it."""


@dataclass(slots=True)
class Request:
    """A value asked for on one control."""

    id: int
    value: float
    reply: Reply | None = None
    """Set once the trainer has agreed; the request is over when the state shows it."""


class Requests:
    """The open requests of one viewer. The screen shows them as pending; the state alone shows what is true."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._open: dict[str, list[Request]] = {}
        self._orders: dict[int, str] = {}
        self._pausing: bool | None = None
        """What the newest order to pause or to resume is about, until the state shows it."""

    def set(self, control: str, value: float) -> SetControl:
        """The command that asks for `value`."""
        command = SetControl(next(self._ids), control, value)
        self._open.setdefault(control, []).append(Request(command.id, value))
        return command

    def order(self, name: str) -> Order:
        """The command that asks for one of the orders."""
        command = Order(next(self._ids), name)
        self._orders[command.id] = name
        if name in PAUSING:
            self._pausing = PAUSING[name]
        return command

    def paused(self, state: RunState) -> bool:
        """Whether the run will be paused once everything that was asked for is done."""
        return state.state == "paused" if self._pausing is None else self._pausing

    def plan(self, line: str) -> Plan:
        """The command that asks for what a line says."""
        command = Plan(next(self._ids), line)
        self._orders[command.id] = "plan"
        return command

    def pending(self, control: str) -> tuple[float, ...]:
        """The values asked for and not yet confirmed, oldest first."""
        return tuple(request.value for request in self._open.get(control, ()))

    def waiting(self, order: str) -> bool:
        """An order was given and has no answer yet."""
        return order in self._orders.values()

    def stepped(self, control: str, factor: float, state: RunState) -> float:
        """The newest value asked for, or else the confirmed one, times `factor`."""
        asked = self.pending(control)
        value = (asked[-1] if asked else state.control_value(control)) * factor
        if factor > 1 and value == 0:
            return FLOOR
        return 0.0 if factor < 1 and value < FLOOR else float(f"{value:.6g}")

    def answered(self, id: int, reply: Reply | None) -> str:
        """Take in an answer; returns what it was about. A refusal, or no answer, ends the request."""
        if order := self._orders.pop(id, ""):
            if order in PAUSING and (reply is None or not reply.ok):
                self._pausing = None
            return order
        for control, requests in self._open.items():
            for request in requests:
                if request.id == id:
                    if reply is not None and reply.ok:
                        request.reply = reply
                    else:
                        requests.remove(request)
                    return control
        return ""

    def settle(self, state: RunState) -> bool:
        """Drop the requests that the state has caught up with, oldest first: none overtakes another."""
        settled = False
        waiting = any(self.waiting(order) for order in PAUSING)
        if not waiting and self._pausing is (state.state == "paused"):
            self._pausing = None
        for control, requests in self._open.items():
            while requests and _shown(state, control, requests[0]):
                del requests[0]
                settled = True
        return settled

    def forget(self) -> None:
        """Drop everything: the trainer is gone."""
        self._open.clear()
        self._orders.clear()
        self._pausing = None


def _shown(state: RunState, control: str, request: Request) -> bool:
    if request.reply is None:
        return False
    if state.control_value(control) == request.value:
        return True
    since = [event for event in state.changes(control) if event.epoch >= request.reply.epoch]
    return any(event.epoch > request.reply.epoch or event.data.get("value") == request.value for event in since)
