"""The dots of a line."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.series import Columns, Series
from grok_tui.ui.widgets.axis import Values
from grok_tui.ui.widgets.strokes import Stroke, Trail, braille, dots, trail

UNIT = Values(0.0, 1.0)


def series(values: list[float], every: int = 1) -> Series:
    made = Series()
    made.add(np.arange(len(values)) * every, np.array(values))
    return made


def columns(values: list[float], width: int, every: int = 1) -> Columns:
    end = (len(values) - 1) * every
    edges = np.linspace(0, end, width + 1)
    edges[-1] = end + 1
    return series(values, every).columns(edges)


@given(values=st.lists(st.floats(0, 1), min_size=2, max_size=400), width=st.integers(2, 120), height=st.integers(1, 60))
def test_a_line_is_connected_and_covers_the_extremes_of_each_column(
    values: list[float], width: int, height: int
) -> None:
    found = columns(values, width)
    line = trail(found, UNIT, height)
    assert np.isfinite(line.end).all()
    assert (line.low[found.seen] <= UNIT.row(found.low, height)[found.seen]).all()
    assert (line.high[found.seen] >= UNIT.row(found.high, height)[found.seen]).all()
    reach = np.minimum(np.abs(line.low[1:] - line.end[:-1]), np.abs(line.high[1:] - line.end[:-1]))
    inside = (line.low[1:] <= line.end[:-1]) & (line.end[:-1] <= line.high[1:])
    assert (inside | (reach <= 1)).all()


def test_sparse_points_are_bridged_straight() -> None:
    line = trail(columns([0.0, 1.0], 11, every=100), UNIT, 11)
    assert line.end[:11].tolist() == list(range(11))


def test_steps_hold_the_value_until_the_next_one() -> None:
    line = trail(columns([0.0, 1.0], 11, every=100), UNIT, 11, steps=True)
    assert line.end.tolist() == [0.0] * 10 + [10.0]
    assert (line.low[10], line.high[10]) == (1.0, 10.0)


def test_nan_and_infinity_are_gaps_and_nothing_bridges_them() -> None:
    for bad in (math.nan, math.inf, -math.inf):
        line = trail(columns([0.5, 0.5, bad, bad, 0.5, 0.5], 6), UNIT, 8)
        assert np.isnan(line.end).tolist() == [False, False, True, True, False, False]
        assert not dots(line, Stroke.SOLID, 8)[:, 2:4].any()


def test_a_gap_on_a_log_axis_is_a_gap_and_not_a_line_on_the_floor() -> None:
    line = trail(columns([0.5, math.nan, 0.5], 3), Values(0.01, 1.0, log=True), 8)
    assert np.isnan(line.low).tolist() == [False, True, False]


def test_a_line_goes_on_to_the_points_beyond_the_edges() -> None:
    nothing = np.full(10, np.nan)
    empty = Columns(nothing, nothing, nothing, np.zeros(10, bool))
    line = trail(empty, UNIT, 21, before=(-5.0, 0.0), after=(15.0, 1.0))
    assert line.end.tolist() == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]


def test_braille_has_each_dot_in_its_place() -> None:
    mask = np.zeros((4, 2), bool)
    mask[3, 0] = True  # row 3 from the bottom is the top
    assert chr(0x2800 + braille(mask)[0, 0]) == "⠁"
    mask[0, 1] = True
    assert chr(0x2800 + braille(mask)[0, 0]) == "⢁"
    assert chr(0x2800 + braille(np.ones((4, 2), bool))[0, 0]) == "⣿"


def test_strokes_differ_without_colour() -> None:
    flat = Trail(*(np.full(48, 4.0) for _ in range(3)))
    pictures = {stroke: dots(flat, stroke, 12).tobytes() for stroke in Stroke}
    assert len(set(pictures.values())) == len(Stroke)
    assert dots(flat, Stroke.THICK, 12).sum() == 2 * dots(flat, Stroke.SOLID, 12).sum()


def test_a_broken_stroke_is_broken_on_a_steep_line_too() -> None:
    steep = Trail(np.array([0.0]), np.array([39.0]), np.array([39.0]))
    lit = dots(steep, Stroke.DASHED, 40).sum()
    assert 20 < lit < 40


def test_any_stretch_of_a_few_cells_tells_one_stroke_from_every_other() -> None:
    """Sixteen cells stand between two markers: within so many, no stroke may look like another, wherever it begins."""
    flat = Trail(*(np.full(96, 4.0) for _ in range(3)))
    pictures = {stroke: dots(flat, stroke, 12) for stroke in Stroke}
    for one, other in itertools.combinations(Stroke, 2):
        seen = {pictures[other][:, x : x + 24].tobytes() for x in range(72)}
        assert not any(pictures[one][:, x : x + 24].tobytes() in seen for x in range(72)), (one, other)
