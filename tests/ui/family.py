"""A scripted parent and a child that left it at 6,000 with less weight decay: the same story, told more slowly."""

from __future__ import annotations

import numpy as np

from grok_tui.protocol import Event, Frame, Points, Status
from tests.ui import story
from tests.ui.gallery import state_of

SINCE = 6000
PACE = 0.6
"""Epochs of the parent's story in one of the child's."""

PARENT, CHILD = "nanda113-1", "nanda113-1.1"


def parent(until: int = 9000, state: str = "") -> list[Frame]:
    """The parent, up to an epoch."""
    return story.frames(until=until, run=PARENT, state=state)


def child(until: int = 9000, decay: float = 0.3) -> list[Frame]:
    """The child: the parent's past, the branch, and what came of it."""
    told: list[Frame] = [frame for frame in story.frames(until=SINCE, run=CHILD) if not isinstance(frame, Status)]
    told.append(branched())
    told.append(
        Event(
            SINCE,
            "changed",
            f"weight_decay 1 → {decay:g}",
            story.BEGIN + 600,
            1,
            {"control": "weight_decay", "value": decay, "previous": 1.0},
        )
    )
    told += grown(SINCE + 1, until)
    told.append(Status(until, "running", story.RATE, {"weight_decay": decay, "lr": 1e-3}, 1000 * until))
    return told


def branched(epoch: int = SINCE) -> Event:
    """That the child left its parent."""
    return Event(epoch, "branched", f"branched from {PARENT}", story.BEGIN + 600, 0, {"parent": PARENT, "epoch": epoch})


def grown(start: int, until: int) -> list[Points]:
    """What the child measured from `start` to `until`."""
    whole = state_of(story.frames(until=SINCE + int(PACE * (until - SINCE)) + 100)).series
    found: list[Points] = []
    for name, series in whole.items():
        every = 1 if name in ("train_loss", "train_accuracy") else 50
        epochs = np.arange(-(-start // every) * every, until + 1, every, dtype=np.int64)
        told = np.searchsorted(series.epochs, SINCE + PACE * (epochs - SINCE), side="right") - 1
        found.append(Points(epochs, {name: series.values[told]}))
    return sorted(found, key=lambda points: "test_loss" in points.values)  # the fold looks at what came before it
