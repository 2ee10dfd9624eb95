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
    why_not: str = ""
    """Why `back` is none although the newest change is in force."""


def find(state: RunState) -> Undo:
    """What an undo is about now.

    A change that sets a control back to where its last one came from takes that one back, whoever made it and
    by whichever key. Neither of the two is set back again: so a second undo goes on to the change before. But
    what was trained in between stays in the weights, and can be left out.

    That a schedule ended at the value which it had come to is a change too, but none that a value sets back.
    """
    told = _counting(state.events)
    changes = [event for event in told if "ended" not in event.data]
    scheduled: set[object] = set()
    standing: list[Event] = []
    felt: list[Event] = []
    for event in told:
        value, previous = event.data.get("value"), event.data.get("previous")
        control = event.data.get("control")
        ends = event.what == "changed" and control in scheduled
        scheduled = scheduled | {control} if event.what == "scheduled" else scheduled - {control}
        if "ended" in event.data:
            continue
        mine = next((each for each in reversed(standing) if each.data.get("control") == control), None)
        moved = mine is not None and mine.what == "scheduled"  # it went on from where it began
        back = mine is not None and value == mine.data.get("previous") and not _only_ends(mine)
        if mine and back and event.what == "changed" and (moved or previous == mine.data.get("value")):
            standing.remove(mine)
            if mine.epoch < event.epoch:
                felt.append(mine)
        elif isinstance(previous, int | float) and (value != previous or ends or event.what == "scheduled"):
            standing.append(event)
    never = max([*standing, *felt], key=changes.index, default=None)
    later = len(changes) - changes.index(never) - 1 if never else 0
    newest = standing[-1] if standing else None
    if newest is not None and _only_ends(newest):
        why_not = (
            f"{_label(state, newest)} was scheduled until epoch {newest.epoch:,}, and no value takes that up again"
        )
        return Undo(None, never, later, why_not)
    return Undo(newest, never, later)


def said(state: RunState, event: Event) -> str:
    """A change in words: weight decay 1 → 0.3 at epoch 6,000."""
    if event.what == "scheduled":
        return f"{event.text} at epoch {event.epoch:,}"
    if _only_ends(event):
        return f"the end of {_label(state, event)}'s schedule at epoch {event.epoch:,}"
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
    """The changes of controls, and the ends that schedules came to: not what was given up and trained again."""
    found: list[Event] = []
    for event in events:
        if event.what in STEERED:
            while found and found[-1].epoch > event.epoch:
                found.pop()
            found.append(event)
    return found


def _only_ends(event: Event) -> bool:
    """Whether a change ended a schedule and left the value as it was."""
    return event.what == "changed" and event.data.get("value") == event.data.get("previous")


def _label(state: RunState, event: Event) -> str:
    info = state.control(str(event.data["control"]))
    return info.label if info else str(event.data["control"])
