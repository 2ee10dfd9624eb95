"""Run directories with a scripted past, as a trainer would have left them: no torch, no training."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from grok_tui import config, hindsight, paths, runs
from grok_tui.ledger import Ledger
from grok_tui.protocol import PROTOCOL, Catalogue, Event, Frame, Hello, Points, Status
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.ui import measures, story

CHANGES = ((1000, "weight_decay", 3.0), (2000, "lr", 5e-4))
UNTIL = 3000

ODD = Points(
    np.array([100, 200, 300]),
    {"odd": np.array([np.nan, np.inf, -np.inf]), "exact": np.array([0.1 + 0.2, 5e-324, 1.7976931348623157e308])},
)
"""What is not finite, and numbers of which no digit may be lost."""


def run(
    until: int = UNTIL,
    changes: Sequence[tuple[int, str, float]] = CHANGES,
    *,
    weights: Iterable[int] = (0, 1000, 2000, 3000),
    resume: Iterable[int] = (2000,),
    looked_back: bool = True,
    name: str = "nanda113",
    full: bool = False,
) -> Run:
    """A run with a recording, a ledger, weights, a resume point and hindsight."""
    found = runs.create(dataclasses.replace(config.preset("nanda113"), name=name))
    frames = measures.frames(until) if full else story.frames(until, changes, run=found.name)
    record(found, [*frames, ODD])
    ledger = Ledger(found.ledger)
    for event in frames:
        if isinstance(event, Event) and event.what == "changed":
            ledger.append(event.epoch, "changed", True, event.text, **event.data)
    ledger.append(until, "set", False, "momentum is no control")
    ledger.close()
    for epoch in weights:
        tensors(found, "weights", epoch)
    for epoch in resume:
        tensors(found, "resume", epoch)
    if looked_back:
        look_back(found, list(weights))
    found.write_state({"epoch": until, "state": "stopped"})
    return found


def record(run: Run, frames: Iterable[Frame]) -> None:
    """Append frames to the recording of a run."""
    recorder = Recorder(run.frames)
    for frame in frames:
        if not isinstance(frame, Status):
            recorder.append(frame)  # type: ignore[arg-type]
    recorder.close()


def look_back(run: Run, epochs: Sequence[int]) -> None:
    """Measures recomputed with the keys of the story."""
    keys = sorted(story.KEYS)
    table = {"keys": keys, "rule": hindsight.RULE, "total": len(epochs)}
    hindsight.directory(run).mkdir(exist_ok=True)
    values = {"restricted_loss_hindsight": np.geomspace(4, 1e-8, len(epochs))}
    recorder = Recorder(hindsight.path(run, keys))
    recorder.append(Hello(PROTOCOL, run.name, "0.1.0", {"hindsight": table}, {}, 0, Catalogue(hindsight.SERIES)))
    recorder.append(Points(np.array(epochs, np.int64), values))
    recorder.close()
    (hindsight.directory(run) / "lock").write_text("1\n")


def tensors(run: Run, folder: str, epoch: int, **odd: Any) -> None:
    """A safetensors file of one small tensor."""
    data = np.arange(64, dtype=np.float32).tobytes()
    header = {
        "__metadata__": {"epoch": str(epoch)},
        "W_E": {"dtype": "F32", "shape": [8, 8], "data_offsets": [0, len(data)]},
        **odd,
    }
    text = json.dumps(header).encode()
    place = run.path / folder
    place.mkdir(exist_ok=True)
    (place / f"{epoch:08d}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def nothing_left(before: int) -> bool:
    """No run, and nothing hidden, has come into being."""
    return len(list(paths.runs_dir().iterdir())) == before
