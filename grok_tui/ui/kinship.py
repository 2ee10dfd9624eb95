"""Which of the compared runs is the parent of which: what a branch's parent tells of the past that both have."""

from __future__ import annotations

from collections.abc import Sequence

from grok_tui import comparing, effects, references
from grok_tui.state import Ghost
from grok_tui.ui.members import Member


def parents(members: Sequence[Member]) -> dict[int, int]:
    """The places of branches and of their parents, among members that are known."""
    return comparing.parents([m.run for m in members], [m.state for m in members], lambda i: members[i].born)


class Kinship:
    """Lets each branch know its parent; looked at again only when one of them has got further."""

    def __init__(self) -> None:
        self._seen: tuple[object, ...] = ()
        self._told: dict[Member, tuple[Ghost, object]] = {}
        """With what each branch was told, and how far the parent was then."""
        self._branches: dict[Member, list[Ghost]] = {}

    def branches(self, member: Member) -> list[Ghost]:
        """Those of its branches that are compared too."""
        return self._branches.get(member, [])

    def settle(self, members: Sequence[Member]) -> None:
        """Bring it up to what is known now."""
        known = [member for member in members if member.state.hello]
        if self._stamps(known) == self._seen:
            return
        states, above = [member.state for member in known], parents(known)
        found = references.pasts(states, above)
        for i, member in enumerate(known):
            past = member.past if i not in above else None
            if past is not None and effects.same(member.state, past.state, past.since):
                found[i] = past
        for _ in known:  # a parent that was told something has something to tell
            for i, member in enumerate(known):
                self._tell(member, found.get(i))
        self._branches = {member: references.branches(states, found, member.state) for member in known}
        self._seen = self._stamps(known)

    def _tell(self, member: Member, past: Ghost | None) -> None:
        if past is None:
            if member.state.ghost is not None:
                member.state.ghost = None
            self._told.pop(member, None)
            return
        now = past, past.state.derived("stamp", object)
        if self._told.get(member) != now:
            member.state.ghost, self._told[member] = past, now

    @staticmethod
    def _stamps(members: Sequence[Member]) -> tuple[object, ...]:
        return tuple((member, member.past, member.state.derived("stamp", object)) for member in members)
