"""A control over the epochs, and the fold that knows which rules are pending."""

from __future__ import annotations

import pytest

from grok_tui import config, recipe
from grok_tui.course import Course, Courses
from grok_tui.ledger import Entry
from grok_tui.planned import Plans

LINE = {"control": "weight_decay", "value": 1.0, "previous": 2.0, "schedule": "set weight_decay linear 1 -> 0 over 100"}


def course(*pieces: tuple[int, str, dict[str, object]]) -> Course:
    found = Course(2.0)
    for piece in pieces:
        found.take(*piece)
    return found


def test_a_value_holds_from_its_epoch_on() -> None:
    found = course((10, "changed", {"value": 3.0}), (20, "changed", {"value": 0.0}))
    assert [found.at(epoch) for epoch in (0, 9, 10, 19, 20, 10**9)] == [2.0, 2.0, 3.0, 3.0, 0.0, 0.0]
    assert found.points(50) == [(0, 2.0), (10, 3.0), (20, 0.0)]


def test_a_schedule_is_a_function_of_the_epoch_until_something_else_is_said() -> None:
    found = course((10, "scheduled", LINE))
    assert [found.at(epoch) for epoch in (9, 10, 35, 110, 500)] == [2.0, 1.0, 0.75, 0.0, 0.0]
    assert found.turns(10) == [110]
    assert not found.ended(109)
    assert found.ended(110)
    found.take(60, "changed", {"value": 5.0})
    assert [found.at(epoch) for epoch in (59, 60, 110)] == [0.51, 5.0, 5.0]
    assert found.running(70) is None
    assert found.turns(10) == [60, 110]


def test_epochs_that_are_trained_again_replace_what_was_done_in_them() -> None:
    found = course((10, "changed", {"value": 3.0}), (20, "changed", {"value": 9.0}), (15, "changed", {"value": 1.0}))
    assert [found.at(epoch) for epoch in (12, 15, 30)] == [3.0, 1.0, 1.0]


def test_a_change_at_the_very_beginning_replaces_the_configured_value() -> None:
    found = course((0, "changed", {"value": 3.0}))
    assert found.at(0) == 3.0
    assert found.points(5) == [(0, 3.0)]


@pytest.mark.parametrize("over", [7, 255, 100_000])
def test_a_schedule_is_drawn_by_a_bounded_number_of_points_with_both_its_ends(over: int) -> None:
    found = course((10, "scheduled", LINE | {"schedule": f"set weight_decay linear 1 -> 0 over {over}"}))
    points = found.points(10**6)
    assert points[1] == (10, 1.0)
    assert points[-1] == (10 + over, 0.0)
    assert len(points) < 600
    assert all(found.at(epoch) == value for epoch, value in points)


def test_a_schedule_of_a_newer_version_keeps_its_first_value() -> None:
    assert course((10, "scheduled", LINE | {"schedule": "set weight_decay spiral 1 over 9"})).at(50) == 1.0


def plans(*events: tuple[int, str, dict[str, object]]) -> Plans:
    found = Plans()
    for event in events:
        found.apply(*event)
    return found


PAUSE = (5, "planned", {"id": 1, "line": "at 50: pause"})
OFF = (6, "planned", {"id": 2, "line": "when cleanup + 9: set weight_decay 0; checkpoint"})


def test_a_rule_is_pending_until_it_has_fired_or_is_taken_back() -> None:
    found = plans(PAUSE, OFF)
    assert [rule.id for rule in found.pending] == [1, 2]
    found.apply(50, "fired", {"id": 1})
    assert [rule.id for rule in found.pending] == [2]
    assert [(rule.id, rule.fired) for rule in found.fired] == [(1, 50)]
    found.apply(60, "unplanned", {"id": 2})
    assert found.pending == []
    assert found.next_id == 3


def test_a_rule_that_a_kill_cut_short_knows_what_it_has_done() -> None:
    found = plans(OFF, (80, "changed", {"control": "weight_decay", "value": 0.0, "by": 2, "part": 0}))
    assert found.pending[0].done == 1


def test_a_condition_that_came_true_becomes_an_epoch_and_the_rule_keeps_its_first_line() -> None:
    found = plans(OFF, (70, "planned", {"id": 2, "line": "at 79: set weight_decay 0; checkpoint"}))
    assert str(found.pending[0].rule) == "at 79: set weight_decay 0; checkpoint"
    assert found.pending[0].first.startswith("when cleanup + 9")


def test_what_fired_in_epochs_that_are_trained_again_is_pending_again() -> None:
    found = plans(PAUSE, (50, "fired", {"id": 1}), (20, "changed", {"control": "lr", "value": 0.1}))
    assert [rule.id for rule in found.pending] == [1]


def test_what_went_amiss_takes_nothing_back_whenever_it_is_told() -> None:
    found = plans(PAUSE, (50, "fired", {"id": 1, "failed": "no hook"}), (20, "amiss", {}), (10, "amiss", {"wish": 3}))
    assert [(rule.id, rule.fired, rule.failed) for rule in found.fired] == [(1, 50, "no hook")]
    fired, amiss = (Entry(1, 0.0, 50, "fired", True, "", {"id": 1}), Entry(2, 0.0, 20, "amiss", True, "", {"wish": 3}))
    assert recipe.living([fired, amiss]) == [fired]


def test_a_pause_ends_the_goal() -> None:
    found = plans((5, "continued", {"until": "when cleanup"}))
    assert found.goal is not None
    assert str(found.goal.when) == "when cleanup"
    found.apply(9, "paused", {})
    assert found.goal is None


def test_a_rule_of_a_newer_version_is_kept_and_has_no_meaning_here() -> None:
    found = plans((5, "planned", {"id": 1, "line": "when moon is full: dance"}))
    assert found.pending[0].rule is None
    assert found.pending[0].line == "when moon is full: dance"


def test_the_courses_of_a_run_begin_with_its_configuration_and_take_in_what_is_said_of_them() -> None:
    chosen = config.override(config.Config(), [("optimizer.weight_decay", 2.0), ("optimizer.lr", 0.5)])
    found = Courses.of(chosen)
    assert {name: course.at(0) for name, course in found.items()} == {"weight_decay": 2.0, "lr": 0.5}
    found.take(10, "scheduled", LINE)
    found.take(20, "changed", {"control": "lr", "value": 0.25})
    found.take(20, "changed", {"control": "temperature", "value": 0.25})
    assert {name: course.at(60) for name, course in found.items()} == {"weight_decay": 0.5, "lr": 0.25}
