"""Branches, trained: what they share with their parent, and from where on they differ."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from grok_tui import branches, launch, ledger, record, runs
from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.errors import RunError
from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Order, Points, SetControl
from grok_tui.runs import Run
from grok_tui.sources import ask
from grok_tui.trunk import Trunk
from tests.conftest import kill_trainers_of
from tests.waiting import until

SMALL = {
    "task.p": 17, "model.d_model": 16, "model.d_mlp": 32, "model.n_heads": 2, "data.fraction": 0.5,
    "measure.every": 30, "measure.closely_every": 60, "record.resume_every": 100, "record.weights_every": 50,
}  # fmt: skip
EPOCHS = 360
CHANGES = ((120, "weight_decay", 3.0), (180, "lr", 0.004), (280, "weight_decay", 0.2))

TRAIN = """
import sys
from grok_tui.train.__main__ import main
for path in sys.argv[1:]:
    assert main([path, "--device", "cpu"]) == 0, path
"""
"""Trains one run after the other in one process: most of the time goes into loading torch."""

Parts = Mapping[tuple[str, int], bytes]


def train(*runs: Run) -> None:
    words = [sys.executable, "-c", TRAIN, *(str(run.path) for run in runs)]
    environment = launch.environment() | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def small(**changes: float) -> Config:
    named = {key.replace("__", "."): value for key, value in ({"training__epochs": EPOCHS} | changes).items()}
    return configs.override(Config(name="small"), (SMALL | named).items())


def planned(*changes: tuple[int, str, float]) -> Run:
    """A run whose ledger says beforehand what will be done to it."""
    run = runs.create(small())
    before = {"weight_decay": 1.0, "lr": 0.001}
    with run.ledger.open("w") as file:
        for seq, (epoch, control, value) in enumerate(changes, 1):
            entry = {"seq": seq, "time": 0.0, "epoch": epoch, "what": "changed", "ok": True, "text": f"{control} set"}
            file.write(json.dumps(entry | {"control": control, "value": value, "previous": before[control]}) + "\n")
            before[control] = value
    return run


def later(child: Run, epoch: int) -> Run:
    """`child`, to which will be done after `epoch` what was done to its parent."""
    book, before = Ledger(child.ledger), {"weight_decay": 3.0, "lr": 0.001}
    for at, control, value in CHANGES:
        if at > epoch:
            book.append(at, "changed", True, f"{control} set", control=control, value=value, previous=before[control])
    book.close()
    return child


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("family")


@pytest.fixture(autouse=True)
def home(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(shared))


@pytest.fixture(scope="module", autouse=True)
def nothing_left(shared: Path) -> object:
    yield
    kill_trainers_of(shared)


@pytest.fixture(scope="module")
def parent(shared: Path) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROK_TUI_HOME", str(shared))
        run = planned(*CHANGES)
        train(run)
    return run


def parts(run: Run, upto: int | None = None) -> Parts:
    """Every recorded number and array by (name, epoch), the last word on each; with `upto` those of before."""
    found: dict[tuple[str, int], bytes] = {}
    for frame in record.read(run.frames)[0]:
        if isinstance(frame, Points):
            for name, values in frame.values.items():
                for epoch, value in zip(frame.epochs.tolist(), values, strict=True):
                    found[name, epoch] = value.tobytes()
        elif isinstance(frame, Array):
            found[frame.name, frame.epoch] = frame.values.tobytes()
    return {key: part for key, part in found.items() if upto is None or key[1] < upto}


def differs_from(left: Run, right: Run) -> int | None:
    """The first epoch at which two recordings do not say the same."""
    ours, theirs = parts(left), parts(right)
    epochs = [key[1] for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    return min(epochs, default=None)


def weights(run: Run) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in load_file(sorted(run.weights.iterdir())[-1]).items()}


def events(run: Run, *what: str) -> list[Event]:
    return [f for f in record.read(run.frames)[0] if isinstance(f, Event) and f.what in what]


def reached(run: Run, epoch: int) -> Callable[[], bool]:
    return lambda: int(run.state.get("epoch", 0)) >= epoch


@dataclass
class Family:
    """One parent and all its branches, trained in one process."""

    parent: Run
    equal: dict[int, Run]
    """By epoch: with nothing changed, and later the parent's changes."""
    changed: dict[int, Run]
    """By epoch: with something changed there."""
    longer: Run
    without: list[tuple[Run, Run]]
    """Branches before a change, each with a run to which it was never done."""
    scheduled: Run
    on_schedule: list[Run]
    held: Run


@pytest.fixture(scope="module")
def family(parent: Run) -> Family:
    """Before, at, between and after the changes; at a resume point and off it; at the start and near the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROK_TUI_HOME", str(parent.path.parent.parent))
        scheduled = runs.create(small())
        book, line = Ledger(scheduled.ledger), "set weight_decay linear 1 -> 9 over 150"
        book.append(90, "scheduled", True, line, control="weight_decay", value=1.0, previous=1.0, schedule=line)
        book.close()
        plain = planned(*CHANGES[:2]), planned()
        train(scheduled, *plain)
        found = Family(
            parent,
            {epoch: later(branches.create(parent, epoch), epoch) for epoch in (0, 50, 100, 120, 240, 280, 359)},
            {epoch: branches.create(parent, epoch, {"weight_decay": 40.0}) for epoch in (0, 100, 181, 280)}
            | {240: branches.create(parent, 240, {"lr": 0.0005})},
            branches.create(parent, EPOCHS, settings=[("training.epochs", str(EPOCHS + 40))]),
            [
                (branches.create(parent, 280, before=3), plain[0]),
                (branches.create(parent, 120, before=1), plain[1]),
            ],
            scheduled,
            [branches.create(scheduled, epoch) for epoch in (90, 165, 300)],
            branches.create(scheduled, 165, {"weight_decay": 5.0}),  # which it is there
        )
        train(
            *found.equal.values(), *found.changed.values(), found.longer, *(child for child, _ in found.without),
            *found.on_schedule, found.held,
        )  # fmt: skip
    return found


def test_a_branch_with_nothing_changed_equals_its_parent(family: Family) -> None:
    for epoch, child in family.equal.items():
        assert differs_from(child, family.parent) is None, epoch
        assert weights(child) == weights(family.parent), epoch
        verdicts = [event.text for event in events(child, "replayed")]
        assert len(verdicts) == (epoch not in (0, 100)), epoch
        assert all("equal to the recording, bit for bit" in text for text in verdicts), verdicts
        assert child.state["state"] == "finished"


def test_a_changed_branch_equals_its_parent_up_to_its_epoch_and_differs_after(family: Family) -> None:
    for epoch, child in family.changed.items():
        first = differs_from(child, family.parent)
        assert first is not None
        assert epoch < first <= epoch + 12, (epoch, first)  # the very first steps are a warm-up from 0
        assert weights(child) != weights(family.parent)
        branched, change = events(child, "branched", "changed")[-2:]
        assert (branched.what, branched.epoch) == ("branched", epoch)
        assert branched.data == {"parent": family.parent.name, "epoch": epoch}
        assert (change.epoch, change.seq) == (epoch, branched.seq + 1)
        kept = [(entry.epoch, entry.data["control"]) for entry in ledger.read(child.ledger) if entry.what == "changed"]
        assert kept[:-1] == [(at, name) for at, name, _ in CHANGES if at <= epoch]


def test_a_branch_of_a_finished_run_goes_on_when_it_is_given_more_epochs(family: Family) -> None:
    child = family.longer
    assert parts(child, EPOCHS) == parts(family.parent, EPOCHS)
    assert [name for name, at in parts(child) if at == EPOCHS + 39] == ["train_loss", "train_accuracy"]
    assert child.state["epoch"] == EPOCHS + 40


def test_a_branch_before_a_change_is_as_if_it_had_never_been(family: Family) -> None:
    for child, plain in family.without:
        assert differs_from(child, plain) is None
        assert weights(child) == weights(plain)


def test_a_branch_within_a_schedule_goes_on_with_it_and_a_change_ends_it(family: Family) -> None:
    assert [differs_from(child, family.scheduled) for child in family.on_schedule] == [None] * 3
    assert all(weights(child) == weights(family.scheduled) for child in family.on_schedule)
    assert differs_from(family.held, family.scheduled) == 165, "from there on the weight decay is no series"
    assert parts(family.held, 165) == parts(family.scheduled, 165)
    assert weights(family.held) != weights(family.scheduled)
    assert family.held.state["controls"]["weight_decay"] == 5.0


def test_a_branch_of_a_branch_equals_the_first_of_them(family: Family) -> None:
    child = family.equal[100]
    grandchild = later(branches.create(child, 250), 250)
    assert grandchild.name == f"{child.name}.1"
    train(grandchild)
    assert differs_from(grandchild, family.parent) is None
    assert weights(grandchild) == weights(family.parent)
    told = [(event.epoch, event.data["parent"]) for event in events(grandchild, "branched")]
    assert told == [(100, family.parent.name), (250, child.name)]
    seqs = [entry.seq for entry in ledger.read(grandchild.ledger)]
    assert seqs == list(range(1, len(seqs) + 1))


def recorded(run: Run) -> int:
    """Up to where a living run has recorded, which is held still meanwhile: it may be done in a quarter of a second."""
    with suppress(ProcessLookupError):
        os.kill(run.pid, signal.SIGSTOP)
        try:
            return Trunk(run).end
        finally:
            os.kill(run.pid, signal.SIGCONT)
    return 0


def test_a_branch_of_a_living_run_does_not_disturb_it(parent: Run) -> None:
    """Its recording and weights are those of a run that was never branched."""
    living = planned(*CHANGES)
    launch.resume(living, device="cpu", threads=1)
    children: list[Run] = []
    while living.alive and len(children) < 6:
        if 0 < (epoch := recorded(living)) < EPOCHS:
            children.append(later(branches.create(living, epoch), epoch))
        time.sleep(0.005)
    until(lambda: not living.alive)
    assert children
    assert differs_from(living, parent) is None
    assert weights(living) == weights(parent)
    assert "replayed" not in {event.what for event in events(living, "replayed", "resumed")}
    train(children[0], children[-1])
    for child in (children[0], children[-1]):
        assert differs_from(child, parent) is None
        assert weights(child) == weights(parent)


def test_a_branch_of_a_paused_run_trains() -> None:
    living = runs.create(small(training__epochs=10_000_000))
    launch.resume(living, device="cpu", threads=1)
    until(reached(living, 20))
    paused = ask(living, Order(1, "pause"))
    assert ask(living, SetControl(2, "weight_decay", 3.0)).ok
    child = launch.branch(living, paused.epoch, changes={"weight_decay": 0.3})
    until(reached(child, paused.epoch + 10))
    assert (child.state["state"], living.state["state"]) == ("running", "paused")
    assert child.state["controls"]["weight_decay"] == 0.3
    every = SMALL["record.resume_every"]
    nearest = (paused.epoch - 1) // every * every  # one of that very epoch was saved before the change, or is left out
    assert events(child, "resumed")[0].text == f"begins at epoch {nearest:.0f}"
    assert [event.data["value"] for event in events(child, "changed")] == [3.0, 0.3]
    for run in (child, living):
        os.kill(run.pid, signal.SIGTERM)


def test_what_was_given_up_and_trained_again_is_no_part_of_a_branch() -> None:
    run = planned((90, "lr", 1.0), (90, "weight_decay", 1000.0))
    words = [sys.executable, "-m", "grok_tui.train", str(run.path), "--device", "cpu", "--threads", "1"]
    assert subprocess.run(words, capture_output=True, check=False, env=launch.environment()).returncode == 1
    with pytest.raises(RunError, match="diverged: its train loss is not finite from epoch"):
        branches.create(run, run.state["epoch"])
    launch.resume(run)
    until(lambda: run.state["state"] == "paused")
    assert ask(run, Order(1, "resume")).ok
    until(lambda: not run.alive)
    child = branches.create(run, 250)
    frames = record.read(child.frames)[0]
    losses = np.concatenate([f.epochs for f in frames if isinstance(f, Points) and "train_loss" in f.values])
    assert losses.tolist() == list(range(250))
    train(child)
    assert differs_from(child, run) is None
    assert weights(child) == weights(run)
