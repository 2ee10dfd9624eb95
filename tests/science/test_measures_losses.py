"""Excluded and restricted loss on train, test and all pairs, against the definition and against answers by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grok_tui.science import fourier, losses
from tests.science import brute
from tests.science.planted import (
    cosines,
    half,
    keys_mask,
    lookup_table,
    mask_on_grid,
    noise,
    subsets_on_grid,
    sums_of,
    train_rows,
)


def masks(train: Tensor) -> list[Tensor]:
    return [train, ~train, torch.ones_like(train)]


def each(logits: Tensor, subsets: Tensor) -> Tensor:
    grid = brute.on_grid(logits)
    return losses.excluded_each(grid, fourier.mean_over_sums(grid), subsets)


def by_log_softmax(logits: Tensor, mask: Tensor) -> float:
    """The mean loss with no number ever leaving the log domain.  [a, b, c], [a, b]."""
    rows, sums = train_rows(logits, mask)
    return float(-rows.log_softmax(-1)[torch.arange(len(rows)), sums].mean())


def balanced(p: int, share: int) -> Tensor:
    """`share` training pairs of each sum.  -> bool [a, b]."""
    return (torch.arange(p)[:, None] < share).expand(p, p)


@pytest.mark.parametrize(("p", "keys"), [(53, [1, 7, 26]), (15, [3, 5]), (5, [2])])
def test_one_pass_gives_the_excluded_losses_of_train_test_and_all_pairs(p: int, keys: list[int]) -> None:
    logits = noise(p) + cosines(p, dict.fromkeys(keys, 3.0))
    train = half(p)
    grid = brute.on_grid(logits)
    found = losses.excluded_on(grid, fourier.mean_over_sums(grid), keys_mask(p, keys), subsets_on_grid(train))
    every = list(range(1, (p - 1) // 2 + 1))
    for i, mask in enumerate(masks(train)):
        assert float(found.nothing[i]) == pytest.approx(brute.loss(logits, mask), rel=1e-12)
        assert float(found.keys[i]) == pytest.approx(brute.excluded(logits, keys, mask), rel=1e-11)
        assert float(found.every[i]) == pytest.approx(brute.excluded(logits, every, mask), rel=1e-11)


@pytest.mark.parametrize(("p", "chosen"), [(113, [14, 56]), (23, range(1, 12)), (9, range(1, 5)), (3, [1])])
def test_the_loss_without_each_frequency_equals_the_two_dimensional_dft(p: int, chosen: list[int]) -> None:
    logits = 2 * noise(p) + cosines(p, {1: 3.0})
    train = half(p, share=0.5)
    found = each(logits, subsets_on_grid(train))
    assert found.shape == (3, (p - 1) // 2)
    for k in chosen:
        left = logits - brute.sum_component(logits, [k])
        expected = [brute.loss(left, mask) for mask in masks(train)]
        assert found[:, k - 1].tolist() == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("p", [113, 59])
def test_removing_one_of_two_planted_waves_leaves_the_other(p: int) -> None:
    logits = cosines(p, {7: 12.0, 20: 5.0})
    train = half(p)
    found = each(logits, subsets_on_grid(train))
    for i, mask in enumerate(masks(train)):
        assert float(found[i, 6]) == pytest.approx(brute.loss(cosines(p, {20: 5.0}), mask), rel=1e-10)
        assert float(found[i, 19]) == pytest.approx(brute.loss(cosines(p, {7: 12.0}), mask), rel=1e-10)
        assert float(found[i, 10]) == pytest.approx(brute.loss(logits, mask), rel=1e-10)  # not there to be removed


@pytest.mark.parametrize(("p", "share", "margin"), [(113, 34, 12.0), (59, 20, 9.0), (5, 2, 30.0), (3, 2, 760.0)])
def test_a_lookup_table_barely_feels_the_loss_of_one_frequency(p: int, share: int, margin: float) -> None:
    """By hand: M = f mu 1, so Pi_k L = (2 f mu / p) cos(w_k(s-c)) and the training margin shrinks by 2 f / p."""
    leak = 2 * (share / p) * margin / p
    found = each(lookup_table(p, balanced(p, share), margin), subsets_on_grid(balanced(p, share)))
    for k in range(1, (p - 1) // 2 + 1):
        removed = [leak * math.cos(2 * math.pi * k * d / p) for d in range(p)]
        wrong = sum(math.exp(-margin + leak - removed[d]) for d in range(1, p))
        assert float(found[0, k - 1]) == pytest.approx(math.log1p(wrong), rel=1e-11, abs=0)
        test = math.log1p(sum(math.exp(leak - removed[d]) for d in range(1, p)))
        assert float(found[1, k - 1]) == pytest.approx(test, rel=1e-11)


def test_noise_has_no_frequency_worth_removing() -> None:
    p = 59
    logits = noise(p)
    everything = torch.ones(p, p, dtype=torch.bool)
    found = each(logits, everything[None])
    assert found[0].tolist() == pytest.approx([brute.loss(logits, everything)] * 29, abs=0.01)


@pytest.mark.parametrize("margin", [17.0, 40.0, 300.0])
def test_small_losses_keep_all_their_digits(margin: float) -> None:
    """float64's log-softmax has lost 1e-18 (a margin of 40) altogether; the sum over wrong classes has not."""
    p = 7
    everything = torch.ones(p, p, dtype=torch.bool)
    logits = lookup_table(p, everything, margin)
    expected = math.log1p((p - 1) * math.exp(-margin))
    grid = brute.on_grid(logits)
    M = fourier.mean_over_sums(grid)
    found = losses.excluded_on(grid, M, keys_mask(p, []), everything[None])
    assert float(found.nothing[0]) == pytest.approx(expected, rel=1e-12, abs=0)
    assert float(found.keys[0]) == pytest.approx(expected, rel=1e-12, abs=0)
    rows, sums = train_rows(logits, everything)
    assert float(losses.cross_entropy(rows, sums)) == pytest.approx(expected, rel=1e-12, abs=0)
    restricted = losses.restricted(M, None, sums_of(everything))
    assert float(restricted) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("scale", [1.0, 100.0, 500.0, 3e3, 1e6])
@pytest.mark.parametrize("p", [5, 13])
def test_logits_of_any_size_are_exact_where_a_plain_product_of_exponentials_underflows(p: int, scale: float) -> None:
    logits = scale * (noise(p) + cosines(p, {1: 4.0, 2: -3.0}))
    train = half(p, share=0.5)
    found = each(logits, subsets_on_grid(train))
    for k in range(1, (p - 1) // 2 + 1):
        left = logits - brute.sum_component(logits, [k])
        expected = [by_log_softmax(left, mask) for mask in masks(train)]
        assert found[:, k - 1].tolist() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("logits", "table"),
    [
        ([0.0, 400.0, -330.0], [0.0, 365.0, -365.0]),  # both terms are e^35, as products of e^-730 and less
        ([0.0, -750.0, -760.0], [0.0, -700.0, 10.0]),  # e^-50, though e^-750 is 0
        ([0.0, 1000.0, 900.0], [0.0, 990.0, 905.0]),  # e^10, though e^1000 is no number
    ],
)
def test_factors_beyond_the_range_of_float64_are_multiplied_all_the_same(
    logits: list[float], table: list[float]
) -> None:
    grid, M = torch.zeros(3, 3, 3), torch.zeros(3, 3, dtype=torch.float64)
    grid[0] = torch.tensor(logits)
    M[0] = torch.tensor(table)
    M[1] = -M[0]  # no constant: what is removed is M
    found = losses.excluded_on(grid, M, keys_mask(3, [1]), (torch.arange(3) == 0)[None, :, None].expand(1, 3, 3))
    expected = math.log1p(sum(math.exp(logits[c] - table[c]) for c in (1, 2)))
    assert float(found.every[0]) == pytest.approx(expected, rel=1e-12, abs=0)


@settings(max_examples=60, deadline=None)
@given(
    p=st.sampled_from([3, 5, 7, 9]),
    seed=st.integers(0, 10_000),
    size=st.floats(-2, 5),
    keys=st.sets(st.integers(1, 4)),
)
def test_any_keys_on_any_logits_agree_with_log_softmax(p: int, seed: int, size: float, keys: set[int]) -> None:
    chosen = [k for k in keys if k <= (p - 1) // 2]
    logits = 10**size * noise(p, seed)
    everything = torch.ones(p, p, dtype=torch.bool)
    grid = brute.on_grid(logits)
    M = fourier.mean_over_sums(grid)
    found = losses.excluded_on(grid, M, keys_mask(p, chosen), everything[None])
    expected = by_log_softmax(logits - brute.sum_component(logits, chosen), everything)
    assert float(found.keys[0]) == pytest.approx(expected, rel=1e-9)
    rows, sums = train_rows(logits, everything)
    one_by_one = float(losses.excluded(rows, sums, M, keys_mask(p, chosen)))
    assert float(found.keys[0]) == pytest.approx(one_by_one, rel=1e-10)


def test_a_model_that_diverged_has_losses_that_are_not_numbers() -> None:
    logits = noise(5)
    logits[1, 2, 3] = torch.nan
    assert each(logits, torch.ones(1, 5, 5)).isnan().all()


def test_the_logits_are_left_as_they_were() -> None:
    grid = brute.on_grid(noise(11))
    before = grid.clone()
    M = fourier.mean_over_sums(grid)
    losses.excluded_on(grid, M, keys_mask(11, [2]), torch.ones(1, 11, 11))
    losses.excluded_each(grid, M, torch.ones(1, 11, 11))
    losses.cross_entropies(grid, torch.zeros(11, 11, dtype=torch.int64))
    assert torch.equal(grid, before)


def test_float32_logits_lose_nothing_but_their_own_rounding() -> None:
    logits = noise(23, dtype=torch.float32) * 5
    everything = torch.ones(1, 23, 23)
    torch.testing.assert_close(each(logits, everything), each(logits.double(), everything), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("p", "keys"), [(53, [4, 9]), (11, [5]), (5, [])])
def test_restricted_loss_and_accuracy_of_several_sets_are_those_of_each(p: int, keys: list[int]) -> None:
    logits = noise(p) + cosines(p, {4 if p > 9 else 1: 0.4})
    train = half(p)
    M = fourier.mean_over_sums(brute.on_grid(logits))
    counts = torch.stack([sums_of(mask) for mask in masks(train)])
    loss = losses.restricted(M, keys_mask(p, keys), counts)
    accuracy = losses.restricted_accuracy(M, keys_mask(p, keys), counts)
    left = brute.sum_component(logits, keys) + logits.mean((0, 1))
    for i, mask in enumerate(masks(train)):
        assert float(loss[i]) == pytest.approx(brute.restricted(logits, keys, mask), rel=1e-11)
        rows, sums = train_rows(left, mask)
        right = rows.argmax(-1) == sums
        assert float(accuracy[i]) == pytest.approx(float(right.double().mean()), abs=1e-12)


def test_restricted_accuracy_is_perfect_for_a_pure_lookup_table() -> None:
    """The leak that the docstring warns of: 30 % of the pairs by heart, nothing known of the others."""
    p = 113
    logits = lookup_table(p, half(p), 12.0)
    M = fourier.mean_over_sums(brute.on_grid(logits))
    everything = torch.full((p,), p)
    assert float(losses.restricted_accuracy(M, keys_mask(p, [14, 35, 41, 42, 52]), everything)) == 1.0
    assert float(losses.restricted(M, keys_mask(p, [14, 35, 41, 42, 52]), everything)) > 4.3  # chance is 4.73


@pytest.mark.parametrize("p", [2, 4, 12, 30])
def test_key_free_measures_take_an_even_modulus(p: int) -> None:
    logits = 3 * noise(p)
    train = half(p, share=0.5)
    a, b = torch.arange(p)[:, None], torch.arange(p)
    of_sum = torch.stack([logits[(a + b) % p == s].mean(0) for s in range(p)])  # by the definition of a mean
    M = fourier.mean_over_sums(brute.on_grid(logits))
    torch.testing.assert_close(M, of_sum, atol=1e-13, rtol=0)
    constant = logits.mean((0, 1))
    left = logits - (of_sum[(a + b) % p] - constant)
    rows, sums = train_rows(logits, train)
    assert float(losses.excluded(rows, sums, M, None)) == pytest.approx(by_log_softmax(left, train), rel=1e-11)
    kept = of_sum[(a + b) % p]
    found = losses.restricted(M, None, sums_of(train))
    assert float(found) == pytest.approx(by_log_softmax(kept, train), rel=1e-11)


def test_what_needs_single_frequencies_refuses_an_even_modulus_in_words() -> None:
    grid = brute.on_grid(noise(12))
    M = fourier.mean_over_sums(grid)
    with pytest.raises(ValueError, match="p = 12 is even"):
        losses.excluded_each(grid, M, torch.ones(1, 12, 12))
    with pytest.raises(ValueError, match="p = 12 is even"):
        losses.excluded_on(grid, M, torch.ones(5, dtype=torch.bool), torch.ones(1, 12, 12))
    with pytest.raises(ValueError, match="p = 12 is even"):
        fourier.spectrum_2d(grid)


def test_a_spike_on_the_training_pairs_shows_in_train_alone() -> None:
    p = 31
    train = half(p)
    logits = cosines(p, {3: 6.0}) + lookup_table(p, train, 25.0)
    grid = brute.on_grid(logits)
    M = fourier.mean_over_sums(grid)
    found = losses.excluded_on(grid, M, keys_mask(p, [3]), subsets_on_grid(train))
    assert float(found.keys[0]) < 1e-6  # the memoriser knows them without the wave
    assert float(found.keys[1]) > math.log(p) - 0.1
    assert float(found.nothing[1]) < float(found.keys[1])
    assert mask_on_grid(train).sum() == train.sum()
