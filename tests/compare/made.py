"""Runs planted by hand: a few measures each, whose crossings can be told by looking at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grok_tui import plan
from grok_tui.protocol import PROTOCOL, Array, Catalogue, ControlInfo, Event, Frame, Hello, Points
from grok_tui.state import RunState

P = 97
"""ln 97 is 4.57."""

CONTROLS = (
    ControlInfo("weight_decay", "weight decay", 1.0, 0.0, 1000.0),
    ControlInfo("lr", "learning rate", 1e-3, 0.0, 1.0),
)


def greeting(run: str, config: Mapping[str, Any] | None = None, machine: Mapping[str, Any] | None = None) -> Hello:
    tables: dict[str, Any] = {"task": {"p": P}, "optimizer": {"weight_decay": 1.0, "lr": 1e-3}, "about": run}
    for section, table in (config or {}).items():
        tables[section] = {**tables.get(section, {}), **table}
    controls = tuple(ControlInfo(c.name, c.label, float(tables["optimizer"][c.name]), c.low, c.high) for c in CONTROLS)
    about = {"device": "cpu", "threads": 1, "torch": "2.13.0", **(machine or {})}
    return Hello(PROTOCOL, run, "0.1.0", tables, about, 20_000, Catalogue((), (), controls))


def changed(epoch: int, value: float, previous: float = 1.0, control: str = "weight_decay") -> Event:
    data = {"control": control, "value": value, "previous": previous}
    return Event(epoch, "changed", f"{control} {previous:g} → {value:g}", 0.0, 1, data)


def scheduled(epoch: int, line: str, previous: float = 1.0) -> Event:
    """The begin of a schedule, as `set weight_decay linear 3 -> 0.1 over 300` says it."""
    found = plan.parse(line).actions[0]
    assert isinstance(found, plan.Ramp | plan.Stairs)
    data = {"control": found.control, "value": found.value(0), "previous": previous, "schedule": line}
    return Event(epoch, "scheduled", line, 0.0, 1, data)


def ended(epoch: int, value: float, control: str = "weight_decay") -> Event:
    """A schedule has come to its end."""
    data = {"control": control, "value": value, "previous": value, "ended": "schedule"}
    return Event(epoch, "changed", f"{control} {value:g}, the end of its schedule", 0.0, 1, data)


def branched(epoch: int, parent: str = "parent") -> Event:
    return Event(epoch, "branched", f"branched off {parent} at epoch {epoch:,}", 0.0, 0, {"parent": parent})


def measures(values: Mapping[str, Mapping[int, float]]) -> list[Points]:
    """Points of series that are each given as {epoch: value}; test loss comes last, for it moves the phases on."""
    return [
        Points(np.array(list(values[name])), {name: np.array(list(values[name].values()), float)})
        for name in sorted(values, key=lambda name: name == "test_loss")
    ]


def run(
    name: str = "run",
    events: Sequence[Event] = (),
    config: Mapping[str, Any] | None = None,
    machine: Mapping[str, Any] | None = None,
    keys: Sequence[int] = (),
    **values: Mapping[int, float],
) -> RunState:
    """A run with these series: `run(test_loss={0: 4.6, 100: 9.0})`."""
    state = RunState()
    frames: list[Frame] = [greeting(name, config, machine), *events, *measures(values)]
    if keys:
        frames.append(Array(100, "key_frequencies", np.array(keys)))
    for frame in frames:
        state.apply(frame)
    return state


def grokked(at: int, until: int = 12_000, every: int = 100, floor: float = 1e-6) -> dict[int, float]:
    """Test loss: at 20 until `at`, 2 from there on, `floor` from 1,000 epochs later; nothing lies at a level itself."""
    return {e: 20.0 if e < at else 2.0 if e < at + 1000 else floor for e in range(0, until + 1, every)}


def accurate(at: int, until: int = 12_000, every: int = 100) -> dict[int, float]:
    """Test accuracy: 0 until `at`, 1 from there on."""
    return {e: float(e >= at) for e in range(0, until + 1, every)}


def learned(at: int = 200, until: int = 12_000, every: int = 100) -> dict[int, float]:
    """Train accuracy: 0 until `at`, 1 from there on."""
    return {e: float(e >= at) for e in range(0, until + 1, every)}
