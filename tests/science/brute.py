"""The measures as the papers define them, in float64 over the whole p x p x p tensor, with no short cut.

Logits here are indexed [a, b, c]; `on_grid` brings them to the [s, a, c] that the package works with.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def basis(p: int) -> Tensor:
    """Rows: the constant, then cos and sin of each frequency, orthonormal.  -> [p, p]."""
    j = torch.arange(p, dtype=torch.float64)
    rows = [torch.full((p,), 1 / math.sqrt(p), dtype=torch.float64)]
    for k in range(1, (p - 1) // 2 + 1):
        rows += [math.sqrt(2 / p) * f(2 * math.pi * k * j / p) for f in (torch.cos, torch.sin)]
    return torch.stack(rows)


def sum_component(logits: Tensor, keys: list[int]) -> Tensor:
    """The part along cos, sin(w_k(a+b)), by a 2-D DFT over (a, b) and back.  [a, b, c] -> [a, b, c]."""
    F = basis(len(logits))
    spectrum = transform(F, logits.double())
    kept = torch.zeros_like(spectrum)
    for k in keys:
        cos, sin = 2 * k - 1, 2 * k
        along_cos = (spectrum[cos, cos] - spectrum[sin, sin]) / math.sqrt(2)
        along_sin = (spectrum[sin, cos] + spectrum[cos, sin]) / math.sqrt(2)
        kept[cos, cos], kept[sin, sin] = along_cos / math.sqrt(2), -along_cos / math.sqrt(2)
        kept[sin, cos] = kept[cos, sin] = along_sin / math.sqrt(2)
    return transform(F.T, kept)


def transform(F: Tensor, values: Tensor) -> Tensor:
    """Sum over a and b of F[i, a] F[j, b] values[a, b, c].  -> [i, j, c]."""
    return torch.einsum("jb,ibc->ijc", F, torch.einsum("ia,abc->ibc", F, values))


def loss(logits: Tensor, mask: Tensor) -> float:
    """Mean cross-entropy of the pairs in `mask`, term by term from the definition."""
    p = len(logits)
    a, b = mask.nonzero().T
    rows = logits[a, b].double()
    probability = (rows - rows.max(1, keepdim=True).values).exp()
    share = probability / probability.sum(1, keepdim=True)
    return float(-share[torch.arange(len(a)), (a + b) % p].log().mean())


def restricted(logits: Tensor, keys: list[int], mask: Tensor) -> float:
    return loss(sum_component(logits, keys) + logits.double().mean((0, 1)), mask)


def excluded(logits: Tensor, keys: list[int], mask: Tensor) -> float:
    return loss(logits.double() - sum_component(logits, keys), mask)


def coefficients(logits: Tensor) -> Tensor:
    """alpha_k by least squares on the p^3 cube, with every cosine written out."""
    p = len(logits)
    a, b, c = (torch.arange(p).view(shape) for shape in ((p, 1, 1), (1, p, 1), (1, 1, p)))
    cubes = [torch.cos(2 * math.pi * k * (a + b - c).double() / p).flatten() for k in range(1, (p - 1) // 2 + 1)]
    found = torch.linalg.lstsq(torch.stack(cubes, 1), logits.double().reshape(-1, 1), driver="gelsd")
    solution: Tensor = found.solution
    return solution.flatten()


def explained_on(logits: Tensor, mask: Tensor) -> float:
    """Variance share of the masked pairs' row-centred logits that the least-squares cosines explain."""
    p = len(logits)
    a, b = mask.nonzero().T
    rows = logits[a, b].double()
    rows = rows - rows.mean(1, keepdim=True)
    angle = ((a + b)[:, None] - torch.arange(p)).double()
    design = torch.stack([torch.cos(2 * math.pi * k * angle / p).flatten() for k in range(1, (p - 1) // 2 + 1)], 1)
    fit = design @ torch.linalg.lstsq(design, rows.flatten(), driver="gelsd").solution
    return 1 - float((rows.flatten() - fit).square().sum() / rows.square().sum())


def on_grid(logits: Tensor) -> Tensor:
    """[a, b, c] -> [s, a, c] with b = s - a mod p."""
    p = len(logits)
    s, a = torch.arange(p)[:, None], torch.arange(p)[None]
    return logits[a.expand(p, p), (s - a) % p]
