"""Several runs side by side: what differs in how they were made, where they stand, and from which epoch they are told.

No clock and no screen: the compare screen and `grok-tui compare --once` say the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grok_tui import crossings, hindsight, lineage, record, runs, ways, wording
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.protocol import Array, Frame
from grok_tui.runs import Run
from grok_tui.science.phases import Phase
from grok_tui.sources import BATCH, named
from grok_tui.state import Ghost, RunState
from grok_tui.ways import NAMES, NONE

LEAST, MOST = 2, 8
"""Runs that are compared at once: more lines in one chart cannot be told apart."""

KEPT = frozenset({"key_frequencies"})
"""Arrays that a comparison looks at; the others of eight runs would take 100 MB."""

LONGEST = 60
"""Letters of a value of the configuration."""

KEYS_TOLD = 8
"""Key frequencies that are listed."""

UNTOLD = frozenset({"about", "notify", "view"})
"""What of a configuration makes no difference to a run."""

MACHINE = ("device", "threads", "torch", "stack")
"""What of the machine makes a difference to the last bits."""

FROZEN = {"weight_decay": "optimizer.weight_decay", "lr": "optimizer.lr"}
"""Where the configuration has a control's value at the start: told once."""


class Lean(RunState):
    """A run as far as a comparison looks at it: without its maps."""

    def apply(self, frame: Frame) -> None:
        """See `RunState`."""
        if not isinstance(frame, Array) or frame.name in KEPT:
            super().apply(frame)


def wrong(chosen: Sequence[Run]) -> str:
    """Why these cannot be compared; empty when they can."""
    if len(chosen) < LEAST:
        return "to compare takes two runs or more"
    if len(chosen) > MOST:
        return f"{len(chosen)} runs are too many to tell apart: at most {MOST} are compared at once"
    return ""


def unique(chosen: Sequence[Run]) -> list[Run]:
    """Each run once, in their order."""
    found: dict[Path, Run] = {}
    for run in chosen:
        found.setdefault(run.path.resolve(), run)
    return list(found.values())


def family(place: str) -> list[Run]:
    """The run in a directory and those that it is related to, the nearest first: parent, branches, siblings."""
    run = Run(Path(place))
    parent = runs.parent(run)
    above = [parent] if parent is not None else []
    return unique([run, *above, *runs.children(run), *(child for each in above for child in runs.children(each))])


def parents(chosen: Sequence[Run], states: Sequence[RunState], born: Callable[[int], float]) -> dict[int, int]:
    """Of several runs, which is the parent of which, by when each was `born`; one that is no branch is not in it.

    Names are given anew, and taken: that which a branch has recorded counts where it has no lineage to be held to.
    """
    names = [run.name for run in chosen]
    found: dict[int, int] = {}
    for i, (run, state) in enumerate(zip(chosen, states, strict=True)):
        own, at = run.lineage, None
        if own is not None:
            at = lineage.parent(own, names, born)
        elif (named := recorded_parent(state)) in names:
            at = names.index(named)
        if at is not None and at != i:
            found[i] = at
    return found


def recorded_parent(state: RunState) -> str:
    """What the parent was called when the run branched off, by its own recording; empty when it is no branch."""
    found = next((event for event in reversed(state.events) if event.what == "branched"), None)
    return str(found.data.get("parent", "")) if found else ""


def read(run: Run) -> Lean:
    """A run as its recording has it now, with what hindsight made of it.

    Raises:
        RunError: nothing is recorded yet.
        RecordError: the recording cannot be read.
    """
    state = Lean()
    position, before = 0, -1
    while position != before:
        before = position
        frames, position = record.read(run.frames, before, BATCH)
        for frame in named(frames, run):
            state.apply(frame)
    if state.hello is None:
        raise RunError(f"{run.name}: nothing is recorded yet")
    watch = hindsight.Watch(run)
    while found := watch.look():
        for frame in found:
            state.apply(frame)
    return state


def past(run: Run, known: dict[Path, Lean], below: frozenset[Path] = frozenset()) -> Ghost | None:
    """The past that a branch has in common with its parent, with that one's own; None where it is not to be had.

    `known`: parents that have been read; of several branches of one it is read once. `below`: the run's branches,
    which are nobody's parents here, whatever their files say.
    """
    own = run.lineage
    above = runs.parent(run) if own else None
    below |= {run.path.resolve()}
    if own is None or above is None or (place := above.path.resolve()) in below:
        return None
    if place not in known:
        try:
            state = read(above)
        except GrokTuiError:  # it tells nothing, then, and the branch is told by its own measures
            return None
        state.ghost = past(above, known, below)
        known[place] = state
    return Ghost(known[place], own.epoch)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which the runs' configurations are not alike."""

    name: str
    values: tuple[str, ...]
    """One for each run."""


def differences(states: Sequence[RunState], *, controls: bool = True) -> list[Difference]:
    """Only what differs: the configuration by dotted keys, the `controls` over time, the machine."""
    paths = [(name, ways.paths(states, name)) for name in _controls(states)] if controls else []
    told = [Difference(NAMES.get(name, name), found) for name, found in paths if len(set(found)) > 1]
    covered = {FROZEN[name] for name, found in paths if len(set(found)) > 1 and name in FROZEN}
    tables = [_flat(state.hello.config) if state.hello else {} for state in states]
    for key in dict.fromkeys(key for table in tables for key in table):
        values = _told_apart([table.get(key) for table in tables])
        if key not in covered and len(set(values)) > 1:
            told.append(Difference(key, values))
    for key in MACHINE:
        values = tuple(said(state.hello.machine.get(key)) if state.hello else NONE for state in states)
        if len(set(values)) > 1:
            told.append(Difference(key, values))
    return told


def set_at(state: RunState, name: str, epoch: int) -> bool:
    """Whether a control was changed at that very epoch."""
    return any(event.epoch == epoch for event in state.turns(name))


def _controls(states: Sequence[RunState]) -> list[str]:
    return list(dict.fromkeys(info.name for state in states for info in state.catalogue.controls))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys of nested tables."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if not prefix and key in UNTOLD:
            continue
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _told_apart(values: Sequence[Any]) -> tuple[str, ...]:
    """Values of the configuration for the reader: so long that two read alike only when they are."""
    found, whole = (tuple(said(value, longest) for value in values) for longest in (LONGEST, None))
    return found if len(set(found)) == len(set(whole)) else whole


def said(value: Any, longest: int | None = LONGEST) -> str:
    """A value of the configuration, for the reader."""
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = "; ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of runs."""

    head: str
    short: str
    """Where there is little room."""
    when: bool = False
    """It holds epochs at which something happened."""
    phase: Phase | None = None
    level: crossings.Level | None = None
    title: str = ""
    """What stands above it, where that is not its head."""
    spare: int = 0
    """Of those that give way where there is no room, the one with the most goes first; 0 stays."""


COLUMNS = (
    Column("memorization", "memo", True, Phase.MEMORIZATION, spare=3),
    Column("circuit", "circuit", True, Phase.CIRCUIT_FORMATION, spare=2),
    Column("cleanup", "cleanup", True, Phase.CLEANUP),
    Column("generalized", "general.", True, Phase.GENERALIZED),
    Column("50 % test acc.", "50 %", True, level=crossings.HALF),
    Column("test < chance", "<chance", True, level=crossings.CHANCE, spare=1),
    Column("test loss < 1", "< 1", True, level=crossings.ONE, spare=4),
    Column("epoch", "epoch"),
    Column("train loss", "train", spare=1),
    Column("test loss", "test"),
    Column("test acc.", "acc."),
    Column("keys", "keys"),
)
"""Phases that only some runs have stand as words where those are that these runs had not."""

INSTEAD = {Phase.DIRECT: "direct", Phase.STALLED: "stalled", Phase.DEGRADED: "degraded"}
"""What stands in place of a phase that a run has not come to."""

GROKKED = frozenset({Phase.GENERALIZED, Phase.DIRECT})

RULES = (
    "Phases as the present rules place them; not yet: it has not come to that; none: it never did; direct: it "
    "generalized without; stalled, degraded: it is that instead. A level counts from the first of three measures in a "
    "row that are past it, interpolated from the one before; > before an epoch: not by the measure at that epoch; "
    "–: not known; †: then, but not any more; ‡: before it branched off, as its parent tells. "
    "Chance is the loss of a guess, ln p by each run's own p."
)


def cells(state: RunState, zero: int = 0, branches: Sequence[Ghost] = ()) -> dict[str, str]:
    """A run's row in the table: text by the column's head. Moments are told in epochs since `zero`.

    What a branch stayed past from before they parted, the run was past then too: see `crossings.both`.
    """
    found = {}
    for column in COLUMNS:
        if column.phase is not None:
            found[column.head] = entered(state, column.phase, zero)
        elif column.level is not None:
            found[column.head] = _reached(state, column.level, branches).told(zero)
    of = f"/{state.epochs:,}" if state.epochs > state.epoch else ""
    return found | {
        "epoch": f"{state.epoch:,}{of}",
        "train loss": newest(state, "train_loss"),
        "test loss": newest(state, "test_loss"),
        "test acc.": newest(state, "test_accuracy"),
        "keys": keys(state),
    }


def _reached(state: RunState, what: crossings.Level, branches: Sequence[Ghost]) -> crossings.Reach:
    told = [crossings.level(state, what)]
    told += [crossings.both(each.state, state, what, each.since)[1] for each in branches]
    return min(told, key=lambda found: math.inf if found.epoch is None else found.by)


def entered(state: RunState, phase: Phase, zero: int = 0) -> str:
    """When a run came to a phase, in epochs since `zero`, or what became of it instead."""
    now = state.phases.phase
    begun = {each: found for each in Phase if (found := crossings.phase(state, each)).epoch is not None}
    if state.phases.last is None or state.phases.alone:
        return NONE
    if phase is Phase.GENERALIZED:
        lost = "" if now in GROKKED else crossings.LOST
        for word, each in (("", Phase.GENERALIZED), ("direct ", Phase.DIRECT)):
            if each in begun:
                return f"{word}{begun[each].told(zero)}{lost}"
    elif phase in begun:
        return begun[phase].told(zero)
    elif Phase.DIRECT in begun:
        return INSTEAD[Phase.DIRECT]
    if now in INSTEAD:
        return INSTEAD[now]
    return "none" if state.state == "finished" or now in GROKKED else "not yet"


def newest(state: RunState, name: str) -> str:
    """The last measured value, with its epoch where the run has gone on since; a step's loss is that before it."""
    series = state.series.get(name)
    if series is None or not len(series):
        return NONE
    text = wording.percent(series.last) if name.endswith("accuracy") else wording.number(series.last)
    at = int(series.epochs[-1])
    return text if at >= state.epoch - 1 else f"{text} @{at:,}"


def keys(state: RunState) -> str:
    """The key frequencies, and whether the measures were recomputed with them."""
    array = state.array("key_frequencies")
    if array is None:
        return NONE
    found = tuple(sorted(int(k) for k in array.values.ravel()))
    if not found:
        return "none"
    reading = "final" if state.keys_are_final else "provisional"
    return f"{len(found)} keys, {reading}" if len(found) > KEYS_TOLD else f"{' '.join(map(str, found))} {reading}"


def value_at(state: RunState, name: str, epoch: float | None) -> float:
    """A series' value at an epoch, or its newest; NaN where there is none, beyond its last measure too."""
    series = state.series.get(name)
    if series is None or not len(series):
        return float("nan")
    if epoch is None:
        return series.last
    found = series.at(epoch) if epoch <= max(int(series.epochs[-1]), state.epoch) else None
    return found[1] if found else float("nan")


def order(values: Sequence[float]) -> list[int]:
    """Indices by value, the largest first; those without one last, in their own order."""
    column = np.array(values, float)
    return sorted(range(len(values)), key=lambda i: (np.isnan(column[i]), -column[i] if column[i] == column[i] else i))
