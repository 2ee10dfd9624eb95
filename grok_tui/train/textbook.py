"""The model as a textbook writes it: every position, every projection, autograd, torch's AdamW.

Nothing trains with it. The tests check the fast step against it, and `grok-tui bench` races the two.
"""

from __future__ import annotations

import torch
from einops import einsum, rearrange
from torch import Tensor

from grok_tui.config import Config
from grok_tui.train.circuit import Parameters


def logits(w: Parameters, pairs: Tensor, p: int) -> Tensor:
    """Logits at the last position.  [n, 2] -> [n, p+1]."""
    tokens = torch.cat((pairs, torch.full((len(pairs), 1), p)), 1)
    x = w["W_E"].T[tokens] + w["W_pos"]  # [n, 3, d]
    q, k, v = (einsum(w[name], x, "h e d, n i d -> n h i e") for name in ("W_Q", "W_K", "W_V"))
    scores = einsum(q, k, "n h i e, n h j e -> n h i j") / q.shape[-1] ** 0.5
    scores = scores.masked_fill(~torch.ones(3, 3).tril().bool(), -torch.inf)
    z = einsum(scores.softmax(-1), v, "n h i j, n h j e -> n h i e")
    mid = x + rearrange(z, "n h i e -> n i (h e)") @ w["W_O"].T
    hidden = torch.relu(mid @ w["W_in"].T + w["b_in"])
    out = mid + hidden @ w["W_out"].T + w["b_out"]
    unembedded: Tensor = out @ w["W_U"]
    return unembedded[:, -1]


def loss(w: Parameters, pairs: Tensor, p: int) -> Tensor:
    """Mean cross-entropy over p+1 classes, in float64."""
    return torch.nn.functional.cross_entropy(logits(w, pairs, p).double(), pairs.sum(1) % p)


class Trainer:
    """The published training loop: AdamW on every parameter, a ten-step warm-up whose first factor is 0."""

    def __init__(self, config: Config, w: Parameters, pairs: Tensor) -> None:
        self.p, self.pairs = config.task.p, pairs
        self.w = {name: tensor.detach().clone().requires_grad_() for name, tensor in w.items()}
        chosen = config.optimizer
        self.optimizer = torch.optim.AdamW(
            list(self.w.values()),
            lr=chosen.lr,
            betas=(chosen.beta1, chosen.beta2),
            eps=chosen.eps,
            weight_decay=chosen.weight_decay,
        )
        warmup = chosen.warmup
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda t: min(t / warmup, 1.0) if warmup else 1.0
        )

    def step(self) -> float:
        """One step; returns the loss it started from."""
        found = loss(self.w, self.pairs, self.p)
        self.optimizer.zero_grad()
        found.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        return found.item()

    @torch.no_grad()
    def evaluate(self, pairs: Tensor) -> float:
        """Loss on other pairs."""
        return loss(self.w, pairs, self.p).item()
