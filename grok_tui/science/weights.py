"""Sizes and sparsity of weights: norms, Gini coefficient, inverse participation ratio, effective dimension."""

from __future__ import annotations

import torch
from torch import Tensor

from grok_tui.science import fourier


def sums_of_squares(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The sum of w^2 of each tensor, biases too, in float64; their sum is that of the model.  -> scalars by name.

    Nanda et al. 2023, Fig. 7 draws the sum over all; Omnigrok (Liu et al. 2023) its root, ||w||.
    """
    return {name: W.double().square().sum() for name, W in weights.items()}


def norm_ratio(sum_of_squares: Tensor, at_start: Tensor) -> Tensor:
    """||w|| / ||w_0||, from the sums of squares now and at epoch 0.  -> scalar."""
    return (sum_of_squares / at_start).sqrt()


def gini(values: Tensor) -> Tensor:
    """Gini coefficient of the last axis: 0 when flat, 1 - m/N with m equal entries and the rest 0.  [..., N] -> [...].

    G = 1 - 2 sum_i (x_i / sum x) (N - i + 1/2) / N with |x| ascending, i = 1..N (Hurley & Rickard 2009). All
    zeros count as flat. For Fig. 7 of Nanda et al. 2023 give it the (p-1)/2 paired norms of W_E or W_L
    (`fourier.paired`): whether the paper pairs cos and sin is not published, and moves G by less than 0.02 on
    trained models.
    """
    x = values.double().abs().sort(-1).values
    N = x.shape[-1]
    rank = torch.arange(N, 0, -1, dtype=torch.float64, device=x.device) - 0.5  # N - i + 1/2
    total = x.sum(-1)
    return torch.where(total == 0, total, 1 - 2 * (x @ rank) / (total * N))


def participation(power: Tensor) -> Tensor:
    """Inverse participation ratio of powers: 1 when one has all, 1/N when they are equal.  [..., N] -> [...].

    IPR = sum_k (power_k / sum power)^2 (Gromov 2023; Doshi et al. 2023). 0 where there is no power at all.
    """
    total = power.double().sum(-1, keepdim=True)
    shares = torch.where(total == 0, total, power.double() / total)
    return shares.square().sum(-1)


def ipr_of_matrix(W: Tensor) -> Tensor:
    """IPR of the Fourier power of a whole matrix along its p columns.  [d, p] -> scalar.

    power_k = |W cos_k|^2 + |W sin_k|^2, without the constant: for W_E, 1/n when n frequencies share it equally.
    """
    return participation(fourier.norms(W).square().sum(0))


def effective_dimension(W: Tensor) -> Tensor:
    """e^S of the principal components of p embeddings, the columns.  [d, p] -> scalar.

    S = -sum_i q_i ln q_i with q_i the share of the variance along component i: n when n components share it
    equally, 0 without any variance (Liu et al. 2022, section 4.2).
    """
    centred = W.double() - W.double().mean(1, keepdim=True)
    gram = centred @ centred.T if len(W) < W.shape[1] else centred.T @ centred  # the smaller has the same spectrum
    finite = gram.isfinite().all()
    variance = torch.linalg.eigvalsh(gram.where(finite, 0.0)).clamp(min=0)  # refuses what is not finite
    total = variance.sum()
    dimension = torch.special.entr(variance / total).sum().exp()
    return torch.where(total == 0, total, dimension).where(finite, torch.nan)
