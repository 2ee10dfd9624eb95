"""The Fourier view of modular addition: basis, norms, sum directions, coefficients, key frequencies.

Frequencies are k = 1..(p-1)/2 with w_k = 2 pi k / p, stored at index k-1; p is odd. "The grid" is the
whole table of p x p inputs, its logits indexed [s, a, c]: s = a+b mod p first, because every quantity
here asks for the mean over the p pairs with the same sum. Conventions: Nanda et al. 2023, sections 3-4.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from einops import einsum, reduce
from torch import Tensor

KEY_SHARE = 0.05
"""A frequency is key when its coefficient reaches this share of the largest."""

SUMS = 8
"""Sums at a time where the grid is taken to float64: at p = 113 the copy is 0.8 MB and stays in the cache."""


@lru_cache(maxsize=8)
def waves(p: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos(w_k j) and sin(w_k j) in float64, exact to the last bit of the angle.  -> [k, j], [k, j]."""
    if p % 2 == 0:
        raise ValueError(f"p = {p} is even: it has a frequency p/2 without a sine, which this basis leaves out")
    k = torch.arange(1, (p - 1) // 2 + 1)
    angles = (2 * math.pi / p) * ((k[:, None] * torch.arange(p)) % p).to(torch.float64)
    return angles.cos().to(device), angles.sin().to(device)


def blocks(grid: Tensor) -> tuple[Tensor, ...]:
    """The grid a few sums at a time on a CPU, whole on a GPU.  [s, ...] -> [SUMS, ...], ..."""
    return torch.split(grid, SUMS if grid.device.type == "cpu" else len(grid))


def norms(W: Tensor) -> Tensor:
    """Norms of a matrix's Fourier components along its p columns.  [d, p] -> [2, k].

    Row 0 is |W cos_k|, row 1 |W sin_k| with unit vectors sqrt(2/p) cos(w_k j) (Nanda et al. 2023, Fig. 3,
    which draws them for W_E without its column for "=").
    """
    p = W.shape[1]
    components = torch.stack([wave @ W.double().T for wave in waves(p, W.device)])  # [2, k, d]
    return math.sqrt(2 / p) * components.square().sum(-1).sqrt()


def mean_over_sums(grid: Tensor) -> Tensor:
    """M[s, c], the mean logit over the p pairs with a+b = s.  [s, a, c] -> [s, c] in float64."""
    return torch.cat([part.double().mean(1) for part in blocks(grid)])


def coefficients(M: Tensor) -> Tensor:
    """alpha_k of cos(w_k(a+b-c)) in the logits, least squares over all p^3 entries.  [s, c] -> [k].

    The cosines are orthogonal with squared norm p^3/2, so alpha_k = (2/p^2) sum M[s,c] cos(w_k(s-c))
    (Nanda et al. 2023, section 4.2 and Fig. 14, which draws them times sqrt(p^3/2)).
    """
    p = len(M)
    cos, sin = waves(p, M.device)
    return (2 / p**2) * (einsum(cos, M, cos, "k s, s c, k c -> k") + einsum(sin, M, sin, "k s, s c, k c -> k"))


def key_frequencies(alpha: Tensor) -> Tensor:
    """Which frequencies are key: alpha_k >= 5 % of the largest alpha.  [k] -> bool [k].

    Provisional when taken from a model that is still training. None are key when no alpha is positive.
    """
    return (alpha >= KEY_SHARE * alpha.max()) & (alpha > 0)


def sum_component(M: Tensor, keys: Tensor | None = None) -> Tensor:
    """Projection of the logits on the directions cos, sin(w_k(a+b)) for k in `keys`.  [s, c] -> [s, c].

    The projection depends on (a, b) through their sum alone: entry [s, c] belongs to every pair with that
    sum. `keys` is a bool mask [k]; None takes all frequencies.
    """
    cos, sin = waves(len(M), M.device)
    if keys is not None:
        weight = keys.to(M.dtype)[:, None]
        return (2 / len(M)) * (cos.T @ (weight * (cos @ M)) + sin.T @ (weight * (sin @ M)))
    return M - reduce(M, "s c -> 1 c", "mean")  # cheaper, and the same: every frequency is all but the constant


def explained_on(grid: Tensor, chosen: Tensor) -> Tensor:
    """Share of the chosen pairs' logit variance that sum_k alpha_k cos(w_k(a+b-c)) explains.  -> scalar.

    The alpha_k are fitted on the chosen pairs alone, so on test pairs a lookup table of the training pairs
    has no part in them. Logits are centred over c first (softmax cannot see a shift of a row). Over c alone
    the cosines of one pair are orthogonal, so the fit is an inner product: with n pairs
    alpha_k = 2/(n p) sum L cos and the explained sum of squares is (n p / 2) sum alpha_k^2.

    Args:
        grid: [s, a, c].
        chosen: [s, a], 1 for the pairs to look at, 0 elsewhere.
    """
    p = grid.shape[-1]
    n = chosen.sum(dtype=torch.float64)
    totals, squares = [], []
    for part, weight in zip(blocks(grid), blocks(chosen.double()), strict=True):
        rows = part.double()
        totals.append(einsum(rows, weight, "s a c, s a -> s c"))
        squares.append((_centred_squares(rows) * weight).sum())
    alpha = coefficients(torch.cat(totals)) * (
        p / n
    )  # coefficients() divides by p pairs a sum; here there are n in all
    total = torch.stack(squares).sum()
    return torch.where(total > 0, (n * p / 2) * alpha.square().sum() / total, torch.zeros_like(total))


def _centred_squares(rows: Tensor) -> Tensor:
    """Sum of squares of each row about its mean.  [..., c] -> [...]."""
    return (rows - rows.mean(-1, keepdim=True)).square_().sum(-1)
