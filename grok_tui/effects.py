"""What a change did: a branch against its parent, in numbers and a sentence. Pure.

Both are compared only as far as both are known. Where one of them has not got somewhere yet, the sentence says
up to where it is known, and what follows from that, and no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grok_tui import comparing, crossings, ways, wording
from grok_tui.crossings import CHANCE, HALF, LEVELS, ONE, Gap, Level, Reach
from grok_tui.science.phases import Phase
from grok_tui.series import Floats, Ints
from grok_tui.state import Ghost, RunState

FIRST = (CHANCE, HALF, ONE)
"""What the sentence is about: the first of these that tells the two runs apart."""

APART = 0.1
"""Test accuracies that differ by so much are what a sentence begins with."""

SAME_RUN = ("train_loss", "test_loss", "sum_of_squares")
"""Runs that have these in common, epoch for epoch and bit for bit, are one."""


NO_CAUSE = ("training.epochs", "record.", "plan.")
"""What of the configuration changes no number of an epoch that both have; what a plan did is told as what it did."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number of the branch and of its parent."""

    name: str
    here: str
    there: str
    difference: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What the branch has otherwise than its parent, and what came of it."""

    cause: str
    """What was changed."""
    sentence: str
    rows: tuple[Row, ...] = ()
    caveats: tuple[str, ...] = ()


def of(child: RunState, parent: RunState, since: int) -> Effect:
    """The effect of everything that a branch has otherwise than its parent, from epoch `since` on."""
    until = min(_measured(child), _measured(parent))
    cause = _cause(child, parent, since, until)
    if not same(child, parent, since):
        return Effect(cause, f"not comparable: up to {since:,} the two are not one run, so this is not its parent")
    if until <= since:
        who = "the parent" if _measured(parent) <= since else "this run"
        return Effect(cause, f"nothing can be said yet: {who} has no measure after the branch at {since:,}")
    if same(child, parent, until):
        return Effect(cause, f"the same as the parent to the last bit, at every measured epoch up to {until:,}")
    reaches = [(level, *crossings.both(child, parent, level, since)) for level in LEVELS]
    fresh = [found for found in reaches if not _past(*found[1:], since)]
    over = child.state == "finished", parent.state == "finished"
    rows = [_row(level.name, here, there, over) for level, here, there in reaches if not _shared(here, there, since)]
    met = [(here, there) for _, here, there in reaches]
    for phase in Phase:
        here = crossings.phase(child, phase, past=Ghost(parent, since))
        there = crossings.phase(parent, phase)
        if (here.epoch, there.epoch) != (None, None) and not _shared(here, there, since):
            rows.append(_row(str(phase), here, there, over))
            met.append((here, there))
    rows += _values(child, parent, since)
    undone = _undone(reaches, since)
    sentence = "; ".join([_sentence(child, parent, fresh, undone=bool(undone)), *undone])
    last = max([until, *(_last(here, there) for here, there in met)])
    return Effect(
        _cause(child, parent, since, last), sentence, tuple(rows), tuple(_caveats(child, parent, since, last))
    )


def same(one: RunState, other: RunState, until: int) -> bool:
    """Whether both runs have the same numbers, to the last bit, up to an epoch."""
    for name in SAME_RUN:
        a, b = one.series.get(name), other.series.get(name)
        if a is None or b is None:  # not measured in both: it speaks for nothing
            continue
        epochs, i, j = np.intersect1d(a.epochs, b.epochs, assume_unique=True, return_indices=True)
        here = epochs <= until
        if not np.array_equal(a.values[i[here]], b.values[j[here]], equal_nan=True):
            return False
    return True


def told(effect: Effect, other: str = "parent") -> list[str]:
    """An effect as lines of text; `other` is what it is told against."""
    lines = [effect.cause, f"  {effect.sentence}"]
    if effect.rows:
        heads = ("", "this run", other, "difference")
        rows = [heads, *((row.name, row.here, row.there, row.difference) for row in effect.rows)]
        lines += [f"  {line}" for line in wording.columns(rows, right=frozenset({1, 2}))]
    return [*lines, *(f"  {caveat}" for caveat in effect.caveats)]


def said(level: Level, here: Reach, there: Reach) -> str:
    """One crossing against the parent's, in a sentence that claims no more than is known."""
    return _compared(level.did, level.did_not, here, there)


def _last(here: Reach, there: Reach) -> int:
    """The last epoch that a comparison of two crossings is about: one may be told of that only one run came to."""
    ends = [found.back for found in (here, there) if found.back is not None]
    return max([here.by, there.by, *ends]) if crossings.gap(here, there).kind != "unknown" else -1


def _cause(child: RunState, parent: RunState, since: int, until: int) -> str:
    """What the branch has otherwise: controls since the branch, then settings.

    What was changed at `until`, the last epoch that is compared, or later has made no difference to it.
    """
    parts = []
    for name in dict.fromkeys(info.name for info in child.catalogue.controls):
        here, there = ways.paths([child, parent], name, since, until)
        if here != there:
            parts.append(f"{ways.NAMES.get(name, name)} {here} ({there} in the parent)")
    controls = set(ways.NAMES.values())
    parts += [
        f"{found.name} {found.values[0]} ({found.values[1]} in the parent)"
        for found in comparing.differences([child, parent])
        if found.name not in controls and found.name not in comparing.MACHINE and not found.name.startswith(NO_CAUSE)
    ]
    return f"from epoch {since:,}: {'; '.join(parts) or 'nothing is changed'}"


def _sentence(child: RunState, parent: RunState, fresh: Sequence[tuple[Level, Reach, Reach]], *, undone: bool) -> str:
    """What matters most of what happened after the branch; with `undone`, what was lost again is said after it.

    The first level that tells the runs apart, unless that is a late one and the two end far apart in test accuracy;
    else a level that is the same or open; else the newest test loss.
    """
    by_level = {level: (here, there) for level, here, there in fresh if max(here.known, there.known) >= 0}
    order = [level for level in FIRST if level in by_level]
    kinds = {level: crossings.gap(*by_level[level]).kind for level in order}
    compared = _compared_values(child, parent)
    telling = [level for level in order if kinds[level] in ("earlier", "later")]
    if (ended := _ended_apart(child, parent)) and not {CHANCE, HALF} & set(telling):
        late = said(telling[0], *by_level[telling[0]]) if telling and not undone else ""
        return _with(ended, late)
    for wanted in (("earlier", "later"), ("same",), ("unknown",)):
        for level in order:
            here, there = by_level[level]
            open_in_both = here.epoch is None and there.epoch is None
            if kinds[level] in wanted and (wanted != ("unknown",) or not open_in_both):
                return _with(said(level, here, there), compared if wanted == ("unknown",) else "")
    if order:
        return _with(said(order[0], *by_level[order[0]]), compared)
    return compared or "no test loss was measured in both at one epoch"


def _undone(reaches: Sequence[tuple[Level, Reach, Reach]], since: int) -> list[str]:
    """The first of the levels that one of the two has lost again, and the other has not."""
    for wanted in FIRST:
        for level, here, there in reaches:
            if level is wanted and (here.back is None) != (there.back is None):
                before = [f"{level.did} before the branch, at {here.epoch:,}"] if _past(here, there, since) else []
                if here.back is not None:
                    return [*before, f"{level.undid} at {here.back:,}, in the parent not by {there.known:,}"]
                return [*before, f"in the parent {level.undid} at {there.back:,}, here not by {here.known:,}"]
    return []


def _ended_apart(child: RunState, parent: RunState) -> str:
    """Test accuracy at the newest common epoch, in a sentence, where the two lie far apart."""
    found = common(child, parent, "test_accuracy")
    if found is None or not abs(found[1] - found[2]) >= APART:
        return ""
    epoch, here, there = found
    return f"test accuracy is {wording.percent(here)} at epoch {epoch:,}; {wording.percent(there)} in the parent"


def _with(text: str, more: str) -> str:
    return f"{text}; {more}" if more else text


def _compared(did: str, did_not: str, here: Reach, there: Reach) -> str:
    gap = crossings.gap(here, there)
    match gap.kind:
        case "same":
            off = f"; known to ±{gap.within:,}" if gap.epochs else ""
            at = f"there at {there.epoch:,}" if here.epoch != there.epoch else "there too"
            return f"{did} when it did in the parent, as far as the measures tell (at {here.epoch:,}, {at}{off})"
        case "earlier" | "later" if gap.exact:
            off = f"; known to ±{gap.within:,}"
            return (
                f"{did} {gap.epochs:,} epochs {gap.kind} than in the parent "
                f"(at {here.epoch:,}, there at {there.epoch:,}{off})"
            )
        case "earlier":
            least = _at_least(gap)
            return f"{did} at {here.epoch:,}; not within {there.after:,} epochs in the parent: {least}"
        case "later":
            return f"{did_not} within {here.after:,} epochs; the parent at {there.epoch:,}: {_at_least(gap)}"
    if here.epoch is not None:
        return f"{did} at {here.epoch:,}; the parent is known up to {there.known:,} only, and had not got there"
    if there.epoch is not None:
        return f"{did_not} by {here.known:,}, where this run is; the parent at {there.epoch:,}: not comparable yet"
    if here.known < 0 or there.known < 0:
        return f"{did_not}: {'this run' if here.known < 0 else 'the parent'} did not measure it"
    return f"{did_not} in either: this run is known up to {here.known:,}, the parent up to {there.known:,}"


def _at_least(gap: Gap) -> str:
    return f"at least {gap.epochs:,} epochs {gap.kind}" if gap.epochs else gap.kind


def _row(name: str, here: Reach, there: Reach, over: tuple[bool, bool]) -> Row:
    """When both got somewhere; `over`: whether the branch is finished, and whether the parent is."""
    gap = crossings.gap(here, there)
    match gap.kind:
        case "earlier" | "later":
            text = f"{gap.epochs:,} {gap.kind}" if gap.exact else _at_least(gap).replace(" epochs", "")
            text += f" (±{gap.within:,})" if gap.exact else ""
        case "same":
            text = f"none (±{gap.within:,})" if gap.epochs else "none"
            if (here.back is None) != (there.back is None):
                text += (
                    f"; lost at {here.back:,}" if here.back is not None else f"; the parent lost it at {there.back:,}"
                )
        case "unknown":
            text = _open(here, there, over)
    return Row(name, here.told(), there.told(), text)


def _open(here: Reach, there: Reach, over: tuple[bool, bool]) -> str:
    """What is said of a difference that is not known: of a run that is finished it will not be."""
    lacking = [end for end, found in zip(over, (here, there), strict=True) if found.epoch is None]
    if not all(lacking) or min(here.known, there.known) < 0:
        return "not known yet"
    if here.epoch is None:
        return f"not by {here.known:,}" + (f", the parent by {there.known:,}" if there.epoch is None else "")
    return f"the parent not by {there.known:,}"


def _past(here: Reach, there: Reach, since: int) -> bool:
    """It happened in the past that both have in common."""
    return here.epoch is not None and here.epoch == there.epoch and here.by <= since


def _shared(here: Reach, there: Reach, since: int) -> bool:
    """It happened in the past that both have in common, and is so in both still, or in neither."""
    return _past(here, there, since) and (here.back is None) == (there.back is None)


def _values(child: RunState, parent: RunState, since: int) -> list[Row]:
    """Numbers at the newest epoch that both have measured, and the peaks since the branch."""
    rows = []
    for name, label in (("test_loss", "test loss"), ("test_accuracy", "test accuracy")):
        if (found := common(child, parent, name)) is not None:
            epoch, here, there = found
            shown = wording.percent if name == "test_accuracy" else wording.number
            text = _points(here, there) if name == "test_accuracy" else _factor(here, there)
            rows.append(Row(f"{label} at {epoch:,}", shown(here), shown(there), text))
    if (row := _peaks(child, parent, since)) is not None:
        rows.append(row)
    if (found := common(child, parent, "sum_of_squares")) is not None:
        epoch, here, there = found
        text = f"{here - there:+,.0f}" if math.isfinite(here - there) else ways.NONE
        rows.append(Row(f"sum of squares at {epoch:,}", wording.number(here), wording.number(there), text))
    return rows


def common(child: RunState, parent: RunState, name: str) -> tuple[int, float, float] | None:
    """(epoch, branch, parent) at the newest epoch at which both have measured a series."""
    one, other = child.series.get(name), parent.series.get(name)
    if one is None or other is None:
        return None
    epochs = np.intersect1d(_there(one.epochs, one.values), _there(other.epochs, other.values), assume_unique=True)
    if not len(epochs):
        return None
    a, b = one.at(int(epochs[-1])), other.at(int(epochs[-1]))
    return (a[0], a[1], b[1]) if a and b else None


def _there(epochs: Ints, values: Floats) -> Ints:
    return epochs[~np.isnan(values)]


def _peaks(child: RunState, parent: RunState, since: int) -> Row | None:
    """The greatest test loss after the branch, where it rose there at all."""
    until = min(_measured(child), _measured(parent))
    ours, theirs = _peak(child, since, until), _peak(parent, since, until)
    if ours is None or theirs is None or max(ours[0], theirs[0]) <= since:
        return None
    here, there = (f"{wording.number(value)} at {epoch:,}" for epoch, value in (ours, theirs))
    return Row(f"greatest test loss from {since:,} to {until:,}", here, there, _factor(ours[1], theirs[1]))


def _peak(state: RunState, since: int, until: int) -> tuple[int, float] | None:
    series = state.series.get("test_loss")
    if series is None:
        return None
    inside = np.flatnonzero((series.epochs >= since) & (series.epochs <= until) & np.isfinite(series.values))
    if not len(inside):
        return None
    at = inside[np.argmax(series.values[inside])]
    first = series.epochs[inside[0]]
    return (int(series.epochs[at]) if series.epochs[at] > first else since), float(series.values[at])


def _compared_values(child: RunState, parent: RunState) -> str:
    """Test loss at the newest common epoch, in a sentence."""
    if (found := common(child, parent, "test_loss")) is None:
        return ""
    epoch, here, there = found
    numbers = f"({wording.number(here)}, there {wording.number(there)})"
    if here == there:
        return f"at {epoch:,} test loss is what it is in the parent ({wording.number(here)})"
    if not (0 < here < math.inf and 0 < there < math.inf):
        return f"at {epoch:,} test loss is {'below' if here < there else 'above'} the parent's {numbers}"
    factor = wording.number(max(here, there) / min(here, there))
    times = f"1/{factor} of" if here < there else f"{factor} times"
    return f"at {epoch:,} test loss is {times} the parent's {numbers}"


def _factor(here: float, there: float) -> str:
    if here == there:
        return "none"
    if not (0 < here < math.inf and 0 < there < math.inf):
        return ways.NONE
    return f"× {wording.number(here / there)}"


def _points(here: float, there: float) -> str:
    return "none" if here == there else wording.points(here - there)


def _measured(state: RunState) -> int:
    """The last epoch at which the test set was looked at; -1 when it never was."""
    series = state.series.get("test_loss")
    return int(series.epochs[-1]) if series is not None and len(series) else -1


def _caveats(child: RunState, parent: RunState, since: int, until: int) -> list[str]:
    """What keeps the difference from being the effect of one change alone."""
    found = []
    ours, theirs = _changes(child, parent, since, until), _changes(parent, child, since, until)
    if ours and theirs:
        first = min(epoch for _, epoch in theirs)
        found.append(f"the parent was changed too, first at {first:,}: the difference is that of all changes together")
    elif len(ours) > 1:
        found.append(f"this run was changed {len(ours)} times: the difference is that of all changes together")
    here, there = (_machine(state) for state in (child, parent))
    if here != there:
        found.append(f"made on {here}, the parent on {there}: rounding alone lets them drift apart")
    return found


def _changes(one: RunState, other: RunState, since: int, until: int) -> list[tuple[str, int]]:
    """(control, epoch) of what one run was set to from the branch on, before `until`, and the other was not."""
    found = []
    for name in (info.name for info in one.catalogue.controls):
        ours, theirs = ways.steps(one, name, since, until), ways.steps(other, name, since, until)
        done = ways.deeds(other, name, since, until)
        found += [(name, deed[0]) for deed in ways.deeds(one, name, since, until) if deed not in done]
        if ours[:1] != theirs[:1] and comparing.set_at(one, name, since):
            found.append((name, since))
    return found


def _machine(state: RunState) -> str:
    machine = state.hello.machine if state.hello else {}
    parts = [f"{key} {comparing.said(machine[key])}" for key in comparing.MACHINE if key in machine]
    return ", ".join(parts) or "an unknown machine"
