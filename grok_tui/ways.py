"""Which way a control went over the epochs, in words: its values, and the schedules that it followed. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from grok_tui import plan, wording
from grok_tui.plan import Schedule, Stairs
from grok_tui.protocol import Event
from grok_tui.state import RunState

TOLD = 4
"""Changes of a control that are listed; of more, the first and the last."""

NAMES = {"weight_decay": "weight decay", "lr": "learning rate"}

NONE = "–"

Step = tuple[int, float | Schedule]
"""Where a value or a schedule begins."""

Numbers = Callable[[float], str]


def steps(state: RunState, name: str, since: int = 0, until: float = math.inf) -> list[Step]:
    """What a control followed from `since` on: what was in force there, and each change before `until`.

    Of several changes between the same two steps only the last counts: no step was made with the others. A
    schedule that was in force keeps the epoch at which it began.
    """
    found: list[Step] = []
    for epoch, piece in state.control_pieces(name):
        if epoch <= since:
            found = [_standing((epoch, piece), since)]
        elif epoch < until and (not found or found[-1][1] != piece or isinstance(piece, Schedule)):
            found.append((epoch, piece))
    return found


def deeds(state: RunState, name: str, since: int = 0, until: float = math.inf) -> list[Step]:
    """What was done to a control after `since` and before `until`.

    A schedule that begins where the control was is one deed, wherever that was: one rule may have done it in two runs.
    """
    begun = {event.epoch: event.data for event in state.turns(name)}
    found: list[Step] = []
    for epoch, piece in steps(state, name, since, until)[1:]:
        data = begun.get(epoch, {})
        goes_on = isinstance(piece, Schedule) and data.get("previous", math.nan) == data.get("value")
        found.append((epoch, replace(piece, start=None) if goes_on and isinstance(piece, Schedule) else piece))
    return found


def told(way: Sequence[Step], since: int = 0, number: Numbers = wording.number, most: int = TOLD) -> str:
    """The way in words: "1, 0.3 from 6,000", "3, linear 3 → 0.1 from 50 to 350"."""
    if not way:
        return NONE
    texts = [_said(step, following, since, number) for step, following in pairwise([*way, None]) if step]
    if len(texts) > most + 1:
        texts = [*texts[:2], f"… {texts[-1]} ({len(texts) - 1} changes)"]
    return ", ".join(texts)


def path(state: RunState, name: str, since: int = 0) -> str:
    """A control over time, in words."""
    return told(steps(state, name, since), since)


def paths(states: Sequence[RunState], name: str, since: int = 0, until: float = math.inf) -> tuple[str, ...]:
    """The same of several runs: in so many words and digits that two of them read alike only when they are."""
    ways = [steps(state, name, since, until) for state in states]
    found = tuple(told(way, since) for way in ways)
    if len(set(found)) == len(set(map(tuple, ways))):
        return found
    return tuple(told(way, since, _exact, len(way)) for way in ways)


def change(state: RunState, event: Event) -> str:
    """A change in words: "weight decay 1 → 3 at 5,000", "weight decay linear 3 → 0.1 from 50 to 350"."""
    name, epoch = str(event.data.get("control", "")), event.epoch
    way = steps(state, name)
    begun = next((n for n, (at, piece) in enumerate(way) if at == epoch and isinstance(piece, Schedule)), None)
    if event.what == "scheduled" and begun is not None:
        following = way[begun + 1] if begun + 1 < len(way) else None
        return f"{NAMES.get(name, name)} {_said(way[begun], following, epoch, wording.number)}"
    previous, value = (float(event.data.get(key, math.nan)) for key in ("previous", "value"))
    return f"{NAMES.get(name, name)} {wording.number(previous)} → {wording.number(value)} at {epoch:,}"


def _standing(step: Step, since: int) -> Step:
    """What is in force at `since`; a value is, wherever it began."""
    epoch, piece = step
    if isinstance(piece, float):
        return since, piece
    return (since, piece.value(since - epoch)) if since - epoch >= piece.length else step


def _said(step: Step, following: Step | None, since: int, number: Numbers) -> str:
    """One value or schedule; a schedule that another change cut short says how long it would have been."""
    epoch, piece = step
    if isinstance(piece, float):
        return number(piece) if epoch <= since else f"{number(piece)} from {epoch:,}"
    words, end = _words(piece, number), epoch + piece.length
    if following is not None and following[0] < end:
        over = f" over {piece.length:,}" if math.isfinite(end) else ""
        words += f"{over} from {epoch:,} to {following[0]:,}"
    else:
        words += f" from {epoch:,}" + (f" to {end:,}" if math.isfinite(end) else "")
    return f"{piece.value(since - epoch):.4g} on {words}" if epoch < since else words


def _exact(value: float) -> str:
    return plan.exact(value) if math.isfinite(value) else NONE


def _words(schedule: Schedule, number: Numbers) -> str:
    if isinstance(schedule, Stairs):
        times = f", {schedule.times} times" if schedule.times else ""
        return f"step {number(schedule.start or 0.0)} × {number(schedule.factor)} every {schedule.every:,}{times}"
    return f"{schedule.kind} {number(schedule.start or 0.0)} → {number(schedule.end)}"
