"""A series and its reduction to a chart's columns, against brute force."""

from __future__ import annotations

import math
from itertools import pairwise
from timeit import timeit

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.series import Columns, Floats, Ints, Series
from tests.ui.counting import points_read

ODD_VALUES = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1e300])
VALUES = st.one_of(st.floats(-1e6, 1e6), ODD_VALUES)


def brute(epochs: Ints, values: Floats, edges: Floats) -> Columns:
    low, high, last, seen = [], [], [], []
    for left, right in pairwise(edges):
        inside = values[(epochs >= left) & (epochs < right)]
        finite = inside[np.isfinite(inside)]
        low.append(finite.min() if len(finite) else math.nan)
        high.append(finite.max() if len(finite) else math.nan)
        last.append(inside[-1] if len(inside) else math.nan)
        seen.append(len(inside) > 0)
    return Columns(np.array(low), np.array(high), np.array(last), np.array(seen))


def assert_same(found: Columns, expected: Columns) -> None:
    np.testing.assert_array_equal(found.low, expected.low)
    np.testing.assert_array_equal(found.high, expected.high)
    np.testing.assert_array_equal(found.last, expected.last)
    np.testing.assert_array_equal(found.seen, expected.seen)


@given(
    values=st.lists(VALUES, min_size=0, max_size=1500),
    gaps=st.integers(1, 50),
    chunk=st.integers(1, 400),
    edges=st.lists(st.floats(-10, 3000), min_size=2, max_size=40, unique=True),
)
@settings(deadline=None)
def test_columns_equal_a_search_through_every_point(
    values: list[float], gaps: int, chunk: int, edges: list[float]
) -> None:
    epochs = np.cumsum(np.random.default_rng(len(values)).integers(1, gaps + 1, len(values)))
    column = np.array(values, np.float64)
    series = Series()
    for start in range(0, len(values), chunk):
        series.add(epochs[start : start + chunk], column[start : start + chunk])
    cuts = np.array(sorted(edges))
    assert_same(series.columns(cuts), brute(epochs, column, cuts))


@given(lengths=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), min_size=1, max_size=8))
@settings(deadline=None)
def test_what_is_said_again_replaces_what_was_there_from_that_epoch_on(lengths: list[tuple[int, int]]) -> None:
    series, truth = Series(), np.empty(0)
    rng = np.random.default_rng(len(lengths))
    for start, count in lengths:
        start = min(start, len(truth))
        fresh = rng.standard_normal(count)
        series.add(np.arange(start, start + count), fresh)
        truth = np.concatenate((truth[:start], fresh))
    np.testing.assert_array_equal(series.values, truth)
    edges = np.linspace(0, len(truth) + 5, 30)
    assert_same(series.columns(edges), brute(np.arange(len(truth)), truth, edges))


def test_an_empty_series_reduces_to_nothing() -> None:
    columns = Series().columns(np.array([0.0, 1.0, 2.0]))
    assert not columns.seen.any()
    assert np.isnan(columns.low).all()
    assert math.isnan(Series().last)
    assert Series().at(3) is None


def test_points_are_found_at_an_epoch_before_it_and_after_it() -> None:
    series = Series()
    series.add(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]))
    assert series.at(9) is None
    assert series.at(10) == (10, 1.0)
    assert series.at(29.9) == (20, 2.0)
    assert series.after(20) == (30, 3.0)
    assert series.after(30) is None


def test_extent_includes_both_ends() -> None:
    series = Series()
    series.add(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]))
    assert series.extent(10, 20) == (1.0, 2.0)
    assert series.extent(20, 30) == (2.0, 3.0)


def test_a_slingshot_of_one_epoch_among_a_million_shows_in_its_column() -> None:
    series = Series()
    values = np.full(1_000_000, 1e-7)
    values[654_321] = 0.5
    series.add(np.arange(1_000_000), values)
    columns = series.columns(np.linspace(0, 1_000_000, 101))
    assert columns.high[65] == 0.5
    assert (np.delete(columns.high, 65) == 1e-7).all()


def test_a_reduction_reads_as_few_numbers_of_a_long_run_as_of_a_short_one() -> None:
    def read(length: int) -> int:
        series = Series()
        series.add(np.arange(length), np.random.default_rng(0).standard_normal(length))
        return points_read(lambda: series.columns(np.linspace(0, length, 201)))

    short, long = read(40_000), read(4_000_000)
    assert short < 200 * 64
    assert long < 2 * short


def test_a_reduction_of_a_run_a_hundred_times_as_long_does_not_take_ten_times_as_long() -> None:
    def seconds(length: int) -> float:
        series = Series()
        series.add(np.arange(length), np.zeros(length))
        edges = np.linspace(0, length, 201)
        return min(timeit(lambda: series.columns(edges), number=1) for _ in range(30))

    assert seconds(4_000_000) < 10 * seconds(40_000)
