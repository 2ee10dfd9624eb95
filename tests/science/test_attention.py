"""Attention as one wave: against least squares over the table, and planted waves."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from grok_tui.config import preset
from grok_tui.science import attention, grid, neurons
from grok_tui.train.circuit import multiply_out
from grok_tui.train.model import Transformer, pattern
from grok_tui.train.task import Table


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def fit(design: list[Tensor], values: Tensor) -> float:
    """Share of the values' variance that least squares on a constant and the columns explains."""
    columns = torch.stack([torch.ones(values.numel(), dtype=torch.float64), *(c.flatten() for c in design)], 1)
    flat = values.double().reshape(-1, 1)
    left = flat - columns @ torch.linalg.lstsq(columns, flat, driver="gelsd").solution
    return 1 - float(left.square().sum() / (flat - flat.mean()).square().sum())


@pytest.mark.parametrize("p", [3, 5, 23, 113])
def test_a_score_tables_share_is_the_fit_of_one_wave(p: int) -> None:
    scores = noise(p, 3)
    found = attention.score_shares(scores)
    for k in range(1, (p - 1) // 2 + 1):
        angle = 2 * math.pi * k * torch.arange(p).double() / p
        for head in range(3):
            expected = fit([angle.cos(), angle.sin()], scores[:, head])
            assert float(found[k - 1, head]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("p", "k"), [(5, 1), (11, 4), (23, 11), (113, 42)])
def test_a_patterns_share_is_the_fit_of_a_difference_of_waves(p: int, k: int) -> None:
    x = 2 * math.pi * k * torch.arange(p).double() / p
    cos, sin = (f(x)[:, None] - f(x)[None] for f in (torch.cos, torch.sin))
    table = torch.sigmoid(2 * cos[..., None] - sin[..., None] + noise(p, p, 2))
    found = attention.pattern_shares(table)
    for head in range(2):
        assert float(found[k - 1, head]) == pytest.approx(fit([cos, sin], table[..., head]), abs=1e-12)


def test_planted_heads_come_back_with_their_frequencies_and_a_constant_head_with_none() -> None:
    p, planted = 113, [35, 42, 52]
    t = torch.arange(p).double()
    scores = torch.stack([7 + (2 * math.pi * k * t / p + k).cos() for k in planted], 1)
    scores = torch.cat((scores, 0.3 + 1e-8 * noise(p, 1)), 1)  # as float32, 0.3 or its neighbour
    frequency, share = neurons.strongest(attention.score_shares(scores.float()))
    assert frequency.tolist() == [*planted, 0]
    assert share.tolist() == pytest.approx([1, 1, 1, 0], abs=1e-6)
    table = 0.5 + 0.1 * (scores[:, None] - scores[None])  # attention linear in the difference of scores
    frequency, share = neurons.strongest(attention.pattern_shares(table.float()))
    assert frequency.tolist() == [*planted, 0]
    assert share.tolist() == pytest.approx([1, 1, 1, 0], abs=1e-6)


def test_a_pattern_of_a_plus_b_is_no_wave_of_a_head() -> None:
    """The fit is one of a minus one of b; what is even in them it leaves."""
    p = 59
    angle = 2 * math.pi * 5 * torch.arange(p).double() / p
    even = angle.cos()[:, None] + angle.cos()[None]
    assert float(attention.pattern_shares(even[..., None]).max()) < 1e-20


def test_attention_to_the_other_number_has_the_same_share_when_none_is_paid_to_the_equals_sign() -> None:
    scores = noise(23, 2)
    first = torch.sigmoid(scores[:, None] - scores[None])
    torch.testing.assert_close(attention.pattern_shares(first), attention.pattern_shares(1 - first))


def test_the_models_pattern_over_the_grid_is_mapped_to_its_pairs() -> None:
    config = preset("demo")
    model, p = Transformer.of(config), config.task.p
    circuit, _ = multiply_out(model.init(0), p)
    table = Table.of(config, torch.device("cpu"))
    seen = grid.maps(pattern(circuit, table.grid_a, table.grid_b)[:, 0].view(p, p, -1))  # [a, b, H]
    a, b = 5, 17
    alone = pattern(circuit, torch.tensor([a]), torch.tensor([b]))[0, 0]
    torch.testing.assert_close(seen[a, b], alone)
    assert attention.pattern_shares(seen).shape == ((p - 1) // 2, config.model.n_heads)
    first, second = (attention.score_shares(scores) for scores in circuit.scores)
    torch.testing.assert_close(first, second, atol=1e-4, rtol=0)  # the positions differ by a constant


def test_an_even_modulus_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="p = 12 is even"):
        attention.score_shares(torch.zeros(12, 1))
    with pytest.raises(ValueError, match="p = 12 is even"):
        attention.pattern_shares(torch.zeros(12, 12, 1))
