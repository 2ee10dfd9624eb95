"""What a branch takes over of its parent's plan, and branches that a plan asks for."""

from __future__ import annotations

import pytest

from grok_tui import branches, launch, ledger, offshoot, planned, runs
from grok_tui.runs import Run
from tests.train.offspring import nobody_makes
from tests.train.stage import ask, column, done, entries, final, on, tiny, train, whole
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")


def child_of(run: Run, epoch: int, before: int | None = None, asked: int | None = None) -> Run:
    child = branches.create(run, epoch, before=before, asked=asked)
    with on(child) as session:
        assert train(session) == "finished"
    return child


def test_a_branch_by_a_rule_does_not_do_what_the_rule_does_next(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = nobody_makes(monkeypatch)
    run = whole("at 37: branch; set weight_decay 9", "at 37: set lr 0.02", "at 60: set lr 0.001")
    (wish,) = wanted
    assert (wish.epoch, wish.changes) == (37, {})
    assert (run.resume_points / "00000037.safetensors").exists()
    child = child_of(run, 37, asked=wish.seq)
    plain = whole("at 37: set lr 0.02", "at 60: set lr 0.001")
    assert column(child, "train_loss") == column(plain, "train_loss")
    assert final(child) == final(plain) != final(run)


def test_each_rule_that_branches_makes_one_branch_which_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = nobody_makes(monkeypatch)
    lines = ("at 37: branch lr 0.02", "at 37: branch lr 0.03; set lr 0.04", "at 60: branch", "at 90: set lr 0.001")
    run = whole(*lines)
    made = [child_of(run, wish.epoch, asked=wish.seq) for wish in tuple(wanted)]
    assert len(wanted) == 3, "the children asked for more"
    given_up = [[e.data["id"] for e in entries(child) if e.what == "unplanned"] for child in made]
    assert given_up == [[1, 2, 3], [2, 3], [3]]
    assert f"plan 3 is {run.name}'s alone: at 60: branch" in [e.text for e in entries(made[0])]
    assert [child.lineage.without for child in made if child.lineage] == ["", "", ""]
    assert all((90, "fired", "plan 4 done: at 90: set lr 0.001") in done(child) for child in made)
    by_hand = child_of(run, 36)
    assert [e.data["id"] for e in entries(by_hand) if e.what == "unplanned"] == [], (
        "all of its parent's plan is its own"
    )


def test_a_branch_that_was_typed_does_not_take_in_what_was_typed_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = nobody_makes(monkeypatch)
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 37)
        for line in ("pause", "set lr 0.02", "branch", "set weight_decay 9"):
            ask(session, line)
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    assert offshoot.main([str(run.path), str(wanted[0].epoch), str(wanted[0].seq)]) == 0
    (child,) = runs.children(run)
    changes = [(e.data["control"], e.data["value"]) for e in entries(child) if e.what == "changed"]
    assert changes == [("lr", 0.02)]
    assert child.lineage is not None
    assert child.lineage.without == ""
    with on(child) as session:
        assert train(session) == "finished"
    assert final(child) == final(whole("at 37: set lr 0.02"))


def test_a_branch_inherits_the_rules_and_the_schedule_that_its_parent_had() -> None:
    lines = ("at 20: set weight_decay linear 1 -> 0 over 100", "at 90: set lr 0.02", "at 30: checkpoint")
    run = whole(*lines)
    child = child_of(run, 55)
    assert column(child, "train_loss") == column(run, "train_loss")
    assert column(child, "weight_decay") == column(run, "weight_decay")
    assert final(child) == final(run)
    assert [rule.id for rule in planned.of(ledger.read(child.ledger)).fired] == [1, 3, 2]


def test_what_a_rule_did_can_be_left_out_as_if_it_had_never_been() -> None:
    run = whole("at 37: set weight_decay 9", "at 60: set lr 0.001")
    change = next(e for e in entries(run) if e.what == "changed")
    child = child_of(run, 37, change.seq)
    assert final(child) == final(whole("at 60: set lr 0.001"))
    assert (37, "unplanned", f"plan 1 is {run.name}'s alone: at 37: set weight_decay 9") in done(child)


@pytest.mark.parametrize(("epoch", "what"), [(0, "planned"), (30, "changed"), (30, "fired"), (0, "changed")])
def test_a_rule_that_is_undone_does_nothing_however_early_the_branch_begins(epoch: int, what: str) -> None:
    run = whole("at 37: set weight_decay 9", "at 60: set lr 0.001")
    left_out = next(e for e in entries(run) if e.what == what)
    child = child_of(run, epoch, left_out.seq)
    assert not [e for e in entries(child) if e.what == "changed" and e.data["control"] == "weight_decay"]
    assert child.lineage is not None
    assert child.lineage.without == left_out.text
    if what == "planned":  # the second rule was planned after it
        assert final(child) == final(whole())
    else:
        assert final(child) == final(whole("at 60: set lr 0.001"))


def test_a_branch_from_the_beginning_has_its_parents_plan_once() -> None:
    run = whole("at 37: set weight_decay 9")
    child = child_of(run, 0)
    assert final(child) == final(run)
    assert [e.what for e in entries(child)].count("planned") == 1


def test_a_plan_makes_a_branch_in_a_process_of_its_own_and_trains_on() -> None:
    run = runs.create(tiny("at 37: branch weight_decay 9; set lr 0.02"))
    with on(run) as session:
        assert train(session) == "finished"
    until(lambda: runs.children(run), "the branch")
    made = runs.children(run)
    assert made[0].lineage is not None
    assert (made[0].lineage.epoch, made[0].lineage.changes) == (37, {"weight_decay": 9.0})
    steps = [(e.epoch, e.what, e.data.get("control")) for e in entries(made[0]) if e.what in ("changed", "unplanned")]
    assert steps == [(37, "unplanned", None), (37, "changed", "weight_decay")]
