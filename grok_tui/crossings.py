"""When a run came past a level, as exactly as its measures tell, and what two runs' crossings say of each other.

A level is reached at the first of three measures in a row that are past it. The epoch is interpolated between
that measure and the one before, and carries both: nothing is known more exactly than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from grok_tui.science.phase_limits import LEARNING, STREAK
from grok_tui.science.phases import Phase
from grok_tui.series import Bools, Floats, Ints, Series
from grok_tui.state import Ghost, RunState


@dataclass(frozen=True, slots=True)
class Level:
    """Something that a run reaches."""

    name: str
    """For a column."""
    did: str
    """For a sentence: "test loss fell below 1"."""
    did_not: str
    undid: str
    """It is no longer so."""
    series: str
    value: float = math.nan
    """NaN: the loss of a uniform guess, ln p."""
    rising: bool = False


CHANCE = Level(
    "test loss < chance",
    "test loss fell below chance",
    "test loss has not fallen below chance",
    "test loss rose above chance again",
    "test_loss",
)
ONE = Level(
    "test loss < 1",
    "test loss fell below 1",
    "test loss has not fallen below 1",
    "test loss rose above 1 again",
    "test_loss",
    1.0,
)
HALF = Level(
    "50 % test accuracy",
    "test accuracy reached 50 %",
    "test accuracy has not reached 50 %",
    "test accuracy fell below 50 % again",
    "test_accuracy",
    0.5,
    rising=True,
)
LEVELS = (HALF, CHANCE, ONE)


LOST = "†"
"""After an epoch in a table: what was reached then is so no longer."""

PARENTS = "‡"
"""After an epoch in a table: it lies in the past that a branch has in common with its parent, which tells it."""

WAY = frozenset({Phase.MEMORIZATION, Phase.CIRCUIT_FORMATION, Phase.CLEANUP, Phase.GENERALIZED, Phase.DIRECT})
"""Phases that begin with something that happened, which no later epoch undoes; a stall is told by all that follows."""


@dataclass(frozen=True, slots=True)
class Reach:
    """When a level was reached, or that it was not."""

    epoch: int | None
    """Interpolated; None while it was not reached."""
    after: int
    """The last measure before it; if it was not reached, the last measure that speaks against it. -1: there is none."""
    by: int
    """The first measure past it; if it was not reached, the same as `after`."""
    known: int
    """The last measure there is; -1 when there is none."""
    back: int | None = None
    """The first of the newest measures that are all back on the other side; None while it is still past the level."""
    inherited: bool = False
    """Its parent tells so, of the past that both have in common; by the run's own measures it could not be called."""

    def told(self, zero: int = 0) -> str:
        """For a table: in epochs since `zero`, when it was reached or up to where it was not."""
        if self.epoch is not None:
            return f"{self.epoch - zero:,}" + PARENTS * self.inherited + LOST * (self.back is not None)
        return f"> {self.after - zero:,}" if self.after >= 0 else "–"


def level(state: RunState, what: Level, past: Ghost | None = None) -> Reach:
    """When a run reached one of `LEVELS`; what its parent reached in the past of both, it has reached too.

    `past` is the parent; by default that which the state knows. Below chance counts only in a stretch that goes on
    once the training set is learned: an untrained network may dip below chance before it memorises.
    """
    found, past = _level(state, what), past or state.ghost
    if past is not None and (found.epoch is None or found.by > past.since):
        there = level(past.state, what)
        if there.epoch is not None and there.by <= past.since:
            return _level(state, what, there.by)
    return found


def _level(state: RunState, what: Level, begun: int | None = None) -> Reach:
    """By the run's own measures; `begun` as for `crossing`."""
    series = state.series.get(what.series)
    if series is None:
        return Reach(None, -1, -1, -1)
    value = state.chance if math.isnan(what.value) else what.value
    since = learned(state.series.get("train_accuracy")) if what is CHANCE else -math.inf
    return crossing(series.epochs, series.values, value, rising=what.rising, since=since, begun=begun)


def both(child: RunState, parent: RunState, what: Level, since: int) -> tuple[Reach, Reach]:
    """When a branch and its parent reached a level.

    What one of the two reached up to the branch, both did, even where only that one stayed there for long enough.
    """
    here, there = level(child, what, Ghost(parent, since)), level(parent, what)
    if here.epoch is not None and here.by <= since and here.by != there.by:
        return here, _level(parent, what, here.by)
    return here, there


def learned(accuracy: Series | None) -> float:
    """The epoch at which the training set was learned; infinite while it is not, -inf where that is not recorded."""
    if accuracy is None or np.isnan(accuracy.values).all():
        return -math.inf
    found = np.flatnonzero(accuracy.values >= LEARNING[0])
    return float(accuracy.epochs[found[0]]) if len(found) else math.inf


def crossing(
    epochs: Ints,
    values: Floats,
    value: float,
    *,
    rising: bool = False,
    since: float = -math.inf,
    held: int = STREAK,
    begun: int | None = None,
) -> Reach:
    """Where a measured series came past `value`, in a stretch of `held` measures or more that reaches beyond `since`.

    A stretch that begins at `begun` counts however short it is. What is NaN was not measured: it neither ends a
    stretch nor counts in one.
    """
    there = ~np.isnan(values)
    epochs, values = epochs[there], values[there]
    known = int(epochs[-1]) if len(epochs) else -1
    past = values >= value if rising else values < value
    edges = np.flatnonzero(np.diff(past.astype(np.int8), prepend=0, append=0))
    for start, end in edges.reshape(-1, 2).tolist():
        if (end - start >= held and epochs[end - 1] >= since) or epochs[start] == begun:
            by = int(epochs[start])
            back = _back(epochs, past, held)
            if start == 0:
                return Reach(by, -1, by, known, back)
            after = int(epochs[start - 1])
            share = _share(values[start - 1], values[start], value, log=not rising)
            return Reach(min(max(round(after + share * (by - after)), after + 1), by), after, by, known, back)
    against = np.flatnonzero(~past)
    last = int(epochs[against[-1]]) if len(against) else -1
    return Reach(None, last, last, known)


def _back(epochs: Ints, past: Bools, held: int) -> int | None:
    """Where the newest measures begin that are all not past the level, if there are `held` of them."""
    reached = np.flatnonzero(past)
    first = int(reached[-1]) + 1
    return int(epochs[first]) if len(epochs) - first >= held else None


def _share(before: float, then: float, value: float, *, log: bool) -> float:
    """How far on the way from one measure to the next the level lies; 1 where that cannot be said."""
    if log:
        if not (math.isfinite(before) and then > 0 and value > 0):
            return 1.0
        before, then, value = math.log(before), math.log(then), math.log(value)
    share = (value - before) / (then - before)
    return share if math.isfinite(share) else 1.0


def phase(state: RunState, what: Phase, since: int = -1, past: Ghost | None = None) -> Reach:
    """When a run entered a phase first, after epoch `since`, as the present rules place it.

    A branch that goes another way may never show what its parent was about to do where they parted: so what the
    parent, `past` or that which the state knows, places in the past of both, is a fact of the branch's past too.
    """
    found, past = _called(state, what, since), past or state.ghost
    if what in WAY and past is not None and (found.epoch is None or found.epoch > past.since):
        there = phase(past.state, what, since)
        if there.epoch is not None and there.epoch <= past.since:
            return replace(there, known=found.known, inherited=True)
    return found


def _called(state: RunState, what: Phase, since: int) -> Reach:
    """By the run's own measures. A boundary may be placed long before it is known: not there, it says nothing."""
    series = state.series.get("test_loss")
    known = state.phases.last.epoch if state.phases.last else -1
    for boundary in state.phases.boundaries:
        if boundary.phase is what and boundary.epoch > since:
            before = series.at(boundary.epoch - 1) if series else None
            return Reach(boundary.epoch, before[0] if before else -1, boundary.epoch, known)
    return Reach(None, -1, -1, known)


@dataclass(frozen=True, slots=True)
class Gap:
    """How one run's crossing lies to another's."""

    kind: Literal["earlier", "later", "same", "unknown"]
    """same: no difference that the measures can tell. unknown: one of them is not known far enough."""
    epochs: int = 0
    """The difference; at least so much when it is not exact."""
    within: int = 0
    """It may be off by so much."""
    exact: bool = True
    """False: one of them has not reached the level, and the difference is at least so much."""


def gap(here: Reach, there: Reach) -> Gap:
    """How `here` lies to `there`; claims no more than both runs' measures tell."""
    if here.epoch is not None and there.epoch is not None:
        least, most = here.after - there.by, here.by - there.after
        by = here.epoch - there.epoch
        if (here.after, here.by) == (there.after, there.by) or least < 0 < most:
            return Gap("same", abs(by), max(most - by, by - least))
        return Gap("earlier" if by < 0 else "later", abs(by), max(most - by, by - least))
    if here.epoch is not None and there.after >= here.by >= 0:
        return Gap("earlier", there.after - here.by, exact=False)
    if there.epoch is not None and here.after >= there.by >= 0:
        return Gap("later", here.after - there.by, exact=False)
    return Gap("unknown")
