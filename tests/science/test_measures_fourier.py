"""Coefficients on chosen pairs, the 2-D spectrum of the logits and the norms of W_L."""

from __future__ import annotations

import math

import pytest
import torch

from grok_tui.science import fourier
from tests.science import brute
from tests.science.planted import cosines, half, lookup_table, mask_on_grid, noise, subsets_on_grid


@pytest.mark.parametrize("p", [5, 9, 23])
def test_the_fit_on_each_set_of_pairs_is_least_squares_on_that_set(p: int) -> None:
    logits = noise(p) + cosines(p, {1: 1.0, 2: 0.5}) + 7 * noise(p, 3)[:, :, :1]  # a shift of each row
    train = half(p, share=0.5)
    grid = brute.on_grid(logits)
    together = fourier.fit_on(grid, subsets_on_grid(train))
    assert together.alpha.shape == (3, (p - 1) // 2)
    for i, mask in enumerate((train, ~train, torch.ones_like(train))):
        alpha, explained = by_least_squares(logits, mask)
        torch.testing.assert_close(together.alpha[i], alpha, atol=1e-12, rtol=0)
        assert float(together.explained[i]) == pytest.approx(explained, abs=1e-12)
        alone = mask_on_grid(mask)
        torch.testing.assert_close(fourier.fit_on(grid, alone).alpha, alpha, atol=1e-12, rtol=0)
        assert float(fourier.fit_on(grid, alone).explained) == pytest.approx(explained, abs=1e-12)


def by_least_squares(logits: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Every cosine and every row's constant as a regressor of its own, by a general solver."""
    p = len(logits)
    a, b = mask.nonzero().T
    angle = ((a + b)[:, None] - torch.arange(p)).double()
    waves = [torch.cos(2 * math.pi * k * angle / p).flatten() for k in range(1, (p - 1) // 2 + 1)]
    shifts = torch.eye(len(a), dtype=torch.float64).repeat_interleave(p, 0)
    found = torch.linalg.lstsq(torch.cat((torch.stack(waves, 1), shifts), 1), logits[a, b].reshape(-1, 1))
    alpha = found.solution[: len(waves), 0]
    return alpha, brute.explained_on(logits, mask)


def test_the_fit_on_all_pairs_is_the_fit_over_the_cube() -> None:
    grid = brute.on_grid(noise(23) + cosines(23, {4: 2.0}))
    found = fourier.fit_on(grid, torch.ones(23, 23)).alpha
    torch.testing.assert_close(found, fourier.coefficients(fourier.mean_over_sums(grid)), atol=1e-14, rtol=0)


@pytest.mark.parametrize(("p", "share", "margin"), [(113, 34, 12.0), (59, 20, 30.0)])
def test_a_spike_on_the_training_pairs_leaves_the_coefficients_on_test_pairs_alone(
    p: int, share: int, margin: float
) -> None:
    train = (torch.arange(p)[:, None] < share).expand(p, p)
    grid = brute.on_grid(cosines(p, {7: 3.0, 20: 1.5}) + lookup_table(p, train, margin))
    fit = fourier.fit_on(grid, subsets_on_grid(train))
    planted = torch.zeros((p - 1) // 2, dtype=torch.float64)
    planted[[6, 19]] = torch.tensor([3.0, 1.5], dtype=torch.float64)
    torch.testing.assert_close(fit.alpha[1], planted, atol=1e-12, rtol=0)
    assert float(fit.explained[1]) == pytest.approx(1.0, abs=1e-12)
    leak = 2 * (share / p) * margin / p
    torch.testing.assert_close(fit.alpha[2], planted + leak, atol=1e-12, rtol=0)


def test_an_empty_set_and_constant_logits_explain_nothing_and_a_diverged_model_is_no_number() -> None:
    grid = brute.on_grid(noise(7))
    empty = fourier.fit_on(grid, torch.zeros(7, 7))
    assert empty.alpha.tolist() == [0.0] * 3
    assert float(empty.explained) == 0.0
    assert float(fourier.fit_on(torch.ones(7, 7, 7), torch.ones(7, 7)).explained) == 0.0
    grid[1, 2, 3] = torch.nan
    assert fourier.fit_on(grid, torch.ones(7, 7)).explained.isnan()


@pytest.mark.parametrize("p", [3, 9, 31])
def test_the_projections_on_each_frequency_are_those_on_one_key(p: int) -> None:
    M = fourier.mean_over_sums(brute.on_grid(noise(p)))
    found = fourier.each_sum_component(M, torch.arange(p))
    for k in range(1, (p - 1) // 2 + 1):
        alone = torch.arange(1, (p - 1) // 2 + 1) == k
        torch.testing.assert_close(found[k - 1], fourier.sum_component(M, alone), atol=1e-14, rtol=0)
    torch.testing.assert_close(found.sum(0), fourier.sum_component(M), atol=1e-13, rtol=0)
    some = torch.tensor([2, 0])
    torch.testing.assert_close(fourier.each_sum_component(M, some), found[:, some], atol=0, rtol=0)


@pytest.mark.parametrize("p", [3, 15, 31])
def test_the_basis_is_orthonormal_and_in_the_stated_order(p: int) -> None:
    torch.testing.assert_close(fourier.basis(p, torch.device("cpu")), brute.basis(p), atol=1e-14, rtol=0)


@pytest.mark.parametrize("p", [3, 9, 23])
def test_the_two_dimensional_spectrum_is_the_norm_of_each_component(p: int) -> None:
    logits = noise(p) + cosines(p, {1: 2.0})
    F = brute.basis(p)
    expected = torch.einsum("ia,jb,abc->ijc", F, F, logits).norm(dim=-1)
    found = fourier.spectrum_2d(brute.on_grid(logits))
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(found.square().sum(), logits.square().sum())  # Parseval


@pytest.mark.parametrize("p", [113, 59])
def test_a_planted_wave_is_four_components_of_the_spectrum(p: int) -> None:
    """By hand: alpha cos(w(a+b-c)) has alpha p/2 cos(w c) or sin(w c) in each of cos x cos, sin x sin, ..."""
    k, alpha = 14, 3.0
    found = fourier.spectrum_2d(brute.on_grid(cosines(p, {k: alpha})))
    block = found[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1]
    torch.testing.assert_close(block, torch.full((2, 2), alpha * (p / 2) ** 1.5, dtype=torch.float64))
    block.zero_()
    assert float(found.max()) < 1e-9


def test_logits_that_do_not_look_at_their_input_are_one_component() -> None:
    found = fourier.spectrum_2d(torch.tensor([3.0, 4.0, 0.0, 0.0, 0.0]).expand(5, 5, 5))
    assert float(found[0, 0]) == pytest.approx(5 * 5)
    assert float(found.flatten()[1:].max()) < 1e-12


@pytest.mark.parametrize("p", [5, 59])
def test_the_norms_of_the_neuron_logit_map_run_along_its_classes(p: int) -> None:
    generator = torch.Generator().manual_seed(3)
    W_U, W_out = torch.randn(8, p, generator=generator), torch.randn(8, 20, generator=generator)
    components = (brute.basis(p) @ (W_U.double().T @ W_out.double())).norm(dim=1)
    norms = fourier.logit_norms(W_U, W_out)
    torch.testing.assert_close(norms[0], components[1::2])
    torch.testing.assert_close(norms[1], components[2::2])
    torch.testing.assert_close(norms, fourier.norms((W_U.double().T @ W_out.double()).T))
    torch.testing.assert_close(fourier.paired(norms), (components[1::2] ** 2 + components[2::2] ** 2).sqrt())


def test_a_wave_planted_in_the_unembedding_is_one_pair_whatever_its_phase() -> None:
    p, k = 113, 35
    for phase in (0.0, 0.7, 2.0):
        wave = torch.cos(2 * math.pi * k * torch.arange(p).double() / p + phase)
        found = fourier.paired(fourier.logit_norms(wave[None], torch.tensor([[3.0, 4.0]])))
        assert float(found[k - 1]) == pytest.approx(5 * math.sqrt(p / 2))
        found[k - 1] = 0
        assert float(found.max()) < 1e-12
