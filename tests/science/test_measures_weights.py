"""Sizes and sparsity of weights, against other formulas for the same and against answers planted by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from grok_tui.science import fourier, weights


def waves(p: int, frequencies: list[int]) -> Tensor:
    """Cos and sin of each frequency, one a row, all of the same norm.  -> [2 n, p]."""
    angle = 2 * math.pi * torch.arange(p).double() / p
    return torch.stack([f(k * angle) for k in frequencies for f in (torch.cos, torch.sin)])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("n", "equal"), [(56, 1), (56, 5), (56, 56), (7, 3), (2, 1)])
def test_the_gini_coefficient_of_m_equal_entries_is_one_less_m_over_n(n: int, equal: int) -> None:
    values = torch.zeros(n)
    values[:equal] = 4.2
    assert float(weights.gini(values)) == pytest.approx(1 - equal / n)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=30).filter(lambda x: sum(x) > 1e-3))
def test_the_gini_coefficient_is_the_mean_difference_over_twice_the_mean(values: list[float]) -> None:
    n, total = len(values), sum(values)
    expected = sum(abs(x - y) for x in values for y in values) / (2 * n * total)
    found = float(weights.gini(torch.tensor(values, dtype=torch.float64)))
    assert found == pytest.approx(expected, abs=1e-12)
    signs = torch.tensor([(-1.0) ** i for i in range(n)], dtype=torch.float64)
    scaled = weights.gini(3 * signs * torch.tensor(values, dtype=torch.float64))
    assert float(scaled) == pytest.approx(expected, abs=1e-12)


def test_gini_takes_many_vectors_at_once_and_zeros_are_flat() -> None:
    found = weights.gini(torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [torch.nan, 0.0, 1.0]]))
    assert found[:3].tolist() == pytest.approx([0.0, 2 / 3, 0.0])
    assert found[3].isnan()


def test_the_embeddings_gini_rises_from_noise_to_five_frequencies() -> None:
    p, keys = 113, [14, 35, 41, 42, 52]
    noise = float(weights.gini(fourier.paired(fourier.norms(random(128, p)))))
    assert noise == pytest.approx(0.025, abs=0.01)  # what an untrained W_E has
    circuit = float(weights.gini(fourier.paired(fourier.norms(waves(p, keys)))))
    assert circuit == pytest.approx(1 - 5 / 56)


def test_sums_of_squares_add_up_and_the_ratio_is_of_norms() -> None:
    parts = {"W_E": torch.full((3, 4), 2.0), "b_in": torch.tensor([3.0, -4.0])}
    found = weights.sums_of_squares(parts)
    assert {name: float(value) for name, value in found.items()} == {"W_E": 48.0, "b_in": 25.0}
    assert all(value.dtype == torch.float64 for value in found.values())
    flat = torch.cat([W.flatten() for W in parts.values()])
    assert float(torch.stack(list(found.values())).sum()) == float(flat.double().square().sum())
    assert float(weights.norm_ratio(torch.tensor(4.0), torch.tensor(16.0))) == 0.5


@pytest.mark.parametrize(("powers", "expected"), [([5.0], 1), ([1.0, 1.0, 0.0], 0.5), ([3.0, 1.0], 10 / 16)])
def test_participation_is_the_sum_of_squared_shares(powers: list[float], expected: float) -> None:
    assert float(weights.participation(torch.tensor(powers))) == pytest.approx(expected)


def test_no_power_participates_nowhere_and_a_diverged_model_is_no_number() -> None:
    assert float(weights.participation(torch.zeros(4))) == 0.0
    assert weights.participation(torch.tensor([1.0, torch.nan])).isnan()


@pytest.mark.parametrize(("p", "frequencies"), [(113, [14, 35, 41, 42, 52]), (59, [3, 8]), (9, [4])])
def test_n_equal_frequencies_share_an_embeddings_power(p: int, frequencies: list[int]) -> None:
    W = waves(p, frequencies) + 3  # a constant is no frequency
    assert float(weights.ipr_of_matrix(W)) == pytest.approx(1 / len(frequencies))
    assert [float(weights.ipr_of_matrix(row[None])) for row in W] == pytest.approx([1.0] * len(W))
    assert float(weights.ipr_of_matrix(W.sum(0)[None])) == pytest.approx(1 / len(frequencies))


@pytest.mark.parametrize("p", [5, 31])
def test_participation_ratios_are_those_of_the_complex_transform(p: int) -> None:
    W = random(7, p).double()
    power = torch.fft.rfft(W).abs().square()[:, 1:]
    rows = torch.stack([weights.ipr_of_matrix(row[None]) for row in W])
    torch.testing.assert_close(rows, (power.square().sum(1) / power.sum(1) ** 2))
    whole = power.sum(0)
    torch.testing.assert_close(weights.ipr_of_matrix(W), whole.square().sum() / whole.sum() ** 2)


def test_fourier_power_refuses_an_even_modulus_in_words() -> None:
    with pytest.raises(ValueError, match="p = 10 is even"):
        weights.ipr_of_matrix(random(3, 10))


@pytest.mark.parametrize(("p", "frequencies"), [(113, [14, 35, 41]), (59, [3]), (12, [1, 2])])
def test_n_circles_have_two_n_dimensions_wherever_they_are(p: int, frequencies: list[int]) -> None:
    rotation = torch.linalg.qr(random(20, 20).double()).Q[:, : 2 * len(frequencies)]
    W = 2.5 * rotation @ waves(p, frequencies) + random(20, 1)
    assert float(weights.effective_dimension(W)) == pytest.approx(2 * len(frequencies), rel=1e-9)


@pytest.mark.parametrize(("d", "p"), [(128, 113), (5, 12), (12, 5), (1, 8)])
def test_the_effective_dimension_is_that_of_the_singular_values(d: int, p: int) -> None:
    W = random(d, p).double() * torch.arange(1, d + 1)[:, None]
    variance = torch.linalg.svdvals(W - W.mean(1, keepdim=True)).square()
    shares = (variance / variance.sum()).clamp(min=1e-300)
    expected = math.exp(float(-(shares * shares.log()).sum()))
    assert float(weights.effective_dimension(W)) == pytest.approx(expected, rel=1e-9)


def test_one_point_has_no_dimension_and_a_diverged_model_is_no_number() -> None:
    assert float(weights.effective_dimension(torch.ones(4, 6))) == 0.0
    broken = random(4, 6)
    broken[0, 0] = torch.nan
    assert weights.effective_dimension(broken).isnan()
