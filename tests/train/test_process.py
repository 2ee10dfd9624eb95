"""The trainer as a process of its own, looked at from outside: signals, files, the socket."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from grok_tui import config as configs
from grok_tui import launch, ledger, locks, record, runs
from grok_tui.errors import LaunchError, LinkError, RunError
from grok_tui.protocol import ORDERS, Hello, Plan
from grok_tui.runs import Run
from grok_tui.sources import ask
from tests.conftest import kill_trainers_of
from tests.train.processes import (
    LONG,
    SMALL,
    column,
    ended,
    events,
    final_weights,
    order,
    reached,
    send,
    small,
    started,
)
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")


def test_a_run_records_every_epoch_and_ends() -> None:
    run = started(training__epochs=120, record__weights_every=50)
    ended(run)
    frames, position = record.read(run.frames)
    assert position == run.frames.stat().st_size
    assert isinstance(frames[0], Hello)
    assert frames[0].config == configs.to_tables(run.config)
    epochs, losses = column(run, "train_loss")
    assert epochs == list(range(120))
    assert losses[0] == losses[1]
    measured, _ = column(run, "restricted_loss")
    assert measured[:8] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert measured[-1] == 120
    kept = sorted(int(path.stem) for path in run.weights.iterdir())
    assert kept == [0, 1, 2, 5, 10, 20, 50, 100, 120]
    assert final_weights(run)["W_in"].shape == (64, 32)
    assert run.state["state"] == "finished"
    with pytest.raises(RunError, match="has finished its 120 epochs"):
        launch.resume(run, device="cpu", threads=1)


def test_sigterm_saves_a_resume_point_and_ends_cleanly() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 30))
    os.kill(run.pid, signal.SIGTERM)
    ended(run)
    epoch = len(column(run, "train_loss")[0])
    assert (run.resume_points / f"{epoch:08d}.safetensors").exists()
    assert events(run, "stopped")[0].epoch == epoch
    assert run.state["state"] == "stopped"
    assert not run.socket.exists()


def test_sighup_leaves_it_training() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 10))
    os.kill(run.pid, signal.SIGHUP)
    before = int(run.state["epoch"])
    until(reached(run, before + 50))
    assert run.alive


def test_the_trainer_outlives_whoever_started_it() -> None:
    script = (
        "from grok_tui import launch, config as c; "
        f"print(launch.start(c.override(c.Config(name='small'), {list((SMALL | {'training.epochs': LONG}).items())}),"
        " device='cpu', threads=1).name, flush=True)"
    )
    starter = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    run = runs.find(starter.stdout.strip())
    before = int(run.state.get("epoch", 0))
    until(reached(run, before + 50))
    assert psutil.Process(run.pid).terminal() is None
    assert os.getsid(run.pid) == run.pid


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("weight_decay", float("nan"), "out of bounds: 0 to 1,000"),
        ("weight_decay", float("inf"), "out of bounds"),
        ("weight_decay", -1.0, "out of bounds"),
        ("weight_decay", 1001, "out of bounds"),
        ("weight_decay", "lots", "a number from 0 to 1,000 was expected"),
        ("weight_decay", None, "a number from 0 to 1,000 was expected"),
        ("weight_decay", [1.0], "a number from 0 to 1,000 was expected"),
        ("weight_decay", True, "a number from 0 to 1,000 was expected"),
        ("lr", 2, "out of bounds: 0 to 1"),
        ("momentum", 0.5, "there is no control 'momentum'; there are weight_decay, lr"),
    ],
)
def test_the_trainer_itself_refuses_what_is_no_value(
    name: str, value: object, reason: str, one_run: Callable[[], Run]
) -> None:
    run = one_run()
    reply = send(run, name, value)
    assert not reply.ok
    assert reason in reply.text
    assert reply.epoch >= 0
    entry = ledger.read(run.ledger)[-1]
    assert (entry.ok, entry.text) == (False, reply.text)
    assert not events(run, "changed")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture
def one_run(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Run]:
    """One living run for all the refusals."""

    def found() -> Run:
        monkeypatch.setenv("GROK_TUI_HOME", str(shared_home))
        living = [run for run in runs.listing() if run.alive]
        return living[0] if living else started(training__epochs=LONG)

    return found


@pytest.fixture(scope="module", autouse=True)
def nothing_left(shared_home: Path) -> Iterator[None]:
    yield
    kill_trainers_of(shared_home)


def test_a_change_is_answered_recorded_and_in_force_from_its_epoch_on() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    reply = send(run, "weight_decay", 40)
    assert reply.ok
    assert reply.text == "weight_decay 1 → 40"
    entry = ledger.read(run.ledger)[-1]
    assert (entry.epoch, entry.what, entry.data["value"]) == (reply.epoch, "changed", 40.0)
    until(lambda: bool(events(run, "changed")))
    assert events(run, "changed")[0].epoch == reply.epoch
    again = send(run, "weight_decay", 40.0)
    assert again.ok
    assert again.text == "weight_decay is 40 already"
    assert len(events(run, "changed")) == 1
    until(reached(run, reply.epoch + 100))
    os.kill(run.pid, signal.SIGTERM)
    ended(run)
    epochs, squares = column(run, "sum_of_squares")
    at = [value for epoch, value in zip(epochs, squares, strict=True) if epoch >= reply.epoch + 50]
    assert at[0] < 0.5 * squares[0]  # each step takes 4 % of the weights: they shrink


def test_a_paused_run_stands_still_and_goes_on() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    paused = order(run, "pause")
    assert paused.ok
    until(lambda: run.state["state"] == "paused")
    size, ticks = run.frames.stat().st_size, sum(psutil.Process(run.pid).cpu_times()[:2])
    time.sleep(1.0)
    assert run.frames.stat().st_size == size
    assert sum(psutil.Process(run.pid).cpu_times()[:2]) - ticks < 0.1
    assert order(run, "pause").text == "is paused already"
    change = send(run, "weight_decay", 3)
    assert (change.ok, change.epoch) == (True, paused.epoch)
    assert order(run, "resume").epoch == paused.epoch
    until(reached(run, paused.epoch + 50))
    assert [e.epoch for e in events(run, "paused") + events(run, "continued")] == [paused.epoch] * 2
    assert column(run, "train_loss")[0][: paused.epoch + 20] == list(range(paused.epoch + 20))


def test_a_checkpoint_on_demand_and_a_stop_by_command() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    saved = order(run, "checkpoint")
    assert saved.text == f"saved resume/{saved.epoch:08d}.safetensors"
    assert (run.path / saved.text.removeprefix("saved ")).exists()
    assert (run.weights / f"{saved.epoch:08d}.safetensors").exists()
    assert not order(run, "explode").ok
    assert order(run, "stop").ok
    ended(run)
    assert events(run, "stopped")
    with pytest.raises(LinkError):
        order(run, "pause")


def test_a_second_trainer_is_turned_away() -> None:
    run = started(training__epochs=LONG)
    with pytest.raises(RunError, match="is being trained already, by process"):
        launch.resume(run, device="cpu", threads=1)
    command = launch.command(run, "cpu", 1)
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "is being trained already" in second.stdout
    assert run.alive


@pytest.mark.parametrize("what", ["stop", "checkpoint"])
def test_a_command_that_meets_a_full_disk_is_answered_and_a_stop_confirmed_when_its_resume_point_is_there(
    what: str,
) -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    order(run, "pause")  # so that it is the command that meets the full disk: after the answer nothing is written
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (200, 200))
    reply = order(run, what)
    ended(run)
    assert not reply.ok
    assert "could not be written" in reply.text or "cannot be written" in reply.text
    assert run.state.get("state") != "stopped"
    launch.resume(run, device="cpu")
    reply = order(run, "stop")
    ended(run)
    assert reply.ok
    assert (run.path / reply.text.removeprefix("stopped; saved ")).exists()


def test_an_impatient_ctrl_c_leaves_no_trainer_and_no_run(own_home: Path) -> None:
    script = (
        "import signal, threading, os; from grok_tui import launch, config as c; "
        "threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start(); "
        f"launch.start(c.override(c.Config(name='small'), {list((SMALL | {'training.epochs': LONG}).items())}))"
    )
    starter = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" in starter.stderr
    assert not [path for path in (own_home / "runs").iterdir() if not path.name.startswith(".")]
    running = [p.info["cmdline"] or () for p in psutil.process_iter(["cmdline"])]
    assert not any(str(own_home) in word for words in running for word in words)


def test_a_device_that_is_not_there_is_one_line_and_nothing_is_left(own_home: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the device; runs where there is none")
    with pytest.raises(LaunchError, match="--device cuda: this torch sees no CUDA device"):
        launch.start(small(), device="cuda")
    assert not list((own_home / "runs").iterdir())


def test_a_full_disk_ends_the_run_in_one_line_and_damages_nothing() -> None:
    """A limit on file sizes stands in for the disk: writes beyond it fail as they do when it is full."""
    run = runs.create(small(training__epochs=LONG))

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    full = subprocess.run(
        launch.command(run, "cpu", 1), preexec_fn=limited, capture_output=True, text=True, check=False, timeout=60
    )
    assert full.returncode == 1
    lines = full.stdout.strip().splitlines()
    assert lines[-1].startswith(f"grok-tui: {run.frames}: cannot be written")
    assert "Traceback" not in full.stdout + full.stderr
    epochs, _ = column(run, "train_loss")
    assert epochs == list(range(len(epochs)))
    assert len(epochs) > 10
    assert record.damage(run.frames) is None
    launch.resume(run, device="cpu", threads=1)
    until(lambda: len(column(run, "train_loss")[0]) > len(epochs) + 20)
    assert "bit for bit" in events(run, "replayed")[0].text


def test_a_locked_run_goes_on_training_and_refuses_every_command() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    locks.lock(run)
    refused = [send(run, "weight_decay", 3.0), *(order(run, name) for name in ORDERS)]
    assert [reply.ok for reply in refused] == [False] * 5
    assert {reply.text for reply in refused} == {f"locked; to change it: grok-tui unlock {run.name}"}
    until(reached(run, refused[-1].epoch + 50))
    assert run.state["controls"]["weight_decay"] == 1.0
    kept = ledger.read(run.ledger)
    assert [entry.what for entry in kept] == ["set weight_decay", *ORDERS]
    assert not any(entry.ok for entry in kept)
    locks.unlock(run)
    assert send(run, "weight_decay", 3.0).ok
    assert order(run, "stop").ok
    ended(run)


def test_a_plan_a_goal_and_a_limit_reach_a_living_trainer() -> None:
    run = started(training__epochs=LONG)
    until(reached(run, 5))
    assert "no phase" in ask(run, Plan(1, "until clean up")).text
    limited = ask(run, Plan(1, "limit 40"))
    assert (limited.ok, limited.text) == (True, "40 epochs per second at most")
    asked = time.monotonic()
    goal = ask(run, Plan(1, "run 12"))
    assert time.monotonic() - asked < 5
    assert goal.text == f"on until epoch {goal.epoch + 12:,}"
    until(lambda: run.state["state"] == "paused")
    assert run.state["epoch"] == goal.epoch + 12
    planned = ask(run, Plan(1, "in 5: set weight_decay 4; stop"))
    assert planned.text == f"plan 1: at {goal.epoch + 17}: set weight_decay 4; stop"
    assert order(run, "resume").ok
    ended(run)
    assert [e.epoch for e in (*events(run, "changed"), *events(run, "stopped"))] == [goal.epoch + 17] * 2
    assert events(run, "stopped")[0].text == "stopped by plan 1"
