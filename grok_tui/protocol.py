"""The vocabulary of the two processes: frames from the trainer, commands to it.

The link knows nothing of grokking. On it travel named series (columns of numbers against the epoch),
arrays (a spectrum at an epoch), events (something happened at an epoch) and controls (named, bounded
values that may be changed). The trainer announces its catalogue in its hello; a viewer draws what is
announced, so a new task, measure or control adds no message type.

"Epoch e" always means the weights after e optimiser steps: the train loss at e is the loss that step e
starts from, the measures at e are taken on the same weights, and a change that took effect at e first
acts in the step from e to e + 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

PROTOCOL = 1
"""Raised when an older peer could misread a frame; unknown kinds and fields are skipped without it."""

RECORDING = 1
"""The version of the run directory's layout."""


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One named series: a number against the epoch."""

    name: str
    label: str
    unit: str = ""
    log: bool = False
    """Best read on a logarithmic axis."""
    reading: str = ""
    """How it was obtained, where that matters: "provisional" (keys of that epoch), "key-free", "hindsight"."""
    about: str = ""
    """What it is and where it comes from, in one sentence."""
    every: int = 0
    """Epochs between its points; 0 where it comes with each measure."""


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """One named array, sent whole at an epoch."""

    name: str
    label: str
    axis: str = ""
    """What the last axis counts, e.g. "frequency k = 1..56"."""
    about: str = ""
    every: int = 0
    """As a series'."""


@dataclass(frozen=True, slots=True)
class ControlInfo:
    """One value that may be changed while the run goes on."""

    name: str
    label: str
    value: float
    """Its value at the start of the run."""
    low: float
    high: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a trainer announces: its series, arrays and controls."""

    series: tuple[SeriesInfo, ...] = ()
    arrays: tuple[ArrayInfo, ...] = ()
    controls: tuple[ControlInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame of every recording and every connection."""

    kind: ClassVar[str] = "hello"
    protocol: int
    run: str
    """The run's name, which is its directory's."""
    version: str
    """Of grok-tui, that made the run."""
    config: dict[str, Any]
    """The frozen configuration as tables, every default spelled out."""
    machine: dict[str, Any]
    """Device, threads, versions, host: what the numbers depend on."""
    epochs: int
    """How many the run was configured for."""
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of numbers: `values[name][i]` belongs to `epochs[i]`. Recorded."""

    kind: ClassVar[str] = "points"
    epochs: NDArray[np.int64]
    """[n], increasing."""
    values: dict[str, NDArray[np.float64]]
    """name -> [n]; NaN where a measure does not apply."""


@dataclass(frozen=True, slots=True)
class Array:
    """A named array at an epoch. Recorded."""

    kind: ClassVar[str] = "array"
    epoch: int
    name: str
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at an epoch. Recorded; every chart marks the changes of controls."""

    kind: ClassVar[str] = "event"
    epoch: int
    what: str
    """started, imported (what of it is assumed), branched, changed, scheduled, planned, unplanned, fired, branch,
    offshoot (that one was made), amiss (it was not; the run goes on), hook, paused, continued, checkpoint, resumed,
    replayed, stopped, finished, failed, phase."""
    text: str
    """The same for the reader, in a few words."""
    time: float
    """Seconds since 1970."""
    seq: int = 0
    """The ledger's number for it; 0 for events that are not interventions."""
    data: dict[str, Any] = field(default_factory=dict)
    """`changed`: control, value, previous. `checkpoint`: file. `branched`: parent, epoch.
    `phase`: phase, placed, confirmed, rules, ... `scheduled`: as `changed`, and schedule, the line that says it.
    `planned`: id, line. `unplanned`, `fired`: id. What a rule did has its id in `by`.
    `continued`: until, the condition at which the run is to pause.
    `branch`: changes, and owed: what becomes of it will be told. `offshoot`, `amiss`: wish, the ledger's number of the
    `branch` that is answered, and child, where there is one."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the run stands now. Live only, a few times a second while something changes; never recorded."""

    kind: ClassVar[str] = "status"
    epoch: int
    state: str
    """running, paused, waiting (for a seat in its stack), replaying (recomputing recorded epochs after a resume),
    finished, stopped, failed."""
    rate: float
    """Epochs per second over the last few seconds; 0 when not running."""
    controls: dict[str, float]
    """The confirmed values."""
    position: int
    """Where the recording ends, in bytes."""
    limit: float = 0.0
    """Epochs per second, at most; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded frame on its way to viewers, with its place in the recording.

    A viewer that has read up to `start` takes it in; one that is past `end` has it already; one that is
    before `start` has missed something and reads it from the file.
    """

    kind: ClassVar[str] = "recorded"
    start: int
    end: int
    frame: bytes
    """The frame's payload, as in the recording."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The trainer's answer to one command, sent to the viewer that asked."""

    kind: ClassVar[str] = "reply"
    id: int
    ok: bool
    epoch: int
    """At which it took effect (or was refused)."""
    text: str
    """What was done, or why not."""


@dataclass(frozen=True, slots=True)
class SetControl:
    """Asks for a control's new value."""

    kind: ClassVar[str] = "set"
    id: int
    name: str
    value: Any
    """Whatever was typed: the trainer checks it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Asks for one of `ORDERS`."""

    kind: ClassVar[str] = "order"
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Asks for what a line of the plan language says, now or when its condition holds (see `plan`)."""

    kind: ClassVar[str] = "plan"
    id: int
    line: str


ORDERS = ("pause", "resume", "stop", "checkpoint")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind that this build does not know: a newer peer's. Skipped."""

    kind: ClassVar[str] = "?"
    name: str


Stored = Hello | Points | Array | Event
"""What a recording holds."""

Command = SetControl | Order | Plan

Frame = Stored | Status | Recorded | Reply | Command | Unknown
