"""The chart as text: what is seen of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.series import Series
from grok_tui.ui.widgets.axis import Epochs, Values
from grok_tui.ui.widgets.cells import Cells, Token
from grok_tui.ui.widgets.chart import picture
from grok_tui.ui.widgets.plot import Line, Mark, Plot
from grok_tui.ui.widgets.strokes import Stroke
from tests.ui.counting import points_read


def line(values: list[float], name: str = "train", token: Token = Token.TRAIN, **more: object) -> Line:
    series = Series()
    series.add(np.arange(len(values)), np.array(values, float))
    return Line(name, name[:4], series, token, **more)  # type: ignore[arg-type]


def plot(*lines: Line, end: float | None = None, **more: object) -> Plot:
    newest = max((float(each.series.epochs[-1]) for each in lines if len(each.series)), default=0.0)
    return Plot(lines, Epochs(0, newest if end is None else end), **more)  # type: ignore[arg-type]


def inked(cells: Cells, token: Token) -> set[tuple[int, int]]:
    """(column, row) of the braille cells of a line."""
    rows, columns = np.nonzero((cells.styles == token) & (cells.chars >= 0x2800) & (cells.chars <= 0x28FF))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def test_before_the_first_point_a_chart_says_so() -> None:
    text = "\n".join(picture(plot(line([])), 40, 10).lines())
    assert "no data yet" in text


def test_a_spike_of_one_epoch_in_forty_thousand_is_drawn_to_its_full_height() -> None:
    values = [1e-7] * 40_000
    values[24_310] = 0.8
    cells = picture(plot(line(values), log=True), 80, 20)
    tall = [x for x, _ in inked(cells, Token.TRAIN)]
    column = max(set(tall), key=tall.count)
    assert tall.count(column) >= 15
    assert column == 5 + int(24_310 / 39_999 * 75)


@pytest.mark.parametrize("told", [{0: 1.5, 1000: 1.5}, {0: 3.0, 500: 1.0, 1000: 1.0}])
def test_a_value_in_force_where_the_window_begins_is_drawn_as_high_as_on_the_whole_axis(told: dict[int, float]) -> None:
    series = Series()
    series.add(np.array(list(told)), np.array(list(told.values())))
    held = Line("weight decay", "wd", series, Token.CONTROL, steps=True)
    whole, part = (
        picture(Plot((held,), Epochs(start, end), legend=False), 60, 12) for start, end in ((0, 1000), (200, 900))
    )
    rows = [{row for _, row in inked(cells, Token.CONTROL)} for cells in (whole, part)]
    labels = [[row.split("┤")[0] for row in cells.lines() if "┤" in row] for cells in (whole, part)]
    assert rows[0] == rows[1]
    assert labels[0] == labels[1]


def test_a_dip_of_one_epoch_is_drawn_too() -> None:
    values = [1.0] * 40_000
    values[7_777] = 0.0
    cells = picture(plot(line(values), values=Values(0, 1)), 80, 20)
    columns = [x for x, _ in inked(cells, Token.TRAIN)]
    assert max(columns.count(x) for x in set(columns)) >= 15


def test_zeros_on_a_log_axis_lie_on_the_floor_with_a_mark() -> None:
    cells = picture(plot(line([1.0] * 50 + [0.0] * 50), log=True), 60, 12)
    floor = cells.line(9)[5:]
    assert set(floor[:27]) == {" "}
    assert set(floor[29:]) == {"▾"}


def test_nan_leaves_a_gap() -> None:
    cells = picture(plot(line([0.5] * 40 + [math.nan] * 20 + [0.5] * 40), values=Values(0, 1)), 65, 12)
    columns = {x - 5 for x, _ in inked(cells, Token.TRAIN)}
    assert columns.isdisjoint(range(26, 35))
    assert {0, 20, 40, 59} <= columns


def test_the_legend_names_each_line_with_its_value_and_says_what_is_provisional() -> None:
    provisional = line(
        [0.629], "restricted", Token.RESTRICTED, notes=("provisional keys", "prov."), weak=True, marker="△"
    )
    shown = plot(provisional, line([1.5e-7]), end=10)
    wide = picture(shown, 100, 12).line(0)
    assert "train 1.5e-7" in wide
    assert "restricted (provisional keys) 0.629" in wide
    assert "restricted (prov.) 0.629" in picture(shown, 50, 8).line(0)
    narrow = picture(shown, 24, 8).line(0)
    assert "trai" in narrow
    assert "rest" in narrow


def test_a_weak_line_is_drawn_in_a_weaker_colour() -> None:
    cells = picture(plot(line([0.5] * 9, "restricted", Token.RESTRICTED, weak=True)), 40, 10)
    assert inked(cells, Token.RESTRICTED_WEAK)
    assert not inked(cells, Token.RESTRICTED)


def test_train_and_test_differ_without_colour() -> None:
    values = [0.5] * 100
    train = picture(plot(line(values), values=Values(0, 1), legend=False), 70, 12).lines()
    test = picture(plot(line(values, stroke=Stroke.THICK, marker="○"), values=Values(0, 1), legend=False), 70, 12)
    assert train != test.lines()
    assert any("○" in row for row in test.lines())
    assert not any("○" in row for row in train)


def test_the_cursor_reads_every_series_at_its_epoch() -> None:
    a, b = line([float(e) for e in range(100)]), line([float(2 * e) for e in range(100)], "test", Token.TEST)
    cells = picture(plot(a, b, cursor=40), 80, 14)
    head = cells.line(0)
    assert head.startswith("at 40")
    assert "test 80" in head
    assert "train 40" in head
    assert " 40 " in cells.line(13)
    assert "│" in {cells.line(y)[5 + int(40 / 99 * 75)] for y in range(1, 12)}


def test_the_cursor_reads_a_sparse_series_at_its_last_measure_and_an_unborn_one_as_a_dash() -> None:
    sparse = Series()
    sparse.add(np.array([10, 60]), np.array([5.0, 7.0]))
    measured = Line("test", "test", sparse, Token.TEST)
    assert measured.read(59) == "5"
    assert measured.read(60) == "7"
    assert measured.read(9) == "–"


def test_a_confirmed_change_is_a_vertical_line_with_a_few_letters() -> None:
    cells = picture(plot(line([0.5] * 100), values=Values(0, 1), marks=(Mark(50, "wd 3"),)), 65, 14)
    column = 5 + int(50 / 99 * 60)
    assert sum(cells.line(y)[column] == "┊" for y in range(1, 12)) >= 8
    assert any(cells.line(y)[column + 1 : column + 5] == "wd 3" for y in range(1, 12))


def test_of_many_changes_in_a_column_the_last_one_is_named() -> None:
    marks = tuple(Mark(50_000 + i, f"wd {i}") for i in range(300))
    long = Series()
    long.add(np.array([0, 100_000]), np.array([0.2, 0.2]))
    cells = picture(
        Plot((Line("a", "a", long, Token.TRAIN),), Epochs(0, 100_000), Values(0, 1), marks=marks, legend=False), 65, 14
    )
    assert "wd 299" in "\n".join(cells.lines())
    assert "wd 298" not in "\n".join(cells.lines())


def test_chance_is_a_line_across_with_its_name() -> None:
    cells = picture(plot(line([20.0, 1e-6]), log=True, level=(4.727, "chance, ln 113", "chance")), 80, 16)
    rows = cells.lines()
    assert any(row.count("╌") > 30 for row in rows)
    assert any("chance, ln 113" in row for row in rows)


def test_a_zoom_between_two_measures_shows_the_line_between_them() -> None:
    sparse = Series()
    sparse.add(np.array([0, 1000]), np.array([0.0, 1.0]))
    shown = Plot((Line("a", "a", sparse, Token.TRAIN),), Epochs(400, 600), Values(0, 1), legend=False)
    cells = picture(shown, 65, 14)
    assert {x for x, _ in inked(cells, Token.TRAIN)} == set(range(5, 65))


def test_a_zoom_scales_the_values_to_what_it_shows() -> None:
    shown = Plot((line([100.0] * 50 + [1.0] * 50),), Epochs(60, 90), legend=False)
    assert "100" not in "\n".join(picture(shown, 60, 12).lines())


def test_charts_of_one_width_share_their_columns() -> None:
    accuracy = picture(plot(line([0.5] * 9), values=Values(0, 1)), 60, 12)
    losses = picture(plot(line([1e-8, 20.0] * 5), log=True), 60, 12)
    assert accuracy.line(10).index("└") == losses.line(10).index("└")


@given(
    width=st.integers(0, 90),
    height=st.integers(0, 30),
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    start=st.integers(0, 50),
    log_x=st.booleans(),
    log_y=st.booleans(),
    cursor=st.none() | st.integers(0, 100),
)
@settings(deadline=None)
def test_nothing_that_a_run_may_hold_and_no_size_breaks_a_chart(
    width: int, height: int, values: list[float], start: int, log_x: bool, log_y: bool, cursor: int | None
) -> None:
    shown = Plot(
        (
            line(values, "restricted", Token.RESTRICTED, stroke=Stroke.DASHED, marker="△", weak=True),
            line(values[::-1], "test", Token.TEST, stroke=Stroke.THICK, marker="○", notes=("provisional keys", "p.")),
        ),
        Epochs(start, start + 10, log_x),
        log=log_y,
        marks=(Mark(start + 3, "wd 3"), Mark(start + 4, "lr 0.01")),
        cursor=cursor,
        level=(4.7, "chance", "c"),
    )
    cells = picture(shown, width, height)
    assert (cells.width, cells.height) == (width, height)


@pytest.mark.parametrize("size", [(60, 12), (100, 20)])
def test_a_chart_of_a_long_run_costs_what_one_of_a_short_run_costs(size: tuple[int, int]) -> None:
    def cost(length: int) -> int:
        series = Series()
        series.add(np.arange(length), np.random.default_rng(0).random(length))
        shown = Plot((Line("a", "a", series, Token.TRAIN),), Epochs(0, length))
        return points_read(lambda: picture(shown, *size))

    assert cost(2_000_000) < 3 * cost(20_000)
