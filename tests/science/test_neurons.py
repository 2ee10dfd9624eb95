"""Neuron measures against least squares over all pairs, the textbook model, and planted neurons."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grok_tui.science import fourier, losses, neurons
from grok_tui.science.grid import line_sums
from grok_tui.train import textbook
from grok_tui.train.model import Transformer
from tests.science import brute


def angles(p: int, k: int) -> tuple[Tensor, Tensor]:
    """w_k a and w_k b over all pairs.  -> [a, b], [a, b]."""
    a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
    return 2 * math.pi * k * a.double() / p, 2 * math.pi * k * b.double() / p


def noise(p: int, m: int, seed: int = 0) -> Tensor:
    """-> [a, b, m]."""
    return torch.randn(p, p, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shares_of(h: Tensor) -> Tensor:
    """[a, b, m] -> [k, m]."""
    return neurons.frequency_shares(line_sums(brute.on_grid(h)))


def mask(p: int, keys: list[int]) -> Tensor:
    return torch.tensor([k in keys for k in range(1, (p - 1) // 2 + 1)])


def polynomial_share(neuron: Tensor, k: int) -> float:
    """By least squares on the nine products of {1, cos w_k a, sin w_k a} and {1, cos w_k b, sin w_k b}."""
    x, y = (t.flatten() for t in angles(len(neuron), k))
    ones = torch.ones_like(x)
    design = torch.stack([f * g for f, g in product((ones, x.cos(), x.sin()), (ones, y.cos(), y.sin()))], 1)
    values = neuron.double().reshape(-1, 1)
    fit = design @ torch.linalg.lstsq(design, values, driver="gelsd").solution
    return 1 - float((values - fit).square().sum() / (values - values.mean()).square().sum())


@pytest.mark.parametrize(("p", "k"), [(5, 1), (5, 2), (11, 4), (23, 11), (113, 35)])
def test_a_frequencys_share_is_the_fit_of_the_degree_2_polynomial(p: int, k: int) -> None:
    x, y = angles(p, k)
    h = noise(p, 3) + torch.relu(x.cos() * (y + 1).cos() + y.sin())[..., None]
    found = shares_of(h)[k - 1]
    for n in range(3):
        assert float(found[n]) == pytest.approx(polynomial_share(h[..., n], k), abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(p=st.sampled_from([3, 5, 9, 15]), seed=st.integers(0, 10_000))
def test_shares_of_anything_add_up_to_at_most_one(p: int, seed: int) -> None:
    shares = shares_of(torch.relu(noise(p, 4, seed)))
    assert bool((shares >= 0).all())
    assert float(shares.sum(0).max()) <= 1 + 1e-12


@pytest.mark.parametrize("p", [113, 59])
def test_planted_neurons_come_back_with_their_frequency_and_fill_their_cluster(p: int) -> None:
    planted = [14, 14, 28, 7, 14, 28]
    h = []
    for n, k in enumerate(planted):
        x, y = angles(p, k)
        h.append(3 + (x + n).cos() * y.sin() + 0.5 * x.sin() - 0.2 * (y + n).cos())
    table = torch.stack([*h, torch.full((p, p), 2.0), noise(p, 1)[..., 0]], -1)
    frequency, share = neurons.strongest(shares_of(table.float()))
    assert frequency[:6].tolist() == planted
    torch.testing.assert_close(share[:6], torch.ones(6, dtype=torch.float64), atol=1e-6, rtol=0)
    assert (int(frequency[6]), float(share[6])) == (0, 0.0)  # it says the same to every pair
    assert float(share[7]) < 40 / p**2  # eight of p^2 - 1 degrees of freedom, and the best of many
    found = neurons.clusters(frequency, share, p)
    assert {k + 1: int(n) for k, n in enumerate(found) if n} == {7: 1, 14: 3, 28: 2}


def test_a_wave_of_two_frequencies_belongs_to_none() -> None:
    x, _ = angles(59, 3)
    _, y = angles(59, 8)
    frequency, share = neurons.strongest(shares_of((x.cos() * y.cos())[..., None]))
    assert float(share) < 1e-20
    assert int(neurons.clusters(frequency, share, 59).sum()) == 0


def test_a_neuron_of_85_percent_is_not_above_85_percent() -> None:
    frequency, share = torch.tensor([2, 2, 1]), torch.tensor([0.85, 0.8501, 0.9])
    assert neurons.clusters(frequency, share, 7).tolist() == [1, 1, 0]


def test_examples_are_the_best_of_the_largest_clusters_and_before_there_are_any_the_best_neurons() -> None:
    frequency = torch.tensor([3, 1, 3, 2, 2, 2, 0])
    share = torch.tensor([0.90, 0.99, 0.95, 0.86, 0.87, 0.88, 0.0])
    assert neurons.examples(frequency, share, 7).tolist() == [5, 2, 1]
    assert neurons.examples(frequency, share, 7, n=2).tolist() == [5, 2]
    assert neurons.examples(frequency, 0.5 * share, 7).tolist() == [1, 2, 5]
    assert neurons.examples(torch.zeros(4, dtype=torch.long), torch.zeros(4), 7).tolist() == []


def test_participation_is_one_for_one_frequency_and_a_half_for_two_alike() -> None:
    p = 59
    x, y = angles(p, 5)
    _, other = angles(p, 21)
    h = torch.stack((1 + (x + y).cos(), x.cos() + other.sin(), torch.ones(p, p)), -1)
    found = neurons.ipr(shares_of(h))
    assert found[:2].tolist() == pytest.approx([1.0, 0.5], abs=1e-12)
    assert found[2].isnan()
    by_hand = shares_of(torch.relu(noise(p, 1)))[:, 0].tolist()
    share = sum((q / sum(by_hand)) ** 2 for q in by_hand)
    assert float(neurons.ipr(shares_of(torch.relu(noise(p, 1))))[0]) == pytest.approx(share, rel=1e-12)
    assert share < 3 / ((p - 1) / 2)  # of noise: nearly as flat as can be


def wave_fve(values: Tensor, wave: Tensor) -> float:
    """Share of the centred values' variance that a multiple of the wave explains, by definition."""
    centred = values - values.mean()
    multiple = float((centred * wave).sum() / wave.square().sum())
    return 1 - float((centred - multiple * wave).square().sum() / centred.square().sum())


@pytest.mark.parametrize(("p", "keys"), [(5, [2]), (11, [1, 4]), (23, [3, 9, 11])])
def test_what_the_logits_read_is_explained_as_much_as_a_fit_of_one_wave_does(p: int, keys: list[int]) -> None:
    waves = [torch.cos(x + y) for x, y in (angles(p, k) for k in keys)]
    h = torch.relu(noise(p, 6) + torch.stack(waves).sum(0)[..., None])
    W_L = torch.randn(p, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = neurons.readout_fve(brute.on_grid(h), W_L, mask(p, keys))
    rows = brute.basis(p) @ W_L
    for n, k in enumerate(keys):
        x, y = angles(p, k)
        assert float(found[0, n]) == pytest.approx(wave_fve(h @ rows[2 * k - 1], (x + y).cos()), abs=1e-12)
        assert float(found[1, n]) == pytest.approx(wave_fve(h @ rows[2 * k], (x + y).sin()), abs=1e-12)


def test_a_planted_readout_is_explained_in_full_and_one_of_a_minus_b_not_at_all() -> None:
    p, k = 113, 14
    x, y = angles(p, k)
    j = 2 * math.pi * k * torch.arange(p).double() / p
    h = brute.on_grid(torch.stack((5 + (x + y).cos(), 1 - (x + y).sin()), -1).float())
    W_L = torch.stack((j.cos(), j.sin()), 1)
    torch.testing.assert_close(neurons.readout_fve(h, W_L, mask(p, [k])), torch.ones(2, 1, dtype=torch.float64))
    h = brute.on_grid(torch.stack(((x - y).cos(), (x - y).sin()), -1).float())
    assert float(neurons.readout_fve(h, W_L, mask(p, [k])).max()) < 1e-10
    assert neurons.readout_fve(torch.ones(p, p, 2), W_L, mask(p, [k])).isnan().all()
    assert neurons.readout_fve(h, W_L, mask(p, [])).shape == (2, 0)


@pytest.mark.parametrize(("p", "keys"), [(5, [1]), (23, [2, 9]), (113, [14, 35, 41, 42, 52])])
def test_the_residual_of_the_readout_is_what_the_key_rows_leave(p: int, keys: list[int]) -> None:
    W_L = torch.randn(p, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rows = brute.basis(p)[[row for k in keys for row in (2 * k - 1, 2 * k)]]
    left = W_L - rows.T @ (rows @ W_L)
    assert float(neurons.residual(W_L, mask(p, keys))) == pytest.approx(float(left.norm() / W_L.norm()), rel=1e-12)
    assert float(neurons.residual(rows.T @ (rows @ W_L), mask(p, keys))) < 1e-12
    assert float(neurons.residual(W_L, mask(p, []))) == pytest.approx(1, rel=1e-12)


def on_all_pairs(p: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Activations, logits, skip path and W_L of a textbook model.  -> [a, b, m], [a, b, c], [a, b, c], [c, m]."""
    model = Transformer(p, d_model=16, n_heads=2, d_mlp=16)
    generator = torch.Generator().manual_seed(5)
    w = {name: 2 * tensor.double() for name, tensor in model.init(0).items()}
    w["b_in"], w["b_out"] = 0.3 * torch.randn(2, 16, generator=generator, dtype=torch.float64)
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))

    def logits(**changed: Tensor) -> Tensor:
        return textbook.logits({**w, **changed}, pairs, p).view(p, p, -1)

    nothing, unit = torch.zeros_like(w["W_out"]), torch.eye(16, dtype=torch.float64)
    h = logits(W_out=unit, W_U=unit) - logits(W_out=nothing, W_U=unit)
    return h, logits()[..., :p], logits(W_out=nothing)[..., :p], w["W_U"][:, :p].T @ w["W_out"]


@pytest.mark.parametrize(("p", "keys"), [(5, [2]), (11, [1, 4]), (23, [3, 9, 11])])
def test_neuron_level_losses_are_those_of_the_model_with_its_activations_replaced(p: int, keys: list[int]) -> None:
    h, logits, skip, W_L = on_all_pairs(p)
    torch.testing.assert_close(skip + h @ W_L.T, logits)
    assert float((h > 0).double().mean()) > 0.2
    train = torch.rand(p, p, generator=torch.Generator().manual_seed(1)) < 0.3
    grid, lines = brute.on_grid(logits), line_sums(brute.on_grid(h))
    M, part = fourier.mean_over_sums(grid), neurons.through_neurons(lines, W_L)
    a, b = train.nonzero().T
    for chosen in (keys, list(range(1, (p - 1) // 2 + 1))):
        kept = brute.sum_component(h, chosen)
        which = mask(p, chosen) if chosen == keys else None
        expected = brute.loss(skip + (h - kept) @ W_L.T, train)
        found = neurons.excluded(logits[a, b], (a + b) % p, part, which)
        assert float(found) == pytest.approx(expected, rel=1e-10)
        expected = brute.loss(kept @ W_L.T + logits.mean((0, 1)), ~train)
        test_a, test_b = (~train).nonzero().T
        found = neurons.restricted(part, M, which, torch.bincount((test_a + test_b) % p, minlength=p))
        assert float(found) == pytest.approx(expected, rel=1e-10)


def test_without_a_skip_path_the_neuron_level_is_the_logit_level() -> None:
    p, keys = 23, mask(23, [4, 7])
    h, _, _, W_L = on_all_pairs(p)
    logits = h @ W_L.T
    M = fourier.mean_over_sums(brute.on_grid(logits))
    part = neurons.through_neurons(line_sums(brute.on_grid(h)), W_L)
    counts = torch.arange(1, p + 1)
    at_neurons, at_logits = neurons.restricted(part, M, keys, counts), losses.restricted(M, keys, counts)
    assert float(at_neurons) == pytest.approx(float(at_logits), rel=1e-12)


def test_an_even_modulus_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="p = 12 is even"):
        neurons.readout_fve(torch.zeros(12, 12, 2), torch.zeros(12, 2), torch.zeros(5, dtype=torch.bool))
    with pytest.raises(ValueError, match="p = 12 is even"):
        neurons.residual(torch.zeros(12, 2), torch.zeros(5, dtype=torch.bool))
