"""A trainer without a process: its session, driven from a test, and killed where the test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from grok_tui import config as configs
from grok_tui import ledger, record, runs
from grok_tui.config import Config
from grok_tui.ledger import Entry
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run
from grok_tui.train import checkpoint
from grok_tui.train.journal import Journal
from grok_tui.train.opening import open_run
from grok_tui.train.session import Session

TINY = {
    "task.p": 11,
    "model.d_model": 8,
    "model.d_mlp": 16,
    "model.n_heads": 2,
    "data.fraction": 0.5,
    "optimizer.warmup": 0,
    "optimizer.lr": 0.01,
    "measure.every": 10,
    "measure.closely_every": 1000,
    "record.weights_every": 1000,
    "record.resume_every": 40,
    "training.epochs": 200,
}


class Killed(Exception):  # noqa: N818 - no error
    """The process is no more."""


def tiny(*lines: str, **changes: float | str) -> Config:
    """A run of seconds, with a plan."""
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return configs.planning(configs.override(Config(name="tiny"), (TINY | named).items()), lines)


@contextmanager
def on(run: Run, hook: str = "") -> Iterator[Session]:
    """The session of a run, until the block ends: then it is as if its process had been killed."""
    torch.set_num_threads(1)
    with run.hold():
        session = open_run(run, "cpu", 1, hook)
        session.begin()
        try:
            yield session
        finally:
            session.journal.close()
            torch.set_flush_denormal(False)  # other tests need the numbers that training does without


def train(session: Session, epoch: int | None = None) -> str:
    """Take turns until a pause, the end, or an epoch; returns how it stands."""
    while not (end := session.attend()):
        if session.lingering:
            session._idle()
            continue
        if session.resting or (epoch is not None and session.epoch >= epoch):
            return session.state
        steps = min(session.reach(), epoch - session.epoch if epoch is not None else 10**9)
        session._stepper.advance(steps)
        session.stepped(steps, 1.0)
    return end


def whole(*lines: str, **changes: float) -> Run:
    """A run with that plan, trained from its beginning to its end, through every pause."""
    run = runs.create(tiny(*lines, **changes))
    with on(run) as session:
        while train(session) == "paused":
            session.planner.order("continue")
    return run


def ask(session: Session, line: str) -> str:
    """What the trainer answers to a line."""
    done, text = session.planner.order(line)
    assert done, text
    return text


def done(run: Run) -> list[tuple[int, str, str]]:
    """What the ledger says was done, but for the trainer's comings and goings."""
    return [(e.epoch, e.what, e.text) for e in entries(run) if e.what not in ("resumed", "stopped", "finished")]


def entries(run: Run) -> list[Entry]:
    return ledger.read(run.ledger)


def events(run: Run, what: str) -> list[Event]:
    return [f for f in record.read(run.frames)[0] if isinstance(f, Event) and f.what == what]


def column(run: Run, name: str) -> dict[int, float]:
    """A series as it is recorded, by its epochs."""
    frames = [f for f in record.read(run.frames)[0] if isinstance(f, Points) and name in f.values]
    return {int(e): float(v) for f in frames for e, v in zip(f.epochs, f.values[name], strict=True)}


def measured(run: Run) -> list[int]:
    """The epochs of the measures, one after another as they stand in the recording."""
    return [int(f.epochs[0]) for f in record.read(run.frames)[0] if isinstance(f, Points) and "test_loss" in f.values]


def final(run: Run) -> dict[str, list[float]]:
    """The last weights and optimiser state."""
    state, _ = checkpoint.read(sorted(run.resume_points.glob("*.safetensors"))[-1])
    return {name: tensor.flatten().tolist() for name, tensor in state.items()}


class Mortal:
    """Kills a session at its n-th line in the ledger: before it, after it, or once its event is recorded too."""

    def __init__(self, at: int, moment: str) -> None:
        self._left, self._moment = at, moment

    def attach(self, session: Session) -> None:
        journal: Journal = session.journal
        append, event = journal.ledger.append, journal.event

        def mortal_append(*args: object, **data: object) -> int:
            if self._left == 0 and self._moment == "before":
                raise Killed
            seq = append(*args, **data)  # type: ignore[arg-type]
            if self._left == 0 and self._moment == "written":
                raise Killed
            return seq

        def mortal_event(*args: object, **data: object) -> None:
            event(*args, **data)  # type: ignore[arg-type]
            self._left -= 1
            if self._left == -1 and self._moment == "told":
                raise Killed

        journal.ledger.append = mortal_append  # type: ignore[method-assign]
        journal.event = mortal_event  # type: ignore[method-assign]
