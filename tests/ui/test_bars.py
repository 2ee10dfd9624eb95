"""Bars in eighths, and the spectrum made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.series import Floats
from grok_tui.ui.widgets.bars import EIGHTHS, Spectrum, bar_rows, hanging_rows, layout, note, picture
from grok_tui.ui.widgets.cells import REVERSE, Cells, Token


def spectrum(n: int = 56, keys: tuple[int, ...] = (1, 7, 28), *, size: float = 2.0) -> Spectrum:
    norms = np.full((2, n), 0.25)
    for k in keys:
        norms[:, k - 1] = size
    return Spectrum(norms, frozenset(keys), np.arange(n, dtype=float))


def styled(cells: Cells, token: Token) -> set[int]:
    """The columns in which a token appears, the last row aside."""
    return set(np.nonzero(((cells.styles[:-1] & 0xFF) == token).any(axis=0))[0].tolist())


def test_bars_stand_on_the_floor_in_eighths() -> None:
    assert bar_rows(np.array([0.5, 1.0]), 2) == [" █", "██"]
    assert bar_rows(np.array([0.0, 1 / 16, 9 / 16]), 2) == ["  ▁", " ▁█"]


def test_what_is_not_zero_is_seen() -> None:
    assert bar_rows(np.array([0.0, 1e-9]), 3)[-1] == " ▁"


def test_bars_hang_from_the_ceiling_by_the_block_of_what_is_empty() -> None:
    assert hanging_rows(np.array([0.5, 1.0]), 2) == ["██", " █"]
    assert hanging_rows(np.array([1 / 16]), 2) == ["▇", " "]


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80), height=st.integers(0, 20))
def test_every_bar_is_full_below_its_top(values: list[float], height: int) -> None:
    rows = bar_rows(np.array(values), height)
    assert len(rows) == height
    assert all(len(row) == len(values) for row in rows)
    for column in zip(*rows, strict=True):
        filled = [EIGHTHS.index(block) for block in column]
        assert filled == sorted(filled)
        assert sum(0 < f < 8 for f in filled) <= 1


def test_bars_get_wider_where_there_is_room_and_are_grouped_where_there_is_none() -> None:
    assert [layout(56, width, 9).stride for width in (56, 112, 168, 224, 999)] == [1, 2, 3, 4, 4]
    assert [(p.group, p.count) for p in (layout(56, width, 9) for width in (55, 28, 27, 5))] == [
        (2, 28),
        (2, 28),
        (3, 19),
        (12, 5),
    ]


def test_cosines_go_up_and_sines_down_when_there_is_height() -> None:
    norms = np.zeros((2, 56))
    norms[0, 9], norms[1, 19] = 1.0, 1.0
    cells = picture(Spectrum(norms, frozenset()), 56, 11)
    rows = cells.lines()
    assert [row[9] for row in rows[:10]] == ["█"] * 5 + [" "] * 5
    assert [row[19] for row in rows[:10]] == [" "] * 5 + ["█"] * 5


def test_a_partly_filled_hanging_cell_is_drawn_in_reverse() -> None:
    cells = picture(Spectrum(np.array([[1.0, 1.0], [9 / 32, 1.0]]), frozenset()), 2, 9)
    assert [cells.line(y)[0] for y in (4, 5, 6)] == ["█", "▇", " "]
    assert [bool(cells.styles[y, 0] & REVERSE) for y in (4, 5)] == [False, True]
    reversed_cells = np.nonzero(cells.styles & REVERSE)
    assert set(cells.chars[reversed_cells].tolist()) <= {ord(c) for c in EIGHTHS[1:8]}


def test_key_frequencies_have_a_colour_and_a_mark_below() -> None:
    cells = picture(spectrum(), 56, 10)
    assert styled(cells, Token.KEY) == {0, 6, 27}
    names = cells.line(9)
    assert names[0] == "1"
    assert names[6] == "7"
    assert "28" in names[26:30]


def test_many_key_frequencies_are_marked_without_names() -> None:
    cells = picture(spectrum(keys=tuple(range(1, 31))), 56, 10)
    assert cells.line(9)[:30] == "▴" * 30


def test_key_frequencies_too_near_for_their_names_are_marked() -> None:
    names = picture(spectrum(keys=(40, 41)), 56, 10).line(9)
    assert "40" in names
    assert "▴" in names


def test_a_group_shows_its_largest_and_the_note_says_so() -> None:
    cells = picture(spectrum(keys=(28,)), 28, 10)
    assert cells.line(0)[13] == "█"
    assert "each the largest of 2" in note(spectrum(), 28, 10)
    assert "largest" not in note(spectrum(), 56, 10)
    assert "cos up, sin down" in note(spectrum(), 56, 10)


def test_a_low_pane_with_room_pairs_cosine_and_sine_side_by_side() -> None:
    norms = np.zeros((2, 10))
    norms[0, 0], norms[1, 1] = 1.0, 1.0
    rows = picture(Spectrum(norms, frozenset()), 40, 4).lines()
    assert [row[:8] for row in rows[:3]] == ["█    █  "] * 3


def test_the_numbers_of_the_key_frequencies_stand_beside_when_there_is_room() -> None:
    rows = picture(spectrum(), 96, 12).lines()
    table = [row[57:].split() for row in rows[:4]]
    assert table[0] == ["k", "cos", "sin", "alpha"]
    assert table[1] == ["28", "2.00", "2.00", "27.00"]


def test_before_the_first_spectrum_it_says_so() -> None:
    assert "no spectrum yet" in "\n".join(picture(None, 40, 8).lines())


@pytest.mark.parametrize("values", [np.zeros((2, 56)), np.full((2, 56), np.nan), np.zeros((2, 0))])
def test_odd_spectra_are_drawn(values: Floats) -> None:
    picture(Spectrum(values, frozenset({3})), 60, 10)


@given(
    width=st.integers(0, 250), height=st.integers(0, 30), n=st.integers(1, 249), keys=st.frozensets(st.integers(1, 300))
)
@settings(deadline=None)
def test_no_size_breaks_a_spectrum(width: int, height: int, n: int, keys: frozenset[int]) -> None:
    cells = picture(Spectrum(np.ones((2, n)), keys, np.ones(n)), width, height)
    assert (cells.width, cells.height) == (width, height)
