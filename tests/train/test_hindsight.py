"""What hindsight computes, and what becomes of it when it is killed, crowded out or short of disk."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from grok_tui import config as configs
from grok_tui import hindsight, launch, locks, record, runs
from grok_tui.commands.guarding import lock_run
from grok_tui.config import Config
from grok_tui.errors import ConfigError, RunError
from grok_tui.hindsight import Result
from grok_tui.protocol import Array, Hello, Points
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.science import fourier, losses
from grok_tui.train import checkpoint
from grok_tui.train import hindsight as process
from grok_tui.train.circuit import multiply_out
from grok_tui.train.model import Transformer
from grok_tui.train.task import Table
from tests.waiting import until

P = 13
KEYS = (2, 5)
SETTINGS = {"task.p": P, "model.d_model": 16, "model.d_mlp": 24, "model.n_heads": 2, "data.fraction": 0.5}


@pytest.fixture(autouse=True)
def home(own_home: Path) -> Iterator[Path]:
    return own_home  # type: ignore[return-value]


def planted(epochs: list[int], keys: tuple[int, ...] = KEYS, **changes: float) -> Run:
    """A run with the weights of another seed at each of these epochs, and recorded keys."""
    named = {key.replace("__", "."): value for key, value in changes.items()}
    config = configs.override(Config(name="planted"), (SETTINGS | named).items())
    run = runs.create(config)
    model = Transformer.of(config)
    for epoch in epochs:
        store(run, model, epoch)
    recorder = Recorder(run.frames)
    if keys:
        recorder.append(Array(0, "key_frequencies", np.array([1, 3, 6], np.int32)))
        recorder.append(Array(100, "key_frequencies", np.array(keys, np.int32)))
    recorder.close()
    return run


def store(run: Run, model: Transformer, epoch: int) -> None:
    checkpoint.write(run.weights / f"{epoch:08d}.safetensors", model.init(epoch), epoch)


def done(run: Run, keys: tuple[int, ...] = KEYS) -> set[int]:
    return hindsight.result(run, keys).epochs


def computing(run: Run, *arguments: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "grok_tui.train.hindsight", str(run.path), *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_its_numbers_are_those_of_the_definitions() -> None:
    run = planted([0, 100, 200])
    process.recompute(run, KEYS, print)
    found = hindsight.result(run, KEYS)
    assert found.keys == KEYS
    points = found.points()
    assert points.epochs.tolist() == [0, 100, 200]
    table = Table.of(run.config, torch.device("cpu"))
    keys = torch.tensor([k + 1 in KEYS for k in range((P - 1) // 2)])
    train = table.is_train.sum(1)
    for i, epoch in enumerate((0, 100, 200)):
        weights, _ = checkpoint.read(run.weights / f"{epoch:08d}.safetensors")
        circuit, _ = multiply_out(weights, P)
        model = Transformer.of(run.config)
        logits = model.logits(circuit, table.grid_a, table.grid_b, out=torch.empty(P * P, P)).double()
        M = logits.view(P, P, P).mean(1)
        expected = {
            "excluded_loss": losses.excluded(logits[table.train_rows], table.train_sum, M, keys),
            "restricted_loss": losses.restricted(M, keys, P - train),
            "restricted_loss_train": losses.restricted(M, keys, train),
            "restricted_loss_all": losses.restricted(M, keys, torch.full((P,), P)),
            "restricted_accuracy": (fourier.sum_component(M, keys) + M.mean(0))
            .argmax(1)
            .eq(torch.arange(P))
            .double()
            .mean(),
        }
        for name, value in expected.items():
            assert points.values[f"{name}_hindsight"][i] == pytest.approx(float(value), rel=1e-6), name
        assert {f"{name}_hindsight" for name in expected} <= {info.name for info in hindsight.SERIES}


def test_every_announced_series_is_there_and_no_other() -> None:
    run = planted([100])
    process.recompute(run, KEYS, print)
    points = hindsight.result(run, KEYS).points()
    assert set(points.values) == {info.name for info in hindsight.SERIES}
    assert all(info.reading == "hindsight" for info in hindsight.SERIES)


def test_what_is_there_is_not_computed_again_and_new_epochs_are_added() -> None:
    run = planted([100, 200])
    assert process.recompute(run, KEYS, print) == 2
    path = hindsight.path(run, KEYS)
    before = path.read_bytes()
    assert process.recompute(run, KEYS, print) == 0
    assert path.read_bytes() == before
    store(run, Transformer.of(run.config), 150)
    (run.weights / "00000100.safetensors").unlink()
    assert process.recompute(run, KEYS, print) == 1
    assert done(run) == {100, 150, 200}  # what was thinned out meanwhile stays known
    assert path.read_bytes().startswith(before)


def test_killed_in_the_middle_it_goes_on_from_there() -> None:
    run = planted(list(range(0, 6_000, 50)))
    first = computing(run)
    until(lambda: len(done(run)) > 5, "the beginning")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = done(run)
    assert 5 < len(kept) < 120
    with hindsight.path(run, KEYS).open("ab") as file:
        file.write(b"\0\0\1\0 torn")
    second = computing(run)
    said, _ = second.communicate()
    assert second.returncode == 0
    assert said.splitlines()[-1] == f"keys 2 5: 120 epochs, {120 - len(kept)} of them new"
    assert done(run) == set(range(0, 6_000, 50))
    frames, end = record.read(hindsight.path(run, KEYS))
    assert end == hindsight.path(run, KEYS).stat().st_size
    told = [epoch for frame in frames if isinstance(frame, Points) for epoch in frame.epochs.tolist()]
    assert len(told) == 120
    assert [f.config["hindsight"]["total"] for f in frames if isinstance(f, Hello)] == [120, 120]


def test_a_damaged_result_is_computed_anew() -> None:
    run = planted([100, 200, 300])
    process.recompute(run, KEYS, print)
    path = hindsight.path(run, KEYS)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert process.recompute(run, KEYS, print) == 3
    assert record.damage(path) is None


def test_a_result_of_another_rule_is_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    run = planted([100, 200])
    process.recompute(run, KEYS, print)
    monkeypatch.setattr(hindsight, "RULE", hindsight.RULE + 1)
    assert process.recompute(run, KEYS, print) == 2


def test_a_broken_snapshot_is_named_and_left_out() -> None:
    run = planted([100, 200, 300])
    (run.weights / "00000200.safetensors").write_bytes(b"not a snapshot")
    checkpoint.write(run.weights / "00000300.safetensors", {"W_E": torch.zeros(3)}, 300)
    said: list[str] = []
    assert process.recompute(run, KEYS, said.append) == 1
    assert "epoch 200 is left out" in "\n".join(said)
    assert "not the weights of the run's model" in "\n".join(said)
    frames, _ = record.read(hindsight.path(run, KEYS))
    assert [f.config["hindsight"]["total"] for f in frames if isinstance(f, Hello)][-1] == 1


def test_only_one_process_recomputes_a_run() -> None:
    run = planted([100])
    with hindsight.hold(run, (1, 4)):
        assert hindsight.going_on(run) == (1, 4)
        other = computing(run)
        said, _ = other.communicate()
        assert other.returncode == 1
        assert said.splitlines() == ["grok-tui: planted-1 is being recomputed already, with keys 1 4"]
        with pytest.raises(RunError, match="already, with keys 1 4"):
            launch.hindsight(run)
        assert "already" in launch.hindsight(run, (4, 1)).text
    assert hindsight.going_on(run) is None
    assert done(run) == set()


def test_a_full_disk_is_one_clear_line_and_what_was_written_stays() -> None:
    run = planted(list(range(100, 6000, 100)))

    def short_of_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    words = [sys.executable, "-m", "grok_tui.train.hindsight", str(run.path)]
    ended = subprocess.run(words, capture_output=True, text=True, preexec_fn=short_of_room, check=False)
    assert ended.returncode == 1
    assert "cannot be written (File too large)" in ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stdout + ended.stderr
    assert 0 < len(done(run)) < 59
    process.recompute(run, KEYS, print)
    assert len(done(run)) == 59


def test_it_is_polite_and_touches_neither_lock_nor_recording() -> None:
    run = planted(list(range(0, 6_000, 50)))
    before = run.frames.read_bytes()
    with run.hold():
        held = run.lock.read_bytes()
        started = launch.hindsight(run)
        assert started.process is not None
        assert started.text == "recomputing 120 epochs with keys 2 5"
        until(lambda: len(done(run)) > 3, "the beginning")
        assert os.getpriority(os.PRIO_PROCESS, started.process.pid) == process.LOWEST
        started.process.terminate()
        started.process.wait()
        assert run.lock.read_bytes() == held
    assert run.frames.read_bytes() == before


def test_keys_are_the_newest_recorded_or_those_given() -> None:
    run = planted([100])
    assert hindsight.chosen(run) == KEYS
    assert hindsight.chosen(run, (6, 1)) == (1, 6)
    with pytest.raises(ConfigError, match="with p = 13 there are 1 to 6; 7 is the same wave as 6"):
        hindsight.chosen(run, (7,))
    with pytest.raises(RunError, match="has no key frequencies yet"):
        hindsight.chosen(planted([100], keys=()))
    with pytest.raises(RunError, match="has no stored weights"):
        hindsight.chosen(planted([]))


def test_with_nothing_new_no_process_is_started_but_the_result_becomes_the_newest() -> None:
    run = planted([100, 200])
    process.recompute(run, KEYS, print)
    process.recompute(run, (1,), print)
    watch = hindsight.Watch(run)
    assert isinstance(hello := watch.look()[0], Hello)
    assert hindsight.keys_of(hello) == (1,)
    started = launch.hindsight(run, KEYS)
    assert started.process is None
    assert "nothing new" in started.text
    assert isinstance(hello := watch.look()[0], Hello)
    assert hindsight.keys_of(hello) == KEYS


def test_the_picture_is_whole_early() -> None:
    order = process.coarse_to_fine(list(range(100)))
    assert order[:4] == [99, 0, 64, 32]
    assert sorted(order) == list(range(100))
    assert max(np.diff(sorted(order[:17]))) <= 8
    assert process.coarse_to_fine([]) == []
    assert process.coarse_to_fine([7]) == [7]


def test_many_keys_have_a_name_that_a_file_system_takes() -> None:
    run = planted([100], task__p=499)
    every = tuple(range(1, 250))
    name = hindsight.path(run, every).name
    assert len(name) < 150
    assert name != hindsight.path(run, every[:-1]).name
    assert int(name.split("-and-")[1].split("-")[0]) + name.split("-and-")[0].count("-") + 1 == 249


def test_a_result_that_is_begun_anew_is_read_from_its_beginning() -> None:
    run = planted([100, 200])
    process.recompute(run, KEYS, print)
    found = Result(hindsight.path(run, KEYS))
    found.read()
    shutil.copy(found.path, found.path.with_suffix(".all"))
    found.path.write_bytes(b"")
    found.read()
    assert found.epochs == set()


def test_at_the_end_of_a_real_run_it_agrees_with_what_the_trainer_measured() -> None:
    """There the provisional keys are the final ones, so both readings are of the same weights and keys.

    Their logits are float32 products, which two processes may round differently.
    """
    changes = {"training.epochs": 300, "record.weights_every": 100, "measure.every": 50}
    config = configs.override(Config(name="real"), (SETTINGS | changes).items())
    run = launch.start(config, device="cpu", threads=1)
    until(lambda: not run.alive, "the end", patience=60)
    before = run.frames.read_bytes()
    started = launch.hindsight(run)
    if started.process is not None:
        assert started.process.wait() == 0
    points = hindsight.result(run, started.keys).points()
    assert {100, 200, 300} <= set(points.epochs.tolist())
    measured = [f for f in record.read(run.frames)[0] if isinstance(f, Points) and "restricted_loss" in f.values][-1]
    assert measured.epochs[-1] == points.epochs[-1] == 300
    for info in hindsight.SERIES:
        name = info.name.removesuffix(hindsight.SUFFIX)
        assert points.values[info.name][-1] == pytest.approx(measured.values[name][-1], rel=1e-6), name
    assert run.frames.read_bytes() == before


def test_one_that_is_to_take_its_turn_waits_and_its_result_is_the_newest() -> None:
    run = planted([100, 200])
    process.recompute(run, KEYS, print)
    with hindsight.hold(run, (1, 4)):
        with pytest.raises(RunError, match="already, with keys 1 4"):
            launch.hindsight(run, KEYS)
        started = launch.hindsight(run, KEYS, wait=True)
        assert started.process is not None
        process.recompute(run, (1, 4), print)
        with pytest.raises(subprocess.TimeoutExpired):  # longer than one that does not wait insists
            started.process.wait(hindsight.HOLD_PATIENCE + 2)
    assert started.process.wait(60) == 0
    assert isinstance(hello := hindsight.Watch(run).look()[0], Hello)
    assert hindsight.keys_of(hello) == KEYS


def test_when_the_results_are_dropped_who_recomputes_ends_and_the_next_one_can_start() -> None:
    run = planted(list(range(0, 20_000, 10)))
    started = launch.hindsight(run)
    assert started.process is not None
    until(lambda: len(done(run)) > 3, "the beginning")
    hindsight.forget(run)
    assert hindsight.going_on(run) is None
    assert started.process.wait(60) == RunError.exit_code
    assert "the results were dropped" in hindsight.log(run).read_text().splitlines()[-1]
    assert done(run) == set()
    again = launch.hindsight(run)
    assert again.process is not None
    until(lambda: len(done(run)) > 3, "the beginning of the next")
    again.process.terminate()
    again.process.wait()


def test_a_locked_run_is_looked_back_at_and_stays_as_it_was_but_for_a_file_of_hindsight() -> None:
    run = planted([0, 100])
    locks.lock(run)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with computing(run) as worker:
        assert worker.wait(60) == 0
    assert done(run) == {0, 100}
    assert {path: path.read_bytes() for path in before} == before
    new = {path for path in run.path.rglob("*") if path.is_file()} - set(before)
    assert {path.parent for path in new} == {run.path / "hindsight"}
    said = " ".join(CliRunner().invoke(lock_run, ["--help"]).output.split())
    assert "hindsight are written into files of their own" in said
