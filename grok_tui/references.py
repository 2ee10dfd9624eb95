"""Which of several runs tells what another one would have been: its parent, or one begun alike but unchanged. Pure.

Such a run tells of an effect as a parent does, where both are equal to the last bit up to the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grok_tui import comparing, effects
from grok_tui.aligning import branched
from grok_tui.effects import Effect
from grok_tui.state import Ghost, RunState


@dataclass(frozen=True, slots=True)
class Reference:
    """A run that was made as another one, and lacks its change."""

    place: int
    """Among the runs that were asked about."""
    since: int
    """The epoch of the change."""
    same: bool
    """Up to there the two are equal to the last bit; else one cannot tell what the change did."""


def of(states: Sequence[RunState], i: int) -> Reference | None:
    """The run among `states` that is the one at `i` without its first change; that which was changed least."""
    turns = states[i].turns()
    if not turns:
        return None
    since = min(turn.epoch for turn in turns)
    found = []
    for place, other in enumerate(states):
        without = all(turn.epoch > since for turn in other.turns())
        if place != i and without and alike(states[i], other) and _goes_on(other, since):
            found.append(Reference(place, since, effects.same(states[i], other, since)))
    return min(found, key=lambda each: (not each.same, len(states[each.place].turns())), default=None)


def alike(one: RunState, other: RunState) -> bool:
    """Whether two were configured alike, in all that makes a difference to an epoch that both have."""
    differing = (found.name for found in comparing.differences([one, other], controls=False))
    return not any(name not in comparing.MACHINE and not name.startswith(effects.NO_CAUSE) for name in differing)


def effect(state: RunState, other: RunState, name: str, since: int) -> Effect:
    """What the change did, against a run without it that is called so."""
    told = effects.of(state, other, since)

    def said(text: str) -> str:
        return text.replace("the parent", name).replace("the branch", "the change")

    rows = tuple(replace(row, difference=said(row.difference)) for row in told.rows)
    return Effect(said(told.cause), said(told.sentence), rows, tuple(said(text) for text in told.caveats))


def _goes_on(state: RunState, since: int) -> bool:
    """It was measured before and after the change: without that nothing would be compared."""
    measured = state.series.get("test_loss")
    return measured is not None and len(measured) > 0 and int(measured.epochs[0]) <= since < int(measured.epochs[-1])


def pasts(states: Sequence[RunState], parents: Mapping[int, int]) -> dict[int, Ghost]:
    """Of those whose parent is among them too, and is up to where they parted the same run: that past of theirs."""
    found = {}
    for i, above in parents.items():
        since = branched(states[i])
        if since is not None and not _round(i, parents) and effects.same(states[i], states[above], since):
            found[i] = Ghost(states[above], since)
    return found


def _round(i: int, parents: Mapping[int, int]) -> bool:
    """Whether its forebears, as their files tell, lead back to one of them: somebody wrote those files."""
    seen: set[int] = set()
    while i in parents and i not in seen:
        seen.add(i)
        i = parents[i]
    return i in parents


def branches(states: Sequence[RunState], of: Mapping[int, Ghost], parent: RunState) -> list[Ghost]:
    """The branches of a run, by what `pasts` found: each with the epoch at which they parted."""
    return [Ghost(states[i], past.since) for i, past in of.items() if past.state is parent]
