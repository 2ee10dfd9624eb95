"""Measures against a brute-force computation over the p^3 tensor, and against answers planted by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.science import fourier, losses
from tests.science import brute
from tests.science.planted import cosines, half, keys_mask, lookup_table, noise, sums_of, train_rows


@pytest.mark.parametrize(("p", "keys"), [(113, [14, 35, 41, 42, 52]), (53, [1, 26]), (11, [2]), (5, [1, 2])])
def test_restricted_and_excluded_loss_equal_the_two_dimensional_dft(p: int, keys: list[int]) -> None:
    logits = noise(p) + cosines(p, dict.fromkeys(keys, 3.0))
    train = half(p)
    M = fourier.mean_over_sums(brute.on_grid(logits))
    found = losses.restricted(M, keys_mask(p, keys), sums_of(~train))
    assert float(found) == pytest.approx(brute.restricted(logits, keys, ~train), rel=1e-10)
    rows, sums = train_rows(logits, train)
    found = losses.excluded(rows, sums, M, keys_mask(p, keys))
    assert float(found) == pytest.approx(brute.excluded(logits, keys, train), rel=1e-10)
    every = list(range(1, (p - 1) // 2 + 1))
    found = losses.excluded(rows, sums, M, None)
    assert float(found) == pytest.approx(brute.excluded(logits, every, train), rel=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.sampled_from([3, 5, 7, 9, 13, 15]), data=st.data())
def test_the_sum_projection_equals_the_two_dimensional_dft_for_any_keys(seed: int, p: int, data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.integers(1, (p - 1) // 2), unique=True))
    logits = noise(p, seed)
    M = fourier.mean_over_sums(brute.on_grid(logits))
    table = fourier.sum_component(M, keys_mask(p, keys))
    a, b = torch.arange(p)[:, None], torch.arange(p)[None]
    torch.testing.assert_close(table[(a + b) % p], brute.sum_component(logits, keys), atol=1e-12, rtol=0)


@pytest.mark.parametrize("p", [5, 11, 23])
def test_coefficients_are_the_least_squares_fit(p: int) -> None:
    logits = noise(p) + cosines(p, {1: 2.0, 2: -1.5})
    found = fourier.coefficients(fourier.mean_over_sums(brute.on_grid(logits)))
    torch.testing.assert_close(found, brute.coefficients(logits), atol=1e-12, rtol=0)


@pytest.mark.parametrize("p", [5, 11, 23])
def test_explained_variance_is_that_of_the_least_squares_fit_on_those_pairs(p: int) -> None:
    logits = noise(p) + cosines(p, {1: 1.0, 2: 0.5}) + 7 * noise(p, 3)[:, :, :1]  # a shift of each row
    test = ~half(p)
    found = fourier.fit_on(brute.on_grid(logits), brute.on_grid(test[:, :, None])[:, :, 0]).explained
    assert float(found) == pytest.approx(brute.explained_on(logits, test), abs=1e-12)


@pytest.mark.parametrize("p", [113, 59])
def test_planted_cosines_come_back_with_their_amplitudes(p: int) -> None:
    planted = {7: 17.2, 13: 9.6, 28: 0.9}
    logits = cosines(p, planted)
    grid = brute.on_grid(logits)
    alpha = fourier.coefficients(fourier.mean_over_sums(grid))
    expected = torch.tensor([planted.get(k, 0.0) for k in range(1, (p - 1) // 2 + 1)], dtype=torch.float64)
    torch.testing.assert_close(alpha, expected, atol=1e-12, rtol=0)
    keys = fourier.key_frequencies(alpha)
    assert (keys.nonzero().flatten() + 1).tolist() == [7, 13, 28]  # 0.9 is 5.2 % of 17.2
    counts = torch.full((p,), p)
    M = fourier.mean_over_sums(grid)
    everything = torch.ones(p, p, dtype=torch.bool)
    assert float(losses.restricted(M, keys, counts)) == pytest.approx(brute.loss(logits, everything), abs=1e-12)
    rows, sums = train_rows(logits, half(p))
    assert float(losses.excluded(rows, sums, M, keys)) == pytest.approx(math.log(p), abs=1e-9)
    assert float(fourier.fit_on(grid, torch.ones(p, p)).explained) == pytest.approx(1.0, abs=1e-12)


def test_a_coefficient_below_five_percent_of_the_largest_is_no_key() -> None:
    assert fourier.key_frequencies(torch.tensor([1.0, 0.0499, 0.05, -3.0])).tolist() == [True, False, True, False]
    assert not fourier.key_frequencies(torch.tensor([-1.0, 0.0, -0.5])).any()


def test_a_lookup_table_leaks_into_restricted_loss_and_not_into_the_fit_on_test_pairs() -> None:
    """SCIENCE of the leak: every frequency gets alpha = 2 f mu / p, so restricted loss is below chance."""
    p, margin = 113, 12.0
    train = half(p)
    logits = lookup_table(p, train, margin)
    grid = brute.on_grid(logits)
    M = fourier.mean_over_sums(grid)
    alpha = fourier.coefficients(M)
    assert float(alpha.mean()) == pytest.approx(2 * float(train.double().mean()) * margin / p, rel=1e-6)
    assert float(losses.restricted(M, None, sums_of(~train))) < math.log(p) - 1
    test = ~brute.on_grid(train[:, :, None])[:, :, 0]
    assert float(fourier.fit_on(grid, test).explained) == 0.0
    rows, sums = train_rows(logits, train)
    assert float(losses.excluded(rows, sums, M, None)) < 0.1  # the memoriser is left untouched


def test_noise_has_no_circuit() -> None:
    p = 59
    grid = brute.on_grid(noise(p))
    share = float(fourier.fit_on(grid, torch.ones(p, p)).explained)
    assert 0 <= share < 3 * (p - 1) / 2 / p**3  # one degree of freedom for each cosine


@settings(max_examples=25, deadline=None)
@given(p=st.sampled_from([3, 5, 11, 59]), seed=st.integers(0, 1000))
def test_fourier_norms_are_those_of_an_orthonormal_basis(p: int, seed: int) -> None:
    W = torch.randn(7, p, generator=torch.Generator().manual_seed(seed))
    components = (brute.basis(p) @ W.double().T).norm(dim=1)
    norms = fourier.norms(W)
    torch.testing.assert_close(norms[0], components[1::2])
    torch.testing.assert_close(norms[1], components[2::2])
    total = norms.square().sum() + components[0] ** 2
    torch.testing.assert_close(total, W.double().square().sum())  # Parseval


def test_a_planted_wave_in_the_embedding_is_one_bar() -> None:
    p, k = 113, 14
    wave = torch.cos(2 * math.pi * k * torch.arange(p) / p)
    norms = fourier.norms(torch.outer(torch.tensor([3.0, 4.0]), wave))
    assert float(norms[0, k - 1]) == pytest.approx(5 * math.sqrt(p / 2), rel=1e-6)
    norms[0, k - 1] = 0
    assert float(norms.max()) < 1e-4


def test_an_even_modulus_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="p = 12 is even"):
        fourier.norms(torch.zeros(2, 12))


def test_losses_are_float64_where_float32_has_run_out() -> None:
    """At a margin of 30 the loss is 1e-13; float32's log-softmax says 0."""
    logits = torch.tensor([[30.0, 0.0]])
    label = torch.tensor([0])
    assert float(losses.cross_entropy(logits, label)) == pytest.approx(math.exp(-30), rel=1e-9)
    assert float(torch.nn.functional.cross_entropy(logits, label)) == 0.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=9), st.integers(0, 8), st.floats(-1e6, 1e6))
def test_cross_entropy_is_finite_and_blind_to_a_shift(row: list[float], label: int, shift: float) -> None:
    logits = torch.tensor([row], dtype=torch.float64)
    at = torch.tensor([label % len(row)])
    found = float(losses.cross_entropy(logits, at))
    expected = float(torch.nn.functional.cross_entropy(logits, at))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert float(losses.cross_entropy(logits + shift, at)) == pytest.approx(found, rel=1e-6, abs=1e-6)


def test_a_tie_counts_for_the_first_class_alone() -> None:
    tied = torch.zeros(3, 3)
    assert losses.correct(tied, torch.arange(3)).tolist() == [True, False, False]
