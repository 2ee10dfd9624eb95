"""Who carries out a wish for a branch finds what was done for it: one branch at most, also once it is deleted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from grok_tui import branches, offshoot, removal, runs
from grok_tui.errors import RunError
from grok_tui.offshoot import Outcome
from grok_tui.runs import Run
from tests.train.offspring import Process, asking, untrained
from tests.train.stage import events, on, train

pytestmark = pytest.mark.usefixtures("own_home")


def test_a_wish_that_is_carried_out_twice_makes_one_branch_with_one_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    begun = untrained(monkeypatch)
    first = offshoot.carry_out(run, wish)
    (child,) = runs.children(run)
    assert first == Outcome(child.name)
    assert child.lineage is not None
    assert (child.lineage.epoch, child.lineage.changes, child.lineage.asked) == (37, {"weight_decay": 9.0}, wish.seq)
    child.write_state({"state": "running"})
    assert offshoot.carry_out(run, wish) == first
    assert runs.children(run) == [child]
    assert begun == [child]


def test_a_branch_whose_maker_was_killed_before_it_wrote_that_down_is_known_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, wish = asking()
    begun = untrained(monkeypatch)
    child = branches.create(run, 37, wish.changes, asked=wish.seq)
    assert offshoot.carry_out(run, wish) == Outcome(child.name)
    assert runs.children(run) == begun == [child]


def test_two_who_carry_out_one_wish_at_a_time_make_one_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    untrained(monkeypatch)
    create, inside, go, found = branches.create, threading.Event(), threading.Event(), list[Outcome]()

    def slow(*args: object, **named: object) -> Run:
        inside.set()
        assert go.wait(20)
        return create(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(branches, "create", slow)
    rivals = [threading.Thread(target=lambda: found.append(offshoot.carry_out(run, wish))) for _ in range(2)]
    for rival in rivals:
        rival.start()
    assert inside.wait(20)
    go.set()
    for rival in rivals:
        rival.join(20)
    (child,) = runs.children(run)
    assert found == [Outcome(child.name)] * 2


def test_a_branch_that_was_deleted_is_not_brought_back(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    untrained(monkeypatch)
    offshoot.carry_out(run, wish)
    (child,) = runs.children(run)
    removal.delete([child])
    with on(run) as session:  # its trainer was killed, and has no answer
        monkeypatch.setattr(
            offshoot, "start", lambda run, wish: Process(wish, int(bool(offshoot.carry_out(run, wish).failed)))
        )
        assert train(session) == "finished"
    assert runs.children(run) == []
    assert [event.data for event in events(run, "offshoot")] == [{"wish": wish.seq, "child": child.name}]
    assert not events(run, "amiss")


def test_a_branch_that_was_deleted_is_not_brought_back_though_its_maker_was_killed_before_it_wrote_that_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, wish = asking()
    begun = untrained(monkeypatch)
    child = branches.create(run, 37, wish.changes, asked=wish.seq)
    by_hand = branches.create(run, 20)
    removal.delete([child, by_hand])
    assert offshoot.carry_out(run, wish) == Outcome(child.name)
    assert runs.children(run) == begun == []


def test_another_run_of_a_deleted_branchs_name_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    begun = untrained(monkeypatch)
    offshoot.carry_out(run, wish)
    removal.delete(runs.children(run))
    other = branches.create(run, 20)
    assert other == begun[0]
    assert offshoot.carry_out(run, wish) == Outcome(other.name)
    assert len(begun) == 1


def test_a_failure_that_nobody_heard_of_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    run, wish = asking()
    untrained(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(branches, "create", lambda *_, **__: (_ for _ in ()).throw(RunError("no")))
        assert offshoot.carry_out(run, wish) == offshoot.outcome(run, wish, 1) == Outcome(failed="no")
    (found,) = [offshoot.carry_out(run, wish)]
    assert found == offshoot.outcome(run, wish, 0) == Outcome(runs.children(run)[0].name)


def test_of_a_process_that_is_cut_short_the_branch_itself_tells_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, wish = asking()
    untrained(monkeypatch)
    assert offshoot.outcome(run, wish, -9) == Outcome("", "its process was killed by signal 9")
    child = branches.create(run, 37, asked=wish.seq)
    assert offshoot.outcome(run, wish, -9) == Outcome(child.name, "its process was killed by signal 9")
    assert offshoot.carry_out(run, wish) == Outcome(child.name)
    assert offshoot.outcome(run, wish, -9) == Outcome(child.name, "its process was killed by signal 9")
    assert offshoot.outcome(run, wish, 0) == Outcome(child.name)
    child.write_state({"state": "running"})
    assert offshoot.outcome(run, wish, -9) == Outcome(child.name)
    for paper in (run.path / "offshoots").iterdir():
        paper.unlink()
    assert offshoot.outcome(run, wish, 0) == Outcome(child.name)


def test_a_place_that_cannot_be_written_is_a_reason(tmp_path: Path) -> None:
    run, wish = asking()
    (run.path / "offshoots").write_text("")
    assert offshoot.carry_out(run, wish).failed == f"{run.path / 'offshoots'}: cannot be written (File exists)"
    assert tmp_path in run.path.parents
