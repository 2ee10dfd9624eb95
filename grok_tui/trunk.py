"""The part of a run's past that a branch shares: what counts of its recording and its ledger, up to an epoch.

Epochs that were given up after a divergence and trained again stand twice in a recording. Only the second
time counts, as in `train.past`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from grok_tui import codec, ledger, record
from grok_tui.course import STEERED
from grok_tui.errors import RunError
from grok_tui.planned import ANSWERS
from grok_tui.protocol import Array, Event, Hello, Points, Stored
from grok_tui.runs import Run

LIFECYCLE = ANSWERS | {
    "resumed", "replayed", "stopped", "finished", "failed", "paused", "continued", "checkpoint"
}  # fmt: skip
"""What happened to a trainer and not to what it trained: none of a branch's past."""


NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True)
class Item:
    """One recorded frame, with its payload as it stands in the recording."""

    payload: bytes
    frame: Stored


class Trunk:
    """What a run has recorded and not given up. Read once; a run that goes on may be ahead of it soon."""

    def __init__(self, run: Run) -> None:
        """Read it.

        Raises:
            RunError: there is nothing recorded.
            RecordError: it cannot be read.
        """
        self.end = 0
        """The epoch up to which training is recorded."""
        self._hellos: list[tuple[int, Hello]] = []
        self._items: list[Item] = []
        told = 0
        for payload, frame in record.each(run.frames):  # before the ledger, which is always ahead of it
            self._take(Item(payload, frame))
            told = max(told, frame.seq if isinstance(frame, Event) else 0)
        if not self._hellos:
            raise RunError(f"{run.name} has recorded nothing yet")
        written = ledger.read(run.ledger)
        self.imported = any("assumed" in entry.data for entry in written)
        """It has weights of another program, and no training."""
        known = {item.frame.seq for item in self._items if isinstance(item.frame, Event)}
        self.entries = [
            entry
            for entry in written
            if entry.ok
            and entry.what not in LIFECYCLE
            and (entry.seq in known or (entry.seq > told and entry.epoch >= self.end))
        ]
        """The interventions that count, oldest first; those too that a kill kept out of the recording."""
        self.unwritten = sorted(
            {f.seq for f in self._events() if f.what in STEERED} - {entry.seq for entry in self.entries}
        )
        """Numbers of recorded changes that the ledger does not hold."""

    @property
    def diverged(self) -> int | None:
        """The first epoch whose train loss is not finite; None when all are."""
        for item in self._items:
            if isinstance(item.frame, Points) and "train_loss" in item.frame.values:
                bad = np.flatnonzero(~np.isfinite(item.frame.values["train_loss"]))
                if len(bad):
                    return int(item.frame.epochs[bad[0]])
        return None

    def hello(self, epoch: int) -> Hello:
        """The greeting of the trainer that trained up to `epoch`."""
        return next((hello for at, hello in reversed(self._hellos) if at < epoch), self._hellos[0][1])

    def upto(self, epoch: int) -> list[Item]:
        """The recording up to `epoch`, without greetings, the trainers' comings and goings, and a look cut short."""
        items = [
            item
            for item in _upto(self._items, epoch)
            if not (isinstance(item.frame, Event) and item.frame.what in LIFECYCLE)
        ]
        measured = max((_measured(item.frame) for item in items), default=-1)
        return [item for item in items if not (isinstance(item.frame, Array) and item.frame.epoch > measured)]

    def _take(self, item: Item) -> None:
        match item.frame:
            case Hello() as hello:
                self._hellos.append((self.end, hello))
                return
            case Points(epochs=epochs, values=values) if "train_loss" in values and len(epochs):
                self._give_up(int(epochs[0]))
                self.end = int(epochs[-1]) + 1
            case Event(what="changed" | "scheduled", epoch=epoch):
                self._give_up(epoch)
            case Array() as array:  # of arrays the payload is enough
                item = Item(item.payload, replace(array, values=NOTHING))
        self._items.append(item)

    def _give_up(self, epoch: int) -> None:
        """Training goes on from `epoch`: what was recorded beyond it no longer counts."""
        if epoch >= self.end:
            return
        self.end = epoch
        self._items = list(_upto(self._items, epoch))
        self._hellos = [(min(at, epoch), hello) for at, hello in self._hellos]

    def _events(self) -> Iterator[Event]:
        for item in self._items:
            if isinstance(item.frame, Event):
                yield item.frame


def _measured(frame: Stored) -> int:
    """The epoch of measures, which come after their arrays and say that the look is whole; -1 of other frames."""
    if not isinstance(frame, Points) or "test_loss" not in frame.values or not len(frame.epochs):
        return -1
    return int(frame.epochs[-1])


def _upto(items: Iterable[Item], epoch: int) -> Iterator[Item]:
    """Train losses of the steps up to `epoch`; of all else what is known of its weights and of those before."""
    for item in items:
        match item.frame:
            case Points(epochs=epochs, values=values) as points:
                last = epoch - 1 if "train_loss" in values and "test_loss" not in values else epoch
                kept = int(np.searchsorted(epochs, last, side="right"))
                if kept == len(epochs):
                    yield item
                elif kept:
                    yield _item(replace(points, epochs=epochs[:kept], values={n: v[:kept] for n, v in values.items()}))
            case Array(epoch=at) | Event(epoch=at) if at > epoch:
                pass
            case _:
                yield item


def _item(frame: Stored) -> Item:
    return Item(codec.pack(frame), frame)


def renumbered(event: Event, seq: int) -> Item:
    """An event with another number in the ledger."""
    return _item(replace(event, seq=seq))
