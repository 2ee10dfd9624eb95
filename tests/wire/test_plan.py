"""The language of plans: what can be said, and what is answered to what cannot."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui import plan
from grok_tui.errors import PlanError
from grok_tui.plan import At, Branch, Crossing, Do, Entering, Go, In, Limit, Ramp, Rule, Set, Stairs, Unplan
from grok_tui.science.phases import Phase

SERIES = frozenset({"test_loss", "test_accuracy", "weight_decay"})

epochs = st.integers(0, 10**9)
some = st.integers(1, 10**9)
decays = st.floats(0, 1000)
whens = st.one_of(
    st.builds(At, epochs),
    st.builds(In, some),
    st.builds(Entering, st.sampled_from(list(Phase)), epochs),
    st.builds(Crossing, st.sampled_from(sorted(SERIES)), st.booleans(), st.floats(-1e300, 1e300), epochs),
)
actions = st.one_of(
    st.builds(Set, st.just("weight_decay"), decays),
    st.builds(Set, st.just("lr"), st.floats(0, 1)),
    st.builds(
        Ramp,
        st.just("weight_decay"),
        st.sampled_from(["linear", "cosine", "warmup"]),
        st.none() | decays,
        decays,
        some,
    ),
    st.builds(Stairs, st.just("weight_decay"), st.none() | decays, st.floats(0, 1e6), some, epochs),
    st.builds(Do, st.sampled_from(["pause", "continue", "checkpoint", "hook"])),
    st.builds(Limit, st.just(0.0) | st.floats(0.01, 1e6)),
    st.just(Branch()),
    st.builds(Branch, st.just("weight_decay"), decays),
)
rules = st.builds(Rule, st.none() | whens, st.lists(actions, min_size=1, max_size=5).map(tuple))
orders = st.one_of(st.builds(Go, whens), st.builds(Go, st.builds(In, some)), st.builds(Unplan, st.integers(0, 10**9)))


@given(rules)
def test_a_rule_reads_back_from_its_own_line(rule: Rule) -> None:
    assert plan.parse(str(rule), SERIES) == rule
    assert str(plan.parse(str(rule))) == str(rule)


@given(orders)
def test_an_order_reads_back_from_its_own_line(order: Go | Unplan) -> None:
    assert plan.read(str(order), SERIES) == order


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("at 6,000: set weight_decay 0.3", "at 6000: set weight_decay 0.3"),
        ("  at   6000 :pause;checkpoint ", "at 6000: pause; checkpoint"),
        ("when circuit: branch", "when circuit formation: branch"),
        ("when Cleanup+500: pause", "when cleanup + 500: pause"),
        ("when test_loss below 1: pause", "when test_loss < 1: pause"),
        ("when test_accuracy>5e-1: pause", "when test_accuracy > 0.5: pause"),
        ("set weight_decay 1→0.5", None),
        ("set weight_decay linear 1→0 over 3,000", "set weight_decay linear 1 -> 0 over 3000"),
        ("set weight_decay linear -> 0 over 3000", "set weight_decay linear 0 over 3000"),
        ("set weight_decay step ×0.5 every 1000 times 3", "set weight_decay step *0.5 every 1000 times 3"),
        ("set weight_decay constant 1e-1", "set weight_decay 0.1"),
        ("when generalized: set weight_decay off", "when generalized: set weight_decay 0"),
        ("limit 0", "limit off"),
        ("when circuit: set wd 0", "when circuit formation: set weight_decay 0"),
        (
            "when wd < 1: set wd linear 1 -> 0 over 3000",
            "when weight_decay < 1: set weight_decay linear 1 -> 0 over 3000",
        ),
        (
            "at 10: branch wd 3; set wd step *0.5 every 9",
            "at 10: branch weight_decay 3; set weight_decay step *0.5 every 9",
        ),
        ("until wd below 1", "until weight_decay < 1"),
        ("step", "run 1"),
        ("until at 6000", "until 6000"),
        ("until when cleanup", "until cleanup"),
    ],
)
def test_what_is_typed_is_kept_in_its_shortest_form(typed: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(PlanError):
            plan.read(typed, SERIES)
    else:
        assert str(plan.read(typed, SERIES)) == meant


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", "action was expected: set, branch"),
        ("wen cleanup: pause", "'wen' is no word to begin with; did you mean 'when'?"),
        ("when clenup: pause", "'clenup' is no phase; did you mean 'cleanup'?"),
        ("when test_los < 1: pause", "'test_los' is no series; did you mean 'test_loss'?"),
        ("when test_loss: pause", "test_loss is below or above a value, such as test_loss < 1"),
        ("when test_loss < nan: pause", "a value of test_loss was expected, not 'nan'"),
        ("at 6000", "after when comes a colon"),
        ("at 6000 pause", "a colon is missing after 'at 6000'"),
        ("at 5600 set weight_decay 1", "a colon is missing after 'at 5600'"),
        ("in 5,600 branch; pause", "a colon is missing after 'in 5600'"),
        ("when cleanup set wd 0", "a colon is missing after 'when cleanup'"),
        ("when circuit formation + 500 checkpoint", "a colon is missing after 'when circuit formation + 500'"),
        ("when test_loss < 1 set lr 0", "a colon is missing after 'when test_loss < 1'"),
        ("when clenup set wd 0", "'clenup' is no phase; did you mean 'cleanup'?"),
        ("at 6000 or so pause", "after when comes a colon"),
        ("at 6000:", "action was expected"),
        ("at 1.5: pause", "a whole number from 0 to 1,000,000,000 was expected, not '1.5'"),
        ("in 0: pause", "a whole number from 1"),
        ("puase", "'puase' is no action; did you mean 'pause'?"),
        ("pause stop", "'stop' is left over"),
        ("stop; pause", "stop comes last"),
        ("set momentum 1", "'momentum' is no control; known: weight_decay, lr"),
        ("set weight_decay 1001", "out of bounds: 0 to 1,000"),
        ("set lr linear 0 -> 2 over 10", "lr = 2.0 is out of bounds: 0 to 1"),
        ("set weight_decay linaer 1 -> 0 over 5", "did you mean 'linear'?"),
        ("set weight_decay linear 1 -> 0", "how long was expected, such as linear 1 -> 0 over 3000; nothing follows"),
        ("branch weight_decay -1", "out of bounds"),
        ("limit 0.001", "a limit from 0.01"),
        ("run 0", "a whole number from 1"),
        ("at 5: run 100", "'run' is no action"),
        ("pause\x1b[2J", "one line of 1,000 characters"),
        ("pause; " * 200 + "pause", "one line of 1,000 characters"),
    ],
)
def test_an_error_is_one_line_that_says_what_was_meant(line: str, answer: str) -> None:
    with pytest.raises(PlanError) as error:
        plan.read(line, SERIES)
    assert answer in str(error.value)
    assert "\n" not in str(error.value)


def test_an_order_is_no_rule_of_a_plan() -> None:
    with pytest.raises(PlanError, match="'run' is for a run in training"):
        plan.parse("run 100")


def test_without_a_catalogue_any_series_may_be_meant() -> None:
    assert plan.parse("when excluded_loss > 2: pause").when == Crossing("excluded_loss", False, 2.0)


def test_so_many_epochs_from_now_becomes_an_epoch() -> None:
    assert str(plan.parse("in 500: pause").planned(6000)) == "at 6500: pause"


def test_a_line_goes_straight_from_its_first_value_to_its_last_and_stays() -> None:
    ramp = Ramp("weight_decay", "linear", 1.0, 0.0, 4)
    assert [ramp.value(after) for after in (0, 1, 2, 3, 4, 5)] == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_half_a_cosine_is_level_at_both_ends() -> None:
    ramp = Ramp("weight_decay", "cosine", 1.0, 0.1, 100)
    assert (ramp.value(0), ramp.value(100), ramp.value(1000)) == (1.0, 0.1, 0.1)
    assert ramp.value(50) == pytest.approx(0.55)
    assert 1 - ramp.value(1) < 0.001


def test_a_warmup_begins_at_nothing_and_any_other_schedule_where_the_control_is() -> None:
    def begun(line: str) -> str:
        action = plan.parse(line).actions[0]
        assert isinstance(action, Ramp | Stairs)
        return str(action.begun(0.7))

    assert begun("set weight_decay warmup 1 over 500") == "set weight_decay warmup 0 -> 1 over 500"
    assert begun("set weight_decay linear 1 over 500") == "set weight_decay linear 0.7 -> 1 over 500"
    assert begun("set weight_decay step *0.5 every 9") == "set weight_decay step 0.7 *0.5 every 9"


def test_stairs_go_down_by_a_factor_until_they_end_and_never_leave_the_bounds() -> None:
    stairs = Stairs("weight_decay", 8.0, 0.5, 10, 3)
    assert [stairs.value(after) for after in (0, 9, 10, 29, 30, 500)] == [8.0, 8.0, 4.0, 2.0, 1.0, 1.0]
    assert stairs.length == 30
    assert Stairs("weight_decay", 8.0, 1e6, 1).value(10**6) == 1000.0
    assert math.isinf(Stairs("weight_decay", 8.0, 0.5, 10).length)
