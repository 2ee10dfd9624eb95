"""What a branch holds, what is refused, and that a parent is only read. Nothing is trained here."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grok_tui import branches, config, ledger, listing, notes, paths, record, runs
from grok_tui.course import STEERED, Course
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Hello, Points, Stored
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.state import RunState
from tests.wire.wiring import hello, make_run, same, training

END = 100


def losses(first: int, last: int, value: float = 1.0) -> Points:
    epochs = np.arange(first, last)
    return Points(epochs, {"train_loss": value / (1 + epochs.astype(np.float64)), "train_accuracy": epochs / 100})


def measures(epoch: int, value: float = 1.0) -> Points:
    return Points(np.array([epoch]), {"test_loss": np.array([value])})


def told(epoch: int, what: str, seq: int = 0, **data: object) -> Event:
    return Event(epoch, what, what, 1.5e9 + seq, seq, dict(data))


def changed(epoch: int, seq: int, value: float, previous: float = 1.0) -> Event:
    return told(epoch, "changed", seq, control="weight_decay", value=value, previous=previous)


STORY: Sequence[Stored] = (
    hello(),
    told(0, "started"),
    measures(0),
    losses(0, 20),
    Array(20, "alpha", np.arange(3.0)),
    measures(20),
    losses(20, 30),
    changed(30, 1, 3.0),
    losses(30, 50),
    told(50, "paused", 3),
    told(50, "continued", 4),
    changed(50, 5, 0.5, 3.0),
    losses(50, 60),
    told(60, "phase", phase="cleanup", placed=50),
    Array(60, "alpha", np.arange(3.0)),
    measures(60),
    losses(60, END),
    told(END, "stopped", 6),
)  # fmt: skip


def parent(story: Sequence[Stored] = STORY, **changes: float) -> Run:
    """A run in which this is recorded, with weights and resume points each 10 and 25 epochs."""
    settings = {"training.epochs": 200} | {key.replace("__", "."): value for key, value in changes.items()}
    run = runs.create(config.override(config.Config(name="demo"), settings.items()))
    recorder, book = Recorder(run.frames), Ledger(run.ledger)
    for frame in story:
        recorder.append(frame)
        if isinstance(frame, Event) and frame.seq:
            while len(book.entries) < frame.seq - 1:
                book.append(frame.epoch, "set weight_decay", False, "refused")
            book.append(frame.epoch, frame.what, True, frame.text, **frame.data)
    recorder.close()
    book.close()
    for place, every in ((run.weights, 10), (run.resume_points, 25)):
        place.mkdir()
        for epoch in range(0, END + 1, every):
            (place / f"{epoch:08d}.safetensors").write_text(f"{place.name} {epoch}")
    return run


def content(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def frames(run: Run) -> list[Stored]:
    return record.read(run.frames)[0]


def course(run: Run) -> Course:
    """What was done to the weight decay."""
    found = Course(1.0)
    for entry in ledger.read(run.ledger):
        if entry.what in STEERED and entry.data.get("control") == "weight_decay":
            found.take(entry.epoch, entry.what, entry.data)
    return found


def stored(place: Path) -> list[int]:
    return sorted(int(path.stem) for path in place.iterdir())


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


def test_branches_are_numbered_after_their_parent_and_rivals_get_a_number_each() -> None:
    run = parent()
    made: list[Run] = []
    threads = [threading.Thread(target=lambda: made.append(branches.create(run, 40))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(child.name for child in made) == [f"demo-1.{n}" for n in range(1, 7)]
    grandchild = branches.create(runs.find("demo-1.3"), 20)
    assert grandchild.name == "demo-1.3.1"
    assert branches.create(run, 10).name == "demo-1.7"
    assert [child.name for child in runs.children(run)] == [f"demo-1.{n}" for n in range(1, 8)]
    assert runs.children(runs.find("demo-1.3")) == [grandchild]
    assert runs.children(grandchild) == []
    assert make_run().name == "demo-2"


def test_a_new_run_of_a_parents_name_does_not_inherit_its_branches() -> None:
    run = parent()
    child = branches.create(run, 40)
    shutil.rmtree(run.path)
    again = parent((hello(), Event(0, "started", "started", 1.6e9)))
    assert again.name == run.name
    assert runs.children(again) == []
    assert [lines for lines, _ in listing.tree([again, child])] == ["", ""]


def test_a_branch_of_a_branch_is_of_the_branch_alone() -> None:
    """All of a family have the same first event."""
    run = parent()
    first = branches.create(run, 60)
    grandchild = branches.create(first, 40)
    shutil.rmtree(first.path)
    branches.create(run, 60).path.rename(first.path)
    assert runs.children(Run(first.path)) == []
    assert grandchild.lineage is not None
    assert grandchild.lineage.parent == first.name


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"parent": 3, "epoch": 1, "started": 0}', '{"parent": "a", "epoch": -1, "started": 0}']
)
def test_a_lineage_that_cannot_be_read_is_none(text: str) -> None:
    run = make_run()
    assert run.lineage is None
    (run.path / "lineage.json").write_text(text)
    assert Run(run.path).lineage is None


def test_a_family_is_listed_as_a_tree() -> None:
    run, other = parent(), make_run("nanda113")
    one = branches.create(run, 40, {"weight_decay": 0.3})
    two = branches.create(run, 60, settings=[("training.epochs", "300")])
    deeper = branches.create(one, 30, before=1)
    shown = [(lines, found.name) for lines, found in listing.tree([other, deeper, two, run, one])]
    assert shown == [
        ("", "nanda113-1"), ("", "demo-1"), ("├ ", "demo-1.1"), ("│ └ ", "demo-1.1.1"), ("└ ", "demo-1.2"),
    ]  # fmt: skip
    told = {row[0]: row[-1] for row in listing.tree_rows([other, deeper, two, run, one])}
    assert told == {
        "nanda113-1": "",
        "demo-1": "",
        "├ demo-1.1": "at 40: weight decay 0.3",
        "│ └ demo-1.1.1": "at 30: without changed",
        "└ demo-1.2": "at 60: epochs 300",
    }
    assert [row[-1] for row in listing.tree_rows([one])] == ["of demo-1, which is gone, at 40: weight decay 0.3"]


def test_runs_that_claim_to_descend_from_each_other_are_all_listed() -> None:
    one, two = parent(), parent()
    for run, of in ((one, two), (two, one)):
        (run.path / "lineage.json").write_text(f'{{"parent": "{of.name}", "epoch": 1, "started": 7, "born": 7}}')
    found = [Run(one.path), Run(two.path)]
    assert {run.name for _, run in listing.tree(found)} == {one.name, two.name}
