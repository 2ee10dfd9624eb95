"""The status line: what it says, and what it leaves out first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.protocol import Status
from grok_tui.state import RunState
from grok_tui.ui.status import REDUCTIONS, fit, forms, line
from tests.ui.gallery import state_of
from tests.ui.story import frames

LIVE = state_of(frames(until=9000))


def said(state: RunState, width: int, link: str = "live", asked: tuple[float, ...] = ()) -> str:
    return line(state, link, asked, width).plain


def test_with_room_it_says_everything() -> None:
    assert said(LIVE, 118) == (
        "nanda113-1   cpu   ● live   epoch 9,000 of 40,000   45 epochs/s   11 min left   cleanup   weight decay 1"
    )


def test_at_80_columns_everything_is_still_there_in_short() -> None:
    assert said(LIVE, 78) == "nanda113-1  cpu  ● live  9,000/40,000  45/s  11 min left  cleanup  wd 1"


@given(width=st.integers(1, 200))
def test_it_fits_and_always_says_how_the_run_stands(width: int) -> None:
    text = said(LIVE, width)
    assert "● live" in text
    assert len(text) <= max(width, len("● live"))


def test_every_piece_but_the_standing_can_give_way_entirely() -> None:
    found = forms(LIVE, "live", (2.0,))
    assert set(fit(found, 1, 2)) == {"standing"}
    assert set(fit(forms(LIVE, "live", (2.0,), cursor=3000), 1, 2)) == {"standing", "cursor"}
    assert all(REDUCTIONS.count(name) >= len(texts) for name, texts in found.items() if name != "standing")


def test_before_anything_is_known_it_waits() -> None:
    assert said(RunState(), 118, "recording") == "… waiting"


def test_a_backlog_that_is_being_read_is_not_called_cut_off() -> None:
    state = state_of([frame for frame in frames(until=5000) if not isinstance(frame, Status)])
    assert "… reading" in said(state, 118, "recording")
    assert "✂ cut off" in said(state, 118, "cut off")


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_a_run_that_has_ended_says_so_and_has_no_rate(state: str) -> None:
    text = said(state_of(frames(until=9000, state=state)), 118, "recording")
    assert state in text
    assert "epochs/s" not in text
    assert "left" not in text


def test_what_was_asked_stands_beside_what_is_confirmed() -> None:
    assert "weight decay 1 → 4 asked" in said(LIVE, 150, asked=(2.0, 4.0))


def test_with_a_cursor_it_says_so_and_tells_that_epoch_s_phase_and_weight_decay() -> None:
    state = state_of(frames(until=9000, changes=[(5000, "weight_decay", 3.0)]))
    text = line(state, "live", (), 130, cursor=3000).plain
    assert text == (
        "nanda113-1   cpu   ● live   epoch 9,000 of 40,000   45 epochs/s   11 min left   "
        "at 3,000   circuit formation   weight decay 1"
    )
    assert "weight decay 1, now 3 → 6 asked" in line(state, "live", (6.0,), 160, cursor=3000).plain


@given(width=st.integers(1, 200))
def test_that_an_earlier_epoch_is_shown_is_never_left_out(width: int) -> None:
    text = line(LIVE, "live", (), width, cursor=3000).plain
    assert "● live" in text
    assert "at 3,000" in text
    assert len(text) <= max(width, len("● live  at 3,000"))


def test_the_phase_of_the_line_is_the_one_that_was_called_then_or_the_one_placed_there_later() -> None:
    placed = next(b for b in LIVE.phases.boundaries if b.phase == "circuit formation")
    assert "memorization" in line(LIVE, "live", (), 130, cursor=placed.epoch - 1).plain
    later = f"circuit formation (known at {placed.confirmed:,})"
    assert later in line(LIVE, "live", (), 150, cursor=placed.epoch).plain
    assert later in line(LIVE, "live", (), 150, cursor=placed.confirmed - 1).plain
    known = line(LIVE, "live", (), 150, cursor=placed.confirmed).plain
    assert "circuit formation" in known
    assert "known at" not in known
