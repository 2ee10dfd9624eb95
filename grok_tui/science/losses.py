"""Cross-entropy, and the restricted and excluded loss of Nanda et al. 2023 (section 5.1), logit level.

Everything in float64: a confident model's float32 log-softmax is exactly 0 from a margin of about 17 on,
and restricted and excluded losses are read over ten orders of magnitude.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grok_tui.science import fourier

BLOCK = 1024
"""Rows at a time where float64 copies are made: they stay in the cache."""


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """-log softmax(logits)[label] of each row, in float64.  [..., c], [...] -> [...]."""
    shifted = logits.to(torch.float64, copy=True)
    shifted.sub_(shifted.amax(-1, keepdim=True))
    correct = shifted.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return shifted.exp_().sum(-1).log_().sub_(correct)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean loss over the rows, in float64.  [n, c], [n] -> scalar."""
    return cross_entropies(logits, labels).mean()


def correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the label's logit is the largest; on a tie the first class counts.  [..., c], [...] -> bool [...]."""
    return logits.argmax(-1) == labels


def restricted(M: Tensor, keys: Tensor | None, counts: Tensor) -> Tensor:
    """Restricted loss: only the key sum directions and the constant kept.  -> scalar.

    L_R = Pi_K L + mean_{a,b} L (a constant per class). Its logits depend on a+b alone, so p rows suffice.
    Called "trig loss" in the published code. A lookup table leaks into it: read it against ln p.

    Args:
        M: mean logits [s, c].
        keys: bool [k], or None for all frequencies.
        counts: [s], how many of the pairs looked at (test, train or all) have the sum s.
    """
    logits = fourier.sum_component(M, keys) + M.mean(0)
    losses = cross_entropies(logits, torch.arange(len(M), device=M.device))
    return (losses * counts).sum() / counts.sum()


def excluded(logits: Tensor, sums: Tensor, M: Tensor, keys: Tensor | None) -> Tensor:
    """Excluded loss: the key sum directions removed, everything else kept.  -> scalar.

    L_E = L - Pi_K L on the given pairs, by definition the training pairs: what is left to the memoriser.
    With `keys` None every sum direction goes ("key-free"): no choice of keys is involved.

    Args:
        logits: [n, c] of the training pairs.
        sums: [n], their a+b mod p, which is also their label.
        M: mean logits over the whole grid [s, c].
        keys: bool [k], or None for all frequencies.
    """
    removed = fourier.sum_component(M, keys)
    total = logits.new_zeros((), dtype=torch.float64)
    for part, labels in zip(torch.split(logits, BLOCK), torch.split(sums, BLOCK), strict=True):
        total += cross_entropies(part - removed[labels], labels).sum()
    return total / len(logits)
