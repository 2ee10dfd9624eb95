"""What panes of arrays that are measured now and then have in common: which one is shown, and why none is."""

from __future__ import annotations

from collections.abc import Hashable

from grok_tui.protocol import Array
from grok_tui.state import RunState
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.view import View


def looked_at(state: RunState, view: View, *names: str) -> Hashable:
    """What a picture of these arrays depends on; `sees` of their pane."""
    found = (array_at(state, name, view.cursor) for name in names)
    return view.cursor is None, state.hello is None, tuple((a.epoch, id(a.values)) if a else None for a in found)


def not_yet(state: RunState, name: str, cursor: int | None) -> str:
    """Why there is no such array to show."""
    if state.hello is None:
        return "no data yet"
    if (found := state.arrays.get(name)) and cursor is not None:
        return f"first measured at epoch {found[0].epoch:,}"
    info = next((info for info in state.catalogue.arrays if info.name == name), None)
    if info is None:
        return "not measured in this run"
    every = info.every or state.setting("measure", "every")
    return f"not measured yet: every {every:,} epochs" if every else "not measured yet"


def when(epoch: int, view: View) -> str:
    """The epoch of what is shown, where the cursor chose it."""
    return f"at {epoch:,}  " if view.cursor is not None else ""


def with_it(state: RunState, array: Array | None, *names: str) -> tuple[Array | None, ...]:
    """What belongs to an array: the others as they were at its epoch, and not at one that is a measure later."""
    return tuple(array_at(state, name, array.epoch) if array else None for name in names)


def entry(array: Array | None, index: int, missing: float) -> float:
    """One number of an array; `missing` where there is none."""
    return float(array.values.flat[index]) if array is not None and 0 <= index < array.values.size else missing
