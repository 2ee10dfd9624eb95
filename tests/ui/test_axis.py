"""Where numbers fall, and which ticks name them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.ui.widgets import axis
from grok_tui.ui.widgets.axis import DEEPEST, Epochs, Values


@given(start=st.integers(0, 10**6), length=st.integers(1, 10**6), log=st.booleans(), width=st.integers(1, 300))
def test_each_epoch_falls_into_the_column_whose_edges_hold_it(start: int, length: int, log: bool, width: int) -> None:
    epochs = Epochs(start, start + length, log)
    edges = epochs.edges(width)
    assert len(edges) == width + 1
    assert (np.diff(edges) > 0).all()
    for epoch in (start, start + length // 3, start + length):
        column = epochs.column(epoch, width)
        assert column is not None
        slack = 1e-6 * (length / width + 1)
        assert edges[column] - slack <= epoch <= edges[column + 1] + slack


def test_an_epoch_outside_has_no_column() -> None:
    assert Epochs(100, 200).column(99, 10) is None
    assert Epochs(100, 200).column(201, 10) is None


def test_a_log_axis_has_a_place_for_epoch_zero_and_ticks_at_decades() -> None:
    epochs = Epochs(0, 40_000, log=True)
    assert epochs.column(0, 100) == 0
    assert [label for _, label in epochs.ticks(100)] == ["0", "1", "10", "100", "1k", "10k"]
    assert [label for _, label in epochs.ticks(20)] == ["0", "10", "10k"]


def test_a_linear_axis_has_round_ticks() -> None:
    assert [label for _, label in Epochs(0, 40_000).ticks(60)] == ["0", "10k", "20k", "30k", "40k"]
    assert [label for _, label in Epochs(0, 2_500).ticks(60)] == ["0", "500", "1k", "1.5k", "2k", "2.5k"]


def test_a_loss_axis_names_powers_of_ten() -> None:
    values = axis.span(9.5e-8, 26.0, log=True)
    assert values == Values(5e-8, 30.0, log=True)
    assert [label for _, label in values.ticks(30)] == [
        "1e-7",
        "1e-6",
        "1e-5",
        "1e-4",
        "1e-3",
        "1e-2",
        "0.1",
        "1",
        "10",
    ]


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [
        (math.nan, math.nan, True),
        (math.nan, math.nan, False),
        (0, 0, True),
        (0, 0, False),
        (5, 5, True),
        (-2, 3, False),
    ],
)
def test_there_is_an_axis_for_values_that_hardly_span_anything(low: float, high: float, log: bool) -> None:
    values = axis.span(low, high, log)
    assert values.low < values.high
    assert not log or values.low > 0


@given(low=st.floats(0, 1e300), factor=st.floats(1, 1e30), log=st.booleans(), height=st.integers(1, 80))
def test_every_value_has_a_row_and_ticks_fit_their_room(low: float, factor: float, log: bool, height: int) -> None:
    values = axis.span(low, low * factor, log)
    assert values.low < values.high
    if log:
        assert math.log10(values.high / values.low) <= DEEPEST + 1e-9
    rows = values.row(np.array([low, low * factor, values.low, values.high, 0.0, math.nan]), height)
    assert ((rows[:5] >= 0) & (rows[:5] <= height - 1)).all()
    assert rows[3] == height - 1
    assert math.isnan(rows[5])
    ticks = values.ticks(height)
    assert len(ticks) <= max(height // 3, 3 if height >= 6 else 2)
    assert all(values.low * (1 - 1e-9) <= v <= values.high * (1 + 1e-9) for v, _ in ticks)


@given(newest=st.integers(0, 10**8))
def test_a_growing_axis_holds_the_newest_epoch_and_wastes_at_most_a_third(newest: int) -> None:
    end = axis.grown(newest)
    assert end >= newest
    assert end <= max(newest * 4 / 3 + 1e-6, 10)


def test_a_growing_axis_stands_still_most_of_the_time() -> None:
    ends = [axis.grown(newest, 40_000) for newest in range(1_000, 40_001, 50)]
    assert len(set(ends)) < 20
    assert ends[-1] == 40_000


def test_epochs_are_short_on_an_axis() -> None:
    assert [axis.short(e) for e in (0, 500, 2_500, 40_000, 1_200_000)] == ["0", "500", "2.5k", "40k", "1.2M"]
