"""A moment of a run's past as users write it: an epoch, or a phase that the run came to. No IO, no clock."""

from __future__ import annotations

from grok_tui import crossings, plan
from grok_tui.errors import ConfigError
from grok_tui.plan import At, Entering
from grok_tui.science.phases import Boundary, Phase
from grok_tui.state import RunState


def epoch(state: RunState, text: str) -> int:
    """The epoch that a text names: `6000`, or `cleanup + 500`, told from where the run came to the phase first.

    Raises:
        PlanError: it is not of the language of plans, or names no phase.
        ConfigError: it is another moment than these, or the run has not come to the phase.
    """
    match plan.moment(text):
        case At(epoch=at):
            return at
        case Entering(phase=phase, after=after):
            return _began(state, phase) + after
    raise ConfigError(f"{text.strip()!r}: an epoch or a phase was expected, such as 6000, cleanup or cleanup + 500")


def inherited(state: RunState, text: str) -> str:
    """Who tells of the phase that a text names, where that is not the run itself; else empty."""
    found = plan.moment(text)
    if state.ghost is None or not isinstance(found, Entering):
        return ""
    told = crossings.phase(state, found.phase)
    if not told.inherited:
        return ""
    parent = state.ghost.state.run
    return f"{found.phase} at {told.epoch:,}, as its parent {parent} tells; its own measures do not"


def told(state: RunState, text: str) -> str:
    """Where the phase that a text names began first and when that was known, or who tells it; else empty.

    Raises:
        PlanError: it is not of the language of plans, or names no phase.
    """
    if said := inherited(state, text):
        return said
    match plan.moment(text):
        case Entering(phase=phase):
            return next((began(found) for found in state.phases.boundaries if found.phase is phase), "")
    return ""


def called(state: RunState, phase: Phase, epoch: int) -> str:
    """The same of the phase as it was known at an epoch, which is when a rule acts; empty where it was not."""
    known = [found for found in state.phases.boundaries if found.phase is phase and found.confirmed <= epoch]
    return began(known[-1]) if known else ""


def began(boundary: Boundary) -> str:
    """Both epochs of a boundary: cleanup began at 133 (known at 540)."""
    return f"{boundary.phase} began at {boundary.epoch:,} (known at {boundary.confirmed:,})"


def _began(state: RunState, phase: Phase) -> int:
    """Where a phase began, by everything that is known: as every viewer shows it."""
    found = crossings.phase(state, phase)
    if found.epoch is not None:
        return found.epoch
    if found.known < 0:
        raise ConfigError(f"{state.run} has not been measured, and no phase of it is known")
    raise ConfigError(
        f"{state.run} has not come to {phase}: it is now {state.phases.phase}, as measured up to epoch {found.known:,}"
    )
