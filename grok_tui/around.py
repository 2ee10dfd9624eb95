"""Before and after a change, in one run: values and slopes over the same number of epochs on both sides. Pure.

Over fewer epochs than a slope is told for, it is told what was measured: nothing is drawn out beyond that.

That is no effect: without a parent to compare with, nobody knows what would have happened without the change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grok_tui import ways, wording
from grok_tui.protocol import Event
from grok_tui.state import RunState

WINDOW = 1000
"""Epochs that are looked at on either side, where there are so many."""

ENOUGH = 3
"""Measures on either side from which a slope is told."""

PER = 1000
"""Epochs that a slope is told for."""

SERIES = (
    ("test_loss", "test loss", True),
    ("test_accuracy", "test accuracy", False),
    ("train_loss", "train loss", True),
    ("sum_of_squares", "sum of squares", False),
)
"""(name, label, whether it is followed as a ratio)."""


@dataclass(frozen=True, slots=True)
class Side:
    """A series on one side of a change."""

    start: float
    end: float
    slope: float
    """Per `PER` epochs: a factor, or a difference; NaN where there are too few measures."""
    first: int
    last: int
    """The epochs of the two measures."""

    @property
    def known(self) -> bool:
        """There are measures enough to say how it went."""
        return not math.isnan(self.slope)


@dataclass(frozen=True, slots=True)
class Around:
    """A change, with what its run did before and after it."""

    change: str
    epoch: int
    window: int
    """Epochs on either side; 0 when there are none."""
    limit: str
    """Why the window is no longer; empty when it is as long as usual."""
    sides: dict[str, tuple[Side, Side]]
    """By the name of the series: before and after."""

    @property
    def short(self) -> bool:
        """There are fewer epochs on either side than a slope is told for."""
        return self.window < PER


def of(state: RunState, event: Event) -> Around:
    """What a run did before and after one of its changes."""
    before, since = _nearest(state, event.epoch, -1)
    after, until = _nearest(state, event.epoch, 1)
    room = min((before, since), (after, until), key=lambda found: found[0])
    usual = max(WINDOW, (ENOUGH + 1) * _cadence(state, event.epoch))
    window, limit = (usual, "") if room[0] >= usual else room
    sides = {}
    for series, _, ratio in SERIES:
        ends = (event.epoch - window, event.epoch), (event.epoch, event.epoch + window)
        before_it, after_it = (_side(state, series, start, end, ratio=ratio) for start, end in ends)
        if before_it and after_it and window:
            sides[series] = before_it, after_it
    return Around(ways.change(state, event), event.epoch, max(window, 0), limit, sides)


def every(state: RunState, since: int = 0) -> list[Around]:
    """Each change after epoch `since`, the newest first."""
    return [of(state, event) for event in reversed(state.turns()) if event.epoch > since]


ALONE = "there is no run without it"
"""Why before and after is no effect."""


def sentence(found: Around, why: str = ALONE) -> str:
    """Before and after in words, without calling it an effect, and `why` it is none."""
    lost = "test_loss"
    sides = found.sides.get(lost)
    if sides is None or not all(side.known for side in sides):
        return f"{found.change}: too few measures around it yet, to tell before from after"
    before, after = sides
    cut = f", up to {found.limit}" if found.limit else ""
    if found.short:
        went = f"test loss went {_between(before)} before it, {_between(after)} after it"
    else:
        went = f"test loss {_went(before.slope)} per {PER:,} epochs before it, {_went(after.slope)} after it"
    return (
        f"{found.change}: {went} ({found.window:,} epochs on either side{cut}; before and after, not an effect: {why})"
    )


def told(found: Around, why: str = ALONE) -> list[str]:
    """Before and after as lines of text."""
    lines = [sentence(found, why)]
    rows = []
    for name, label, ratio in SERIES:
        if name not in found.sides:
            continue
        before, after = found.sides[name]
        shown = wording.percent if name.endswith("accuracy") else wording.number
        moved = [_moved(name, side, ratio, short=found.short) for side in (before, after)]
        rows.append((label, shown(before.start), shown(before.end), shown(after.end), *moved))
    if rows:
        first, last = found.epoch - found.window, found.epoch + found.window
        over = "before" if found.short else f"per {PER:,} before"
        heads = ("", f"{first:,}", f"{found.epoch:,}", f"{last:,}", over, "after")
        lines += [f"  {line}" for line in wording.columns([heads, *rows], right=frozenset(range(1, 6)))]
    return lines


def _nearest(state: RunState, epoch: int, direction: int) -> tuple[int, str]:
    """(epochs, what is there): how far it is to the next change, or to the end of what is known."""
    others = {event.epoch: "the change" for event in state.turns() if (event.epoch - epoch) * direction > 0}
    ends = {event.epoch for event in state.changes() if (event.epoch - epoch) * direction > 0} - set(others)
    others |= dict.fromkeys(ends, "the end of a schedule")
    series = state.series.get("test_loss")
    measured = series.epochs if series is not None and len(series) else np.zeros(1, np.int64)
    end = (int(measured[0]), "the start") if direction < 0 else (int(measured[-1]), "the newest measure")
    if not others:
        return (end[0] - epoch) * direction, end[1]
    nearest = min(others, key=lambda other: abs(other - epoch))
    if abs(nearest - epoch) > (end[0] - epoch) * direction:
        return (end[0] - epoch) * direction, end[1]
    return abs(nearest - epoch), f"{others[nearest]} at {nearest:,}"


def _cadence(state: RunState, epoch: int) -> int:
    """Epochs between two measures of the test set around an epoch."""
    series = state.series.get("test_loss")
    if series is None or len(series) < 2:
        return 1
    at = min(max(int(np.searchsorted(series.epochs, epoch)), 1), len(series) - 1)
    return int(series.epochs[at] - series.epochs[at - 1])


def _side(state: RunState, name: str, start: int, end: int, *, ratio: bool) -> Side | None:
    """The first and last value in [start, end], and the slope of a straight line through all, within what they span."""
    series = state.series.get(name)
    if series is None:
        return None
    inside = (series.epochs >= start) & (series.epochs <= end) & np.isfinite(series.values)
    epochs, values = series.epochs[inside], series.values[inside]
    if not len(epochs):
        return None
    slope = math.nan
    drawn = values[values > 0] if ratio else values
    if len(epochs) >= ENOUGH and len(drawn) == len(values):
        x = (epochs - epochs.mean()) / PER
        y = np.log(drawn) if ratio else drawn
        span = float((y.max() - y.min()) / (x[-1] - x[0]))  # through a jump the line is steeper than that
        fitted = min(max(float((x * (y - y.mean())).sum() / (x * x).sum()), -span), span)
        slope = math.exp(fitted) if ratio and fitted < 700 else fitted if not ratio else math.inf
    return Side(float(values[0]), float(values[-1]), slope, int(epochs[0]), int(epochs[-1]))


def _went(factor: float) -> str:
    return "stood still" if abs(factor - 1) < 0.005 else f"went × {wording.number(factor)}"


def _values(side: Side) -> str:
    return f"{wording.number(side.start)} → {wording.number(side.end)}"


def _between(side: Side) -> str:
    return f"{_values(side)} from {side.first:,} to {side.last:,}"


def _moved(name: str, side: Side, ratio: bool, *, short: bool) -> str:
    """How a series went on one side: over so few epochs as there are what was measured, else a slope."""
    if not side.known:
        return ways.NONE
    if ratio:
        return _values(side) if short else f"× {wording.number(side.slope)}"
    by = side.end - side.start if short else side.slope
    text = wording.points(by) if name.endswith("accuracy") else f"{by:+,.3g}" if abs(by) < 1000 else f"{by:+,.0f}"
    return f"{text} in {side.last - side.first:,}" if short else text
