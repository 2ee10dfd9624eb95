"""Which way a control went, in words: a schedule is more than its first and its last value."""

from __future__ import annotations

from grok_tui import aligning, around, comparing, effects, ways
from grok_tui.comparing import Difference
from grok_tui.protocol import Event
from grok_tui.state import RunState
from tests.compare.made import branched, changed, ended, grokked, learned, run, scheduled

LINEAR = "set weight_decay linear 3 -> 0.1 over 300"
COSINE = "set weight_decay cosine 3 -> 0.1 over 300"


def path(*events: Event, since: int = 0) -> str:
    return ways.path(run(events=events), "weight_decay", since)


def after(line: str) -> RunState:
    """A run that followed a schedule from 50 on, to its end."""
    return run("a", [scheduled(50, line), ended(350, 0.1)], test_loss=grokked(7000))


def test_two_runs_that_followed_other_schedules_between_the_same_ends_differ() -> None:
    assert comparing.differences([after(LINEAR), after(COSINE)]) == [
        Difference("weight decay", ("1, linear 3 → 0.1 from 50 to 350", "1, cosine 3 → 0.1 from 50 to 350"))
    ]
    assert not comparing.differences([after(LINEAR), after(LINEAR)])


def test_a_schedule_that_has_ended_is_the_same_before_anybody_says_so() -> None:
    assert not comparing.differences([after(LINEAR), run("b", [scheduled(50, LINEAR)])])


def test_a_schedule_that_was_cut_short_says_where_and_how_long_it_would_have_been() -> None:
    assert path(scheduled(50, LINEAR), changed(200, 2.0)) == "1, linear 3 → 0.1 over 300 from 50 to 200, 2 from 200"
    assert path(scheduled(50, LINEAR), changed(400, 2.0)) == "1, linear 3 → 0.1 from 50 to 350, 2 from 400"


def test_steps_are_told_with_and_without_an_end() -> None:
    assert path(scheduled(50, "set weight_decay step 3 *0.5 every 100")) == "1, step 3 × 0.5 every 100 from 50"
    assert path(scheduled(50, "set weight_decay step 3 *0.5 every 100 times 4")) == (
        "1, step 3 × 0.5 every 100, 4 times from 50 to 450"
    )


def test_within_a_schedule_the_value_of_that_very_epoch_is_told_and_after_it_its_last() -> None:
    assert path(scheduled(50, LINEAR), since=150) == "2.033 on linear 3 → 0.1 from 50 to 350"
    assert path(scheduled(50, LINEAR), since=50) == "linear 3 → 0.1 from 50 to 350"
    assert path(scheduled(50, LINEAR), ended(350, 0.1), since=350) == "0.1"


def test_values_that_read_alike_are_told_exactly() -> None:
    runs = [run("a", [changed(100, value)]) for value in (0.30001, 0.30002)]
    assert ways.paths(runs, "weight_decay") == ("1, 0.30001 from 100", "1, 0.30002 from 100")


def test_runs_that_differ_in_the_midst_of_many_changes_differ() -> None:
    def through(middle: float) -> RunState:
        return run("a", [changed(100 * n, middle if n == 4 else float(n + 1)) for n in range(1, 9)])

    assert len(comparing.differences([through(5.0), through(50.0)])) == 1


def test_a_branch_out_of_a_schedule_is_told_against_what_the_parent_went_on_with() -> None:
    squares = {e: float(e) for e in range(0, 401, 50)}
    past = [scheduled(50, LINEAR)]
    parent = run("parent", [*past, ended(350, 0.1)], sum_of_squares=squares, test_loss=grokked(7000, 400, 50))
    child = run("child", [*past, branched(150), changed(150, 3.0, 2.033)], sum_of_squares={**squares, 200: 0.0},
                test_loss=grokked(7000, 400, 50))  # fmt: skip
    found = effects.of(child, parent, 150)
    assert found.cause == ("from epoch 150: weight decay 3 (2.033 on linear 3 → 0.1 from 50 to 350 in the parent)")
    assert not found.caveats  # the schedule's end is no change of its own


def test_before_and_after_tell_a_schedule_as_one_change_and_its_end_as_none() -> None:
    state = after(LINEAR)
    assert [each.change for each in around.every(state)] == ["weight decay linear 3 → 0.1 from 50 to 350"]


def test_runs_are_aligned_by_what_was_done_to_them_and_not_by_the_end_of_a_schedule() -> None:
    state = run("a", [changed(20, 2.0), scheduled(50, LINEAR), ended(350, 0.1)], train_accuracy=learned())
    zeros = [aligning.Alignment(name).zero(state) for name in ("change", "last-change", "change:3")]
    assert zeros == [20, 50, None]


def test_a_rule_that_went_on_from_another_value_in_the_parent_is_no_other_change() -> None:
    halved = "set weight_decay step {} *0.5 every 20"
    loss, squares = grokked(7000, 400, 50), {e: float(e) for e in range(0, 401, 50)}
    parent = run("parent", [scheduled(200, halved.format(1), 1.0)], sum_of_squares=squares, test_loss=loss)
    events = [branched(100), changed(100, 3.0), scheduled(200, halved.format(3), 3.0)]
    child = run("child", events, sum_of_squares={**squares, 150: 0.0}, test_loss=loss)
    assert not effects.of(child, parent, 100).caveats
    anew = [*events[:2], scheduled(200, halved.format(2), 3.0)]  # this one says itself where it begins
    other = run("child", anew, sum_of_squares={**squares, 150: 0.0}, test_loss=loss)
    assert effects.of(other, parent, 100).caveats
