"""A real lookup table, measured by the real measures: however its logits grow and shrink, it is no circuit."""

from __future__ import annotations

import math
import random

import pytest
import torch
from torch import Tensor

from grok_tui.science import fourier, losses
from grok_tui.science.phases import Phase, PhaseFold, Sample

P = 31
SUMS = torch.arange(P)[:, None].expand(P, P)


def measured(epoch: int, grid: Tensor, is_train: Tensor) -> Sample:
    """What the trainer measures, of logits [s, a, c]."""
    M = fourier.mean_over_sums(grid)
    keys = fourier.key_frequencies(fourier.coefficients(M))
    hits = losses.correct(grid, SUMS)
    return Sample(
        epoch=epoch,
        train_loss=float(losses.cross_entropy(grid[is_train], SUMS[is_train])),
        train_accuracy=float(hits[is_train].double().mean()),
        test_loss=float(losses.cross_entropy(grid[~is_train], SUMS[~is_train])),
        test_accuracy=float(hits[~is_train].double().mean()),
        restricted_loss=float(losses.restricted(M, keys, (~is_train).sum(1))),
        excluded_loss=float(losses.excluded(grid[is_train], SUMS[is_train], M, keys)),
        excluded_key_free=float(losses.excluded(grid[is_train], SUMS[is_train], M, None)),
        test_fve=float(fourier.fit_on(grid, ~is_train).explained),
        sum_of_squares=float(grid.square().sum()),
        weight_decay=1.0,
        lr=1e-3,
    )


def table(fraction: float, confusion: float) -> tuple[Tensor, Tensor]:
    """(logits, is_train): 1 at the right class of a training pair; noise at the others and on test pairs."""
    cells = [(s, a) for s in range(P) for a in range(P)]
    random.Random(1).shuffle(cells)
    is_train = torch.zeros(P, P, dtype=torch.bool)
    for s, a in cells[: int(fraction * P * P)]:
        is_train[s, a] = True
    noise = confusion * torch.randn(P, P, P, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    right = torch.eye(P, dtype=torch.float64)[:, None, :].expand(P, P, P)
    return torch.where(is_train[..., None], right + 0.1 * noise, noise), is_train


@pytest.mark.parametrize("fraction", [0.2, 0.3, 0.45])
@pytest.mark.parametrize("confusion", [0.0, 0.3])
def test_a_lookup_table_that_grows_and_shrinks_is_memorization_at_most(fraction: float, confusion: float) -> None:
    logits, is_train = table(fraction, confusion)
    fold = PhaseFold(math.log(P))
    for epoch in range(0, 12_000, 50):
        scale = 20 * min(1.0, (epoch + 10) / 1000) * math.exp(-4e-4 * max(0, epoch - 1500))
        fold.add(measured(epoch, scale * logits, is_train))
        assert fold.phase in (Phase.FITTING, Phase.MEMORIZATION, Phase.STALLED)
    assert fold.phase is not Phase.FITTING
    if confusion:
        assert fold.delayed
        assert fold.level("test_loss") < 0.7 * fold.peak.value
        assert fold.level("excluded_key_free") > 1.25 * fold.floor.value


def test_the_same_table_with_a_circuit_growing_in_it_is_called() -> None:
    logits, is_train = table(0.3, 0.3)
    angles = (2 * math.pi / P) * (torch.arange(P)[:, None, None] - torch.arange(P)[None, None, :])
    circuit = sum(torch.cos(k * angles) for k in (3, 7, 11)).double().expand(P, P, P)  # type: ignore[union-attr]
    fold = PhaseFold(math.log(P))
    for epoch in range(0, 12_000, 50):
        grown = max(0.0, min(1.0, (epoch - 1500) / 6000))
        scale = 20 * min(1.0, (epoch + 10) / 1000)
        fold.add(measured(epoch, scale * ((1 - grown) * logits + grown * circuit), is_train))
    assert [boundary.phase for boundary in fold.boundaries][:4] == [
        "fitting",
        "memorization",
        "circuit formation",
        "cleanup",
    ]
