"""Members with recordings made by hand: when each groks, and how it ended, is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from grok_tui import config as configs
from grok_tui import runs, sweeps
from grok_tui.protocol import PROTOCOL, Array, Catalogue, ControlInfo, Hello, Points
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.sweeps import Sweep

EPOCHS, EVERY = 20_000, 100


def member(
    sweep: Sweep, number: int, groks: int | None, *, upto: int = EPOCHS, state: str = "finished", why: str = ""
) -> Run:
    """A run for a member, that reaches 50 % test accuracy at `groks`, recorded up to an epoch."""
    contents = sweep.read()
    found = contents.members[number - 1]
    run = runs.create(contents.config(found), lambda new: sweeps.mark(new, contents, sweep, found))
    record(run, groks, upto)
    said: dict[str, Any] = {"epoch": upto, "state": state, "time": 1.7e9, "rate": 0.0, "controls": {}, "values": {}}
    run.write_state(said)
    sweep.write(contents.with_member(replace(found, run=run.name, state=state, why=why)))
    return run


def record(run: Run, groks: int | None, upto: int) -> None:
    """Train losses, arrays and measures, in frames as a trainer writes them."""
    recorder = Recorder(run.frames)
    adam = run.config.optimizer
    chosen = (("weight_decay", adam.weight_decay), ("lr", adam.lr))
    catalogue = Catalogue(controls=tuple(ControlInfo(name, name, value, 0.0, 1000.0) for name, value in chosen))
    hello = Hello(PROTOCOL, run.name, "", configs.to_tables(run.config), {"device": "cpu"}, EPOCHS, catalogue)
    recorder.append(hello)
    for start in range(0, upto + 1, EVERY):
        recorder.append(Array(start, "W_E", np.ones((12, 12), np.float16)))
        recorder.append(Points(np.array([start]), measures(start, groks)))
        at = np.arange(start, min(start + EVERY, upto))
        if len(at):
            recorder.append(Points(at, {"train_loss": np.exp(-at / 200.0), "train_accuracy": np.full(len(at), 1.0)}))
    recorder.close()


def measures(epoch: int, groks: int | None) -> dict[str, Any]:
    """Memorization up to `groks`, then what generalizes."""
    there = groks is not None and epoch >= groks
    numbers = {
        "test_loss": 0.01 if there else 20.0 if epoch else 2.4,
        "test_accuracy": 0.5 if epoch == groks and epoch else 0.99 if there else 0.1,
        "restricted_loss": 0.1,
        "excluded_loss": 0.5,
        "excluded_loss_key_free": 5.0,
        "test_fve": 0.95 if there else 0.02,
        "sum_of_squares": 1000.0,
    }
    return {name: np.array([value]) for name, value in numbers.items()}
