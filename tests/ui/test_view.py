"""The view: what is zoomed, what follows, where the cursor may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.ui.view import LEAST, View
from grok_tui.ui.widgets.axis import Epochs

NEWEST = st.integers(0, 1_000_000)
STEPS = st.lists(
    st.sampled_from(["zoom_in", "zoom_out", "left", "right", "cursor_left", "cursor_right", "log_x", "no_cursor"]),
    max_size=25,
)


def walked(view: View, newest: int, steps: list[str]) -> View:
    for step in steps:
        match step:
            case "zoom_in":
                view = view.zoom_in(newest)
            case "zoom_out":
                view = view.zoom_out(newest)
            case "left" | "right":
                view = view.pan(newest, -5 if step == "left" else 5)
            case "cursor_left" | "cursor_right":
                view = view.move_cursor(newest, -7 if step == "cursor_left" else 7)
            case "log_x":
                view = view.toggle_log_x()
            case "no_cursor":
                view = view.without_cursor()
    return view


def test_the_default_shows_the_whole_run_on_a_round_axis() -> None:
    axis = View().epochs(8_700, 40_000)
    assert (axis.start, axis.end) == (0, 10_000)
    assert View().epochs(39_000, 40_000).end == 40_000
    assert View().epochs(0).end == 10


@pytest.mark.parametrize("newest", [314, 1000, 39_999])
@pytest.mark.parametrize("log_x", [False, True])
def test_zooming_in_again_and_again_ends_at_the_newest_epochs(newest: int, log_x: bool) -> None:
    view = View(log_x=log_x)
    for _ in range(12):
        view = view.zoom_in(newest)
        axis = view.epochs(newest)
        assert axis.start <= newest
        assert newest - 1e-3 <= axis.end <= newest + LEAST / 2


@given(newest=NEWEST, log_x=st.booleans(), steps=STEPS)
def test_no_walk_leaves_the_run_or_loses_the_cursor(newest: int, log_x: bool, steps: list[str]) -> None:
    view = walked(View(log_x=log_x), newest, steps)
    axis = view.epochs(newest)
    assert axis.start >= 0
    assert axis.end - axis.start >= LEAST - 1e-6
    assert axis.start <= newest
    if view.cursor is not None:
        assert 0 <= view.cursor <= newest


@given(newest=st.integers(100, 1_000_000), log_x=st.booleans(), steps=STEPS)
def test_a_moved_cursor_is_always_on_screen(newest: int, log_x: bool, steps: list[str]) -> None:
    view = walked(View(log_x=log_x), newest, steps).move_cursor(newest, -3).move_cursor(newest, 9)
    axis = view.epochs(newest)
    assert view.cursor is not None
    assert axis.start - 1 <= view.cursor <= axis.end + 1


@given(newest=st.integers(100, 100_000), later=st.integers(0, 100_000), start=st.floats(0, 0.8), log_x=st.booleans())
def test_a_zoom_into_the_past_survives_new_data(newest: int, later: int, start: float, log_x: bool) -> None:
    view = View(log_x=log_x, zoom=(start * newest, (start + 0.1) * newest))
    assert view.epochs(newest + later) == view.epochs(newest)


def test_zooming_in_without_a_cursor_keeps_to_the_newest_epoch_and_follows_it() -> None:
    view = View().zoom_in(8_000)
    assert view.follows
    before, after = view.epochs(8_000), view.epochs(12_000)
    assert before.start <= 8_000 <= before.end
    assert after.start <= 12_000 <= after.end
    assert after.end - after.start == pytest.approx(before.end - before.start)


def test_a_zoom_that_follows_on_a_log_axis_keeps_its_ratio() -> None:
    view = View(log_x=True).zoom_in(999)
    before, after = view.epochs(999), view.epochs(99_999)
    assert (after.end + 1) / (after.start + 1) == pytest.approx((before.end + 1) / (before.start + 1))
    assert after.start <= 99_999 <= after.end


def test_a_zoom_around_the_cursor_stays_where_it_is() -> None:
    view = View(cursor=2_000).zoom_in(8_000)
    assert not view.follows
    axis = view.epochs(8_000)
    assert axis.start <= 2_000 <= axis.end
    assert view.epochs(20_000) == axis


@pytest.mark.parametrize("log_x", [False, True])
def test_zooming_out_far_enough_shows_the_whole_run_again(log_x: bool) -> None:
    view = View(log_x=log_x, cursor=700).zoom_in(8_000).zoom_in(8_000)
    for _ in range(6):
        view = view.zoom_out(8_000)
    assert view.zoom is None
    assert not view.follows


def test_a_pan_to_the_right_end_follows_and_one_away_from_it_does_not() -> None:
    view = View(cursor=2_000).zoom_in(8_000).without_cursor()
    assert view.pan(8_000, 10_000).follows
    assert not view.pan(8_000, 10_000).pan(8_000, -10).follows
    assert View().pan(8_000, 5) == View()


def test_the_cursor_appears_at_the_newest_epoch_and_moves_by_a_hundredth_of_what_is_shown() -> None:
    view = View().move_cursor(8_700, -1)
    assert view.cursor == 8_700
    assert view.move_cursor(8_700, -1).cursor == 8_600
    assert view.move_cursor(8_700, 1).cursor == 8_700
    assert view.without_cursor().cursor is None


def test_the_cursor_moves_by_at_least_an_epoch() -> None:
    view = View(zoom=(100, 120), cursor=110)
    assert view.move_cursor(8_000, 1).cursor == 111
    assert view.move_cursor(8_000, -1).cursor == 109


def test_a_cursor_pushed_over_the_edge_takes_the_zoom_along() -> None:
    view = View(zoom=(1_000, 2_000), cursor=2_000).move_cursor(8_000, 10)
    assert view.cursor == 2_100
    assert view.zoom == (1_100, 2_100)


def test_reset_keeps_the_axes_and_drops_zoom_and_cursor() -> None:
    assert View(log_x=True, log_y=False, zoom=(1, 99), cursor=5, follows=True).reset() == View(log_x=True, log_y=False)


def test_the_axes_toggle() -> None:
    assert View().toggle_log_x().log_x
    assert not View().toggle_log_y().log_y


def test_curves_that_go_on_beyond_the_run_have_as_much_room_as_the_run_itself_and_no_more_than_they_need() -> None:
    assert View().epochs(6_300, 40_000, 40_000) == Epochs(0, 15_000)  # 12,600, rounded
    assert View().epochs(6_300, 40_000, 8_000) == Epochs(0, 8_000)
    assert View().epochs(6_300, 40_000, 5_000) == View().epochs(6_300, 40_000)
    assert View().epochs(39_000, 40_000, 40_000) == Epochs(0, 40_000)


def test_a_logarithmic_axis_has_room_for_all_that_is_ahead() -> None:
    assert View(log_x=True).epochs(6_300, 40_000, 40_000) == Epochs(0, 40_000, log=True)


def test_a_zoom_and_a_window_that_follows_know_nothing_of_what_is_ahead() -> None:
    for view in (View(zoom=(100, 200)), View(zoom=(4_000, 6_000), follows=True)):
        assert view.epochs(6_300, 40_000, 40_000) == view.epochs(6_300, 40_000)


@pytest.mark.parametrize("log_x", [False, True])
def test_from_what_is_ahead_a_zoom_goes_to_the_run_and_back(log_x: bool) -> None:
    near = View(log_x=log_x).zoom_in(6_300, ahead=40_000)
    assert near.follows
    assert near.epochs(6_300).end == pytest.approx(6_300)
    far = near.zoom_out(6_300, ahead=40_000)
    assert far.epochs(6_300, 40_000, 40_000) == View(log_x=log_x).epochs(6_300, 40_000, 40_000)


@pytest.mark.parametrize("at", [1_000, 6_000, 12_000])
def test_the_wheel_keeps_the_epoch_that_it_is_over_where_it_is_also_ahead_of_the_run(at: float) -> None:
    before = View().epochs(6_300, ahead=40_000)
    after = View().zoom_by(6_300, at, 1.5, ahead=40_000)
    assert after.zoom is not None
    assert after.epochs(6_300).share(at) == pytest.approx(before.share(at), abs=0.01)


def test_the_cursor_moves_by_a_hundredth_of_what_is_shown_ahead_too() -> None:
    assert View(cursor=6_000).move_cursor(6_300, -1, ahead=40_000).cursor == 5_850
