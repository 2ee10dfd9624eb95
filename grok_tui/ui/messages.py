"""What the parts of the viewer tell each other: facts, of which stale ones may be dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from grok_tui.protocol import Reply
from grok_tui.runs import Run

if TYPE_CHECKING:
    from grok_tui.sweep_state import SweepState


@dataclass
class StateAdvanced(Message):
    """New frames were folded in; panes should redraw."""

    epoch: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StateAdvanced)


@dataclass
class LinkEnded(Message):
    """No more frames will come."""

    text: str = ""
    """Why, where it was not simply the end of the recording."""


@dataclass
class Answered(Message):
    """The trainer answered a command, or could not be reached."""

    id: int
    ok: bool
    text: str
    reply: Reply | None = None


@dataclass
class RunWanted(Message):
    """A run should be shown."""

    run: Run


@dataclass
class ReplayWanted(Message):
    """A run's recording should be played."""

    run: Run
    since: int
    """The epoch from which on it is played; what was before it is there at once."""


@dataclass
class CompareWanted(Message):
    """Several runs should be shown side by side."""

    runs: tuple[Run, ...]
    note: str = ""
    """What is to be said of the choice."""


@dataclass
class SweepWanted(Message):
    """A sweep should be shown, at one of its members."""

    sweep: SweepState
    number: int


@dataclass
class HomeWanted(Message):
    """Presets and runs should be shown."""

    place: str = ""
    """The directory of the run that is left; empty where there is none."""


@dataclass
class Typed(Message):
    """A value for a control was typed and entered."""

    name: str
    value: float
    text: str
    """As it was typed."""


@dataclass
class Pointed(Message):
    """The mouse points at an epoch of a chart, its button down."""

    epoch: float

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Pointed)


@dataclass
class Wheeled(Message):
    """The wheel was turned over an epoch of a chart."""

    epoch: float
    factor: float
    """By which to zoom in; out when it is below 1."""
