"""What each measure costs: `python -m grok_tui.train.costs`, one line of JSON.

A model of the nanda113 preset is looked at from nearby; every function of the science that the probe calls
is timed from outside, by the processor's clock, as a share of the training between two of its turns.
"""

from __future__ import annotations

import inspect
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

from grok_tui import config as configs
from grok_tui.science import attention, clockwork, fourier, grid, losses, margins, neurons, weights
from grok_tui.train import machine
from grok_tui.train.probe import Probe
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table

MODULES = (attention, clockwork, fourier, grid, losses, margins, neurons, weights)
LOOKS = 5
EPOCHS = 100
"""Trained before looking, so that no number is the initial one."""


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    machine.prepare()
    config = configs.preset("nanda113")
    device = torch.device("cpu")
    table = Table.of(config, device)
    stepper = Stepper(config, table, device)
    stepper.advance(EPOCHS)
    steps = [_seconds(lambda: stepper.advance(10)) / 10 for _ in range(LOOKS)]
    probe = Probe(config, table)
    looks: dict[bool, dict[str, float]] = {}
    for closely in (False, True):
        probe.look(stepper.weights, closely)
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(LOOKS):
            with _timed() as spent:
                whole = _seconds(lambda closely=closely: probe.look(stepper.weights, closely))  # type: ignore[misc]
            for name, seconds in spent.items():
                found[name].append(seconds)
            found["the logits, the activations, the way to the host"].append(whole - sum(spent.values()))
        looks[closely] = {name: statistics.median(seconds) for name, seconds in found.items()}
    close = {name: seconds - looks[False].get(name, 0.0) for name, seconds in looks[True].items()}
    report = {
        "step_ms": 1e3 * statistics.median(steps),
        "every": config.measure.every,
        "closely_every": config.measure.closely_every,
        "each_ms": {name: 1e3 * seconds for name, seconds in looks[False].items()},
        "close_ms": {
            name: 1e3 * seconds for name, seconds in close.items() if name not in looks[False] or seconds > 1e-3
        },
    }
    print(json.dumps(report))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Seconds spent in each public function of the science; one called by another counts for the other."""
    spent: dict[str, float] = defaultdict(float)
    inside = [False]
    originals: list[tuple[ModuleType, str, Callable[..., Any]]] = []

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if inside[0]:
                return function(*args, **kwargs)
            inside[0] = True
            begun = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += time.process_time() - begun
                inside[0] = False

        return call

    for module in MODULES:
        for name, found in inspect.getmembers(module, inspect.isfunction):
            if found.__module__ == module.__name__ and not name.startswith("_"):
                originals.append((module, name, found))
                setattr(module, name, timed(f"{module.__name__.rpartition('.')[2]}.{name}", found))
    try:
        yield spent
    finally:
        for module, name, original in originals:
            setattr(module, name, original)


if __name__ == "__main__":
    main()
