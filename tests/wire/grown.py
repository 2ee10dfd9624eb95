"""A parent for branches: a made-up recording with all that one may hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grok_tui import config, ledger, record, runs
from grok_tui.course import STEERED, Course
from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Points, Stored
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.wire.wiring import hello

END = 100


def losses(first: int, last: int, value: float = 1.0) -> Points:
    epochs = np.arange(first, last)
    return Points(epochs, {"train_loss": value / (1 + epochs.astype(np.float64)), "train_accuracy": epochs / 100})


def measures(epoch: int, value: float = 1.0) -> Points:
    return Points(np.array([epoch]), {"test_loss": np.array([value])})


def told(epoch: int, what: str, seq: int = 0, **data: object) -> Event:
    return Event(epoch, what, what, 1.5e9 + seq, seq, dict(data))


def changed(epoch: int, seq: int, value: float, previous: float = 1.0) -> Event:
    return told(epoch, "changed", seq, control="weight_decay", value=value, previous=previous)


STORY: Sequence[Stored] = (
    hello(),
    told(0, "started"),
    measures(0),
    losses(0, 20),
    Array(20, "alpha", np.arange(3.0)),
    measures(20),
    losses(20, 30),
    changed(30, 1, 3.0),
    losses(30, 50),
    told(50, "paused", 3),
    told(50, "continued", 4),
    changed(50, 5, 0.5, 3.0),
    losses(50, 60),
    told(60, "phase", phase="cleanup", placed=50),
    Array(60, "alpha", np.arange(3.0)),
    measures(60),
    losses(60, END),
    told(END, "stopped", 6),
)  # fmt: skip


def parent(story: Sequence[Stored] = STORY, **changes: float) -> Run:
    """A run in which this is recorded, with weights and resume points each 10 and 25 epochs."""
    settings = {"training.epochs": 200} | {key.replace("__", "."): value for key, value in changes.items()}
    run = runs.create(config.override(config.Config(name="demo"), settings.items()))
    recorder, book = Recorder(run.frames), Ledger(run.ledger)
    for frame in story:
        recorder.append(frame)
        if isinstance(frame, Event) and frame.seq:
            while len(book.entries) < frame.seq - 1:
                book.append(frame.epoch, "set weight_decay", False, "refused")
            book.append(frame.epoch, frame.what, True, frame.text, **frame.data)
    recorder.close()
    book.close()
    for place, every in ((run.weights, 10), (run.resume_points, 25)):
        place.mkdir()
        for epoch in range(0, END + 1, every):
            (place / f"{epoch:08d}.safetensors").write_text(f"{place.name} {epoch}")
    return run


def content(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def frames(run: Run) -> list[Stored]:
    return record.read(run.frames)[0]


def course(run: Run) -> Course:
    """What was done to the weight decay."""
    found = Course(1.0)
    for entry in ledger.read(run.ledger):
        if entry.what in STEERED and entry.data.get("control") == "weight_decay":
            found.take(entry.epoch, entry.what, entry.data)
    return found


def stored(place: Path) -> list[int]:
    return sorted(int(path.stem) for path in place.iterdir())
