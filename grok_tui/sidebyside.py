"""`grok-tui compare --once`: runs side by side as plain text, for scripts and for notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grok_tui import around, comparing, effects, lineage, listing, references, wording
from grok_tui.aligning import START, Alignment, branched
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.state import Ghost, RunState

Member = tuple[Run, RunState]


def lines(runs: Sequence[Run], alignment: Alignment = START) -> Iterator[str]:
    """Everything that is known of several runs, side by side; one that cannot be read is named."""
    members: list[Member] = []
    for run in runs:
        try:
            members.append((run, comparing.read(run)))
        except GrokTuiError as error:
            yield f"{run.name} is left out: {error}"
    if not members:
        return
    past = _known_pasts(members)
    yield from _table(members)
    yield from _when(members, alignment, past)
    yield from _differences(members)
    yield from _effects(members)


def _table(members: Sequence[Member]) -> Iterator[str]:
    heads = [column for column in comparing.COLUMNS if not column.when]
    rows = [("run", "state", *(column.head for column in heads))]
    for run, state in members:
        found = comparing.cells(state)
        standing = listing.run_standing(run)
        rows.append((run.name, f"{wording.MARKS[standing]} {standing}", *(found[c.head] for c in heads)))
    yield from wording.columns(rows, right=frozenset({2, 3, 4, 5}))


def _known_pasts(members: Sequence[Member]) -> dict[int, Ghost]:
    """Let each branch know its parent, where that is compared too; of another, what is recorded of it is read."""
    states = [state for _, state in members]
    parents = _parents(members)
    found, read = references.pasts(states, parents), dict[Path, comparing.Lean]()
    for i, (run, state) in enumerate(members):
        past = comparing.past(run, read) if i not in parents else None
        if past is not None and effects.same(state, past.state, past.since):
            found[i] = past
        state.ghost = found.get(i)
    return found


def _parents(members: Sequence[Member]) -> dict[int, int]:
    found, states = [run for run, _ in members], [state for _, state in members]
    return comparing.parents(found, states, lambda i: lineage.born(found[i].path, found[i].frames))


def _when(members: Sequence[Member], alignment: Alignment, past: Mapping[int, Ghost]) -> Iterator[str]:
    """When each got where, in epochs since what they are aligned by."""
    heads = [column for column in comparing.COLUMNS if column.when]
    rows = [(alignment.label, *(column.head for column in heads))]
    lacking = []
    for run, state in members:
        zero = alignment.zero(state)
        if zero is None:
            lacking.append(f"{run.name} {alignment.lacking}")
            continue
        found = comparing.cells(state, zero, references.branches([state for _, state in members], past, state))
        at = f"{run.name} (0 is {zero:,})" if alignment != START else run.name
        rows.append((at, *(found[column.head] for column in heads)))
    yield ""
    if len(rows) > 1:
        yield from wording.columns(rows, right=frozenset(range(1, len(heads) + 1)))
    yield from (f"not aligned: {text}" for text in lacking)
    yield f"({comparing.RULES})"


def _differences(members: Sequence[Member]) -> Iterator[str]:
    found = comparing.differences([state for _, state in members])
    yield ""
    if not found:
        yield "the configurations do not differ"
        return
    rows = [("what differs", *(run.name for run, _ in members))]
    rows += [(each.name, *each.values) for each in found]
    yield from wording.columns(rows)


def _effects(members: Sequence[Member]) -> Iterator[str]:
    """Of each branch whose parent is here too; of a change of any other run, before and after."""
    found, states = [run for run, _ in members], [state for _, state in members]
    parents = _parents(members)
    for i, (run, state) in enumerate(members):
        since = branched(state)
        if since is not None and i in parents:
            yield ""
            yield f"{run.name} against its parent {found[parents[i]].name}"
            yield from (f"  {line}" for line in effects.told(effects.of(state, states[parents[i]], since)))
        elif (ref := references.of(states, i)) is not None and ref.same:
            other = found[ref.place].name
            yield ""
            yield f"{run.name} against {other}, which is without its change: equal to the last bit up to {ref.since:,}"
            told = references.effect(state, states[ref.place], other, ref.since)
            yield from (f"  {line}" for line in effects.told(told, other))
        elif changes := around.every(state, -1 if since is None else since - 1):
            why = around.ALONE
            if ref is not None:
                why = f"{found[ref.place].name} is without it, but was not the same run to the last bit up to there"
            yield ""
            yield f"{run.name}, before and after its changes"
            for change in changes:
                yield from (f"  {line}" for line in around.told(change, why))
