"""A run gone on with: after a kill, a stop or a divergence, from its last resume point."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

from grok_tui import launch, record, runs
from grok_tui.protocol import Array, Hello, Points
from grok_tui.runs import Run
from grok_tui.state import RunState
from tests.train.processes import LONG, column, ended, events, final_weights, order, reached, send, small, started
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.mark.parametrize("later", [300, 1300])
def test_a_killed_run_that_is_resumed_equals_the_uninterrupted_one_bit_for_bit(later: int) -> None:
    """With a change before the kill and one after it, at the same epochs in both."""
    changes = {"training__epochs": 4000, "record__resume_every": 1000, "record__weights_every": 4000}
    killed = started(**changes, optimizer__weight_decay=0.5)
    replies = [send(killed, "weight_decay", 2.5)]
    until(lambda: len(column(killed, "train_loss")[0]) > replies[0].epoch + later)
    os.kill(killed.pid, signal.SIGKILL)
    ended(killed)
    shown = column(killed, "train_loss")
    launch.resume(killed, device="cpu", threads=1)
    until(lambda: bool(events(killed, "replayed")))
    replies.append(send(killed, "lr", 0.002))
    ended(killed)
    assert all(reply.ok for reply in replies)

    whole = runs.create(small(**changes, optimizer__weight_decay=0.5))
    with whole.ledger.open("w") as file:
        for seq, (reply, control, value) in enumerate(zip(replies, ("weight_decay", "lr"), (2.5, 0.002), strict=True)):
            entry = {"seq": seq + 1, "time": 0.0, "epoch": reply.epoch, "what": "changed", "ok": True, "text": ""}
            file.write(json.dumps(entry | {"control": control, "value": value, "previous": 0.0}) + "\n")
    launch.resume(whole, device="cpu", threads=1)
    ended(whole)
    for name in ("train_loss", "train_accuracy", "test_loss", "restricted_loss", "excluded_loss", "sum_of_squares"):
        assert column(killed, name) == column(whole, name), name
    assert column(killed, "train_loss")[0] == list(range(4000))
    assert column(killed, "train_loss")[1][: len(shown[1])] == shown[1]
    ours, theirs = final_weights(killed), final_weights(whole)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert "equal to the recording, bit for bit" in events(killed, "replayed")[0].text


def test_a_replay_that_differs_from_the_recording_says_so() -> None:
    run = started(training__epochs=LONG, record__resume_every=LONG // 10)
    until(reached(run, 50))
    os.kill(run.pid, signal.SIGKILL)
    ended(run)
    text = (run.path / "config.toml").read_text()
    (run.path / "config.toml").write_text(text.replace("beta1 = 0.9\n", "beta1 = 0.8\n"))
    launch.resume(Run(run.path), device="cpu", threads=1)
    until(lambda: bool(events(run, "replayed")))
    assert "differ from the recording from epoch" in events(run, "replayed")[0].text


def test_a_run_that_diverges_says_so_and_fails() -> None:
    run = started(training__epochs=LONG, optimizer__lr=1.0, optimizer__weight_decay=1000.0)
    ended(run)
    assert run.state["state"] == "failed"
    assert "train loss is not finite from epoch" in events(run, "failed")[0].text
    assert "grok-tui: train loss is not finite" in run.log.read_text()
    launch.resume(run, device="cpu")
    until(lambda: run.state["state"] == "paused")
    assert send(run, "lr", 0.001).ok
    assert send(run, "weight_decay", 1).ok
    assert order(run, "resume").ok
    until(reached(run, 400))
    assert np.isfinite(column(run, "train_loss")[1][-1])


def test_a_slip_that_made_a_run_diverge_is_taken_back_on_resume() -> None:
    run = started(training__epochs=LONG, record__resume_every=1000)
    until(reached(run, 1200))
    assert send(run, "weight_decay", 1000).ok
    slip = send(run, "lr", 1.0)
    assert slip.ok
    ended(run)
    assert run.state["state"] == "failed"
    for kill in (True, False):  # what is taken back stays taken back
        launch.resume(run, device="cpu")
        until(lambda: run.state["state"] in ("paused", "running") and run.state["epoch"] >= slip.epoch)
        if kill:
            until(lambda: run.state["state"] == "paused")
            assert (run.state["epoch"], run.state["controls"]["lr"]) == (slip.epoch, 0.001)
            assert "taken back" in events(run, "changed")[-1].text
            send(run, "weight_decay", 1)
            assert order(run, "resume").ok
            until(reached(run, slip.epoch + 300))
            os.kill(run.pid, signal.SIGKILL)
            ended(run)
    until(reached(run, slip.epoch + 600))
    state = RunState()
    for frame in record.read(run.frames)[0]:
        state.apply(frame)
    losses = state.series["train_loss"]  # the epochs that were trained again replace those that diverged
    assert np.isfinite(losses.values).all()
    assert losses.epochs.tolist() == list(range(len(losses)))
    assert "bit for bit" in events(run, "replayed")[-1].text


def test_a_resume_keeps_the_threads_of_the_run_and_says_when_it_does_not() -> None:
    run = launch.start(small(training__epochs=LONG), device="cpu", threads=2)
    for threads in (None, 1):
        until(reached(run, int(run.state.get("epoch", 0)) + 5))
        os.kill(run.pid, signal.SIGTERM)
        ended(run)
        launch.resume(run, threads=threads)
    until(lambda: len(events(run, "resumed")) == 2)
    greetings = [f.machine["threads"] for f in record.read(run.frames)[0] if isinstance(f, Hello)]
    assert greetings == [2, 2, 1]
    assert "threads 1, not 2" in events(run, "resumed")[1].text
    assert "threads" not in events(run, "resumed")[0].text


def test_a_broken_resume_point_is_put_aside_and_made_again() -> None:
    run = started(training__epochs=LONG, record__resume_every=500)
    until(lambda: (run.resume_points / "00001000.safetensors").exists())
    os.kill(run.pid, signal.SIGKILL)
    ended(run)
    newest = sorted(run.resume_points.glob("*.safetensors"))[-1]
    newest.write_bytes(b"nonsense")
    launch.resume(run, device="cpu")
    until(lambda: bool(events(run, "replayed")))
    assert newest.with_suffix(".broken").read_bytes() == b"nonsense"
    until(lambda: newest.exists() and newest.stat().st_size > 1000)
    assert "bit for bit" in events(run, "replayed")[0].text


def test_a_look_that_was_cut_short_is_taken_again() -> None:
    """Numbers are written after their arrays: with them missing, the whole look counts as missing."""
    run = started(training__epochs=LONG)
    until(lambda: len(column(run, "test_loss")[0]) > 40)
    os.kill(run.pid, signal.SIGKILL)
    ended(run)
    frames, _ = record.read(run.frames)
    numbers = [i for i, frame in enumerate(frames) if isinstance(frame, Points) and "test_loss" in frame.values]
    _, cut = record.read(run.frames, limit=numbers[-1])
    with run.frames.open("r+b") as file:
        file.truncate(cut)
    look = frames[numbers[-1]]
    assert isinstance(look, Points)
    missing = int(look.epochs[0])
    launch.resume(run, device="cpu")
    until(lambda: missing in column(run, "test_loss")[0])
    assert (
        sum(isinstance(f, Array) and (f.epoch, f.name) == (missing, "alpha") for f in record.read(run.frames)[0]) >= 1
    )
