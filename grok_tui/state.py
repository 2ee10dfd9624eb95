"""What a viewer knows of a run: frames folded into series, arrays, events and phases. No IO, no clock."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from grok_tui import facts, hindsight, notes, samples
from grok_tui.calls import Calls
from grok_tui.course import STEERED, Course
from grok_tui.plan import Schedule
from grok_tui.planned import Plans
from grok_tui.protocol import Array, Catalogue, ControlInfo, Event, Frame, Hello, Points, SeriesInfo, Status
from grok_tui.science.phases import PhaseFold, Sample
from grok_tui.series import Series
from grok_tui.wording import ENDED

MAPS = 256
"""Maps of one name that are kept: of nanda113 0.3 MB an epoch in all."""

MOST = 1 << 20
"""No task has a modulus beyond it."""

KEYS = "key_frequencies"
"""The array of those that are key: whole numbers."""

SMALL = 4096
"""Numbers of an array that is no map: of these, all are kept."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ghost:
    """The run that this one branched from."""

    state: RunState
    """As far as it is known; it may go on."""
    since: int
    """The epoch at which the two parted: up to there they are one."""


class RunState:
    """One run, as far as its frames have been read. `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.hindsight: Hello | None = None
        """Of the recomputed measures that are shown; None when there are none."""
        self._catalogue = Catalogue()
        self.series: dict[str, Series] = {}
        self.arrays: dict[str, list[Array]] = {}
        """By name, in the order of their epochs."""
        self.events: list[Event] = []
        """In the order in which they came; notes, that others may take back, among them."""
        self.happened = 0
        """Another number after each event."""
        self._changes: dict[str, list[Event]] = {}
        self._courses: dict[str, Course] = {}
        self.plans = Plans()
        """The rules that are pending and those that have fired."""
        self.status: Status | None = None
        """The newest live status; None for a recording that nobody is writing."""
        self._calls = Calls(chance=float("nan"))
        self._ghost: Ghost | None = None
        self.epoch = 0
        """The last epoch of which anything is known."""
        self._derived: dict[Hashable, Any] = {}

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` makes of the present state: made once, and then the same object until the next frame."""
        if key not in self._derived:
            self._derived[key] = make()
        return cast("T", self._derived[key])

    @property
    def ghost(self) -> Ghost | None:
        """The parent, which panes draw behind the run. Who reads its frames sets it, and again after more of them."""
        return self._ghost

    @ghost.setter
    def ghost(self, ghost: Ghost | None) -> None:
        self._ghost, self._derived = ghost, {}

    @property
    def phases(self) -> PhaseFold:
        """The phase by everything that is known."""
        return self._calls.newest

    def phases_at(self, epoch: int | None) -> PhaseFold:
        """The phase as it was called at `epoch`, by what was known then; now for None."""
        return self.phases if epoch is None else self._calls.at(epoch)

    @property
    def catalogue(self) -> Catalogue:
        """What the trainer announced, and what was recomputed since; empty before its hello."""
        return self._catalogue

    @property
    def final_keys(self) -> tuple[int, ...]:
        """The key frequencies that the measures were recomputed with; none when they were not."""
        return hindsight.keys_of(self.hindsight) if self.hindsight else ()

    @property
    def keys_are_final(self) -> bool:
        """Whether the keys that the measures were recomputed with are the run's newest, as far as any are known."""
        array = self.array("key_frequencies")
        newest = None if array is None else tuple(sorted(int(k) for k in array.values.ravel()))
        return bool(self.final_keys) and newest in (None, self.final_keys)

    @property
    def recomputed(self) -> tuple[int, int]:
        """How many epochs have been recomputed with them, and how many there are."""
        done = max((len(s) for name, s in self.series.items() if name.endswith(hindsight.SUFFIX)), default=0)
        table = self.hindsight.config.get(hindsight.READING) if self.hindsight else None
        total = table.get("total") if isinstance(table, dict) else None
        return done, max(done, total) if isinstance(total, int) else done

    @property
    def run(self) -> str:
        """The run's name."""
        return self.hello.run if self.hello else ""

    @property
    def modulus(self) -> int:
        """p, where the task has one; 0 otherwise."""
        found = self.setting("task", "p")
        return found if facts.whole(found) and found < MOST else 0

    @property
    def chance(self) -> float:
        """The loss of a uniform guess, ln p; NaN before the hello."""
        return float(np.log(self.modulus)) if self.modulus > 0 else float("nan")

    @property
    def epochs(self) -> int:
        """How many the run was configured for; 0 before the hello."""
        return self.hello.epochs if self.hello else 0

    @property
    def state(self) -> str:
        """running, paused, replaying, finished, stopped or failed; "" before anything is known."""
        if self.status is not None:
            return self.status.state
        for event in reversed(self.events):
            if event.what in ENDED:
                return event.what
            if event.what in ("started", "branched", "resumed", "continued", "paused"):
                return "paused" if event.what == "paused" else "running"
        return ""

    def setting(self, section: str, name: str) -> Any:
        """A value of the run's configuration; None where it has none."""
        table = self.hello.config.get(section) if self.hello else None
        return table.get(name) if isinstance(table, dict) else None

    def info(self, name: str) -> SeriesInfo | None:
        """What the catalogue says of a series."""
        return next((info for info in self.catalogue.series if info.name == name), None)

    def control(self, name: str) -> ControlInfo | None:
        """What the catalogue says of a control."""
        return next((info for info in self.catalogue.controls if info.name == name), None)

    def control_value(self, name: str) -> float:
        """The confirmed value of a control now; NaN when it is not known."""
        if self.status is not None and name in self.status.controls:
            return self.status.controls[name]
        return self.control_at(name, self.epoch)

    def control_at(self, name: str, epoch: float) -> float:
        """The confirmed value of a control at an epoch, which the step from it uses; NaN when it is not known."""
        return self._courses[name].at(epoch) if name in self._courses else float("nan")

    def control_line(self, name: str) -> list[tuple[int, float]]:
        """(epoch, value) by which a control is drawn as a line of steps, up to now; schedules in many small ones."""
        return self._courses[name].points(self.epoch) if name in self._courses else []

    def schedules(self) -> dict[str, tuple[str, int, float]]:
        """(the line that says it, where it began, how long it is) of each control's schedule that runs now."""
        now = self.epoch
        found = {
            name: course for name, course in self._courses.items() if course.running(now) and not course.ended(now)
        }
        return {
            name: (str(s), course.begun(now), s.length) for name, course in found.items() if (s := course.running(now))
        }

    def control_pieces(self, name: str) -> list[tuple[int, float | Schedule]]:
        """(epoch, value or schedule) of the start and of each confirmed change; a schedule's end is none."""
        return self._courses[name].pieces() if name in self._courses else []

    def changes(self, name: str | None = None) -> list[Event]:
        """The confirmed changes of one control, or of all, and the begins of their schedules."""
        if name is not None:
            return self._changes.get(name, [])
        return [event for event in self.events if event.what in STEERED]

    def turns(self, name: str | None = None) -> list[Event]:
        """`changes` without those that only say that a schedule has come to its end: nobody did anything there."""
        return [event for event in self.changes(name) if event.data.get("ended") != "schedule"]

    def array(self, name: str) -> Array | None:
        """The newest array of that name."""
        found = self.arrays.get(name)
        return found[-1] if found else None

    def apply(self, frame: Frame) -> None:
        """Take in one frame. Frames this build does not know leave no trace."""
        if self._derived:
            self._derived = {}
        match frame:
            case Hello():
                self._greet(frame)
            case Points():
                self._add(frame)
            case Array(values=values) if values.size and (frame.name != KEYS or np.isfinite(values).all()):
                self._keep(frame)  # the others show nothing, or name no frequency: none of a trainer's
            case Event():
                self._happened(frame)
            case Status():
                self.status = frame
                self.epoch = max(self.epoch, frame.epoch)

    def _greet(self, hello: Hello) -> None:
        if hindsight.READING in hello.config:
            self._look_back(hello)
        elif self.hello is None:
            self.hello = hello
            self._calls = Calls(chance=self.chance)
            for info in hello.catalogue.controls:
                self._courses.setdefault(info.name, Course(info.value))
        else:  # a resume greets again: newer versions and machine, the same run
            self.hello = hello
        greetings = [found for found in (self.hello, self.hindsight) if found]
        self._catalogue = Catalogue(
            tuple(info for found in greetings for info in found.catalogue.series),
            self.hello.catalogue.arrays if self.hello else (),
            self.hello.catalogue.controls if self.hello else (),
        )

    def _look_back(self, hello: Hello) -> None:
        """Recomputed measures are coming: with other keys than before, they replace those."""
        if hindsight.keys_of(hello) != self.final_keys:
            for name in [name for name in self.series if name.endswith(hindsight.SUFFIX)]:
                del self.series[name]
        self.hindsight = hello if hindsight.keys_of(hello) else None

    def _keep(self, array: Array) -> None:
        """The newest of an epoch; of too many maps the one goes whose neighbours are nearest to each other."""
        found = self.arrays.setdefault(array.name, [])
        while found and found[-1].epoch >= array.epoch:  # looked at again, or given up and trained again
            found.pop()
        found.append(array)
        if array.values.ndim > 1 and array.values.size > SMALL and len(found) > MAPS:
            del found[min(range(1, MAPS), key=lambda i: found[i + 1].epoch - found[i - 1].epoch)]

    def _happened(self, event: Event) -> None:
        self.happened += 1
        if event.what == notes.WHAT:
            self._noted(event)
            return
        self.events.append(event)
        self.epoch = max(self.epoch, event.epoch)
        if event.what in ENDED:
            self.status = None  # of a trainer that is gone: what it said last may never have reached us
        self.plans.apply(event.epoch, event.what, event.data)
        if event.what in STEERED:
            name = str(event.data.get("control"))
            self._changes.setdefault(name, []).append(event)
            self._courses.setdefault(name, Course(float("nan"))).take(event.epoch, event.what, event.data)

    def _noted(self, event: Event) -> None:
        """A note comes, comes again, or goes; the run has come no further by it."""
        id = event.data.get("id")
        self.events = [each for each in self.events if each.what != notes.WHAT or each.data.get("id") != id]
        if not event.data.get(notes.REMOVED):
            self.events.append(event)

    def _add(self, points: Points) -> None:
        for name, values in points.values.items():
            if name not in self.series:
                self.series[name] = Series()
            self.series[name].add(points.epochs, values)
        if len(points.epochs):
            self.epoch = max(self.epoch, int(points.epochs[-1]))
        if "test_loss" in points.values:
            for epoch in points.epochs.tolist():
                self._calls.add(self._sample(epoch))

    def _sample(self, epoch: int) -> Sample:
        """What the phase rules look at, at a measured epoch."""
        found = {name: self.series[name].at(epoch) for name in samples.SERIES if name in self.series}
        return samples.sample(epoch, {name: point[1] for name, point in found.items() if point}, self._courses)
