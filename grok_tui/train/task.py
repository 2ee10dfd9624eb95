"""Modular addition: the table of pairs and its split into training and test pairs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from grok_tui.config import Config


def split(
    p: int, fraction: float, seed: int, how: str = "published"
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Training and test pairs by the published procedure, or another `how`, as in `config.Data.split`.

    All p^2 ordered pairs in lexicographic order, shuffled by Python's generator with `seed`; the first
    int(fraction p^2) are trained on (Nanda et al. 2023, their training code). "torch-randperm" takes them in
    the order of torch.randperm after torch.manual_seed (TransformerLens, Grokking_Demo, with seed 598).
    """
    pairs = [(a, b) for a in range(p) for b in range(p)]
    if how == "torch-randperm":
        order = torch.randperm(p * p, generator=torch.Generator().manual_seed(seed))
        pairs = [pairs[i] for i in order.tolist()]
    else:
        random.Random(seed).shuffle(pairs)
    cut = int(fraction * p * p)
    return pairs[:cut], pairs[cut:]


@dataclass(frozen=True)
class Table:
    """The pairs on a device. The grid is ordered [s, a] with s = a+b mod p, so b = s-a mod p."""

    p: int
    train_a: Tensor
    """[n], sorted by (a, b): neighbours read neighbouring rows."""
    train_b: Tensor
    train_sum: Tensor
    grid_a: Tensor
    """[p*p], row s*p + a."""
    grid_b: Tensor
    is_train: Tensor
    """bool [s, a]."""
    train_rows: Tensor
    """[n], the training pairs' rows in the grid."""

    @cached_property
    def sets(self) -> Tensor:
        """The training pairs, the test pairs, all pairs: bool [3, s, a]."""
        return torch.stack((self.is_train, ~self.is_train, torch.ones_like(self.is_train)))

    @cached_property
    def counts(self) -> Tensor:
        """How many of each set have the sum s: [3, s]."""
        return self.sets.sum(2)

    @classmethod
    def of(cls, config: Config, device: torch.device) -> Table:
        """The table and split that `config` describes."""
        p = config.task.p
        train, _ = split(p, config.data.fraction, config.data.seed, config.data.split)
        a, b = torch.tensor(sorted(train)).T.contiguous()
        s = (a + b) % p
        is_train = torch.zeros(p, p, dtype=torch.bool)
        is_train[s, a] = True
        sums, firsts = torch.arange(p).repeat_interleave(p), torch.arange(p).repeat(p)
        tensors = (a, b, s, firsts, (sums - firsts) % p, is_train, s * p + a)
        return cls(p, *(tensor.contiguous().to(device) for tensor in tensors))
