"""A trainer as a process of its own: started small, looked at from outside, asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from safetensors.numpy import load_file

from grok_tui import config as configs
from grok_tui import launch, record
from grok_tui.config import Config
from grok_tui.protocol import Event, Order, Points, Reply, SetControl
from grok_tui.runs import Run
from grok_tui.sources import ask
from tests.waiting import until

SMALL = {"task.p": 23, "model.d_model": 32, "model.d_mlp": 64, "model.n_heads": 2, "data.fraction": 0.5}
LONG = 10_000_000


def small(**changes: float) -> Config:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return configs.override(Config(name="small"), (SMALL | named).items())


def started(**changes: float) -> Run:
    return launch.start(small(**changes), device="cpu", threads=1)


def column(run: Run, name: str) -> tuple[list[int], list[float]]:
    """A series as it stands in the recording."""
    frames = [f for f in record.read(run.frames)[0] if isinstance(f, Points) and name in f.values]
    epochs = np.concatenate([f.epochs for f in frames]) if frames else np.empty(0)
    values = np.concatenate([f.values[name] for f in frames]) if frames else np.empty(0)
    return epochs.tolist(), values.tolist()


def events(run: Run, what: str) -> list[Event]:
    return [f for f in record.read(run.frames)[0] if isinstance(f, Event) and f.what == what]


def ended(run: Run) -> None:
    until(lambda: not run.alive)


def reached(run: Run, epoch: int) -> Callable[[], bool]:
    return lambda: int(run.state.get("epoch", 0)) >= epoch


def send(run: Run, name: str, value: object) -> Reply:
    return ask(run, SetControl(1, name, value))


def order(run: Run, name: str) -> Reply:
    return ask(run, Order(1, name))


def final_weights(run: Run) -> dict[str, np.ndarray]:
    return load_file(sorted(run.weights.glob("*.safetensors"))[-1])
