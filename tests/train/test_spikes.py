"""The slingshot watch: the largest train loss between two measures, against what was usual before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from grok_tui import config as configs
from grok_tui import launch, record, runs
from grok_tui.config import Config
from grok_tui.protocol import Points
from grok_tui.runs import Run

SMALL = {"task.p": 11, "model.d_model": 16, "model.d_mlp": 32, "training.epochs": 400, "measure.every": 50}
SPIKY = SMALL | {"optimizer.lr": 0.3, "optimizer.warmup": 0}


@pytest.fixture
def spiky() -> Run:
    run = launch.start(configs.override(Config(), SPIKY.items()), device="cpu", threads=1)
    while run.alive:
        pass
    return runs.find(run.name)


def column(run: Run, name: str) -> dict[int, float]:
    frames = [f for f in record.read(run.frames)[0] if isinstance(f, Points) and name in f.values]
    return {int(e): float(v) for f in frames for e, v in zip(f.epochs, f.values[name], strict=True)}


def test_a_spike_is_the_largest_loss_since_the_last_measure_over_the_usual_one_before(spiky: Run) -> None:
    """With a learning rate so large that training jumps."""
    losses, spikes = column(spiky, "train_loss"), column(spiky, "train_spike")
    epochs = sorted(spikes)
    assert np.isnan(spikes[0])
    for before, now in pairwise(epochs[1:]):
        usual = np.median([losses[e] for e in range(max(0, before - 200), before)])
        assert spikes[now] == pytest.approx(max(losses[e] for e in range(before, now)) / usual)
    assert max(spikes[e] for e in epochs[2:]) > 2, "nothing jumped: the test shows little"
