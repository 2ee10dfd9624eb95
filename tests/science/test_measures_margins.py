"""Margins against a loop over every class, and against answers planted by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.science import losses, margins
from tests.science import brute
from tests.science.planted import cosines, half, lookup_table, mask_on_grid, noise


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [2, 3, 10, 13])
def test_the_margin_is_over_the_best_wrong_answer_for_any_modulus(p: int, dtype: torch.dtype) -> None:
    logits = noise(p, dtype=dtype)
    found = margins.margins(brute.on_grid(logits))
    assert found.dtype == torch.float64
    for a in range(p):
        for b in range(p):
            row = logits[a, b].tolist()
            right = row.pop((a + b) % p)
            assert float(found[(a + b) % p, a]) == pytest.approx(right - max(row), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(p=st.integers(2, 9), seed=st.integers(0, 1000))
def test_accuracy_is_the_share_of_positive_margins(p: int, seed: int) -> None:
    grid = brute.on_grid(noise(p, seed))
    sums = torch.arange(p)[:, None].expand(p, p)
    assert torch.equal(margins.margins(grid) > 0, losses.correct(grid, sums))


@pytest.mark.parametrize(("p", "k"), [(113, 35), (59, 1)])
def test_one_wave_has_the_same_small_margin_everywhere(p: int, k: int) -> None:
    found = margins.margins(brute.on_grid(cosines(p, {k: 20.0})))
    expected = torch.full((p, p), 20 * (1 - math.cos(2 * math.pi / p)), dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-11, rtol=0)


def test_a_lookup_table_is_sure_of_what_it_was_shown_and_of_nothing_else() -> None:
    p = 12
    train = half(p)
    found = margins.margins(brute.on_grid(lookup_table(p, train, 9.0)))
    assert (found[mask_on_grid(train)] == 9).all()
    assert (found[~mask_on_grid(train)] == 0).all()
    assert float(margins.about_to_flip(found[mask_on_grid(train)])) == 0.0
    assert float(margins.about_to_flip(found[~mask_on_grid(train)])) == 1.0


def test_the_grid_is_left_as_it_was() -> None:
    grid = brute.on_grid(noise(5))
    before = grid.clone()
    margins.margins(grid)
    assert torch.equal(grid, before)


def test_a_single_answer_has_no_margin() -> None:
    with pytest.raises(ValueError, match="p = 1"):
        margins.margins(torch.zeros(1, 1, 1))


def test_the_spread_of_0_to_100_is_read_off() -> None:
    values = torch.arange(101.0)[torch.randperm(101, generator=torch.Generator().manual_seed(0))]
    found = [float(value) for value in margins.spread(values)]
    assert found == pytest.approx([50.0, 5.0, 50.0, 95.0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_the_quantiles_lie_on_the_line_between_neighbours(values: list[float]) -> None:
    found = margins.spread(torch.tensor(values, dtype=torch.float64))
    ordered = sorted(values)
    for level, quantile in zip(margins.QUANTILES, found[1:], strict=True):
        place = level * (len(values) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        assert float(quantile) == pytest.approx(low + (high - low) * (place % 1), abs=1e-9)
    assert float(found.mean) == pytest.approx(sum(values) / len(values), abs=1e-9)


def test_about_to_flip_counts_both_sides_and_not_the_edge() -> None:
    assert float(margins.about_to_flip(torch.tensor([-1.0, -0.99, 0.5, 1.0, 7.0]))) == pytest.approx(2 / 5)


def test_zero_losses_are_those_that_float32_cannot_tell_from_0() -> None:
    logits = torch.tensor([[30.0, 0.0], [18.0, 0.0], [15.0, 0.0], [0.0, 30.0], [0.0, 30.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 0, 1])
    assert int(margins.zero_losses(logits, labels)) == 3
    assert (losses.cross_entropies(logits, labels) > 0).all()  # float64 can


@pytest.mark.parametrize(("p", "margin", "lost"), [(113, 25.0, True), (113, 15.0, False), (12, 25.0, True)])
def test_a_lookup_table_runs_out_of_float32(p: int, margin: float, lost: bool) -> None:
    train = half(p)
    rows = lookup_table(p, train, margin)[train]
    a, b = train.nonzero().T
    assert int(margins.zero_losses(rows.float(), (a + b) % p)) == (int(train.sum()) if lost else 0)
