"""Cross-entropy, and the restricted and excluded loss of Nanda et al. 2023 (section 5.1), logit level.

Everything in float64: a confident model's float32 log-softmax is exactly 0 from a margin of about 17 on,
and restricted and excluded losses are read over ten orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from einops import einsum, rearrange
from torch import Tensor

from grok_tui.science import fourier

BLOCK = 1024
"""Rows at a time where float64 copies are made: they stay in the cache."""

SMALLEST = 1e-290
"""A sum of products of two numbers below 1 is exact down to here; what underflows is 18 orders below."""

RESCUED = 1 << 16
"""Rows at a time that are taken to the log domain."""


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """-log softmax(logits)[label] of each row, in float64.  [..., c], [...] -> [...].

    As log(1 + sum_{c wrong} e^{L_c - L_label}), so that a loss of 1e-20 has its digits too.
    """
    over = logits.to(torch.float64, copy=True)
    at = labels.unsqueeze(-1)
    over.sub_(over.gather(-1, at)).scatter_(-1, at, -torch.inf)
    top = over.amax(-1, keepdim=True)
    wrong = over.sub_(top).exp_().sum(-1).log_().add_(top.squeeze(-1))
    return torch.logaddexp(wrong, wrong.new_zeros(()))


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean loss over the rows, in float64.  [n, c], [n] -> scalar."""
    return cross_entropies(logits, labels).mean()


def correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the label's logit is the largest; on a tie the first class counts.  [..., c], [...] -> bool [...]."""
    return logits.argmax(-1) == labels


def restricted(M: Tensor, keys: Tensor | None, counts: Tensor) -> Tensor:
    """Restricted loss: only the key sum directions and the constant kept.  -> [...].

    L_R = Pi_K L + mean_{a,b} L (a constant per class). Its logits depend on a+b alone, so p rows suffice.
    Called "trig loss" in the published code. A lookup table leaks into it: read it against ln p.

    Args:
        M: mean logits [s, c].
        keys: bool [k], or None for all frequencies.
        counts: [..., s], how many of the pairs looked at (test, train or all) have the sum s.
    """
    losses = cross_entropies(_restricted_logits(M, keys), torch.arange(len(M), device=M.device))
    return mean_of_sums(losses, counts)


def restricted_accuracy(M: Tensor, keys: Tensor | None, counts: Tensor) -> Tensor:
    """Share of pairs whose largest restricted logit (see `restricted`) is right.  -> [...].

    Nanda et al. 2023, Fig. 13, over all pairs. Beware of the leak: the mean over the grid carries the training
    labels into every key direction, so a pure lookup table of 30 % of the pairs scores 100 %. It says nothing
    about the presence of a circuit; no phase may depend on it.
    """
    right = correct(_restricted_logits(M, keys), torch.arange(len(M), device=M.device))
    return mean_of_sums(right.double(), counts)


def _restricted_logits(M: Tensor, keys: Tensor | None) -> Tensor:
    """L_R of any pair with the sum s.  [s, c] -> [s, c]."""
    return fourier.sum_component(M, keys) + M.mean(0)


def mean_of_sums(values: Tensor, counts: Tensor) -> Tensor:
    """Mean over the pairs of a value that depends on their sum alone.  [s], [..., s] -> [...]."""
    return (values * counts).sum(-1) / counts.sum(-1)


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


class Excluded(NamedTuple):
    """Mean losses of each set of pairs [n], with nothing, the key sum directions, or all of them removed."""

    nothing: Tensor
    keys: Tensor
    every: Tensor
    """Key-free: no choice of keys is involved."""


def excluded_on(grid: Tensor, M: Tensor, keys: Tensor, subsets: Tensor) -> Excluded:
    """Excluded loss, key-free excluded loss and plain loss of several sets of pairs in one pass.  -> each [n].

    The means of -log softmax(L - Pi_K L)[a+b] as in `excluded`, exact to 1e-12 of their value however small.

    Args:
        grid: [s, a, c].
        M: mean logits [s, c].
        keys: bool [k].
        subsets: [n, s, a], 1 for the pairs of the set (train, test, all, ...), 0 elsewhere.
    """
    removed = torch.stack((torch.zeros_like(M), fourier.sum_component(M, keys), fourier.sum_component(M)))
    return Excluded(*_means_without(grid, lambda sums: removed[:, sums], subsets).T)


def excluded_each(grid: Tensor, M: Tensor, subsets: Tensor) -> Tensor:
    """Loss of each set of pairs without the sum directions of frequency k, for each k by itself.  -> [n, k].

    E_k = mean of -log softmax(L - Pi_k L)[a+b]. On the training pairs these are the excluded losses for each
    frequency, whose maximum needs no keys (Nanda et al. 2023, Fig. 15 and footnote 3; the surviving frequencies
    cover for the one removed, so it is much below the excluded loss of all keys). On all pairs it is the
    ablation of each frequency of Fig. 6. Arguments as in `excluded_on`.
    """
    return _means_without(grid, lambda sums: fourier.each_sum_component(M, sums), subsets)


def _means_without(grid: Tensor, removed: Callable[[Tensor], Tensor], subsets: Tensor) -> Tensor:
    """Mean losses of the logits less each of t tables, over each set of pairs.  -> [n, t].

    Args:
        grid: [s, a, c].
        removed: the tables' rows for some sums, [s'] -> [t, s', c].
        subsets: [n, s, a].
    """
    every_sum = torch.arange(len(grid), device=grid.device)
    weights = rearrange(subsets.double(), "n s a -> s n a")
    totals = [
        einsum(weight, _losses_without(part, removed(sums), sums), "s n a, s a t -> n t")
        for part, weight, sums in zip(*map(fourier.blocks, (grid, weights, every_sum)), strict=True)
    ]
    return torch.stack(totals).sum(0) / rearrange(weights, "s n a -> n (s a)").sum(1, keepdim=True)


def _losses_without(part: Tensor, tables: Tensor, sums: Tensor) -> Tensor:
    """Loss of each pair's logits less its sum's row of each table.  [s, a, c], [t, s, c], [s] -> [s, a, t].

    With x_c = L_c - L_right and y_c = T_right - T_c the loss is log(1 + sum_{c wrong} e^{x_c} e^{y_c}): one
    exponential for each logit and each entry of a table, and a matrix product over c, in place of one
    exponential for each logit and table. Each factor is shifted by its maximum; where a sum of products is
    so small that it may have lost its largest terms to underflow, it is redone in the log domain.
    """
    x, y = _over_right(part, sums), -_over_right(tables.transpose(0, 1), sums)  # [s, a, c], [s, t, c]
    here = torch.arange(len(sums), device=sums.device)
    x[here, :, sums] = y[here, :, sums] = -torch.inf  # the right class stands apart, as the 1
    x_top, y_top = x.amax(-1, keepdim=True), y.amax(-1, keepdim=True)
    total = x.sub_(x_top).exp_() @ y.sub_(y_top).exp_().transpose(1, 2)  # in place: new memory costs more than exp
    x_scale, y_scale = x_top.exp(), y_top.exp().transpose(1, 2)
    odds = x_scale * total * y_scale
    factors = torch.stack((total.amin(), x_scale.amin(), y_scale.amin()))
    if bool((factors > SMALLEST).all() & odds.amax().isfinite()):
        return odds.log1p_()
    exact = (total > SMALLEST) & (x_scale > SMALLEST) & (y_scale > SMALLEST) & odds.isfinite()
    hopeless = x_top.isnan() | y_top.transpose(1, 2).isnan()
    losses = odds.log1p_()
    for rows in torch.split((~exact & ~hopeless).nonzero(), RESCUED):
        s, a, t = rows.T
        losses[s, a, t] = cross_entropies(part[s, a] - tables[t, s], sums[s])
    return losses


def _over_right(logits: Tensor, sums: Tensor) -> Tensor:
    """Each logit less that of the right class.  [s, n, c], [s] -> [s, n, c], a new tensor in float64."""
    here = torch.arange(len(sums), device=sums.device)
    copy = logits.to(torch.float64, copy=True)
    return copy.sub_(logits[here, :, sums].double().unsqueeze(-1))
