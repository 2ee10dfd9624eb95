"""Rules and schedules of a run in training: exact, once, and the same through kills, pauses and resumes."""

from __future__ import annotations

import pytest

from grok_tui import plan, runs
from grok_tui.config import Config
from grok_tui.errors import PlanError
from grok_tui.plan import Ramp
from grok_tui.runs import Run
from grok_tui.science.phases import Boundary, Phase
from grok_tui.train.cadence import next_measure
from grok_tui.train.watch import PhaseWatch
from tests.science.curves import recorded
from tests.train.stage import (
    Killed,
    Mortal,
    ask,
    column,
    done,
    entries,
    events,
    final,
    measured,
    on,
    tiny,
    train,
    whole,
)

pytestmark = pytest.mark.usefixtures("own_home")

SERIES = ("train_loss", "train_accuracy", "test_loss", "sum_of_squares", "weight_decay", "lr")


def same(one: Run, other: Run) -> None:
    """Bit for bit."""
    for name in SERIES:
        assert column(one, name) == column(other, name), name
    assert final(one) == final(other)


def test_a_rule_at_an_epoch_is_first_felt_by_the_step_from_it() -> None:
    plain, steered = whole(training__epochs=60), whole("at 37: set lr 0", training__epochs=60)
    one, other = column(plain, "train_loss"), column(steered, "train_loss")
    assert all(one[epoch] == other[epoch] for epoch in range(38))
    assert other[38] == other[37] != one[38]
    assert done(steered) == [
        (0, "planned", "plan 1: at 37: set lr 0"),
        (37, "changed", "lr 0.01 → 0, by plan 1"),
        (37, "fired", "plan 1 done: at 37: set lr 0"),
    ]


def test_a_rule_that_was_typed_equals_the_same_change_by_hand() -> None:
    by_hand = runs.create(tiny(training__epochs=60))
    with on(by_hand) as session:
        train(session, 37)
        ask(session, "set weight_decay 3")
        train(session)
    same(by_hand, whole("at 37: set weight_decay 3", training__epochs=60))


def test_a_condition_is_looked_at_when_the_run_is_measured() -> None:
    losses = column(whole(training__epochs=100), "test_loss")
    measured = sorted(losses)
    value = losses[measured[12]] * 0.5 + losses[measured[13]] * 0.5
    rising = losses[measured[13]] > value
    first = next(e for e in measured[1:] if (losses[e] > value) == rising)
    run = whole(f"when test_loss {'>' if rising else '<'} {value!r}: set lr 0", training__epochs=100)
    assert [e.epoch for e in events(run, "changed")] == [first]


def test_a_run_that_was_paused_where_it_is_measured_is_measured_there_once() -> None:
    epochs = measured(whole("at 50: pause", training__epochs=60))
    assert 50 in epochs
    assert epochs == sorted(set(epochs))


def test_so_many_epochs_after_a_condition_is_an_exact_epoch() -> None:
    run = whole("when train_accuracy > -1 + 17: checkpoint", training__epochs=60)
    assert done(run) == [
        (0, "planned", "plan 1: when train_accuracy > -1 + 17: checkpoint"),
        (1, "planned", "plan 1: train_accuracy > -1 + 17; at 18: checkpoint"),
        (18, "checkpoint", "saved resume/00000018.safetensors, by plan 1"),
        (18, "fired", "plan 1 done: at 18: checkpoint"),
    ]


def test_a_phase_counts_from_when_it_is_called_and_when_the_run_is_in_it_already() -> None:
    run = runs.create(tiny("when fitting: set lr 0.02", training__epochs=100))
    with on(run) as session:
        train(session, 50)
        assert ask(session, "when fitting: pause") == f"plan 2: when fitting: pause; now {session.phases.present}"
        assert train(session) == ("paused" if session.phases.present == "fitting" else "finished")
    assert events(run, "changed")[0].epoch == 1
    if events(run, "paused"):
        assert events(run, "paused")[0].epoch == next_measure(50, 10)


def test_what_is_due_at_one_epoch_is_done_in_the_order_of_the_rules_pause_or_not() -> None:
    run = runs.create(tiny("at 20: pause; set lr 0.5", "at 20: set weight_decay 2", training__epochs=30))
    with on(run) as session:
        assert train(session) == "paused"
        assert session.controls.values == {"lr": 0.5, "weight_decay": 2.0}
        assert [e.what for e in events(run, "fired")] == ["fired", "fired"]
        ask(session, "continue")
        assert train(session) == "finished"


def test_a_rule_for_now_is_carried_out_now() -> None:
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        assert ask(session, "pause; checkpoint") == "paused; saved resume/00000020.safetensors"
        assert ask(session, "at 20: set lr 0.5") == "plan 1 done: at 20: set lr 0.5"
        assert session.controls.values["lr"] == 0.5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("at 5: pause", "epoch 5 is past: the run is at 20"),
        ("at 5000: pause", "the run ends at epoch 200 and never comes to 5,000"),
        ("at 200: branch lr 0.1", "the run ends at epoch 200, where no branch can begin"),
        ("in 180: pause; branch", "the run ends at epoch 200, where no branch can begin"),
        ("when test_los < 1: pause", "did you mean 'test_loss'?"),
        ("unplan 7", "no rule is pending"),
        ("until 20", "the run is at epoch 20"),
        ("until train_loss > -1", "train_loss > -1 is so already"),
        ("set lr 2", "out of bounds"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(line: str, reason: str) -> None:
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        taken, text = session.planner.order(line)
        assert not taken
        assert reason in text
        assert done(run) == []


@pytest.mark.parametrize("line", ["branch", "branch lr 0.1; branch lr 0.2"])
def test_a_run_that_is_at_its_end_is_asked_for_no_branch(line: str) -> None:
    run = runs.create(tiny("at 40: pause", training__epochs=40))
    with on(run) as session:
        assert train(session) == "paused"
        assert session.planner.order(line) == (False, "the run ends at epoch 40, where no branch can begin")
        assert not events(run, "branch")
        assert [event.what for event in events(run, "planned")] == ["planned"]


def test_a_run_does_not_go_on_until_a_phase_that_is_over() -> None:
    samples, _ = recorded("demo")
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        session.planner.order("pause")
        for sample in samples:
            session.phases.add(sample)
        assert session.phases.present == "generalized"
        for phase in ("cleanup", "cleanup + 500", "memorization"):
            for line in (f"until {phase}", f"when {phase}: checkpoint"):
                taken, text = session.planner.order(line)
                assert not taken
                assert f"{phase.partition(' ')[0]} is over: it began at epoch" in text
                assert "the run is now generalized, since epoch" in text
        assert "now generalized" in ask(session, "when degraded: checkpoint")
        assert session.paused
        assert "on until degraded" in ask(session, "until degraded")


def test_a_run_that_is_stalled_may_go_on_until_the_phase_that_stalled_or_a_later_one() -> None:
    watch = PhaseWatch(tiny())
    phases = (Phase.FITTING, Phase.MEMORIZATION, Phase.CLEANUP, Phase.STALLED)
    watch._fold._boundaries = [Boundary(phase, 100 * i, 100 * i) for i, phase in enumerate(phases)]
    watch._fold.phase = Phase.STALLED
    assert [phase.value for phase in Phase if watch.gone_by(phase)] == ["fitting", "memorization", "circuit formation"]
    assert watch.gone_by(Phase.CIRCUIT_FORMATION) == (
        "circuit formation comes before cleanup: the run is now stalled, since epoch 300"
    )
    watch._fold._boundaries.append(Boundary(Phase.DEGRADED, 400, 400))
    assert [phase.value for phase in Phase if watch.gone_by(phase)] == ["fitting"]


def test_a_plan_that_cannot_be_read_starts_no_run() -> None:
    with (
        pytest.raises(PlanError, match="'test_los' is no series; did you mean 'test_loss'"),
        on(runs.create(tiny("when test_los < 1: pause"))),
    ):
        pass


def test_a_rule_that_is_taken_back_does_nothing() -> None:
    run = runs.create(tiny("at 30: stop", training__epochs=60))
    with on(run) as session:
        train(session, 20)
        assert ask(session, "unplan 1") == "plan 1 taken back: at 30: stop"
        assert train(session) == "finished"


def test_a_schedule_gives_each_step_its_own_value_and_ends_by_itself() -> None:
    run = whole("at 20: set weight_decay linear 1 -> 0 over 50", training__epochs=100)
    assert column(run, "weight_decay") == {e: 1 - (e - 20) / 50 for e in range(20, 70)}
    assert [(e.epoch, e.what, e.data["value"]) for e in (*events(run, "scheduled"), *events(run, "changed"))] == [
        (20, "scheduled", 1.0),
        (70, "changed", 0.0),
    ]


def test_a_schedule_equals_a_change_at_every_epoch() -> None:
    ramp = Ramp("weight_decay", "cosine", 3.0, 0.5, 25)
    stairs = [f"at {20 + after}: set weight_decay {plan.exact(ramp.value(after))}" for after in range(26)]
    one = whole(*stairs, training__epochs=60)
    other = whole(f"at 20: {ramp}", training__epochs=60)
    assert column(one, "train_loss") == column(other, "train_loss")
    assert final(one) == final(other)


def test_a_change_by_hand_ends_a_schedule() -> None:
    run = runs.create(tiny("at 20: set weight_decay linear 1 -> 0 over 50", training__epochs=100))
    with on(run) as session:
        train(session, 45)
        assert session.controls.values["weight_decay"] == 0.5
        assert ask(session, "set weight_decay 0.5") == "weight_decay 0.5 → 0.5, its schedule ends"
        train(session)
    assert max(column(run, "weight_decay")) == 44
    assert [e.epoch for e in events(run, "changed")] == [45]


@pytest.mark.parametrize("kill", [25, 39, 40, 41, 55, 69, 70, 71, 90])
def test_a_schedule_goes_on_after_a_kill_as_if_there_had_been_none(kill: int) -> None:
    lines = ("at 20: set weight_decay linear 1 -> 0 over 50", "at 33: set lr step *0.5 every 9 times 3")
    run = runs.create(tiny(*lines, training__epochs=100))
    with on(run) as session:
        train(session, kill)
        session.settle()
    with on(run) as session:
        assert train(session) == "finished"
    same(run, whole(*lines, training__epochs=100))
    assert "bit for bit" in events(run, "replayed")[0].text if kill % 40 else True
    assert [e.epoch for e in events(run, "changed")] == [60, 70]


PLAN = (
    "at 20: set lr 0.02; checkpoint; set weight_decay 2",
    "when train_loss > -1 + 31: set weight_decay linear -> 0.1 over 25",
    "at 45: set lr 0.02; set lr 0.005",
    "when weight_decay < 1: set lr 0.03; set weight_decay 7",
)


def kept(run: Run) -> list[tuple[int, str, str]]:
    return [entry for entry in done(run) if entry[1] not in ("paused", "continued")]


def test_a_kill_at_any_line_of_the_ledger_loses_nothing_and_does_nothing_twice() -> None:
    uninterrupted = whole(*PLAN, training__epochs=100)
    count = len(entries(uninterrupted))
    assert count > 15
    for moment in ("before", "written", "told"):
        for at in range(count - len(PLAN) - 1):
            run = runs.create(tiny(*PLAN, training__epochs=100))
            with on(run) as session:
                Mortal(at, moment).attach(session)
                with pytest.raises(Killed):
                    train(session)
            with on(run) as session:
                assert train(session) == "finished", (moment, at)
            assert kept(run) == kept(uninterrupted), (moment, at)
            same(run, uninterrupted)


def test_a_plan_that_is_half_written_at_a_kill_is_whole_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from grok_tui.train.session import Session

    run, intervene, left = runs.create(tiny(*PLAN, training__epochs=60)), Session.intervene, [2]

    def mortal(session: Session, what: str, text: str, **data: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        intervene(session, what, text, **data)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "intervene", mortal)
        with pytest.raises(Killed):
            on(run).__enter__()
    with on(run) as session:
        train(session)
    assert kept(run) == kept(whole(*PLAN, training__epochs=60))


def test_run_goes_so_far_and_pauses_and_a_goal_outlives_a_kill() -> None:
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        assert ask(session, "run 7") == "on until epoch 27"
        assert train(session) == "paused"
        assert session.epoch == 27
        assert ask(session, "step") == "on until epoch 28"
        assert train(session) == "paused"
        assert session.epoch == 28
        assert "on until test_loss < 1e-09" in ask(session, "until test_loss < 1e-9")
        ask(session, "until 90")
        train(session, 50)
    with on(run) as session:
        assert train(session) == "paused"
        assert session.epoch == 90
        assert session.planner.plans.goal is None


def test_a_pause_by_hand_drops_the_goal() -> None:
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        ask(session, "run 50")
        train(session, 30)
        ask(session, "pause")
        ask(session, "continue")
        assert train(session) == "finished"


def test_a_schedule_that_makes_a_run_diverge_is_taken_back_on_resume() -> None:
    from grok_tui.errors import RunError

    run = runs.create(tiny("at 60: set weight_decay linear 1 -> 1000 over 5; set lr 1"))
    with pytest.raises(RunError, match="diverged"), on(run) as session:
        train(session)
    with on(run) as session:
        train(session, 60)
        assert session.paused
        assert session.controls.values == {"weight_decay": 1.0, "lr": 0.01}
        ask(session, "continue")
        assert train(session) == "finished"
    assert column(run, "train_loss")[199] < 10


def test_the_phases_know_the_value_of_a_schedule() -> None:
    run = runs.create(tiny("at 20: set weight_decay linear 1 -> 0 over 100"))
    with on(run) as session:
        train(session, 71)
        assert session.phases._fold.last is not None
        assert session.phases._fold.last.weight_decay == 0.5


def test_a_configuration_keeps_its_plan() -> None:
    from grok_tui import config as configs

    config = tiny("when cleanup: pause")
    run = runs.create(config)
    assert run.config == config
    assert configs.from_tables(configs.to_tables(config), "") == config
    assert "plan" not in configs.to_tables(Config())
