"""Heat maps in half blocks and in shades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.ui.widgets.cells import HEATS, SIGNS, Cells, Token, changed, ground
from grok_tui.ui.widgets.heatmap import HeatMap, HeatMaps, Maps, Scale, linear, logarithmic, picture, pixels
from tests.ui.gallery import Gallery
from tests.ui.planted import pattern

UNIT = Scale(0.0, 1.0)
TWO = HeatMap(np.array([[0.0, 1.0], [1.0, 0.5], [0.0, 0.0]]), UNIT)


def rows(cells: Cells) -> list[str]:
    return [line.rstrip() for line in cells.lines()]


def test_a_cell_holds_two_pixels_the_upper_one_in_front() -> None:
    cells = picture(Maps((HeatMap(np.array([[0.0, 1.0], [1.0, 0.0]]).repeat(8, 0).repeat(8, 1), UNIT),)), 16, 9)
    assert rows(cells)[:8] == ["▀" * 16] * 8
    assert {int(style) & 0xFF for style in cells.styles[0, :8]} == {Token.HEAT_0}
    assert {ground(int(style)) for style in cells.styles[7, :8]} == {Token.HEAT_15}


def test_where_colours_are_few_shades_are_a_picture() -> None:
    values = np.linspace(0, 1, 5)[None, :].repeat(5, 0)
    assert rows(picture(Maps((HeatMap(values, UNIT),)), 10, 6, shades=True))[:5] == ["  ░░▒▒▓▓██"] * 5


def test_negative_values_have_glyphs_of_their_own() -> None:
    values = np.array([[-1.0, -0.4, 0.0, 0.4, 1.0]]).repeat(5, 0)
    cells = picture(Maps((HeatMap(values, linear(values)),)), 10, 6, shades=True)
    assert rows(cells)[0] == "≡≡--  ░░██"
    assert linear(values).kind == "signed"


def test_a_scale_covers_its_ramp_and_clips() -> None:
    assert UNIT.steps(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan])).tolist() == [0, 0, 8, 15, 15, 0]
    assert Scale(-1, 1, "signed").steps(np.array([-9.0, -1.0, 0.0, np.nan, 1.0])).tolist() == [0, 0, 7, 7, 14]
    assert Scale(1.0, 1000.0, "log").steps(np.array([0.0, 1.0, 31.7, 1000.0])).tolist() == [0, 0, 8, 15]


def test_scales_end_at_round_numbers_so_that_they_seldom_move() -> None:
    assert linear(np.array([0.0, 0.93])).high == linear(np.array([0.0, 0.97])).high == 1.0
    assert logarithmic(np.array([0.0, 970.0])).ends == ("1", "1,000")


def test_a_matrix_is_reduced_by_the_area_of_each_pixel() -> None:
    each = HeatMap(np.arange(9.0).reshape(3, 3), UNIT)
    found = pixels(each, 2, 2)
    assert found.mean() == pytest.approx(each.values.mean())
    assert found[0, 0] == pytest.approx((0 + 1 / 2 + 3 / 2 + 4 / 4) / 2.25)


def test_a_single_bright_block_survives_where_extremes_are_kept() -> None:
    values = np.zeros((113, 113))
    values[27, 28] = 1.0
    assert pixels(HeatMap(values, UNIT, extremes=True), 20, 20).max() == 1.0
    assert pixels(HeatMap(values, UNIT), 20, 20).max() < 0.1


def test_waves_too_fine_for_the_pixels_are_shown_in_part_and_said_to_be() -> None:
    each = HeatMap(pattern(35, 1.0), UNIT, finest=105)
    assert np.array_equal(pixels(each, 40, 40), each.values[:40, :40])
    cells = picture(Maps((each,)), 60, 22)
    assert "the first 40 of 113 numbers" in cells.line(21)
    assert cells.line(20).split() == ["0", "b", "39"]


def test_smooth_waves_are_shown_whole() -> None:
    found = pixels(HeatMap(pattern(2, 1.0), UNIT, finest=6), 40, 40)
    assert found.shape == (40, 40)
    assert found.max() - found.min() > 0.5
    assert "first" not in picture(Maps((HeatMap(pattern(2, 1.0), UNIT, finest=6),)), 60, 22).line(21)


def test_small_matrices_are_enlarged_by_whole_numbers() -> None:
    assert pixels(TWO, 8, 8).shape == (6, 4)


def test_maps_lie_so_that_they_are_largest_and_those_left_out_are_counted() -> None:
    four = tuple(HeatMap(pattern(k, 1.0), UNIT, (f"head {k}",), finest=999) for k in (14, 35, 41, 52))
    wide = rows(picture(Maps(four), 118, 20))
    assert all(f"head {k}" in wide[0] for k in (14, 35, 41, 52))
    square = rows(picture(Maps(four), 70, 40))
    assert [row.count("head") for row in square if "head" in row] == [2, 2]
    assert "+3 more" in rows(picture(Maps(four), 24, 10))[-1]


def test_marked_places_are_named_on_both_axes() -> None:
    values = np.zeros((113, 113))
    cells = picture(Maps((HeatMap(values, UNIT, marks=((27.5, "14"), (69.5, "35"))),)), 120, 59)
    lines = rows(cells)
    assert lines[57].split() == ["14", "35"]
    assert lines[13].strip().startswith("14")
    assert lines[34].strip().startswith("35")


def test_without_maps_it_says_what_is_missing_and_without_room_that_it_needs_some() -> None:
    assert "not measured yet" in "".join(picture(Maps(missing="not measured yet"), 40, 5).lines())
    assert "needs more room" in "".join(picture(Maps((TWO,)), 16, 1).lines())


def test_only_cells_whose_step_changes_are_drawn_again() -> None:
    before, after = (picture(Maps((HeatMap(v, UNIT),)), 20, 9) for v in (np.zeros((16, 16)), np.eye(16) * 0.03))
    assert changed(before, after) == []
    one = np.zeros((16, 16))
    one[4, 5] = 1.0
    assert [(y, end - start) for y, start, end in changed(before, picture(Maps((HeatMap(one, UNIT),)), 20, 9))] == [
        (2, 1)
    ]


def test_the_ramps_fill_the_tokens() -> None:
    assert len([token for token in Token if token.variable.startswith("heat-")]) == HEATS
    assert len([token for token in Token if token.variable.startswith("signed-")]) == SIGNS


async def test_no_color_turns_a_map_into_shades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    from grok_tui.state import RunState

    app = Gallery(RunState(), panes=())
    async with app.run_test(size=(40, 12)) as pilot:
        grid = HeatMaps()
        await app.screen.mount(grid)
        grid.show(Maps((HeatMap(pattern(2, 1.0), UNIT),)))
        await pilot.pause()
        assert grid.few_colours
        assert "█" in "".join(grid.cells.lines())
        assert "▀" not in "".join(grid.cells.lines())


@given(
    width=st.integers(0, 130),
    height=st.integers(0, 40),
    count=st.integers(1, 6),
    size=st.integers(1, 120),
    finest=st.sampled_from([0.0, 150.0]),
    shades=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_no_size_breaks_a_picture(width: int, height: int, count: int, size: int, finest: float, shades: bool) -> None:
    values = np.full((size, size), np.nan)
    values[0] = np.inf
    maps = Maps(tuple(HeatMap(values, linear(values), (f"map {i}",), finest=finest) for i in range(count)), what="x")
    cells = picture(maps, width, height, shades=shades)
    assert (cells.width, cells.height) == (width, height)
