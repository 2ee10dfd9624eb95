"""Clock or pizza: against loops over pairs, the textbook model, and a planted clock and pizza."""

from __future__ import annotations

import cmath
import math
import statistics
from itertools import product

import pytest
import torch
from torch import Tensor

from grok_tui.science import clockwork
from grok_tui.train import textbook
from grok_tui.train.model import Transformer
from tests.science import brute


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def planted(p: int, k: int, pizza: bool) -> Tensor:
    """cos(w_k(a+b-c)), which the pizza has times |cos(w_k(a-b)/2)|.  -> [a, b, c]."""
    a, b, c = (torch.arange(p).double().view(shape) for shape in ((p, 1, 1), (1, p, 1), (1, 1, p)))
    clock = torch.cos(2 * math.pi * k * (a + b - c) / p)
    return clock * torch.cos(math.pi * k * (a - b) / p).abs() if pizza else clock


def irrelevance_by_loops(logits: Tensor) -> float:
    p = len(logits)
    right = [[float(logits[a, b, (a + b) % p]) for b in range(p)] for a in range(p)]
    spreads = [statistics.pstdev([right[i][(i + d) % p] for i in range(p)]) for d in range(p)]
    return statistics.fmean(spreads) / statistics.pstdev([value for row in right for value in row])


@pytest.mark.parametrize("p", [3, 5, 6, 12, 23])
def test_distance_irrelevance_is_the_ratio_of_spreads_for_even_p_too(p: int) -> None:
    logits = noise(p, p, p)
    found = clockwork.distance_irrelevance(brute.on_grid(logits))
    assert float(found) == pytest.approx(irrelevance_by_loops(logits), rel=1e-12)


@pytest.mark.parametrize("p", [59, 113])
def test_a_pizza_cares_for_the_distance_alone_and_a_clock_that_errs_does_not(p: int) -> None:
    pizza = planted(p, 7, pizza=True)
    assert float(clockwork.distance_irrelevance(brute.on_grid(pizza))) < 1e-12
    clock = planted(p, 7, pizza=False) + 0.01 * noise(p, p, p)
    assert float(clockwork.distance_irrelevance(brute.on_grid(clock))) == pytest.approx(1, abs=0.02)


def test_a_lookup_table_reads_like_a_clock() -> None:
    """So the measure says nothing before the model generalises."""
    p = 59
    a, b = (torch.rand(p, p, generator=torch.Generator().manual_seed(2)) < 0.3).nonzero().T
    logits = torch.zeros(p, p, p)
    logits[a, b, (a + b) % p] = 12.0
    assert float(clockwork.distance_irrelevance(brute.on_grid(logits))) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_exact_clock_has_no_distance_irrelevance_instead_of_zero_by_zero(dtype: torch.dtype) -> None:
    clock = planted(59, 7, pizza=False).to(dtype)
    assert clockwork.distance_irrelevance(brute.on_grid(clock)).isnan()
    assert clockwork.distance_irrelevance(brute.on_grid(clock * (1 + 1e-7 * noise(59, 59, 59)))).isnan()
    assert clockwork.distance_irrelevance(torch.zeros(5, 5, 5)).isnan()


def test_triples_are_different_in_range_and_always_the_same() -> None:
    found = clockwork.triples(59)
    assert found.shape == (100, 3)
    assert len({tuple(row) for row in found.tolist()}) == 100
    assert int(found.min()) >= 0
    assert found.max(0).values.tolist() == pytest.approx([58, 58, 58], abs=8)
    assert torch.equal(found, clockwork.triples(59))
    assert not torch.equal(found, clockwork.triples(59, seed=1))
    assert sorted(map(tuple, clockwork.triples(3).tolist())) == list(product(range(3), repeat=3))


def test_gradient_symmetricity_of_a_sum_is_one_of_a_difference_minus_one_and_of_one_side_nothing() -> None:
    p, d = 11, 6
    E, W, abc = noise(d, p), noise(d, p, seed=1), clockwork.triples(p)
    assert float(clockwork.gradient_symmetricity(lambda a, b: torch.sin((a + b) @ W), E, abc)) == pytest.approx(1)
    assert float(clockwork.gradient_symmetricity(lambda a, b: torch.sin((a - b) @ W), E, abc)) == pytest.approx(-1)
    assert clockwork.gradient_symmetricity(lambda a, b: torch.sin(a @ W) + 0 * b.sum(1, True), E, abc).isnan()


def test_gradient_symmetricity_of_a_product_is_that_of_its_factors_by_hand() -> None:
    """logit_c = sum_i W_ic a_i b_i: the gradients are W_c b and W_c a."""
    p, d = 7, 5
    E, W, abc = noise(d, p), noise(d, p, seed=1), clockwork.triples(p, n=20)
    cosines = []
    for a, b, c in abc.tolist():
        in_a, in_b = W[:, c] * E[:, b], W[:, c] * E[:, a]
        cosines.append(float(in_a @ in_b / (in_a.norm() * in_b.norm())))
    found = clockwork.gradient_symmetricity(lambda a, b: (a * b) @ W, E, abc)
    assert float(found) == pytest.approx(statistics.fmean(cosines), abs=1e-12)
    rounded = [
        clockwork.gradient_symmetricity(lambda a, b: (a * b) @ W, E_, abc) for E_ in (E.float(), E.float().double())
    ]
    assert float(rounded[0]) == float(rounded[1])  # float32 embeddings are looked at in float64


def test_triples_without_a_gradient_are_left_out() -> None:
    p = 5
    E, abc = noise(4, p), torch.tensor([[0, 1, 0], [2, 3, 1]])
    W = torch.stack((torch.zeros(4), torch.ones(4)), 1).double()  # class 0 listens to nobody
    assert float(clockwork.gradient_symmetricity(lambda a, b: (a + b) @ W, E, abc)) == pytest.approx(1)


@pytest.mark.parametrize("p", [5, 12, 23])
def test_the_layer_as_a_function_of_embeddings_is_the_textbooks(p: int) -> None:
    w = Transformer(p, d_model=8, n_heads=2, d_mlp=12).init(0)
    w = {name: 2 * tensor for name, tensor in w.items()} | {"b_in": noise(12).float(), "b_out": noise(8).float()}
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    E = w["W_E"].double()
    found = clockwork.one_layer(w, p)(E.T[pairs[:, 0]], E.T[pairs[:, 1]])
    expected = textbook.logits({name: tensor.double() for name, tensor in w.items()}, pairs, p)[:, :p]
    torch.testing.assert_close(found, expected)


@torch.no_grad()
def test_gradient_symmetricity_of_a_model_is_that_of_the_textbooks_gradients() -> None:
    """The two numbers get tokens of their own, p+1 and p+2, so that a = b has two gradients too."""
    p = 11
    w = {name: 2 * t.double() for name, t in Transformer(p, d_model=8, n_heads=2, d_mlp=12).init(3).items()}
    abc = clockwork.triples(p, n=30)
    abc[0] = torch.tensor([4, 4, 9])
    cosines = []
    for a, b, c in abc.tolist():
        with torch.enable_grad():
            E = torch.cat((w["W_E"], w["W_E"][:, [a, b]]), 1).requires_grad_()
            logit = textbook.logits({**w, "W_E": E}, torch.tensor([[p + 1, p + 2]]), p)[0, c]
            (gradient,) = torch.autograd.grad(logit, E)
        in_a, in_b = gradient[:, p + 1], gradient[:, p + 2]
        cosines.append(float(in_a @ in_b / (in_a.norm() * in_b.norm())))
    found = clockwork.gradient_symmetricity(clockwork.one_layer(w, p), w["W_E"][:, :p], abc)
    assert float(found) == pytest.approx(statistics.fmean(cosines), abs=1e-12)


def circularity_by_loops(W: Tensor) -> float:
    """Through a singular value decomposition and a complex sum for each component and frequency."""
    p = W.shape[1]
    _, _, components = torch.linalg.svd(W.double() - W.double().mean(1, keepdim=True), full_matrices=False)
    found = []
    for v in components[:4].tolist():
        sums = [sum(v[j] * cmath.exp(2j * cmath.pi * k * j / p) for j in range(p)) for k in range(1, p)]
        found.append(max(2 / p * abs(s) ** 2 for s in sums))
    return statistics.fmean(found)


@pytest.mark.parametrize("p", [7, 23, 59])
def test_circularity_is_that_of_the_first_four_components(p: int) -> None:
    W = noise(16, p) + 5
    assert float(clockwork.circularity(W)) == pytest.approx(circularity_by_loops(W), abs=1e-10)


def circles(p: int, radii: dict[int, float]) -> Tensor:
    """Two rows for each frequency.  -> [2n, p]."""
    j = 2 * math.pi * torch.arange(p).double() / p
    return torch.cat([radius * torch.stack(((k * j).cos(), (k * j).sin())) for k, radius in radii.items()])


def test_planted_circles_are_circular_and_noise_is_not() -> None:
    p = 113
    turned = noise(128, 4) @ circles(p, {14: 9.0, 35: 3.0}) + 100
    assert float(clockwork.circularity(turned.float())) > 0.8
    assert float(clockwork.circularity(circles(p, {14: 9.0, 35: 3.0}))) == pytest.approx(1, abs=1e-12)
    assert float(clockwork.circularity(noise(128, p))) < 0.3


def test_of_one_circle_there_are_two_components_and_of_a_point_none() -> None:
    one = circles(59, {5: 2.0}) + 7
    assert float(clockwork.circularity(one.float())) == pytest.approx(1, abs=1e-6)
    assert clockwork.circularity(torch.full((4, 59), 0.1)).isnan()


def test_the_circularity_of_an_even_modulus_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="p = 12 is even"):
        clockwork.circularity(torch.zeros(2, 12))
