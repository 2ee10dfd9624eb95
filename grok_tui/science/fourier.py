"""The Fourier view of modular addition: basis, norms, sum directions, coefficients, key frequencies.

Frequencies are k = 1..(p-1)/2 with w_k = 2 pi k / p, stored at index k-1; p is odd. "The grid" is the
whole table of p x p inputs, its logits indexed [s, a, c]: s = a+b mod p first, because every quantity
here asks for the mean over the p pairs with the same sum. Conventions: Nanda et al. 2023, sections 3-4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from einops import einsum, rearrange, reduce
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


def basis(p: int, device: torch.device) -> Tensor:
    """Rows of the orthonormal basis: 1, cos 1, sin 1, cos 2, sin 2, ... in float64.  -> [p, p]."""
    pairs = math.sqrt(2 / p) * rearrange(list(waves(p, device)), "wave k j -> (k wave) j")
    return torch.cat((pairs.new_full((1, p), 1 / math.sqrt(p)), pairs))


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


def logit_norms(W_U: Tensor, W_out: Tensor) -> Tensor:
    """Norms of the Fourier components of W_L = W_U^T W_out along its class axis.  [d, p], [d, m] -> [2, k].

    Row 0 is |cos_k W_L|, row 1 |sin_k W_L|, norms over the m neurons (Nanda et al. 2023, section 4.2 and Fig. 3).
    W_U comes without its column for "=".
    """
    p = W_U.shape[1]
    read = torch.stack(waves(p, W_U.device)) @ W_U.double().T  # [2, k, d]
    return math.sqrt(2 / p) * (read @ W_out.double()).square().sum(-1).sqrt()


def paired(norms: Tensor) -> Tensor:
    """One norm for each frequency: sqrt(cos^2 + sin^2), blind to the wave's phase.  [2, k] -> [k]."""
    return norms.square().sum(0).sqrt()


def mean_over_sums(grid: Tensor) -> Tensor:
    """M[s, c], the mean logit over the p pairs with a+b = s.  [s, a, c] -> [s, c] in float64."""
    return torch.cat([part.double().mean(1) for part in blocks(grid)])


def coefficients(M: Tensor) -> Tensor:
    """alpha_k of cos(w_k(a+b-c)) in the logits, least squares over all p^3 entries.  [..., s, c] -> [..., k].

    The cosines are orthogonal with squared norm p^3/2, so alpha_k = (2/p^2) sum M[s,c] cos(w_k(s-c))
    (Nanda et al. 2023, section 4.2 and Fig. 14, which draws them times sqrt(p^3/2)).
    """
    p = M.shape[-1]
    cos, sin = waves(p, M.device)
    return (2 / p**2) * (cos @ M * cos + sin @ M * sin).sum(-1)


def key_frequencies(alpha: Tensor) -> Tensor:
    """Which frequencies are key: alpha_k >= 5 % of the largest alpha.  [k] -> bool [k].

    Provisional when taken from a model that is still training. None are key when no alpha is positive.
    """
    return (alpha >= KEY_SHARE * alpha.max()) & (alpha > 0)


def sum_component(M: Tensor, keys: Tensor | None = None) -> Tensor:
    """Projection of the logits on the directions cos, sin(w_k(a+b)) for k in `keys`.  [s, c] -> [s, c].

    The projection depends on (a, b) through their sum alone: entry [s, c] belongs to every pair with that
    sum. `keys` is a bool mask [k]; None takes all frequencies, for which p may be even.
    """
    if keys is None:
        return M - reduce(M, "s c -> 1 c", "mean")  # every frequency is all but the constant
    cos, sin = waves(len(M), M.device)
    weight = keys.to(M.dtype)[:, None]
    return (2 / len(M)) * (cos.T @ (weight * (cos @ M)) + sin.T @ (weight * (sin @ M)))


def each_sum_component(M: Tensor, sums: Tensor) -> Tensor:
    """The projection on cos, sin(w_k(a+b)) for each k by itself, at the sums given.  [s, c], [s'] -> [k, s', c].

    Entry [k, s, c] is (2/p) sum_t M[t,c] cos(w_k(s-t)); over all k they add up to `sum_component(M)`.
    """
    cos, sin = waves(len(M), M.device)
    along_cos, along_sin = ((2 / len(M)) * (wave @ M)[:, None] for wave in (cos, sin))  # [k, 1, c]
    return torch.addcmul(cos[:, sums, None] * along_cos, sin[:, sums, None], along_sin)


class Fit(NamedTuple):
    """sum_k alpha_k cos(w_k(a+b-c)) fitted to the logits of some pairs."""

    alpha: Tensor
    """[..., k]"""
    explained: Tensor
    """[...], the share of those logits' variance, each pair's centred over c, that the sum explains."""


def fit_on(grid: Tensor, chosen: Tensor) -> Fit:
    """Least squares of sum_k alpha_k cos(w_k(a+b-c)) on the chosen pairs' logits, in one pass for all sets of pairs.

    On test pairs a lookup table of the training pairs has no part in alpha (leak-free); on all pairs
    alpha is `coefficients(mean_over_sums(grid))`. Logits are centred over c, since softmax cannot see a shift of a
    row. Over c alone the cosines of one pair are orthogonal, so the fit is an inner product: with n pairs
    alpha_k = 2/(n p) sum L cos(w_k(a+b-c)), and the explained sum of squares is (n p / 2) sum alpha_k^2.
    Fractions of variance explained: Nanda et al. 2023, section 4.2 and Table 5. Both are 0 where no pair is chosen.

    Args:
        grid: [s, a, c].
        chosen: [..., s, a], 1 for the pairs to look at, 0 elsewhere; each leading index is a set of its own.
    """
    p = grid.shape[-1]
    weights = rearrange(chosen.double(), "... s a -> s (...) a")
    totals, squares = [], []
    for part, weight in zip(blocks(grid), blocks(weights), strict=True):
        rows = part.double()
        totals.append(weight @ rows)
        squares.append(einsum(weight, _centred_squares(rows), "s n a, s a -> n"))
    sets = chosen.shape[:-2]
    n = chosen.sum((-2, -1), dtype=torch.float64).clamp(min=1)
    total = torch.stack(squares).sum(0).view(sets)
    summed = rearrange(torch.cat(totals), "s n c -> n s c").reshape(*sets, p, p)
    alpha = coefficients(summed) * (p / n)[..., None]  # it divides by p pairs a sum; here there are n in all
    explained = (n * p / 2) * alpha.square().sum(-1) / total
    return Fit(alpha, torch.where(total == 0, total, explained))


def spectrum_2d(grid: Tensor) -> Tensor:
    """Norm over c of each 2-D Fourier component of the logits.  [s, a, c] -> [p, p].

    Entry [i, j] is |sum_{a,b} F[i,a] F[j,b] L[a,b,:]| with the orthonormal rows F of `basis`: 1, cos 1, sin 1,
    cos 2, ... (Nanda et al. 2023, Fig. 4). A sum direction shows as cos_k x cos_k, sin_k x sin_k,
    cos_k x sin_k and sin_k x cos_k.
    """
    p = len(grid)
    F = basis(p, grid.device)
    a = torch.arange(p, device=grid.device)
    logits = grid[(a[:, None] + a) % p, a[:, None]].double().view(p, p * p)  # [a, b*c]
    found = [(F @ (rows @ logits).view(-1, p, p)).square().sum(-1).sqrt() for rows in blocks(F)]
    return torch.cat(found)


def _centred_squares(rows: Tensor) -> Tensor:
    """Sum of squares of each row about its mean.  [..., c] -> [...]."""
    return (rows - rows.mean(-1, keepdim=True)).square_().sum(-1)
