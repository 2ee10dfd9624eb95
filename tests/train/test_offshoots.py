"""A branch that a plan asks for is made once, whoever is killed on the way; and when it is not, that is said."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from grok_tui import branches, launch, ledger, offshoot, packing, planned, runs
from grok_tui.errors import LaunchError, RecordError, RunError
from grok_tui.ledger import Entry
from grok_tui.offshoot import Outcome
from grok_tui.runs import Run
from grok_tui.train import checkpoint, offshoots
from tests.train.offspring import PLAN, Process, asking, nobody_makes, of_epoch_37, waiting
from tests.train.stage import Killed, Mortal, ask, column, entries, events, final, measured, on, tiny, train, whole
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.mark.parametrize("moment", ["before", "written", "told"])
@pytest.mark.parametrize("line", range(3))
def test_a_kill_at_any_line_of_the_ledger_loses_no_branch_and_doubles_none(
    moment: str, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = waiting(monkeypatch)
    run = runs.create(tiny(PLAN, training__epochs=60))
    with on(run) as session:
        Mortal(line, moment).attach(session)
        with pytest.raises(Killed):
            train(session)
    lost = bool(started)  # its maker may still be at it: whoever comes next asks what became of it
    with on(run) as session:
        train(session, 50)
        assert [process.wish for process in started[lost:]] == [of_epoch_37(run)]
        monkeypatch.setattr(offshoot, "outcome", lambda *_: Outcome("tiny-1.1"))
        started[-1].returncode = 0
        assert train(session) == "finished"
    assert [event.data for event in events(run, "offshoot")] == [{"wish": of_epoch_37(run).seq, "child": "tiny-1.1"}]
    assert planned.owed(entries(run)) == []


def test_a_branch_that_is_owed_is_started_once_the_recorded_epochs_are_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, wish = asking()
    for point in run.resume_points.glob("*.safetensors"):
        point.unlink()
    started = waiting(monkeypatch)
    with on(run) as session:
        train(session, 44)
        assert session.epoch == 44
        assert session.replaying
        assert not started
        train(session, 46)
        assert [process.wish for process in started] == [wish]
    assert [entry.what for entry in entries(run)].count("branch") == 1


def test_a_wish_of_an_older_version_is_nobodys_to_carry_out(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = asking()
    run.ledger.write_text(run.ledger.read_text().replace(', "owed": true', ""))
    started = waiting(monkeypatch)
    with on(run) as session:
        assert train(session) == "finished"
    assert not started


def test_what_a_parent_wished_for_is_no_branch_of_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    by_hand, by_plan = branches.create(run, 40), branches.create(run, 37, asked=wish.seq)
    grandchild = branches.create(by_hand, 39)
    started = waiting(monkeypatch)
    for child in (by_hand, by_plan, grandchild):
        assert "branch" in [entry.what for entry in entries(child)]
        with on(child) as session:
            assert train(session) == "finished"
    assert not started


def test_an_unpacked_run_makes_the_branch_that_it_owes_and_none_that_was_made_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owing, wish = asking()
    made = runs.create(tiny(PLAN))
    with monkeypatch.context() as patch:
        nobody_makes(patch)
        with on(made) as session:
            train(session, 60)
    started = waiting(monkeypatch)
    for run, wanted in ((made, []), (owing, [wish])):
        packing.pack(run, tmp_path / f"{run.name}.grok")
        (copy,) = packing.unpack(tmp_path / f"{run.name}.grok")
        with on(copy) as session:
            train(session, 70)
        assert [process.wish for process in started] == wanted


def entry(seq: int, epoch: int, what: str, **data: object) -> Entry:
    return Entry(seq, 0.0, epoch, what, True, "", data)


def wished(seq: int, epoch: int) -> Entry:
    return entry(seq, epoch, "branch", changes={}, owed=True)


@pytest.mark.parametrize(
    ("later", "owed"),
    [
        ((), [1, 2]),
        ((entry(3, 60, "offshoot", wish=1),), [2]),
        ((entry(3, 60, "amiss", wish=2),), [1]),
        ((entry(3, 45, "changed"),), [1]),  # the run went back there
        ((entry(3, 45, "resumed"),), [1, 2]),  # to compute again what is recorded
        ((entry(3, 45, "changed"), wished(4, 50)), [1, 4]),
        ((entry(3, 50, "branched"),), []),
        ((entry(3, 50, "branched"), wished(4, 60)), [4]),
        ((entry(3, 50, "branch", changes={}),), [1, 2]),
        ((entry(3, 50, "branch", changes={"--set": 1.0}, owed=True),), [1, 2]),
        ((entry(3, 50, "branch", changes={"lr": "x"}, owed=True),), [1, 2]),
        ((entry(3, 50, "branch", changes={"lr": 10**400}, owed=True),), [1, 2]),
        ((entry(3, 50, "branch", changes={"lr": float("nan")}, owed=True),), [1, 2]),
        ((entry(3, 50, "offshoot", wish=[1]), entry(4, 50, "amiss")), [1, 2]),
    ],
)
def test_the_ledger_says_which_branches_are_owed(later: tuple[Entry, ...], owed: list[int]) -> None:
    found = planned.owed([wished(1, 40), wished(2, 50), *later])
    assert [each.seq for each in found] == owed


def test_a_failed_branch_is_told_with_its_reason_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Run:
        raise RunError("no run can be made there (No space left on device)")

    monkeypatch.setattr(branches, "create", full)
    monkeypatch.setattr(
        offshoot, "start", lambda run, wish: Process(wish, int(bool(offshoot.carry_out(run, wish).failed)))
    )
    run = whole(PLAN)
    (told,) = events(run, "amiss")
    assert told.text == "no branch at epoch 37: no run can be made there (No space left on device)"
    assert told.data == {"wish": of_epoch_37(run).seq}
    assert (told.seq, told.text) in [(entry.seq, entry.text) for entry in entries(run)]
    assert planned.owed(entries(run)) == []
    monkeypatch.undo()


def test_a_resume_point_that_there_is_no_room_for_costs_neither_the_run_nor_the_branch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = checkpoint.write

    def full(path: Path, state: dict[str, torch.Tensor], epoch: int) -> None:
        if epoch == 37 and path.parent.name == "resume":
            raise RecordError(f"{path.name}: could not be written (No space left on device)")
        write(path, state, epoch)

    monkeypatch.setattr(checkpoint, "write", full)
    wanted = nobody_makes(monkeypatch)
    run = whole(PLAN)
    assert wanted == [of_epoch_37(run)]
    assert "without a resume point here: 00000037.safetensors: could not" in events(run, "branch")[0].text
    assert sorted(column(run, "train_loss")) == list(range(200))
    child = branches.create(run, 37, asked=wanted[0].seq)
    with on(child) as session:
        assert train(session) == "finished"
    assert final(child) == final(whole())


def test_a_branch_that_is_made_and_does_not_train_stays_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()

    def dead(*_: object) -> None:
        raise LaunchError("tiny-1.1 did not start: the trainer was killed by signal 9")

    with monkeypatch.context() as patch:
        patch.setattr(launch, "_launch", dead)
        found = offshoot.carry_out(run, wish)
    assert found == Outcome("tiny-1.1", "tiny-1.1 did not start: the trainer was killed by signal 9")
    monkeypatch.setattr(offshoot, "start", lambda _, wish: Process(wish, 1))
    with on(run) as session:
        assert train(session) == "finished"
    (told,) = events(run, "amiss")
    assert told.text == (
        "tiny-1.1 was branched off at epoch 37 and is not trained: "
        "tiny-1.1 did not start: the trainer was killed by signal 9"
    )
    (child,) = runs.children(run)
    with on(child) as session:
        assert train(session) == "finished"


@pytest.mark.parametrize(("code", "said"), [(-9, "was killed by signal 9"), (1, "ended with code 1")])
def test_a_process_that_ends_without_a_word_is_told_too(code: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offshoot, "start", lambda _, wish: Process(wish, code))
    (told,) = events(whole(PLAN), "amiss")
    assert told.text == f"no branch at epoch 37: its process {said}"


def test_a_process_that_cannot_be_started_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> subprocess.Popen[bytes]:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(launch, "spawn", none)
    (told,) = events(whole(PLAN), "amiss")
    assert "could not be started (Resource temporarily unavailable)" in told.text


def test_a_paused_run_hears_of_its_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting(monkeypatch)
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        ask(session, "pause")
        ask(session, "branch")
        train(session)
        assert not events(run, "offshoot")
        monkeypatch.setattr(offshoot, "outcome", lambda *_: Outcome("tiny-1.1"))
        started[0].returncode = 0
        assert train(session) == "paused"
    assert [event.text for event in events(run, "offshoot")] == ["tiny-1.1 was branched off at epoch 20"]


def test_only_so_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting(monkeypatch)
    monkeypatch.setattr(offshoot, "outcome", lambda _, wish, __: Outcome(f"of {wish.seq}"))
    run = runs.create(tiny("at 37: branch lr 0.1; branch lr 0.2; branch lr 0.3; branch lr 0.4; branch lr 0.5; branch"))
    with on(run) as session:
        train(session, 40)
        assert len(started) == offshoots.AT_ONCE == 4
        started[1].returncode = started[2].returncode = 0
        train(session, 50)
        assert len(started) == 6
        for process in started:
            process.returncode = 0
        assert train(session) == "finished"
    assert len({event.data["child"] for event in events(run, "offshoot")}) == 6


MANY = "at 37: branch lr 0.1; branch lr 0.2; branch lr 0.3; branch lr 0.4; branch lr 0.5; branch"


def test_the_end_of_a_run_waits_for_all_of_its_branches_as_long_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    started, now = waiting(monkeypatch), [0.0]
    monkeypatch.setattr(offshoots, "LINGER", 90.0)
    monkeypatch.setattr(offshoots, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(offshoot, "outcome", lambda _, wish, __: Outcome(f"of {wish.seq}"))
    run = runs.create(tiny(MANY, training__epochs=40))
    with on(run) as session:
        train(session, 39)
        session._stepper.advance(1)
        session.stepped(1, 1.0)
        for process in range(6):
            assert not session.attend()
            assert session.lingering
            now[0] += 60
            started[process].returncode = 0
        assert session.attend() == "finished"
    assert len(events(run, "offshoot")) == 6
    assert planned.owed(entries(run)) == []


def test_a_run_that_finishes_without_news_of_its_branches_says_so_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting(monkeypatch)
    monkeypatch.setattr(offshoots, "LINGER", 0.0)
    run = whole(MANY, training__epochs=40)
    assert len(started) == offshoots.AT_ONCE
    told = events(run, "amiss")
    assert [event.data["wish"] for event in told] == [event.seq for event in events(run, "branch")]
    assert "the branch at epoch 37: the run ends while it is still being made" in told[0].text
    assert told[-1].text == "no branch at epoch 37: the run ends while those before it are still being made"
    assert [entry.what for entry in entries(run)][-1] == "finished"
    assert planned.owed(entries(run)) == []


def test_the_end_of_a_run_waits_for_what_becomes_of_its_branch_with_all_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting(monkeypatch)
    run = runs.create(tiny("at 37: branch; stop"))
    with on(run) as session:
        while not session.lingering:
            assert not session.attend()
            if session.ready:
                session._stepper.advance(session.reach())
                session.stepped(1, 1.0)
        assert (run.resume_points / "00000037.safetensors").exists()
        assert not session.ready
        assert session.rest > 0, "who drives it would spin"
        started[0].returncode = -9
        assert session.attend() == "stopped"
    assert [entry.what for entry in entries(run)][-2:] == ["amiss", "stopped"]


def test_a_run_whose_end_waits_for_its_branch_is_measured_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started = waiting(monkeypatch)
    run = runs.create(tiny("at 37: branch", training__epochs=60))
    with on(run) as session:
        while not session.lingering:
            assert not session.attend()
            if session.ready:
                session._stepper.advance(steps := session.reach())
                session.stepped(steps, 1.0)
        for _ in range(5):
            assert not session.attend()
            assert session.lingering
        started[0].returncode = -9
        assert session.attend() == "finished"
    epochs = measured(run)
    assert epochs[-1] == 60
    assert epochs == sorted(set(epochs))


def test_who_wants_a_run_to_end_now_does_not_wait_long_and_the_branch_stays_owed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = waiting(monkeypatch)
    run = runs.create(tiny("at 37: branch"))
    with on(run) as session:
        train(session, 40)
        session.stop("stopped by SIGTERM")
        assert session.attend() == ""
        monkeypatch.setattr(offshoots, "HURRY", 0.0)
        session.stop("stopped by SIGTERM")
        assert session.attend() == "stopped"
    monkeypatch.undo()
    started = waiting(monkeypatch)
    with on(run) as session:
        train(session, 45)
        assert [process.wish.epoch for process in started] == [37]


def test_a_child_that_a_plan_asked_for_is_made_by_a_process_and_told() -> None:
    run = runs.create(tiny(PLAN))
    with on(run) as session:
        assert train(session) == "finished"
    (child,) = runs.children(run)
    (told,) = events(run, "offshoot")
    assert told.text == f"{child.name} was branched off at epoch 37"
    until(lambda: child.state.get("state") == "finished")
    assert not [e for e in ledger.read(child.ledger) if e.what in ("offshoot", "amiss")]
