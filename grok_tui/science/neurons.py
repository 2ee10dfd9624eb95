"""Neurons on the grid: how much of each is one frequency, and what the logits read from them.

Activations are those after the ReLU, `h`, on the whole grid [s, a, m]; W_L = W_U W_out is the neuron-logit
map [c, m] of the p numbers. Frequencies k = 1..(p-1)/2 are stored at index k-1. Nanda et al. 2023, sections
4.2-4.4; the projections in float64.
"""

from __future__ import annotations

import math

import torch
from einops import reduce
from torch import Tensor

from grok_tui.science import fourier, losses
from grok_tui.science.grid import CONSTANT, LineSums

EXPLAINED = 0.85
"""From this share on a neuron belongs to the cluster of its frequency (section 4.3: 433 of 512 do)."""


def frequency_shares(lines: LineSums) -> Tensor:
    """Share of each neuron's variance that a degree-2 polynomial of one frequency explains.  -> [k, m].

    The products {1, cos w_k a, sin w_k a} x {1, cos w_k b, sin w_k b} without the constant are eight
    orthogonal functions; they span the waves of w_k a, w_k b, w_k(a+b) and w_k(a-b), so with H the complex
    Fourier coefficient of each the share is (2/p^2) (|H_a|^2 + |H_b|^2 + |H_{a+b}|^2 + |H_{a-b}|^2) over
    the sum of squares about the mean (Nanda et al. 2023, section 4.3 and Fig. 5). A constant neuron has 0.
    """
    p = len(lines.first)
    cos, sin = fourier.waves(p, lines.first.device)
    families = (lines.first, lines.second, lines.sum, lines.difference)
    power = sum(((wave @ sums).square() for sums in families for wave in (cos, sin)), lines.first.new_zeros(()))
    return torch.where(lines.variation > 0, (2 / p**2) * power / lines.variation, 0)


def strongest(shares: Tensor) -> tuple[Tensor, Tensor]:
    """The frequency with the largest share, and that share.  [k, m] -> [m], [m]; frequency 0 where all are 0."""
    share, at = shares.max(0)
    return torch.where(share > 0, at + 1, 0), share


def clusters(frequency: Tensor, share: Tensor, p: int) -> Tensor:
    """How many neurons have more than 85 % in each frequency.  [m], [m] -> [k]; their sum is the paper's 433."""
    k = torch.arange(1, (p - 1) // 2 + 1, device=frequency.device)
    return ((frequency == k[:, None]) & (share > EXPLAINED)).sum(1)


def examples(frequency: Tensor, share: Tensor, p: int, n: int = 6) -> Tensor:
    """The best-explained neuron of each of the n largest clusters, largest first.  -> indices, at most n.

    A frequency without a cluster counts by its best neuron, so that there is something to see before any forms.
    """
    k = torch.arange(1, (p - 1) // 2 + 1, device=frequency.device)
    best, neuron = torch.where(frequency == k[:, None], share, 0).max(1)
    ranks = 2 * clusters(frequency, share, p) + best
    order = ranks.argsort(descending=True, stable=True)[:n]
    return neuron[order[best[order] > 0]]


def ipr(shares: Tensor) -> Tensor:
    """Inverse participation ratio of each neuron's power over the frequencies.  [k, m] -> [m].

    sum_k q_k^2 with q_k the share of frequency k in what single frequencies explain: 1 for one frequency,
    2/(p-1) for all alike. NaN for a constant neuron. After Gromov 2023 and Doshi et al. 2023, who take it
    of a neuron's input weights; here it is of its activations, because attention comes before them.
    """
    total = shares.sum(0)
    return shares.square().sum(0) / torch.where(total > 0, total, torch.nan).square()


def readout_fve(h: Tensor, W_L: Tensor, keys: Tensor) -> Tensor:
    """Share of variance of u_k.h and v_k.h that one wave of a+b explains.  -> [2, n], n key frequencies.

    u_k and v_k are the cos_k and sin_k rows of W_L's Fourier transform over the classes. Row 0: u_k.h by
    cos(w_k(a+b)); row 1: v_k.h by sin(w_k(a+b)), both about the mean (Nanda et al. 2023, section 4.2 and
    Table 1; their Table 5 averages the 2n numbers). Table 1 of the mainline: 93.2 to 98.2 %. NaN where the
    direction reads the same from every pair.

    Args:
        h: [s, a, m].
        W_L: [c, m].
        keys: bool [k].
    """
    p = len(h)
    waves = torch.cat([wave[keys] for wave in fourier.waves(p, h.device)])  # [2n, j]
    read = math.sqrt(2 / p) * waves @ W_L.double()  # [2n, m]
    sums, squares = [], h.new_zeros(len(read), dtype=torch.float64)
    for part in fourier.blocks(h):
        seen = part.double() @ read.T  # [s, a, 2n]
        sums.append(seen.sum(1))
        squares += seen.square_().sum((0, 1))
    along = torch.cat(sums)  # [s, 2n]
    variation = squares - along.sum(0).square() / p**2
    explained = (2 / p**2) * (waves.T * along).sum(0).square()
    return (explained / torch.where(variation > CONSTANT * squares, variation, torch.nan)).view(2, -1)


def residual(W_L: Tensor, keys: Tensor) -> Tensor:
    """How much of W_L is outside the key frequencies' rows, as a share of its Frobenius norm.  -> scalar.

    |W_L - its 2n rows cos_k, sin_k over the classes| / |W_L| (Nanda et al. 2023, section 4.2). The paper says
    under 0.55 %; a run of its mainline with its five keys leaves 6.9 %, whose square is 0.48 %.
    """
    rows = fourier.norms(W_L.T).square().sum(0)  # [k]
    constant = len(W_L) * W_L.double().mean(0).square().sum()
    outside = constant + torch.where(keys, 0, rows).sum()
    return (outside / (constant + rows.sum())).sqrt()


def through_neurons(lines: LineSums, W_L: Tensor) -> Tensor:
    """The neurons' part of the mean logits over the pairs with one sum: W_L h, without the skip path.  -> [s, c]."""
    return lines.sum @ W_L.double().T / len(lines.sum)


def restricted(part: Tensor, M: Tensor, keys: Tensor | None, counts: Tensor) -> Tensor:
    """Restricted loss at the neuron level: the key sum directions of h, and the constant.  -> [...].

    h' = Pi_K h, logits' = W_L h' + mean_{a,b} L: the skip path around the neurons counts only by its mean.
    As in N. Nanda's TransformerLens demo; the paper's own is at the logit level and keeps Pi_K of the skip path.

    Args:
        part: what `through_neurons` found, [s, c].
        M: mean logits [s, c].
        keys: bool [k], or None for all frequencies.
        counts: [..., s], how many of the pairs looked at have the sum s.
    """
    logits = fourier.sum_component(part, keys) + reduce(M, "s c -> c", "mean")
    lost = losses.cross_entropies(logits, torch.arange(len(M), device=M.device))
    return losses.mean_of_sums(lost, counts)


def excluded(logits: Tensor, sums: Tensor, part: Tensor, keys: Tensor | None) -> Tensor:
    """Excluded loss at the neuron level: h without the key sum directions, the skip path whole.  -> scalar.

    h' = h - Pi_K h, logits' = skip path + W_L h' = L - Pi_K(W_L h), because Pi_K acts on the pairs and W_L
    on the neurons. As in N. Nanda's TransformerLens demo.

    Args:
        logits: [n, c] of the pairs looked at, by definition the training pairs.
        sums: [n], their a+b mod p, which is also their label.
        part: what `through_neurons` found, [s, c].
        keys: bool [k], or None for all frequencies.
    """
    return losses.excluded(logits, sums, part, keys)
