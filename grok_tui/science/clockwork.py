"""Clock or pizza? The three diagnostics of Zhong et al. 2023 (arXiv 2306.17844).

A clock multiplies the two embeddings on the circle, a pizza adds them; both answer right. In the paper's
models the clock has distance irrelevance .85 and gradient symmetricity .33, the pizza .17 and .99.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import torch
from einops import einsum, rearrange
from torch import Tensor

from grok_tui.science import fourier
from grok_tui.science.grid import CONSTANT

SAMPLES = 100
"""Random (a, b, c) over which gradient symmetricity is averaged."""

COMPONENTS = 4
"""Principal components over which circularity is averaged."""


def distance_irrelevance(grid: Tensor) -> Tensor:
    """Q = mean_d std(o | a-b = d) / std(o) of the right class's logit o.  [s, a, c] -> scalar, for any p.

    Near 1 the right logit does not care how far apart a and b are (a clock), near 0 it cares for nothing else
    (a pizza). A model that has only memorised reads near 1 too, for its logits care for no distance either.
    Zhong et al., definition 4.2, on the logits as they are: a shift of a pair's logits, which no loss sees,
    changes it. NaN when the right logit is the same for all pairs, as an exact clock's is.
    """
    p = len(grid)
    right = grid.diagonal(dim1=0, dim2=2).double()  # [a, s]
    a = torch.arange(p, device=grid.device)
    by_distance = right[a, (2 * a - a[:, None]) % p]  # [d, a]: s = 2a-d
    spread = right.std(correction=0)
    varies = spread.square() > CONSTANT * right.square().mean()
    return torch.where(varies, by_distance.std(1, correction=0).mean() / spread, torch.nan)


def triples(p: int, n: int = SAMPLES, seed: int = 42) -> Tensor:
    """N different (a, b, c), always the same ones for the same seed.  -> [n, 3], fewer where p^3 < n."""
    chosen = random.Random(seed).sample(range(p**3), min(n, p**3))
    return torch.tensor([(i // p**2, i // p % p, i % p) for i in chosen])


def gradient_symmetricity(logits: Callable[[Tensor, Tensor], Tensor], embeddings: Tensor, abc: Tensor) -> Tensor:
    """Mean cosine between the gradients of logit_c in the embeddings of a and of b.  -> scalar.

    s_g = mean_{(a,b,c)} cos(dL_c/dE_a, dL_c/dE_b), c being any class (Zhong et al., definition 4.1). 1 for a
    model that only sees E_a + E_b. Triples where a gradient vanishes are left out; NaN when all do.

    Args:
        logits: from embeddings of a and of b, float64 [n, d] each, to logits [n, c]; differentiable, row by row.
        embeddings: [d, p], of the numbers.
        abc: [n, 3].
    """
    a, b, c = abc.to(embeddings.device).T
    with torch.enable_grad():
        e_a, e_b = (embeddings.detach().double().T[number].requires_grad_() for number in (a, b))
        chosen = logits(e_a, e_b).gather(1, c[:, None]).sum()
        d_a, d_b = torch.autograd.grad(chosen, (e_a, e_b))
    cosines: Tensor = (d_a * d_b).sum(1) / (d_a.norm(dim=1) * d_b.norm(dim=1))
    return cosines.nanmean()


def one_layer(weights: Mapping[str, Tensor], p: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The one-layer transformer as a function of the two numbers' embeddings, in float64.  [n, d] x 2 -> [n, p].

    Embeddings come without their positions. Only "=" asks and is read, as in the published model.
    """
    w = {name: tensor.detach().double() for name, tensor in weights.items()}
    x_eq = w["W_E"][:, p] + w["W_pos"][2]
    query = einsum(w["W_Q"], x_eq, "h e d, d -> h e") / math.sqrt(w["W_Q"].shape[1])

    def logits(e_a: Tensor, e_b: Tensor) -> Tensor:
        x = torch.stack((e_a + w["W_pos"][0], e_b + w["W_pos"][1], x_eq.expand_as(e_a)), 1)  # [n, 3, d]
        key, value = (einsum(w[name], x, "h e d, n i d -> n h i e") for name in ("W_K", "W_V"))
        attention = einsum(query, key, "h e, n h i e -> n h i").softmax(-1)
        z = rearrange(einsum(attention, value, "n h i, n h i e -> n h e"), "n h e -> n (h e)")
        mid = x_eq + z @ w["W_O"].T
        hidden = torch.relu(mid @ w["W_in"].T + w["b_in"])
        read: Tensor = (mid + hidden @ w["W_out"].T + w["b_out"]) @ w["W_U"][:, :p]
        return read

    return logits


def circularity(W: Tensor) -> Tensor:
    """How much the first principal components of the embeddings are waves.  [d, p] -> scalar.

    Mean over the first four components v, of unit length over the numbers, of max_k (2/p) |sum_j v_j e^{i w_k j}|^2:
    1 when each is a wave of one frequency, as in their code. Circles of the same radius share their components,
    which then mix frequencies and count for less. With fewer than four components the mean is over those there
    are; NaN when the embeddings are all alike.
    """
    p = W.shape[1]
    centred = W.double() - W.double().mean(1, keepdim=True)
    power, vectors = torch.linalg.eigh(centred.T @ centred)  # ascending; [p], [j, p]
    v = vectors[:, -COMPONENTS:]
    there = power[-COMPONENTS:] > CONSTANT * W.double().square().sum()
    cos, sin = fourier.waves(p, W.device)
    circular = ((2 / p) * ((cos @ v).square() + (sin @ v).square())).amax(0)
    return torch.where(there, circular, torch.nan).nanmean()
