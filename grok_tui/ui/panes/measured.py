"""What panes of measured series have in common: looks of their own, final keys, and why there is nothing yet."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from grok_tui.hindsight import SUFFIX
from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.lines import Look
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Values
from grok_tui.ui.widgets.plot import Line, Plot

SHARES = Values(0.0, 1.0)
"""The axis of accuracies and other shares."""


class MeasuredPane(Pane):
    """A pane of series that may be recomputed with the final keys."""

    def sees(self, state: RunState, view: View) -> Hashable:
        return super().sees(state, view), state.final_keys, state.recomputed

    def note_reading(self, state: RunState, drawn: tuple[Line, ...]) -> None:
        """Say in the lower border which keys the lines are about."""
        self.note(lines.reading(state, drawn, self.size.width))


def looked(state: RunState, looks: Mapping[str, Look], digits: int = 0) -> tuple[Line, ...]:
    """The series that have points, each in its look, with what hindsight made of it; their readings stay."""
    found = []
    for name, look in looks.items():
        drawn = (
            (lines.line(state, name, digits), look),
            (lines.line(state, name + SUFFIX, digits), lines.filled(look)),
        )
        found += [_as(line, seen) for line, seen in drawn if line is not None]
    return tuple(found)


def _as(line: Line, look: Look) -> Line:
    return replace(line, name=look.name, short=look.short, token=look.token, stroke=look.stroke, marker=look.marker)


def plot(
    state: RunState,
    view: View,
    drawn: tuple[Line, ...],
    *names: str,
    values: Values | None = None,
    log: bool = False,
    level: tuple[float, str, str] | None = None,
) -> Plot:
    """A plot over the epochs with marks and cursor; `names` are what it waits for."""
    return Plot(
        drawn,
        lines.epochs(state, view),
        values,
        log=log,
        marks=lines.marks(state),
        cursor=view.cursor,
        level=level,
        empty=awaited(state, *names),
    )


def chance(state: RunState) -> tuple[float, str, str] | None:
    """The loss of a uniform guess as a level."""
    return (state.chance, f"chance, ln {state.modulus}", "chance") if state.modulus else None


def awaited(state: RunState, *names: str) -> str:
    """What to say while none of these series and arrays has come: how often they do."""
    if state.hello is None:
        return "no data yet"
    cadences = [info.every for info in state.catalogue.series if info.name in names]
    cadences += [info.every for info in state.catalogue.arrays if info.name in names]
    if not cadences:
        return "not measured in this run"
    every = max(cadences) or state.setting("measure", "every")
    return f"not measured yet: every {every:,} epochs" if every else "not measured yet"
