"""Neurons by how well one frequency explains them, and by which."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.histogram import Clusters, bars, histogram, picture

SOME = Clusters(
    np.array([0.1, 0.2, 0.85, 0.9, 0.95, 0.95, 1.0]), np.array([3, 3, 3, 14, 14, 14, 35]), keys=frozenset({14})
)


def test_only_neurons_above_the_line_are_in_a_cluster() -> None:
    assert SOME.above == 4
    assert SOME.sizes == [(14, 3), (35, 1)]


def test_the_histogram_is_a_picture() -> None:
    lines = histogram(SOME, 20, 4).lines()
    assert lines[-1].split() == ["0", "0.25", "0.5", "0.85"]
    assert [line[19] for line in lines[:3]] == ["█", "█", "█"]  # three of at most three
    assert lines[2][2] == "█"
    cells = histogram(SOME, 20, 4)
    assert {int(style) for style in cells.styles[2, 17:20]} == {Token.KEY}


def test_clusters_are_bars_with_their_numbers_the_largest_first() -> None:
    assert [line.rstrip() for line in bars(SOME, 20, 4).lines()] == [
        "k 14  ████████████ 3",
        "k 35  ████ 1",
        "3 below the line",
        "",
    ]


def test_clusters_that_do_not_fit_are_counted() -> None:
    many = Clusters(np.full(40, 0.9), np.arange(1, 41))
    assert bars(many, 40, 4).lines()[-1].startswith("+37 of 1 or fewer")


def test_where_there_is_room_for_one_picture_it_is_the_histogram() -> None:
    assert "0.85" in "".join(picture(SOME, 40, 5).lines())
    assert "k 14" not in "".join(picture(SOME, 40, 5).lines())
    assert "k 14" in "".join(picture(SOME, 40, 12).lines())
    assert "k 14" in "".join(picture(SOME, 80, 5).lines())


@given(width=st.integers(0, 130), height=st.integers(0, 30), n=st.integers(0, 60))
@settings(deadline=None, max_examples=60)
def test_no_size_breaks_it(width: int, height: int, n: int) -> None:
    explained = np.linspace(0, 1, n)
    explained[: n // 3] = np.nan
    cells = picture(Clusters(explained, np.arange(n)), width, height)
    assert (cells.width, cells.height) == (width, height)
