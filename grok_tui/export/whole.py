"""All that a run has recorded, in memory: its series, every array, events, ledger and who trained it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from grok_tui import hindsight, ledger, notes, record
from grok_tui.errors import RecordError
from grok_tui.hindsight import Watch
from grok_tui.ledger import Entry
from grok_tui.protocol import Array, Hello, SeriesInfo, Stored
from grok_tui.runs import Run
from grok_tui.series import Floats, Ints
from grok_tui.state import RunState

RECORDS = 4096
"""Records read at a time."""

KEYED = ("provisional", hindsight.READING)
"""The readings that depend on a choice of key frequencies."""

CONTROL = "control"
"""The reading of what was set, not measured."""


@dataclass(frozen=True, slots=True)
class Column:
    """One series with what is known of it."""

    info: SeriesInfo
    epochs: Ints
    values: Floats

    @property
    def reading(self) -> str:
        """As the catalogue has it; "measured" where that names none: it depends on no choice of keys."""
        return self.info.reading or "measured"

    @property
    def heading(self) -> str:
        """Its name where only that tells it: with its reading, if that depends on which frequencies are key."""
        name, reading = self.info.name, self.reading
        return f"{name}_{reading}" if reading in KEYED and not name.endswith(reading) else name


@dataclass
class Whole:
    """A run as it is recorded now."""

    run: Run
    state: RunState = field(default_factory=RunState)
    arrays: dict[str, list[Array]] = field(default_factory=dict)
    """All, where a viewer's state keeps some of the large ones only."""
    greetings: list[Hello] = field(default_factory=list)
    """One of the start and of each resume."""
    ledger: list[Entry] = field(default_factory=list)
    damage: str = ""
    """One line on a recording of which only a part can be read."""

    @property
    def columns(self) -> list[Column]:
        """Every series that has a point, in the catalogue's order; then the controls, at each measure and each turn."""
        state = self.state
        named = {info.name: info for info in state.catalogue.series} | {
            name: SeriesInfo(name, name) for name in state.series if state.info(name) is None
        }
        for control in state.catalogue.controls:
            named.pop(control.name, None)  # recorded only while a schedule runs; whole below
        found = [
            Column(info, state.series[name].epochs, state.series[name].values)
            for name, info in named.items()
            if name in state.series and len(state.series[name])
        ]
        taken = {column.info.name for column in found}
        return found + [column for column in self._controls() if column.info.name not in taken]

    def _controls(self) -> Iterable[Column]:
        measured = self.state.series.get("test_loss") or next(iter(self.state.series.values()), None)
        if measured is None or not len(measured):
            return
        for control in self.state.catalogue.controls:
            turns = [epoch for epoch, _ in self.state.control_line(control.name)]
            epochs = np.unique(np.concatenate([measured.epochs, turns]).astype(np.int64))
            yield Column(
                SeriesInfo(control.name, control.label, reading=CONTROL, about=control.about),
                epochs,
                np.array([self.state.control_at(control.name, epoch) for epoch in epochs.tolist()]),
            )


def read(run: Run) -> Whole:
    """Everything that `run` has recorded so far; living or not.

    Raises:
        RecordError: nothing is recorded, or it cannot be read.
        NoteError: its notes cannot be read.
    """
    found = Whole(run, damage=record.damage(run.frames) or "" if not run.alive else "")
    position = -1
    frames, end = record.read(run.frames, 0, RECORDS)
    while end > position:
        for frame in frames:
            _take(found, frame)
        position = end
        frames, end = record.read(run.frames, position, RECORDS)
    if found.state.hello is None:
        raise RecordError(f"{run.name} has recorded nothing yet")
    watch = Watch(run)
    while recomputed := watch.look():
        for frame in recomputed:
            found.state.apply(frame)
    for note in notes.read(run):
        found.state.apply(note.event)
    found.ledger = ledger.read(run.ledger)
    return found


def _take(found: Whole, frame: Stored) -> None:
    match frame:
        case Array():
            known = found.arrays.setdefault(frame.name, [])
            while known and known[-1].epoch >= frame.epoch:  # given up and trained again: the last word counts
                known.pop()
            known.append(frame)
            return
        case Hello():
            found.greetings.append(frame)
    found.state.apply(frame)
