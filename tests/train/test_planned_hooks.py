"""Hooks that a plan runs."""

from __future__ import annotations

import pytest

from grok_tui import planned, runs
from tests.train.stage import (
    Killed,
    Mortal,
    ask,
    done,
    entries,
    events,
    on,
    tiny,
    train,
    whole,
)

pytestmark = pytest.mark.usefixtures("own_home")


def test_a_hook_runs_only_if_this_trainer_was_given_one() -> None:
    run = runs.create(tiny("at 20: hook", notify__bell=True, training__epochs=30))
    with on(run) as session:
        train(session)
    assert not events(run, "hook")
    why = "no hook was given when this trainer started: resume the run with --hook COMMAND"
    assert done(run)[1:] == [
        (20, "amiss", f"the hook was not run, by plan 1: {why}"),
        (20, "fired", f"plan 1 failed: at 20: hook; {why}"),
    ]
    assert events(run, "fired")[0].data == {"id": 1, "failed": why}
    run = runs.create(tiny("at 20: hook", training__epochs=30))
    with on(run, "echo $GROK_TUI_EPOCH $GROK_TUI_WHY > told.part; mv told.part told") as session:
        train(session)
        while session.hook.look():
            pass
    assert (run.path / "told").read_text() == "20 hook started, by plan 1\n"
    assert [e.text for e in events(run, "hook")] == ["hook started, by plan 1"]


def test_a_hook_that_was_not_given_fails_its_rule_also_when_a_kill_comes_in_between() -> None:
    plan_ = "at 20: hook; set lr 0.02"
    whole_ = planned.of(entries(whole(plan_, training__epochs=30))).rules[1]
    assert whole_.fired == 20
    assert whole_.failed.startswith("no hook was given")
    for moment in ("written", "told"):
        for at in range(3):
            run = runs.create(tiny(plan_, training__epochs=30))
            with on(run) as session:
                Mortal(at, moment).attach(session)
                with pytest.raises(Killed):
                    train(session)
            with on(run, "true") as session:
                train(session)
            assert planned.of(entries(run)).rules[1] == whole_, (moment, at)


def test_a_hook_that_fails_is_told_in_the_run() -> None:
    run = runs.create(tiny("at 20: hook", training__epochs=60))
    with on(run, "echo no such number >&2; exit 7") as session:
        train(session, 21)
        while session.hook.look():
            pass
        train(session)
    (told,) = events(run, "amiss")
    assert told.text == "hook for fitting failed with status 7: no such number"
    assert 20 <= told.epoch <= 60


def test_a_rule_for_a_hook_that_was_not_given_is_refused() -> None:
    run = runs.create(tiny())
    with on(run) as session:
        train(session, 20)
        for line in ("hook", "pause; hook", "in 5: hook", "when cleanup: checkpoint; hook"):
            taken, text = session.planner.order(line)
            assert not taken
            assert text == "no hook was given when this trainer started: resume the run with --hook COMMAND"
        assert done(run) == []
    with on(run, "true") as session:
        train(session, 20)
        assert ask(session, "at 30: hook") == "plan 1: at 30: hook"
