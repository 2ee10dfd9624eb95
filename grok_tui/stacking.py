"""Models that share a step: how many did in a run's past, as its recording says.

The step of a stack sums in another order than that of one model alone. So in float32 the two give other last
digits, and some hundred epochs later other trajectories. How many are in the stack, and what the others do,
changes nothing: what has been computed in a stack is repeated by any that gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from grok_tui import record
from grok_tui.protocol import Hello
from grok_tui.runs import Run

MOST = 1024
"""Models that share a step, at most: a recording may be somebody else's."""


class Manner(NamedTuple):
    """How a run was trained last: what its last digits depend on where one machine offers more than one way."""

    stack: int
    """Models that shared its steps; 1 when it was alone, 0 when it was not trained yet."""
    threads: int
    """0 when it was not trained yet."""


def count(machine: Mapping[str, Any]) -> int:
    """How many models shared a step, by a trainer's greeting."""
    return _whole(machine.get("stack", 1), 1)


def manner(run: Run) -> Manner:
    """How a run, or the past that it shares with its parent, was trained last.

    Raises:
        RecordError: its recording cannot be read.
    """
    return (manners(run) or [Manner(0, 0)])[-1]


def manners(run: Run) -> list[Manner]:
    """The same of each trainer that it had, the oldest first.

    Raises:
        RecordError: its recording cannot be read.
    """
    machines = [frame.machine for frame in record.skim(run.frames, (Hello.kind,)) if isinstance(frame, Hello)]
    return [Manner(count(machine), _whole(machine.get("threads"), 0)) for machine in machines]


def said(models: int) -> str:
    """How many models share a step, in words."""
    return f"in a stack of {models}" if models > 1 else "alone"


def mixed(run: Run) -> str:
    """In which ways a run was trained one after another, in words; empty where it was one.

    Raises:
        RecordError: as `manner`.
    """
    ways = list(dict.fromkeys(manner.stack for manner in manners(run)))
    return ", then ".join(map(said, ways)) if len(ways) > 1 else ""


def price(models: int) -> str:
    """What it means to go on as in a stack, for who is about to wait for it."""
    return f"trained as {said(models)}, like its past, to repeat it bit for bit; on a CPU about twice the work, or more"


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST else otherwise
