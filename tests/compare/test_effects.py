"""What a change did, in numbers and a sentence, on curves whose answers can be told by looking at them."""

from __future__ import annotations

import math

import pytest

from grok_tui import effects
from grok_tui.effects import Effect, Row
from grok_tui.protocol import Event
from grok_tui.state import RunState
from tests.compare.made import accurate, branched, changed, grokked, learned, run

SINCE = 6000
RAISED = (branched(SINCE), changed(SINCE, 3.0))


def one(at: int, until: int = 12_000, every: int = 100, events: tuple = RAISED) -> RunState:  # type: ignore[type-arg]
    """A run that falls below chance just before `at`; its branch has its weight decay raised."""
    squares = {6100: 2000.0 + sum(event.what == "changed" for event in events)}  # what is changed differs somewhere
    loss = grokked(at, until, every)
    return run(events=events, test_loss=loss, train_accuracy=learned(until=until), sum_of_squares=squares)


def parent(at: int, until: int = 12_000, every: int = 100) -> RunState:
    return one(at, until, every, ())


def sentence(child: RunState, other: RunState) -> str:
    return effects.of(child, other, SINCE).sentence


def row(effect: Effect, name: str) -> Row:
    return next(row for row in effect.rows if row.name.startswith(name))


def test_earlier_in_epochs() -> None:
    assert sentence(one(7000), parent(9100)) == (
        "test loss fell below chance 2,100 epochs earlier than in the parent (at 6,964, there at 9,064; known to ±100)"
    )


def test_later_in_epochs() -> None:
    assert sentence(one(9100), parent(7000)).startswith("test loss fell below chance 2,100 epochs later than in")


def test_a_tie() -> None:
    assert sentence(one(9000), parent(9000, every=50)) == (
        "test loss fell below chance when it did in the parent, as far as the measures tell "
        "(at 8,964, there at 8,982; known to ±82)"
    )


def test_measures_that_lie_far_apart_claim_no_difference() -> None:
    assert "when it did in the parent" in sentence(one(9000, every=1000), parent(8700, every=100))
    assert "earlier than in the parent" in sentence(one(8000, every=1000), parent(9100, every=100))


def test_the_branch_has_got_there_and_the_parent_never_did() -> None:
    assert sentence(one(7000), parent(99_000)) == (
        "test loss fell below chance at 6,964; not within 12,000 epochs in the parent: at least 5,000 epochs earlier"
    )


def test_the_branch_has_not_got_there_and_the_parent_had_long_been_there() -> None:
    assert sentence(one(99_000), parent(9800, until=20_000)) == (
        "test loss has not fallen below chance within 12,000 epochs; the parent at 9,764: at least 2,200 epochs later"
    )


def test_the_branch_is_not_as_far_yet_as_the_parent_was_then() -> None:
    assert sentence(one(99_000, until=8000), parent(9800)) == (
        "test loss has not fallen below chance by 8,000, where this run is; the parent at 9,764: not comparable yet; "
        "at 8,000 test loss is what it is in the parent (20)"
    )


def test_the_parent_was_given_up_before_the_branch_got_there() -> None:
    assert sentence(one(9800), parent(99_000, until=8000)) == (
        "test loss fell below chance at 9,764; the parent is known up to 8,000 only, and had not got there; "
        "at 8,000 test loss is what it is in the parent (20)"
    )


def test_neither_has_got_there() -> None:
    found = sentence(one(99_000), parent(99_000, until=8000))
    assert found == (
        "test loss has not fallen below chance in either: this run is known up to 12,000, the parent up to 8,000; "
        "at 8,000 test loss is what it is in the parent (20)"
    )


def test_two_measures_below_chance_are_no_claim_yet_on_either_side() -> None:
    assert "by 8,100" in sentence(one(8000, until=8100), parent(9800))
    assert "earlier" not in sentence(one(8000, until=8100), parent(9800))


def test_a_branch_without_a_change_is_its_parent() -> None:
    found = effects.of(one(7000, 9000, events=(branched(SINCE),)), parent(7000), SINCE)
    assert found.cause == "from epoch 6,000: nothing is changed"
    assert found.sentence == "the same as the parent to the last bit, at every measured epoch up to 9,000"
    assert not found.rows


def test_one_odd_number_is_no_more_the_same_run() -> None:
    odd = grokked(7000, 9000)
    odd[8000] = math.nextafter(odd[8000], 1)
    found = effects.of(run(test_loss=odd, train_accuracy=learned(until=9000)), parent(7000), SINCE)
    assert "to the last bit" not in found.sentence


def test_a_run_of_another_past_is_not_the_parent() -> None:
    assert "not its parent" in sentence(one(7000), one(5000, events=()))


def test_nothing_is_said_before_anything_was_measured() -> None:
    found = effects.of(one(7000, until=6000), parent(7000), SINCE)
    assert found.sentence == "nothing can be said yet: this run has no measure after the branch at 6,000"


def test_what_happened_before_the_branch_is_no_effect() -> None:
    shared = {**grokked(3000, SINCE), **dict.fromkeys(range(6100, 12_001, 100), 1e-8)}
    found = effects.of(run(events=RAISED, test_loss=shared, train_accuracy=learned()), parent(3000), SINCE)
    assert found.sentence == "at 12,000 test loss is 1/100 of the parent's (1e-8, there 1e-6)"
    assert not any(row.name.startswith(("test loss <", "memorization")) for row in found.rows)


def test_what_was_measured_as_nan_is_not_compared() -> None:
    loss = grokked(7000)
    for epoch in range(7000, 12_001, 100):
        loss[epoch] = math.nan
    child = run(events=RAISED, test_loss=loss, train_accuracy=learned())
    found = effects.of(child, parent(9100), SINCE)
    assert "not comparable yet" in found.sentence
    assert "by 6,900" in found.sentence
    assert row(found, "test loss at 6,900") == Row("test loss at 6,900", "20", "20", "none")


def test_every_number_stands_beside_the_parents() -> None:
    squares = {SINCE: 2000.0, 12_000: 800.0}
    child = run(
        events=RAISED,
        test_loss=grokked(7000),
        test_accuracy=accurate(7000),
        train_accuracy=learned(),
        sum_of_squares=squares,
    )
    other = run(
        test_loss=grokked(9100),
        test_accuracy=accurate(9100),
        train_accuracy=learned(),
        sum_of_squares={**squares, 12_000: 1010.0},
    )
    found = effects.of(child, other, SINCE)
    assert found.cause == "from epoch 6,000: weight decay 3 (1 in the parent)"
    assert row(found, "50 % test accuracy") == Row("50 % test accuracy", "6,950", "9,050", "2,100 earlier (±100)")
    assert row(found, "test loss < 1") == Row("test loss < 1", "7,905", "10,005", "2,100 earlier (±100)")
    assert row(found, "sum of squares") == Row("sum of squares at 12,000", "800", "1,010", "-210")
    assert row(found, "test accuracy at 12,000").difference == "none"
    assert found.caveats == ()
    assert "difference" in effects.told(found)[2]


def test_the_newest_common_epoch_is_one_that_both_have_measured() -> None:
    child = run(test_loss={0: 4.0, 6500: 3.0, 6800: 1.0}, events=RAISED)
    other = run(test_loss={0: 4.0, 6500: 2.0, 6700: 1.0})
    assert effects.common(child, other, "test_loss") == (6500, 3.0, 2.0)
    assert effects.common(child, run(), "test_loss") is None


def test_a_peak_after_the_branch_is_compared_and_one_before_it_is_not() -> None:
    rises = dict.fromkeys(range(0, 6001, 100), 20.0) | {6100: 25.0, 6200: 22.0, 6300: 21.0}
    child = run(test_loss=rises, events=RAISED)
    found = effects.of(child, run(test_loss={**rises, 6100: 30.0, 6200: 31.0}), SINCE)
    assert row(found, "greatest") == Row(
        "greatest test loss from 6,000 to 6,300", "25 at 6,100", "31 at 6,200", "× 0.806"
    )
    assert not [row for row in effects.of(one(7000), parent(9100), SINCE).rows if row.name.startswith("greatest")]


@pytest.mark.parametrize(
    ("mine", "theirs", "cause", "caveats"),
    [
        (RAISED, (), "weight decay 3 (1 in the parent)", 0),
        ((*RAISED, changed(8000, 0.0)), (), "weight decay 3, 0 from 8,000 (1 in the parent)", 1),
        ((branched(6000),), (changed(6500, 3.0),), "weight decay 1 (1, 3 from 6,500 in the parent)", 0),
        (RAISED, (changed(9000, 0.5),), "weight decay 3 (1, 0.5 from 9,000 in the parent)", 1),
        (
            (*RAISED, changed(8000, 0.5)),
            (changed(8000, 0.5),),
            "weight decay 3, 0.5 from 8,000 (1, 0.5 from 8,000 in the parent)",
            0,
        ),
        (
            (*RAISED, changed(6000, 5e-4, 1e-3, "lr")),
            (),
            "weight decay 3 (1 in the parent); learning rate 5e-4 (0.001 in the parent)",
            1,
        ),
    ],
)
def test_what_was_changed_is_named_on_both_sides(mine: tuple, theirs: tuple, cause: str, caveats: int) -> None:  # type: ignore[type-arg]
    found = effects.of(one(7000, events=mine), one(9100, events=theirs), SINCE)
    assert found.cause == f"from epoch 6,000: {cause}"
    assert len(found.caveats) == caveats, found.caveats


def test_a_change_of_both_before_the_branch_is_not_named() -> None:
    past = changed(3000, 2.0)
    found = effects.of(one(7000, events=(past, *RAISED)), one(9100, events=(past,)), SINCE)
    assert found.cause == "from epoch 6,000: weight decay 3 (2 in the parent)"


def test_other_settings_and_machines_are_named() -> None:
    settings = {"measure": {"every": 50}, "training": {"epochs": 9}, "record": {"disk_mb": 1}}
    child = run("child", RAISED, settings, {"device": "cuda"}, test_loss=grokked(7000))
    found = effects.of(child, run("parent", (), {"measure": {"every": 100}}, test_loss=grokked(9100)), SINCE)
    assert found.cause.endswith("weight decay 3 (1 in the parent); measure.every 50 (100 in the parent)")
    assert "device cuda" in found.caveats[-1]
    assert "parent on device cpu" in found.caveats[-1]


def test_what_the_change_lost_again_is_said_though_both_had_reached_it_before() -> None:
    shared = grokked(3000, 6000, floor=2.0)
    kept = shared | dict.fromkeys(range(6100, 12_001, 100), 1e-6)
    lost = shared | {e: 2.0 if e < 8000 else 6.0 for e in range(6100, 12_001, 100)}
    child = run(events=RAISED, test_loss=lost, train_accuracy=learned())
    found = effects.of(child, run(test_loss=kept, train_accuracy=learned()), SINCE)
    assert found.sentence.endswith("test loss rose above chance again at 8,000, in the parent not by 12,000")
    assert row(found, "test loss < chance").here == "2,964†"
    assert "in the parent test loss rose above chance again" in sentence(
        run(events=RAISED, test_loss=kept, train_accuracy=learned()), run(test_loss=lost, train_accuracy=learned())
    )


def straddling(then: float) -> RunState:
    """Test loss falls below chance at the last two measures before the branch, and is `then` after it."""
    loss = {e: 20.0 if e < 5900 else 2.0 for e in range(0, 6001, 100)}
    loss |= dict.fromkeys(range(6100, 12_001, 100), then)
    return run(events=RAISED if then > 2 else (), test_loss=loss, train_accuracy=learned())


def test_a_level_first_passed_in_the_shared_past_is_passed_in_both_though_only_one_stayed_there() -> None:
    found = effects.of(straddling(6.0), straddling(0.5), SINCE)
    assert "has not fallen below chance" not in found.sentence
    assert found.sentence.endswith(
        "test loss fell below chance before the branch, at 5,864; "
        "test loss rose above chance again at 6,100, in the parent not by 12,000"
    )
    assert row(found, "test loss < chance") == Row("test loss < chance", "5,864†", "5,864", "none; lost at 6,100")
    other = effects.of(straddling(0.5), straddling(6.0), SINCE)
    assert "in the parent test loss rose above chance again at 6,100" in other.sentence
    assert row(other, "test loss < chance").difference == "none; the parent lost it at 6,100"


def test_runs_that_end_far_apart_are_told_apart_by_that_where_only_a_late_level_does_so_too() -> None:
    shared, accuracy = grokked(5000, 6000, floor=2.0), accurate(5000, 6000)
    later = range(6100, 12_001, 100)
    child = run(
        events=RAISED,
        test_loss=shared | dict.fromkeys(later, 2.0),
        test_accuracy=accuracy | dict.fromkeys(later, 0.572),
        train_accuracy=learned(),
    )
    other = run(
        test_loss=shared | dict.fromkeys(later, 1e-6),
        test_accuracy=accuracy | dict.fromkeys(later, 1.0),
        train_accuracy=learned(),
    )
    assert sentence(child, other).startswith(
        "test accuracy is 57.2% at epoch 12,000; 100.0% in the parent; test loss has not fallen below 1 within 12,000"
    )
    assert sentence(other, child).startswith("test accuracy is 100.0% at epoch 12,000; 57.2% in the parent")


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [(True, True, "not by 8,000"), (True, False, "not by 8,000"), (False, True, "not known yet")],
)
def test_what_a_finished_run_has_not_got_to_it_will_not_get_to(mine: bool, theirs: bool, said: str) -> None:
    ends = [(Event(at, "finished", "", 0.0),) if over else () for at, over in ((8000, mine), (12_000, theirs))]
    child = one(99_000, until=8000, events=(*RAISED, *ends[0]))
    found = row(effects.of(child, one(9800, events=ends[1]), SINCE), "test loss < chance")
    assert (found.here, found.there, found.difference) == ("> 8,000", "9,764", said)
    other = row(
        effects.of(one(9800, events=(*RAISED, *ends[1])), one(99_000, 8000, events=ends[0]), SINCE), "test loss <"
    )
    assert other.difference == said.replace("not by", "the parent not by")


LATE = changed(10_000, 7.0)
"""After everything that a branch which ended at 9,000 can be compared by."""


def test_what_was_changed_after_the_branch_ended_is_neither_a_cause_nor_a_caveat() -> None:
    found = effects.of(one(7000, until=9000), one(8100, events=(LATE,)), SINCE)
    assert found.cause == "from epoch 6,000: weight decay 3 (1 in the parent)"
    assert not found.caveats
    found = effects.of(one(7000, events=(*RAISED, LATE)), one(8100, until=9000, events=()), SINCE)
    assert found.cause == "from epoch 6,000: weight decay 3 (1 in the parent)"
    assert not found.caveats


def test_a_late_change_counts_where_the_parent_got_there_only_after_it() -> None:
    found = effects.of(one(7000, until=9000), one(11_000, events=(LATE,)), SINCE)
    assert "earlier than in the parent" in found.sentence
    assert found.cause == "from epoch 6,000: weight decay 3 (1, 7 from 10,000 in the parent)"
    assert any("the parent was changed too, first at 10,000" in caveat for caveat in found.caveats)
    never = effects.of(one(7000, until=9000), one(99_000, events=(LATE,)), SINCE)
    assert "not within 12,000 epochs in the parent" in never.sentence
    assert never.caveats


def test_a_change_at_the_last_epoch_that_is_compared_made_no_step_that_is() -> None:
    found = effects.of(one(7000, until=9000), one(7500, events=(changed(9000, 7.0),)), SINCE)
    assert not found.caveats


def test_a_plan_is_no_cause_by_itself() -> None:
    planned = run(events=RAISED, config={"plan": {"lines": ["at 11000: set weight_decay 9"]}},
                  test_loss=grokked(7000), train_accuracy=learned())  # fmt: skip
    assert effects.of(planned, parent(9100), SINCE).cause == "from epoch 6,000: weight decay 3 (1 in the parent)"
