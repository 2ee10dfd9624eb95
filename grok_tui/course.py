"""What value a control has at each epoch: the changes and schedules that were confirmed, as one function."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from grok_tui import plan
from grok_tui.config import CONTROLS, Config
from grok_tui.errors import PlanError
from grok_tui.plan import Schedule

DRAWN = 256
"""Points by which a schedule is drawn."""

STEERED = frozenset({"changed", "scheduled"})
"""The events that say how a control goes on."""


class Course:
    """One control over the epochs. What is said of an epoch replaces what was known of later ones."""

    def __init__(self, start: float) -> None:
        self._begins: list[int] = [0]
        self._pieces: list[float | Schedule] = [start]

    def take(self, epoch: int, what: str, data: Mapping[str, Any]) -> None:
        """Take in a confirmed change, or the begin of a schedule, as the ledger and the events have them."""
        value = data.get("value")
        first = float(value) if isinstance(value, int | float) else math.nan
        if what == "changed":
            self._add(epoch, first)
        elif what == "scheduled":
            self._add(epoch, schedule_of(data) or first)

    def at(self, epoch: float) -> float:
        """The value at an epoch: the one that the step from it uses."""
        index = bisect_right(self._begins, epoch) - 1
        if index < 0:
            return math.nan
        piece = self._pieces[index]
        return piece if isinstance(piece, float) else piece.value(int(epoch) - self._begins[index])

    def running(self, epoch: int) -> Schedule | None:
        """The schedule that has not come to its end at `epoch`, or has and nobody has said so."""
        piece = self._pieces[max(bisect_right(self._begins, epoch) - 1, 0)]
        return None if isinstance(piece, float) else piece

    def begun(self, epoch: int) -> int:
        """Where what is in force at `epoch` began."""
        return self._begins[max(bisect_right(self._begins, epoch) - 1, 0)]

    def ended(self, epoch: int) -> bool:
        """Whether the schedule that was running has come to its end."""
        index = max(bisect_right(self._begins, epoch) - 1, 0)
        piece = self._pieces[index]
        return not isinstance(piece, float) and epoch - self._begins[index] >= piece.length

    def turns(self, after: int) -> list[int]:
        """The epochs later than `after` at which something begins, and where the present schedule ends."""
        index = max(bisect_right(self._begins, after) - 1, 0)
        piece = self._pieces[index]
        found = self._begins[index + 1 :]
        if not isinstance(piece, float) and math.isfinite(piece.length):
            found = [*found, self._begins[index] + int(piece.length)]
        return [epoch for epoch in found if epoch > after]

    def pieces(self) -> list[tuple[int, float | Schedule]]:
        """(epoch, value or schedule) of each change; that a schedule ended, and the control stays, is none."""
        found: list[tuple[int, float | Schedule]] = []
        for begin, piece in zip(self._begins, self._pieces, strict=True):
            before, last = found[-1] if found else (0, math.nan)
            if isinstance(last, float) or begin - before < last.length or piece != last.value(begin - before):
                found.append((begin, piece))
        return found

    def points(self, until: int) -> list[tuple[int, float]]:
        """(epoch, value) that draw it as a line of steps: each change, and enough of each schedule."""
        found: dict[int, float] = {}
        for index, begin in enumerate(self._begins):
            piece = self._pieces[index]
            if isinstance(piece, float):
                found[begin] = piece
                continue
            end = self._begins[index + 1] if index + 1 < len(self._begins) else max(until, begin)
            last = int(min(end - begin, piece.length))
            stride = max(1, last // DRAWN)
            for after in (*range(0, last, stride), last):
                if begin + after < end or after == 0 or index + 1 == len(self._begins):
                    found[begin + after] = piece.value(after)
        return list(found.items())

    def _add(self, epoch: int, piece: float | Schedule) -> None:
        kept = bisect_right(self._begins, epoch - 1) if epoch > 0 else 0
        self._begins[kept:], self._pieces[kept:] = [epoch], [piece]


class Courses(dict[str, Course]):
    """A run's controls over the epochs, by their names."""

    @classmethod
    def of(cls, config: Config) -> Courses:
        """As a run of `config` begins."""
        return cls((name, Course(float(getattr(config.optimizer, name)))) for name in CONTROLS)

    def take(self, epoch: int, what: str, data: Mapping[str, Any]) -> None:
        """Take in a confirmed change of one of them, or the begin of its schedule."""
        if (course := self.get(str(data.get("control")))) is not None:
            course.take(epoch, what, data)


def schedule_of(data: Mapping[str, Any]) -> Schedule | None:
    """The schedule in the data of an event; None where this build does not know its kind."""
    try:
        found = plan.parse(str(data.get("schedule")))
    except PlanError:
        return None
    action = found.actions[0]
    return action if isinstance(action, plan.Ramp | plan.Stairs) and action.start is not None else None
