"""A sweep as a table of cells: two axes, in each cell a member or the seeds of one place. No IO, no drawing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from grok_tui import grok_times
from grok_tui.grids import SEED, Axis
from grok_tui.grok_times import Sign, Time
from grok_tui.series import Series
from grok_tui.sweep_state import DONE, MARKS, NEVER, OVER, Standing, SweepState

STATES = ("failed", "cut off", "gone", "live", "replaying", "paused", "stopped", "waiting", "finished", "ended")
"""Of a cell with several seeds, the first of these that any of them is in is the cell's."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the table."""

    numbers: tuple[int, ...] = ()
    """Its members; none where the grid has a hole."""
    state: str = "waiting"
    words: tuple[str, ...] = ("",)
    """The time, or why there is none: the longest wording first."""
    more: tuple[str, ...] = ("",)
    """A second line: how far it is, or the spread over seeds."""
    time: float | None = None
    """What its colour stands for; None where no time is known."""
    curves: tuple[Series, ...] = ()
    """Test accuracies."""
    never: bool = False
    """All is over, and the time was not reached."""

    @property
    def mark(self) -> str:
        """The sign of its state; what is done and has not come to it is not ticked off."""
        if self.never and self.state in DONE:
            return NEVER
        return MARKS.get(self.state, "…") if self.numbers else " "


@dataclass(frozen=True, slots=True)
class Board:
    """The whole table."""

    down: str
    """What is counted downwards; empty with one row."""
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    epochs: int
    """The longest that a member trains."""
    collapsed: bool
    """Seeds share a cell."""

    @property
    def times(self) -> tuple[float, float] | None:
        """The earliest and the latest of all cells."""
        found = [cell.time for row in self.cells for cell in row if cell.time is not None]
        return (min(found), max(found)) if found else None

    def at(self, row: int, column: int) -> Cell:
        """The cell there; the nearest one outside."""
        row = min(max(row, 0), len(self.rows) - 1)
        return self.cells[row][min(max(column, 0), len(self.columns) - 1)]

    def place(self, number: int) -> tuple[int, int] | None:
        """Row and column of a member; None when there is none of that number."""
        places = itertools.product(range(len(self.rows)), range(len(self.columns)))
        return next((at for at in places if number in self.at(*at).numbers), None)


def collapsible(axes: Sequence[Axis]) -> bool:
    """There are several seeds to be taken together."""
    return any(axis.label == SEED and len(axis.values) > 1 for axis in axes)


def build(state: SweepState, sign: Sign, collapsed: bool) -> Board:
    """The table now: the first axis downwards, all others across; seeds in one cell when `collapsed`."""
    axes = state.contents.axes
    kept = [i for i, axis in enumerate(axes) if not (collapsed and axis.label == SEED)]
    down, across = (kept[:1], kept[1:]) if len(kept) > 1 or collapsed else ([], kept)
    places: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
    for member in state.contents.members:
        at = member.place.at
        key = tuple(at[i] for i in down), tuple(at[i] for i in across)
        places.setdefault(key, []).append(member.number)
    rows, columns = (list(itertools.product(*(range(len(axes[i].values)) for i in part))) for part in (down, across))
    return Board(
        ", ".join(axes[i].label for i in down),
        ", ".join(axes[i].label for i in across),
        tuple(_label(axes, down, at) for at in rows),
        tuple(_label(axes, across, at) for at in columns),
        tuple(tuple(cell(state, places.get((row, column), []), sign) for column in columns) for row in rows),
        max((standing.epochs for standing in state.standings.values()), default=1),
        collapsed,
    )


def cell(state: SweepState, numbers: Sequence[int], sign: Sign) -> Cell:
    """What there is to say of the members of one place."""
    standings = [state.standings[number] for number in numbers if number in state.standings]
    if not standings:
        return Cell(tuple(numbers))
    curves = tuple(state.tracks[number].accuracy for number in numbers if number in state.tracks)
    if len(standings) == 1:
        return _one(standings[0], state.time(numbers[0], sign), curves)
    found = state.over_seeds(numbers, sign)
    states = [standing.state for standing in standings]
    whole = next((name for name in STATES if name in states), "waiting")
    if found is None:
        return Cell(tuple(numbers), whole, (whole,), (_counted(standings),), None, curves)
    if not found.reached:
        over = all(name in OVER for name in states)
        words = _none(over, found.least.epoch)
        return Cell(tuple(numbers), whole, words, (_counted(standings),), None, curves, over)
    more = (f"{grok_times.span(found)} {found.reached}/{len(standings)}", grok_times.span(found), "")
    return Cell(tuple(numbers), whole, (grok_times.said(found),), more, found.low if found.known else None, curves)


def _one(standing: Standing, time: Time | None, curves: tuple[Series, ...]) -> Cell:
    numbers, state = (standing.member.number,), standing.state
    done = f"{standing.epoch / max(standing.epochs, 1):.0%}"
    more = () if state in OVER or state == "waiting" else (f"{state} {done}", done)
    if time is not None and time.reached:
        told = (f"then {state}",) if state in ("failed", "stopped", "cut off", "gone") else ()
        return Cell(numbers, state, (f"{time.epoch:,}",), (*more, *told, ""), float(time.epoch), curves)
    if state in DONE:
        return Cell(numbers, state, _none(True, standing.epoch), ("",), None, curves, True)
    if state in OVER:
        return Cell(numbers, state, (state,), (f"at {standing.epoch:,}", ""), None, curves)
    words = ("not yet", "–") if time is not None else (state, state[:4])
    return Cell(numbers, state, words, (*more, ""), None, curves)


def _none(over: bool, within: int) -> tuple[str, ...]:
    """That a time was not reached is no number."""
    return (f"never in {within:,}", "never") if over else ("not yet", "–")


def _counted(standings: Sequence[Standing]) -> str:
    """How many of a cell's seeds are done."""
    return f"{sum(standing.done for standing in standings)}/{len(standings)} done"


def _label(axes: Sequence[Axis], part: Sequence[int], at: Sequence[int]) -> str:
    return " ".join(axes[i].values[value] for i, value in zip(part, at, strict=True))
