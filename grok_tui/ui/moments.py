"""The moments of a run that one comes back to: changes, changes of phase, branchings, notes. No IO, no clock."""

from __future__ import annotations

from itertools import groupby

from grok_tui import notes
from grok_tui.course import STEERED
from grok_tui.state import RunState
from grok_tui.ui.panes import events
from grok_tui.ui.widgets.plot import FLAG

MARKED = STEERED | {"branched"}
"""Events that charts mark, notes aside."""


def moments(state: RunState) -> list[tuple[int, str]]:
    """(epoch, what it is) in order; what happened at one epoch is one moment."""
    return state.derived("moments", lambda: _moments(state))


def beside(state: RunState, epoch: int, step: int) -> tuple[int, str] | None:
    """The next moment after `epoch`, or with a negative step the last one before it; None when there is none."""
    found = moments(state)
    if step > 0:
        return next((moment for moment in found if moment[0] > epoch), None)
    return next((moment for moment in reversed(found) if moment[0] < epoch), None)


def _moments(state: RunState) -> list[tuple[int, str]]:
    found = [(epoch, text) for epoch, _, text in events.phases(state)]
    for event in state.events:
        if event.what in MARKED:
            found.append((event.epoch, event.text))
        elif event.what == notes.WHAT:
            found.append((event.epoch, f"{FLAG} {event.text}"))
    found.sort(key=lambda moment: moment[0])
    return [(epoch, "; ".join(text for _, text in group)) for epoch, group in groupby(found, lambda moment: moment[0])]
