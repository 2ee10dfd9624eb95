"""Sums along the grid's lines, and its maps, against loops over all pairs."""

from __future__ import annotations

import pytest
import torch

from grok_tui.science import grid
from tests.science import brute


def noise(p: int, m: int, seed: int = 0) -> torch.Tensor:
    """-> [a, b, m]."""
    return torch.randn(p, p, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("p", [3, 5, 9, 23])
def test_line_sums_are_those_of_a_loop_over_all_pairs(p: int) -> None:
    table = noise(p, 4)
    expected = {name: torch.zeros(p, 4, dtype=torch.float64) for name in ("first", "second", "sum", "difference")}
    for a in range(p):
        for b in range(p):
            expected["first"][a] += table[a, b]
            expected["second"][b] += table[a, b]
            expected["sum"][(a + b) % p] += table[a, b]
            expected["difference"][(a - b) % p] += table[a, b]
    found = grid.line_sums(brute.on_grid(table))
    for name, sums in expected.items():
        torch.testing.assert_close(getattr(found, name), sums, atol=1e-12, rtol=0)
    flat = table.flatten(0, 1)
    torch.testing.assert_close(found.variation, (flat - flat.mean(0)).square().sum(0))


def test_float32_is_summed_in_float64() -> None:
    p = 101
    table = (1000 + noise(p, 2)).float()
    found = grid.line_sums(brute.on_grid(table))
    torch.testing.assert_close(found.first, table.double().sum(1), atol=1e-9, rtol=0)


def test_a_constant_column_has_no_variation_in_spite_of_rounding() -> None:
    p = 59
    rounding = 1 + 1e-7 * noise(p, 1).clamp(-1, 1)
    table = torch.cat((0.1 * rounding, torch.zeros(p, p, 1), 0.1 + 1e-4 * noise(p, 1)), 2).float()
    dead, off, alive = grid.line_sums(brute.on_grid(table)).variation.tolist()
    assert (dead, off) == (0, 0)
    assert alive == pytest.approx(1e-8 * p * p, rel=0.1)


@pytest.mark.parametrize("p", [2, 5, 6, 11])
def test_maps_undo_the_order_of_the_grid_for_even_p_too(p: int) -> None:
    table = noise(p, 3)
    assert torch.equal(grid.maps(brute.on_grid(table)), table)
    assert torch.equal(grid.maps(brute.on_grid(table)[..., 0]), table[..., 0])


def test_line_sums_of_an_even_modulus_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="p = 12 is even"):
        grid.line_sums(torch.zeros(12, 12, 1))
