"""What a branch holds, what is refused, and that a parent is only read. Nothing is trained here."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grok_tui import branches, config, ledger, notes, paths, record
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Hello, Points
from grok_tui.state import RunState
from tests.wire.grown import END, STORY, changed, content, course, frames, losses, measures, parent, stored, told
from tests.wire.wiring import hello, make_run, same, training


def test_a_branch_holds_the_past_up_to_its_epoch_and_nothing_of_the_trainers() -> None:
    run = parent()
    child = branches.create(run, 55, {"weight_decay": 0.1, "lr": 0.01})
    greeting, *others = frames(child)
    assert isinstance(greeting, Hello)
    assert (greeting.run, greeting.epochs, greeting.config) == ("demo-1.1", 200, config.to_tables(run.config))
    cut = (*STORY[1:9], changed(50, 2, 0.5, 3.0), losses(50, 55))
    expected = [f for f in cut if not isinstance(f, Event) or f.seq < 3]
    expected[-2] = Event(50, "changed", "changed", 1.5e9 + 5, 2, changed(50, 2, 0.5, 3.0).data)
    assert len(others) == len(expected) + 3
    assert all(map(same, others, expected))
    branching, decay, rate = (frame for frame in others[-3:] if isinstance(frame, Event))
    assert (branching.what, branching.epoch, branching.seq) == ("branched", 55, 3)
    assert branching.data == {"parent": "demo-1", "epoch": 55}
    assert (decay.seq, decay.data) == (4, {"control": "weight_decay", "value": 0.1, "previous": 0.5})
    assert (rate.seq, rate.data) == (5, {"control": "lr", "value": 0.01, "previous": 0.001})
    entries = ledger.read(child.ledger)
    assert [(e.seq, e.epoch, e.what) for e in entries] == [
        (1, 30, "changed"), (2, 50, "changed"), (3, 55, "branched"), (4, 55, "changed"), (5, 55, "changed"),
    ]  # fmt: skip
    assert (stored(child.weights), stored(child.resume_points)) == ([0, 10, 20, 30, 40, 50], [0, 25, 50])
    assert branches.start(child) == 50
    assert {path.name for path in child.path.iterdir()} == {
        "VERSION", "config.toml", "frames.bin", "ledger.jsonl", "lineage.json", "weights", "resume",
    }  # fmt: skip


def test_measures_and_changes_at_the_epoch_itself_are_part_of_the_past() -> None:
    run = parent()
    at_look = frames(branches.create(run, 60))
    assert any(isinstance(f, Points) and f.epochs.tolist() == [60] and "test_loss" in f.values for f in at_look)
    assert any(isinstance(f, Event) and f.what == "phase" for f in at_look)
    at_change = [f.epoch for f in frames(branches.create(run, 30)) if isinstance(f, Event) and f.what == "changed"]
    assert at_change == [30]
    only_start = branches.create(run, 0)
    assert [type(f).__name__ for f in frames(only_start)] == ["Hello", "Event", "Points", "Event"]


def test_a_parent_is_only_read() -> None:
    run = parent()
    before, times = content(run), {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    branches.create(run, 70, {"lr": 0.1})
    assert content(run) == before
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == times


def test_weights_take_no_room_twice_and_outlive_the_parent() -> None:
    run = parent()
    child = branches.create(run, 40)
    assert (child.weights / "00000040.safetensors").stat().st_nlink == 2
    shutil.rmtree(run.path)
    assert (child.weights / "00000040.safetensors").read_text() == "weights 40"


def test_they_are_copied_where_there_are_no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", none)
    child = branches.create(parent(), 40)
    assert (child.weights / "00000040.safetensors").read_text() == "weights 40"
    assert (child.weights / "00000040.safetensors").stat().st_nlink == 1


def test_weights_that_are_thinned_out_at_this_moment_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    run, real = parent(), os.link

    def thinned(source: Path, target: Path) -> None:
        if source.name == "00000020.safetensors":
            source.unlink(missing_ok=True)
        real(source, target)

    monkeypatch.setattr(os, "link", thinned)
    assert stored(branches.create(run, 40).weights) == [0, 10, 30, 40]


def test_nothing_is_left_of_a_branch_when_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = parent()
    for name in ("link", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(RunError, match="No space left on device"):
                branches.create(run, 40)
        assert [path.name for path in paths.runs_dir().iterdir()] == ["demo-1"]


@pytest.mark.parametrize(
    ("epoch", "options", "said"),
    [
        (-1, {}, "0 or more was expected"),
        (END + 1, {}, "demo-1 is recorded up to epoch 100; there is no epoch 101"),
        (END, {"settings": [("training.epochs", "100")]}, "is the end of 100 epochs"),
        (50, {"changes": {"weight_decay": -1.0}}, "weight_decay = -1.0 is out of bounds"),
        (50, {"changes": {"weight_decay": float("nan")}}, "out of bounds"),
        (50, {"changes": {"momentum": 1.0}}, "there is no control 'momentum'; there are weight_decay, lr"),
        (50, {"settings": [("task.p", "61")]}, "task.p cannot be set in a branch"),
        (50, {"settings": [("data.seed", "1")]}, "data.seed cannot be set in a branch"),
        (50, {"settings": [("optimizer.weight_decay", "1")]}, "change it with --weight-decay"),
        (50, {"settings": [("optimizer.beta1", "0.5")]}, "what may: training.epochs, measure.*"),
        (50, {"settings": [("measure.evry", "5")]}, "did you mean 'measure.every'"),
        (50, {"settings": [("measure.every", "0")]}, "measure.every = 0 is out of bounds"),
        (50, {"before": 2}, "no intervention 2 that could be left out"),
        (50, {"before": 3}, "no intervention 3"),
        (31, {"before": 1}, "was done at epoch 30, branch there or before"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_leaves_nothing(
    epoch: int, options: dict[str, object], said: str
) -> None:
    run = parent()
    with pytest.raises(GrokTuiError) as caught:
        branches.create(run, epoch, **options)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in paths.runs_dir().iterdir()] == ["demo-1"]


def test_runs_without_a_past_that_could_be_gone_on_with_say_why() -> None:
    with pytest.raises(RunError, match="has recorded nothing yet"):
        branches.create(make_run(), 0)
    imported = parent((hello(), told(0, "started"), Points(np.array([40]), {"train_loss": np.ones(1)})))
    book = Ledger(imported.ledger)
    book.append(40, "finished", True, "imported", assumed=[])
    book.close()
    with pytest.raises(RunError, match="was imported: it has weights, but no training"):
        branches.create(imported, 40)
    newer = parent()
    (newer.path / "VERSION").write_text("99\n")
    with pytest.raises(RunError, match="made by a newer grok-tui"):
        branches.create(newer, 40)
    forgetful = parent()
    forgetful.ledger.unlink()
    with pytest.raises(RunError, match="its ledger lacks entry 1"):
        branches.create(forgetful, 40)


def test_a_branch_before_an_intervention_knows_nothing_of_it() -> None:
    child = branches.create(parent(), 50, {"lr": 0.01}, before=5)
    assert [(e.what, e.epoch, e.data.get("control")) for e in ledger.read(child.ledger)] == [
        ("changed", 30, "weight_decay"), ("branched", 50, None), ("changed", 50, "lr"),
    ]  # fmt: skip
    assert [f.epoch for f in frames(child) if isinstance(f, Event) and f.what == "changed"] == [30, 50]
    assert stored(child.resume_points) == [0, 25], "that of epoch 50 may hold the value that is left out"
    assert child.lineage is not None
    assert child.lineage.without == "changed"


def test_a_change_to_the_value_in_force_is_none() -> None:
    child = branches.create(parent(), 40, {"weight_decay": 3.0})
    assert [entry.what for entry in ledger.read(child.ledger)] == ["changed", "branched"]
    assert child.lineage is not None
    assert child.lineage.changes == {}


def test_a_value_that_a_schedule_passes_through_is_held_by_a_branch_that_asks_for_it() -> None:
    ramp = told(
        30, "scheduled", 1, control="weight_decay", value=1.0, schedule="set weight_decay linear 1 -> 3 over 40"
    )
    run = parent((*STORY[:7], ramp, losses(30, END)))
    assert course(run).at(50) == 2.0
    held, free = branches.create(run, 50, {"weight_decay": 2.0}), branches.create(run, 50)
    assert (course(held).at(60), course(free).at(60)) == (2.0, 2.5)


def test_notes_about_the_shared_past_come_along() -> None:
    run = parent()
    run.write_state({"epoch": END})
    early, late = notes.add(run, 40, "the dip"), notes.add(run, 41, "after")
    notes.remove(run, notes.add(run, 10, "a slip").id)
    child = branches.create(run, 40)
    assert notes.read(child) == [early]
    assert notes.read(run) == [early, late]
    assert not notes.path(branches.create(run, 39)).exists()


def test_other_interventions_than_changes_come_along() -> None:
    child = branches.create(parent((*STORY[:9], told(40, "planned", 3, line="at 90: stop"), losses(50, 60))), 55)
    assert [entry.what for entry in ledger.read(child.ledger)] == ["changed", "planned", "branched"]
    assert ledger.read(child.ledger)[1].data == {"line": "at 90: stop"}


def test_a_branch_that_a_plan_asked_for_begins_where_it_was_asked_for() -> None:
    asked = told(50, "branch", 3, changes={}, owed=True), told(50, "fired", 4, id=1)
    run = parent((*STORY[:9], *asked, losses(50, 60)))
    assert branches.start(branches.create(run, 50, asked=3)) == 50
    steered = parent((*STORY[:9], *asked, changed(50, 5, 0.5, 3.0), losses(50, 60)))
    assert branches.start(branches.create(steered, 50, asked=3)) == 25, "that of epoch 50 may hold the later value"


def test_what_became_of_the_parents_own_branches_is_no_past_of_a_branch() -> None:
    asked = told(40, "branch", 3, changes={}, owed=True)
    answers = told(45, "offshoot", 4, wish=3, child="demo-1.1"), told(45, "amiss", 5, wish=3)
    child = branches.create(parent((*STORY[:9], asked, *answers, losses(50, 60))), 55)
    assert [entry.what for entry in ledger.read(child.ledger)] == ["changed", "branch", "branched"]
    whats = [frame.what for frame in frames(child) if isinstance(frame, Event)]
    assert not {"offshoot", "amiss"} & set(whats)


def test_of_epochs_that_were_given_up_only_the_second_time_counts() -> None:
    bad = losses(50, 70)
    bad.values["train_loss"][15:] = np.nan
    story = (
        *STORY[:9], told(50, "phase", phase="cleanup", placed=50), changed(50, 2, 900.0, 3.0), bad, measures(60, 7.0),
        told(60, "phase", phase="grokked", placed=60), told(70, "failed"), hello(), told(50, "resumed", 3),
        changed(50, 4, 3.0, 900.0), losses(50, 62, 2.0), measures(60, 8.0), losses(62, 80, 2.0),
    )  # fmt: skip
    child = branches.create(parent(story), 75)
    state = RunState()
    for frame in frames(child):
        state.apply(frame)
    assert state.series["train_loss"].epochs.tolist() == list(range(75))
    points = [f for f in frames(child) if isinstance(f, Points)]
    assert all(np.isfinite(f.values["train_loss"]).all() for f in points if "train_loss" in f.values)
    assert [f.values["test_loss"].tolist() for f in points if "test_loss" in f.values] == [[1.0], [1.0], [8.0]]
    assert [e.data["value"] for e in state.changes()] == [3.0, 900.0, 3.0]
    assert [e.data.get("placed") for e in state.events if e.what == "phase"] == [50]


def test_training_that_began_anew_without_any_change_counts_from_its_second_beginning() -> None:
    bad = losses(0, 30)
    bad.values["train_loss"][9:] = np.nan
    child = branches.create(parent((hello(), told(0, "started"), bad, told(30, "failed"), losses(0, 25, 2.0))), 25)
    (found,) = (frame for frame in frames(child) if isinstance(frame, Points))
    assert same(found, losses(0, 25, 2.0))


def test_a_branch_is_of_the_machine_that_its_epochs_were_trained_on() -> None:
    other = replace(hello(), machine={"device": "cpu", "threads": 7})
    run = parent((hello(), told(0, "started"), losses(0, 30), other, losses(30, 60)))
    greetings = [frames(branches.create(run, epoch))[0] for epoch in (30, 31)]
    assert [getattr(found, "machine", None) for found in greetings] == [{"device": "cpu"}, other.machine]


def test_a_run_that_diverged_is_branched_before_that() -> None:
    bad = losses(50, 70)
    bad.values["train_loss"][15:] = np.nan
    run = parent((*STORY[:9], changed(50, 2, 900.0, 3.0), bad, told(70, "failed")))
    with pytest.raises(RunError, match="its train loss is not finite from epoch 65 on"):
        branches.create(run, 65)
    assert branches.last(run) == 64
    assert branches.create(run, 64).name == "demo-1.1"


def test_a_torn_tail_and_a_look_cut_short_are_no_problem() -> None:
    run = parent((*STORY[:-1], Array(100, "alpha", np.arange(3.0))))
    with run.frames.open("ab") as file:
        file.write(b"\0\0\1\0half a record")
    child = branches.create(run, END)
    assert [f.epoch for f in frames(child) if isinstance(f, Array)] == [20, 60]
    assert record.damage(child.frames) is None


def test_an_intervention_that_a_kill_kept_out_of_the_recording_comes_along() -> None:
    run = parent(STORY[:-1])
    book = Ledger(run.ledger)
    book.append(END, "changed", True, "weight_decay 0.5 → 2", control="weight_decay", value=2.0, previous=0.5)
    book.close()
    child = branches.create(run, END, {"weight_decay": 1.0})
    values = [f.data["value"] for f in frames(child) if isinstance(f, Event) and f.what == "changed"]
    assert values == [3.0, 0.5, 2.0, 1.0]
    seqs = [f.seq for f in frames(child) if isinstance(f, Event) and f.seq]
    assert seqs == [entry.seq for entry in ledger.read(child.ledger)] == [1, 2, 3, 4, 5]


def test_a_branch_of_a_run_that_is_being_trained_leaves_it_alone() -> None:
    run = make_run()
    with training(run) as trainer:
        trainer.write(losses(0, 30))
        child = branches.create(run, 20)
        assert run.alive
        assert not child.alive
        trainer.write(losses(30, 40))
    assert len([f for f in frames(run) if isinstance(f, Points)]) == 2


def test_an_epoch_that_a_living_parent_has_come_to_is_waited_for() -> None:
    """It says at once where it is, and records that a little later."""
    run = make_run()
    with training(run) as trainer:
        trainer.write(losses(0, 30))
        later = threading.Timer(0.2, trainer.write, [losses(30, 60)])
        later.start()
        child = branches.create(run, 50)
        later.join()
    assert [f.epochs[-1] for f in frames(child) if isinstance(f, Points)] == [29, 49]
