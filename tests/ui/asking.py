"""What is asked of the trainer in the stories of the screen, and what it answers."""

from __future__ import annotations

from grok_tui.protocol import Event, Reply, SetControl, Status
from grok_tui.sources import Scripted
from tests.ui.story import frames

LIVE = frames(until=5000)
"""A run in training."""


def decays(source: Scripted) -> list[float]:
    return [c.value for c in source.sent if isinstance(c, SetControl) and c.name == "weight_decay"]


def confirmed(epoch: int, value: float, previous: float, name: str = "weight_decay") -> Event:
    return Event(epoch, "changed", f"{name} {previous:g} → {value:g}", 0.0, 1, {"control": name, "value": value})


def controls(epoch: int, weight_decay: float, state: str = "running") -> Status:
    return Status(epoch, state, 45.0, {"weight_decay": weight_decay, "lr": 1e-3}, 1)


def agreeing(epoch: int) -> Scripted:
    return Scripted(LIVE, reply=lambda command: Reply(command.id, True, epoch, "done"))
