"""Undoing changes, from the command line."""

from __future__ import annotations

import pytest

from grok_tui import launch, runs
from grok_tui.commands import common
from grok_tui.ledger import read as read_ledger
from grok_tui.protocol import Event, Reply, SetControl
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.cli.families import Say, pulsed, recorded, refused
from tests.wire.wiring import event, hello, make_run, points

pytestmark = pytest.mark.usefixtures("home")


def test_undo_lists_what_can_be_left_out_by_the_numbers_that_branch_takes(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = pulsed(make_run())
    listed = [line.split(maxsplit=2) for line in say("undo", run.name, "--list").stdout.splitlines()]
    assert listed == [
        ["entry", "epoch", "done"],
        ["2", "20", "weight_decay 1 → 3"],
        ["3", "40", "weight_decay 3 → 9"],
        ["4", "64", "weight_decay 9 → 3"],
    ]
    for number, *_ in listed[1:]:
        assert say("branch", run.name, "--before", number).returncode == 0
    begun = [child.lineage.epoch for child in runs.children(run) if child.lineage]
    assert begun == [20, 40, 64]
    assert say("undo", recorded().name, "--list").stdout == "demo-2: nothing was done to it\n"


def test_undo_as_if_never_begins_before_the_last_change_that_the_weights_felt(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = pulsed(make_run())
    done = say("undo", run.name, "--as-if-never", "--detach")
    assert done.stderr == "demo-1.1: demo-1 without weight decay 3 → 9 at epoch 40\n"
    assert done.stdout.startswith("demo-1.1 is training; ")
    child = runs.find("demo-1.1")
    assert child.lineage is not None
    assert (child.lineage.epoch, child.lineage.without) == (40, "weight_decay 3 → 9")
    assert [entry.text for entry in read_ledger(child.ledger) if entry.what == "changed"] == ["weight_decay 1 → 3"]


def test_undo_sets_back_what_is_in_force(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = pulsed(make_run()), []

    def ask(_run: Run, command: SetControl) -> Reply:
        asked.append((command.name, command.value))
        return Reply(1, True, 100, "weight_decay 3 → 1")

    monkeypatch.setattr(common, "ask", ask)
    assert say("undo", run.name).stdout == "demo-1: weight_decay 3 → 1 (epoch 100)\n"
    assert asked == [("weight_decay", 1.0)]


def test_of_a_finished_run_undo_names_what_there_is_instead(say: Say) -> None:
    run = pulsed(make_run())
    run.write_state({"epoch": 100, "state": "finished"})
    said = "grok-tui: demo-1 has finished; --as-if-never makes a branch without weight decay 3 → 9 at epoch 40\n"
    assert refused(say("undo", run.name)) == said


def test_undo_says_why_there_is_nothing_to_undo(say: Say) -> None:
    assert refused(say("undo", recorded().name)) == "grok-tui: demo-1: nothing to undo: no control has been changed\n"
    assert "is not being trained now" in refused(say("undo", pulsed(make_run()).name))
    for words in (("--list", "--as-if-never"), ("--detach",)):
        assert "go" in refused(say("undo", "demo-1", *words))


def test_undo_of_a_schedule_that_was_ended_where_it_stood_says_what_takes_it_up_again(say: Say) -> None:
    run = make_run()
    recorder = Recorder(run.frames)
    schedule = {
        "control": "weight_decay",
        "value": 1.5,
        "previous": 1.5,
        "schedule": "set weight_decay step *0.5 every 40",
    }
    end = {"control": "weight_decay", "value": 0.75, "previous": 0.75}
    for frame in (
        *(hello(run.name), event(0, "started"), points(0, 50), Event(50, "scheduled", "as planned", 0.0, 1, schedule)),
        *(points(50, 50), Event(100, "changed", "weight_decay 0.75 → 0.75, its schedule ends", 0.0, 2, end)),
    ):
        recorder.append(frame)
    recorder.close()
    run.write_state({"epoch": 100, "state": "stopped"})
    assert refused(say("undo", run.name)) == (
        "grok-tui: demo-1: weight decay was scheduled until epoch 100, and no value takes that up again; "
        "--as-if-never makes a branch in which it goes on\n"
    )
