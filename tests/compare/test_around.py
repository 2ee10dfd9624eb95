"""Before and after a change in one run, said so that nobody takes it for an effect."""

from __future__ import annotations

import math

import pytest

from grok_tui import around
from tests.compare.made import changed, ended, run, scheduled

CHANGE = changed(5000, 3.0)
HALVED = {e: 16.0 * 0.5 ** (e / 1000) if e <= 5000 else 0.5 * 0.1 ** ((e - 5000) / 1000) for e in range(0, 8001, 100)}
"""Halves every 1,000 epochs until the change, and falls to a tenth every 1,000 after it."""


def test_slopes_over_a_thousand_epochs_on_either_side() -> None:
    found = around.of(run(events=[CHANGE], test_loss=HALVED), CHANGE)
    assert (found.window, found.limit) == (1000, "")
    before, after = found.sides["test_loss"]
    assert before.slope == pytest.approx(0.5)
    assert after.slope == pytest.approx(0.1)
    assert (before.start, before.end, after.start, after.end) == pytest.approx((1.0, 0.5, 0.5, 0.05))
    assert around.sentence(found) == (
        "weight decay 1 → 3 at 5,000: test loss went × 0.5 per 1,000 epochs before it, went × 0.1 after it "
        "(1,000 epochs on either side; before and after, not an effect: there is no run without it)"
    )


def test_the_window_ends_at_the_next_change_on_either_side_and_says_so() -> None:
    other = changed(5400, 1.0, 3.0)
    found = around.of(run(events=[CHANGE, other], test_loss=HALVED), CHANGE)
    assert (found.window, found.limit) == (400, "the change at 5,400")
    assert "400 epochs on either side, up to the change at 5,400" in around.sentence(found)


def test_the_window_ends_with_what_is_known() -> None:
    known = {e: v for e, v in HALVED.items() if e <= 5300}
    found = around.of(run(events=[CHANGE], test_loss=known), CHANGE)
    assert (found.window, found.limit) == (300, "the newest measure")
    found = around.of(run(events=[CHANGE, changed(5900, 1.0, 3.0)], test_loss=known), CHANGE)
    assert (found.window, found.limit) == (300, "the newest measure")
    early = changed(200, 3.0)
    assert around.of(run(events=[early], test_loss=HALVED), early).limit == "the start"


def test_too_few_measures_tell_nothing() -> None:
    known = {e: v for e, v in HALVED.items() if e <= 5100}
    assert "too few measures" in around.sentence(around.of(run(events=[CHANGE], test_loss=known), CHANGE))
    assert "too few measures" in around.sentence(around.of(run(events=[CHANGE]), CHANGE))
    nothing = {e: math.nan if e > 5000 else v for e, v in HALVED.items()}
    assert "too few measures" in around.sentence(around.of(run(events=[CHANGE], test_loss=nothing), CHANGE))


def test_measures_that_lie_far_apart_widen_the_window() -> None:
    rare = {e: v for e, v in HALVED.items() if e % 500 == 0}
    assert around.of(run(events=[CHANGE], test_loss=rare), CHANGE).window == 2000


def test_an_accuracy_and_a_sum_move_by_differences() -> None:
    rising = {e: e / 10_000 for e in range(0, 8001, 100)}
    found = around.of(run(events=[CHANGE], test_loss=HALVED, test_accuracy=rising), CHANGE)
    assert found.sides["test_accuracy"][0].slope == pytest.approx(0.1)
    assert "+10 points" in "\n".join(around.told(found))


def test_changes_come_newest_first_and_only_those_after_the_branch() -> None:
    events = [changed(1000, 2.0), changed(5000, 3.0), changed(6000, 4.0)]
    found = around.every(run(events=events, test_loss=HALVED), since=1000)
    assert [each.epoch for each in found] == [6000, 5000]


def test_over_few_epochs_it_is_told_what_was_measured_and_nothing_beyond() -> None:
    change = changed(50, 3.0)
    found = around.of(
        run(
            events=[change],
            test_loss={0: 3.6, 20: 4.0, 40: 4.4, 60: 4.6, 80: 6.0, 100: 8.0},
            train_loss={0: 3.6, 20: 3.0, 40: 2.5, 60: 2.0, 80: 0.5, 100: 1e-3},
            test_accuracy={0: 0.04, 20: 0.04, 40: 0.02, 60: 0.02, 80: 0.1, 100: 0.23},
        ),
        change,
    )
    assert "went 3.6 → 4.4 from 0 to 40 before it, 4.6 → 8 from 60 to 100 after it (50 epochs" in around.sentence(found)
    page = "\n".join(around.told(found))
    assert "2 → 0.001" in page
    assert "+21 points in 40" in page
    assert "1,000" not in page
    assert "×" not in page


def test_a_jump_makes_no_slope_steeper_than_itself() -> None:
    jump = {e: float(e >= 5500) for e in range(0, 8001, 100)}
    loss = {e: 1e-6 if e >= 5500 else 10.0 for e in range(0, 8001, 100)}
    found = around.of(run(events=[CHANGE], test_loss=loss, test_accuracy=jump), CHANGE)
    assert found.sides["test_accuracy"][1].slope == 1.0
    assert found.sides["test_loss"][1].slope == pytest.approx(1e-7)
    assert "+100 points" in "\n".join(around.told(found))


def test_the_window_ends_where_a_schedule_does_and_calls_that_no_change() -> None:
    begin = scheduled(5000, "set weight_decay linear 3 -> 0.1 over 300")
    state = run(events=[begin, ended(5300, 0.1)], test_loss=HALVED)
    assert [(each.window, each.limit) for each in around.every(state)] == [(300, "the end of a schedule at 5,300")]
