"""The logit margin: how far the right answer is ahead. Accuracy is the share of pairs that have it above 0.

Accuracy jumps because each pair's margin crosses 0 at one moment; the margins themselves move smoothly or
do not, and that is the question whether the sharpness of grokking is an artefact of the argmax.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from grok_tui.science import fourier

QUANTILES = (0.05, 0.5, 0.95)
"""Of the margins that are reported beside their mean."""

NEAR = 1.0
"""A pair with a margin within this many nats of 0 is about to flip: the odds of the two classes are below e."""


class Spread(NamedTuple):
    """How the margins of some pairs lie, in nats; scalars in float64."""

    mean: Tensor
    low: Tensor
    """5 % of the pairs have less."""
    middle: Tensor
    high: Tensor
    """5 % of the pairs have more."""


def margins(grid: Tensor) -> Tensor:
    """L_{a+b} - max_{c wrong} L_c of each pair, among the p numbers.  [s, a, c] -> [s, a] in float64.

    "=" takes no part, whatever the training loss sees. p may be even.
    """
    p = grid.shape[-1]
    if p < 2:
        raise ValueError(f"p = {p}: a margin is over the best of the wrong answers, and there are none")
    found = []
    for part, sums in zip(fourier.blocks(grid), fourier.blocks(torch.arange(p, device=grid.device)), strict=True):
        here = torch.arange(len(sums), device=sums.device)
        right, rest = part[here, :, sums].double(), part.clone()
        rest[here, :, sums] = -torch.inf
        found.append(right - rest.amax(-1).double())
    return torch.cat(found)


def spread(chosen: Tensor) -> Spread:
    """Mean and 5, 50, 95 % quantiles (linear between neighbours) of some pairs' margins.  [n] -> scalars."""
    values = chosen.double()
    levels = torch.tensor(QUANTILES, dtype=torch.float64, device=chosen.device)
    return Spread(values.mean(), *torch.quantile(values, levels).unbind())


def about_to_flip(chosen: Tensor) -> Tensor:
    """Share of the pairs whose margin is within 1 nat of 0, on either side.  [n] -> scalar."""
    return (chosen.abs() < NEAR).double().mean()


def zero_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """How many rows have a log-softmax loss of exactly 0 in float32.  [n, c], [n] -> scalar int64.

    A float32 loss would give these rows no gradient, which is what makes slingshots (Thilak et al. 2022;
    Prieto et al. 2025): a row counts once its margin exceeds 17 to 21 nats. Training here computes its loss
    in float64 and is not hurt; the count says when a float32 run would be.
    """
    losses = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="none")
    return (losses == 0).sum()
