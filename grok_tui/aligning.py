"""From which epoch runs are told: their start, a change, a phase, or where they branched off. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grok_tui import crossings
from grok_tui.errors import ConfigError
from grok_tui.science.phases import Phase
from grok_tui.state import RunState

PHASES = {
    "memorization": Phase.MEMORIZATION,
    "circuit": Phase.CIRCUIT_FORMATION,
    "cleanup": Phase.CLEANUP,
    "generalized": Phase.GENERALIZED,
    "direct": Phase.DIRECT,
    "stalled": Phase.STALLED,
    "degraded": Phase.DEGRADED,
}

NAMES = ("epoch", "change", "last-change", *PHASES, "branch")
"""As users type them; also change:2, change:3, ..."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What all runs have at 0 of the common axis."""

    name: str = "epoch"

    @property
    def label(self) -> str:
        """What the axis counts."""
        match self.name:
            case "epoch":
                return "epoch"
            case "branch":
                return "epochs since the branch"
            case "change":
                return "epochs since the first change"
            case "last-change":
                return "epochs since the last change"
        if self.name in PHASES:
            return f"epochs since {PHASES[self.name]}"
        return f"epochs since change {self.name.partition(':')[2]}"

    @property
    def lacking(self) -> str:
        """What a run has not, that cannot be aligned so."""
        if self.name in PHASES:
            return f"has not reached {PHASES[self.name]}"
        if ":" in self.name:
            return f"has no change {self.name.partition(':')[2]}"
        return "is no branch" if self.name == "branch" else "was never changed"

    def zero(self, state: RunState) -> int | None:
        """The run's epoch at 0 of the axis; None when it has none."""
        if self.name == "epoch":
            return 0
        if self.name in PHASES:
            return crossings.phase(state, PHASES[self.name]).epoch
        if self.name == "branch":
            return branched(state)
        changes = list(dict.fromkeys(event.epoch for event in state.turns()))  # several at once are one moment
        nth = {"change": 1, "last-change": len(changes)}.get(self.name) or int(self.name.partition(":")[2] or 0)
        return changes[nth - 1] if 0 < nth <= len(changes) else None


START = Alignment()


def parse(text: str) -> Alignment:
    """An alignment as typed.

    Raises:
        ConfigError: there is none of that name; names the nearest.
    """
    if text in NAMES or re.fullmatch(r"change:[1-9]\d{0,5}", text):
        return Alignment(text)
    near = difflib.get_close_matches(text, NAMES, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)} and change:2, change:3, ..."
    raise ConfigError(f"--align {text!r}: {hint}")


def branched(state: RunState) -> int | None:
    """The epoch at which a run branched off its parent; None when it is no branch."""
    return next((event.epoch for event in reversed(state.events) if event.what == "branched"), None)


def offered(states: Sequence[RunState]) -> list[Alignment]:
    """Those that at least one of the runs has."""
    found = [Alignment(name) for name in NAMES if any(Alignment(name).zero(state) is not None for state in states)]
    once = all(len({event.epoch for event in state.turns()}) < 2 for state in states)
    return [each for each in found if not (once and each.name == "last-change")]
