"""Which change of a control an undo is about: to be set back from now on, or left out as if it had never been. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grok_tui import wording
from grok_tui.course import STEERED
from grok_tui.protocol import Event
from grok_tui.state import RunState


@dataclass(frozen=True, slots=True)
class Undo:
    """What can be undone in a run."""

    back: Event | None
    """The newest change that has not been taken back; setting its control back changes something from now on."""
    never: Event | None
    """The newest change that was not taken back before a step was taken with it: the weights are what it made them."""
    later: int = 0
    """How many changes came after `never`; they are left out with it."""


def find(state: RunState) -> Undo:
    """What an undo is about now.

    A change that sets a control back to where its last one came from takes that one back, whoever made it and
    by whichever key. Neither of the two is set back again: so a second undo goes on to the change before. But
    what was trained in between stays in the weights, and can be left out.
    """
    changes = _counting(state.events)
    standing: list[Event] = []
    felt: list[Event] = []
    for event in changes:
        value, previous = event.data.get("value"), event.data.get("previous")
        control = event.data.get("control")
        mine = next((each for each in reversed(standing) if each.data.get("control") == control), None)
        moved = mine is not None and mine.what == "scheduled"  # it went on from where it began
        if mine and value == mine.data.get("previous") and (moved or previous == mine.data.get("value")):
            standing.remove(mine)
            if mine.epoch < event.epoch:
                felt.append(mine)
        elif isinstance(previous, int | float) and (value != previous or event.what == "scheduled"):
            standing.append(event)
    never = max([*standing, *felt], key=changes.index, default=None)
    later = len(changes) - changes.index(never) - 1 if never else 0
    return Undo(standing[-1] if standing else None, never, later)


def said(state: RunState, event: Event) -> str:
    """A change in words: weight decay 1 → 0.3 at epoch 6,000."""
    if event.what == "scheduled":
        return f"{event.text} at epoch {event.epoch:,}"
    before, after = (wording.number(float(event.data[name])) for name in ("previous", "value"))
    return f"{_label(state, event)} {before} → {after} at epoch {event.epoch:,}"


def set_back(state: RunState, event: Event) -> str:
    """Where a change's control is set back to: weight decay 1."""
    return f"{_label(state, event)} {wording.number(float(event.data['previous']))}"


def nothing(state: RunState) -> str:
    """Why there is nothing to undo at all."""
    some = any(event.what in STEERED for event in state.events)
    return "nothing to undo: " + ("every change has been taken back" if some else "no control has been changed")


def _counting(events: Iterable[Event]) -> list[Event]:
    """The changes of controls that count: not the ends of schedules, nor what was given up and trained again."""
    found: list[Event] = []
    for event in events:
        if event.what in STEERED and "ended" not in event.data:
            while found and found[-1].epoch > event.epoch:
                found.pop()
            found.append(event)
    return found


def _label(state: RunState, event: Event) -> str:
    info = state.control(str(event.data["control"]))
    return info.label if info else str(event.data["control"])
