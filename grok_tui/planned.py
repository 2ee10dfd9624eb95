"""Which rules of a run are pending and which have fired, folded from its ledger or from its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from grok_tui import plan
from grok_tui.config import CONTROLS
from grok_tui.errors import PlanError
from grok_tui.ledger import Entry
from grok_tui.lineage import MOST
from grok_tui.plan import Rule, When

TOLD = frozenset({"planned", "unplanned", "fired", "changed", "scheduled", "checkpoint", "branch", "hook"})
"""The events that say how a rule stands, or are done by one."""

GOING = frozenset({"paused", "continued"})
"""Those after which a run has a goal, or has none."""

ANSWERS = frozenset({"offshoot", "amiss"})
"""Those that say what became of a wish for a branch."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One rule of a run."""

    id: int
    line: str
    since: int
    """The epoch at which it was added; it looks at the measures after it."""
    first: str = ""
    """The line as it was added; a condition that has come true with a delay becomes an epoch."""
    added: int = 0
    """The epoch at which that was."""
    done: int = 0
    """How many of its actions are done: some of them only where the run was killed in between."""
    fired: int = -1
    """The epoch at which it was carried out; -1 while it is pending."""
    failed: str = ""
    """Why something that it was to do could not be done; empty where nothing is known to have failed."""

    @property
    def rule(self) -> Rule | None:
        """What it says; None where a newer version wrote it."""
        return _rule(self.line)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the run is to pause: `until cleanup`."""

    until: str
    """The condition, as a rule begins with it."""
    since: int

    @property
    def when(self) -> When | None:
        """The condition; None where a newer version wrote it."""
        found = _rule(f"{self.until}: pause")
        return found.when if found else None


@dataclass(slots=True)
class Plans:
    """The rules of a run, as far as its events are known. What is said of an epoch takes back what came later."""

    rules: dict[int, Planned] = field(default_factory=dict)
    """Pending and fired, by their numbers."""
    goal: Goal | None = None
    _log: list[tuple[int, str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def pending(self) -> list[Planned]:
        """Those that wait, in the order of their numbers."""
        return sorted((rule for rule in self.rules.values() if rule.fired < 0), key=lambda rule: rule.id)

    @property
    def fired(self) -> list[Planned]:
        """Those that were carried out, in the order in which they were."""
        return sorted((rule for rule in self.rules.values() if rule.fired >= 0), key=lambda r: (r.fired, r.id))

    @property
    def next_id(self) -> int:
        """A number that no rule of this run has had."""
        ids = [int(data["id"]) for _, what, data in self._log if what == "planned"]
        return max(ids, default=0) + 1

    def apply(self, epoch: int, what: str, data: Mapping[str, Any]) -> None:
        """Take in something that happened; what has nothing to do with plans leaves no trace."""
        if what not in TOLD and what not in GOING and not (what == "amiss" and "by" in data):
            return
        if what in ("planned", "unplanned", "fired") and not isinstance(data.get("id"), int):
            return  # no trainer's
        if self._log and epoch < self._log[-1][0]:  # epochs that were given up, and trained again
            kept = [entry for entry in self._log if entry[0] <= epoch]
            self.rules, self.goal, self._log = {}, None, []
            for entry in kept:
                self.apply(*entry)
        self._log.append((epoch, what, data))
        if what in GOING:
            until = data.get("until") if what == "continued" else None
            self.goal = Goal(str(until), epoch) if until else None
        elif what == "planned":
            self._plan(epoch, data)
        else:
            self._did(epoch, what, data)

    def _plan(self, epoch: int, data: Mapping[str, Any]) -> None:
        id_, line = int(data["id"]), str(data.get("line"))
        before = self.rules.get(id_)
        first, added = (before.first, before.added) if before else (line, epoch)
        self.rules[id_] = Planned(id_, line, epoch, first, added, before.done if before else 0)

    def _did(self, epoch: int, what: str, data: Mapping[str, Any]) -> None:
        id_ = data.get("id" if what in ("fired", "unplanned") else "by")
        if not isinstance(id_, int) or (rule := self.rules.get(id_)) is None:
            return
        if what == "unplanned":
            del self.rules[id_]
        elif what == "fired":
            self.rules[id_] = replace(rule, fired=epoch, failed=str(data.get("failed") or rule.failed))
        else:
            failed = str(data.get("failed") or rule.failed) if what == "amiss" else rule.failed
            self.rules[id_] = replace(rule, done=1 + int(data.get("part") or 0), failed=failed)


def of(entries: Iterable[Entry]) -> Plans:
    """The rules of the run whose ledger this is."""
    plans = Plans()
    for entry in entries:
        if entry.ok:
            plans.apply(entry.epoch, entry.what, entry.data)
    return plans


def owed(entries: Iterable[Entry]) -> list[Entry]:
    """The wishes for branches of a run, by its ledger, of which nobody has said yet what became, oldest first.

    A wish that was written down without `owed` is of a version that kept no answers: nobody knows, and it is none.
    """
    found: dict[int, Entry] = {}  # in the order of their epochs
    for entry in entries:
        if not entry.ok:
            continue
        if entry.what == "branched":
            found = {}  # what its parent had wished for is the parent's
        elif entry.what in ANSWERS and isinstance(wish := entry.data.get("wish"), int):
            found.pop(wish, None)
        elif entry.what in TOLD | GOING:
            while found and next(reversed(found.values())).epoch > entry.epoch:
                found.popitem()  # of epochs that were given up, and trained again from here on
            if entry.what == "branch" and entry.data.get("owed") is True and _can_be(entry.data.get("changes")):
                found[entry.seq] = entry
    return [*found.values()]


def _can_be(changes: object) -> bool:
    """Whether it is what a branch may change, as far as its kind goes: the ledger may be somebody else's."""
    return isinstance(changes, dict) and all(
        name in CONTROLS and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST
        for name, value in changes.items()
    )


@lru_cache(1024)
def _rule(line: str) -> Rule | None:
    try:
        return plan.parse(line)
    except PlanError:
        return None
