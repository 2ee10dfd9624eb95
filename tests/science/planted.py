"""Logits whose measures are known by hand, [a, b, c] in float64, and the ways to hand them to the package."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tests.science import brute


def cosines(p: int, weights: dict[int, float]) -> Tensor:
    """Sum of alpha_k cos(w_k(a+b-c)).  -> [a, b, c] in float64."""
    a, b, c = (torch.arange(p).view(shape) for shape in ((p, 1, 1), (1, p, 1), (1, 1, p)))
    angle = 2 * math.pi * (a + b - c).double() / p
    return torch.stack([alpha * torch.cos(k * angle) for k, alpha in weights.items()]).sum(0)


def noise(p: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(p, p, p, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def half(p: int, seed: int = 1, share: float = 0.3) -> Tensor:
    """A share of the pairs, bool [a, b]."""
    return torch.rand(p, p, generator=torch.Generator().manual_seed(seed)) < share


def lookup_table(p: int, train: Tensor, margin: float) -> Tensor:
    """`margin` at the right class of each training pair, 0 everywhere else."""
    logits = torch.zeros(p, p, p, dtype=torch.float64)
    a, b = train.nonzero().T
    logits[a, b, (a + b) % p] = margin
    return logits


def keys_mask(p: int, keys: list[int]) -> Tensor:
    return torch.tensor([k in keys for k in range(1, (p - 1) // 2 + 1)])


def train_rows(logits: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    a, b = train.nonzero().T
    return logits[a, b], (a + b) % len(logits)


def sums_of(mask: Tensor) -> Tensor:
    """How many pairs in the mask have each sum."""
    a, b = mask.nonzero().T
    return torch.bincount((a + b) % len(mask), minlength=len(mask))


def mask_on_grid(mask: Tensor) -> Tensor:
    """[a, b] -> [s, a]."""
    return brute.on_grid(mask[:, :, None])[:, :, 0]


def subsets_on_grid(train: Tensor) -> Tensor:
    """Train, test and all pairs.  [a, b] -> [3, s, a]."""
    on_grid = mask_on_grid(train)
    return torch.stack([on_grid, ~on_grid, torch.ones_like(on_grid)])
