"""Points on planes, and the projections that put them there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.ui.projections import aligning, around, powers, principal_axes, seen, share, strongest, wave_axes, winds
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.scatter import Plane, dots, drawn, picture, room
from tests.ui.planted import KEYS, P, embedding

ANGLES = 2 * np.pi * 14 * np.arange(P) / P
RING = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def test_four_points_lie_where_they_should() -> None:
    points = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    lines = drawn(Plane(points, 1.4, ("cross",)), 12, 7).lines()
    assert [line.rstrip() for line in lines] == [
        "   cross",
        "      ⡀1",
        "",
        "2⢀        ⡀0",
        "",
        "",
        "      ⠁3",
    ]


@pytest.mark.parametrize(("width", "height"), [(20, 10), (60, 12), (16, 30), (80, 40)])
def test_a_circle_is_as_wide_as_it_is_high(width: int, height: int) -> None:
    x, y = dots(Plane(RING, 1.0), width, height)
    assert abs((x.max() - x.min()) - (y.max() - y.min())) <= 1
    assert x.max() - x.min() >= 0.5 * min(2 * width, 4 * height)


def test_labels_have_a_blank_between_them_and_0_stands_out() -> None:
    cells = drawn(Plane(RING, 1.0), 60, 30)
    words = {word for line in cells.lines() for word in "".join(c if c.isdigit() else " " for c in line).split()}
    assert len(words) >= 15
    assert all(int(word) < P for word in words)  # two labels that touch would read as one
    assert (cells.styles & 0xFF == Token.KEY).sum() == 1


def test_a_line_visits_the_points_in_their_order() -> None:
    bare, joined = (drawn(Plane(RING, 1.0, order=order), 80, 40) for order in (None, around(P, 14)))
    assert ((joined.styles & 0xFF) == Token.AXIS).any()
    assert not ((bare.styles & 0xFF) == Token.AXIS).any()
    assert (joined.chars == ord(" ")).all(axis=0)[30:50].sum() == 0
    assert (joined.chars[15:25, 30:50] == ord(" ")).all()  # none goes through the middle


def test_few_large_planes_are_preferred_to_many_tiny_ones() -> None:
    assert room(60, 9, 7)[0] == 3
    assert room(20, 12, 7)[0] == 1
    assert room(196, 54, 7)[0] >= 6
    assert room(13, 9, 7) == (0, 0)
    assert room(40, 5, 7) == (0, 0)


def test_without_planes_it_says_what_is_missing() -> None:
    assert "not yet" in "".join(picture((), 30, 5, "not yet").lines())
    assert "needs more room" in "".join(picture((Plane(RING, 1.0),), 20, 2).lines())


@given(width=st.integers(0, 120), height=st.integers(0, 40), count=st.integers(0, 7), n=st.integers(0, 120))
@settings(deadline=None, max_examples=60)
def test_no_size_breaks_a_plane(width: int, height: int, count: int, n: int) -> None:
    points = np.full((n, 2), 3.0)
    points[::2] = np.nan
    planes = tuple(Plane(points, 0.0, ("plane",), np.arange(n)) for _ in range(count))
    cells = picture(planes, width, height)
    assert (cells.width, cells.height) == (width, height)


def test_the_planted_frequencies_are_the_strongest_and_hold_what_they_were_given() -> None:
    found = embedding(1.0)
    assert strongest(found, 6) == list(KEYS)
    held = powers(found)
    assert held.sum() == pytest.approx(1.0)
    assert held[KEYS[0] - 1] / held[KEYS[1] - 1] == pytest.approx((4 / 3.5) ** 2, rel=0.02)


@pytest.mark.parametrize("k", KEYS)
def test_on_the_plane_of_its_frequency_each_number_lies_at_its_angle(k: int) -> None:
    points = seen(found := embedding(1.0), wave_axes(found, k))
    turned = np.angle((points[:, 0] + 1j * points[:, 1]) * np.exp(-2j * np.pi * k * np.arange(P) / P))
    assert np.abs(turned).max() < 0.2
    mirrored = embedding(1.0) * -1
    assert seen(mirrored, wave_axes(mirrored, k)) == pytest.approx(points)


def test_numbers_around_a_circle_are_a_multiplication_apart() -> None:
    order = around(P, 14)
    assert sorted(order.tolist()) == list(range(P))
    assert {int(step) for step in np.diff(order) % P} == {pow(14, -1, P)}
    assert sorted(around(114, 6).tolist()) == list(range(114))
    assert winds(RING, order)
    assert not winds(RING, np.arange(P))


def test_the_principal_plane_holds_as_much_as_any() -> None:
    for formed in (0.0, 0.5, 1.0):
        found = embedding(formed)
        exact = np.linalg.svd(found - found.mean(axis=1, keepdims=True), compute_uv=False) ** 2
        axes = principal_axes(found)
        assert axes.T @ axes == pytest.approx(np.eye(2), abs=1e-9)
        assert share(seen(found, axes), found) == pytest.approx(exact[:2].sum() / exact.sum(), rel=0.03)


def test_a_turned_and_mirrored_frame_is_brought_back() -> None:
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    assert (RING @ turn) @ aligning(RING @ turn, RING) == pytest.approx(RING)
