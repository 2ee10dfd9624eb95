"""The slingshot watch: the largest train loss between two measures, against what was usual before."""

from __future__ import annotations

import shutil
from itertools import pairwise

import numpy as np
import pytest

from grok_tui import config as configs
from grok_tui import launch, record, runs
from grok_tui.config import Config
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run
from tests.waiting import until

SMALL = {"task.p": 11, "model.d_model": 16, "model.d_mlp": 32, "training.epochs": 400, "measure.every": 50}
SPIKY = SMALL | {"optimizer.lr": 0.3, "optimizer.warmup": 0}


def trained(changes: dict[str, float]) -> Run:
    run = launch.start(configs.override(Config(), changes.items()), device="cpu", threads=1)
    ended(run)
    return runs.find(run.name)


def ended(run: Run) -> None:
    until(lambda: not run.alive, "the end")


@pytest.fixture
def spiky() -> Run:
    return trained(SPIKY)


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


def test_a_run_that_was_cut_off_finds_the_same_spikes() -> None:
    whole = trained(SPIKY | {"record.resume_every": 130})
    spikes = column(whole, "train_spike")
    cut = Run(whole.path.parent / "cut-1")
    shutil.copytree(whole.path, cut.path)
    frames, _ = record.read(cut.frames)
    cut.frames.unlink()
    recorder = record.Recorder(cut.frames)
    for frame in frames:
        if isinstance(frame, Event) and frame.what == "finished":
            continue
        if (frame.epochs[-1] if isinstance(frame, Points) else getattr(frame, "epoch", 0)) <= 310:
            recorder.append(frame)
    recorder.close()
    for path in cut.resume_points.glob("*.safetensors"):
        if int(path.stem) > 260:
            path.unlink()
    (cut.path / "state.json").unlink()
    launch.resume(cut, device="cpu", threads=1)
    ended(cut)
    assert column(cut, "train_spike") == pytest.approx(spikes, nan_ok=True)
