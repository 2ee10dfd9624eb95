"""One transformer layer as exact algebra: what the last position computes, and nothing else.

The answer is read at "=" only, and the keys and values of one layer depend on (token, position) alone.
So the model on the pair (a, b) is: two p-row tables of scores and values looked up and mixed by a softmax
over three positions, one hidden layer, one unembedding. Adjacent matrices are multiplied first. The
function and its gradients are those of the textbook form (grok_tui/train/textbook.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import einsum, rearrange
from torch import Tensor

from grok_tui.config import Config

GRID_BLOCK = 700
"""Pairs at a time on the CPU when only the logits are wanted: their activations stay in the cache."""

Parameters = dict[str, Tensor]
"""By the field's names: W_E [d, v], W_pos [3, d], W_Q, W_K, W_V [h, e, d], W_O [d, h*e], W_in [m, d], ..."""


class Circuit(NamedTuple):
    """The weights multiplied together as far as they do not meet the data. H heads of width e, d = H*e."""

    scores: Tensor
    """[2, p, H], of the query at "=" with a number at position 0 or 1."""
    score_eq: Tensor
    """[H], with itself."""
    values: Tensor
    """[2, p, d], the heads' values of each number at position 0 or 1."""
    value_eq: Tensor
    """[d]."""
    into: Tensor
    """[m, d+1], from the mixed values (and 1) to the neurons: W_in W_O, and W_in x + b_in for the constant."""
    out: Tensor
    """[v, m+d+1], from neurons, mixed values and 1 to the logits: W_L = W_U W_out, W_U W_O, the constant."""


@dataclass(frozen=True)
class Transformer:
    """The shapes of one model; its weights live elsewhere, so that they can be one flat buffer."""

    p: int
    d_model: int
    n_heads: int
    d_mlp: int

    @classmethod
    def of(cls, config: Config) -> Transformer:
        """The model that `config` describes."""
        return cls(config.task.p, config.model.d_model, config.model.n_heads, config.model.d_mlp)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape, in the order in which the weights are drawn."""
        v, d, m = self.p + 1, self.d_model, self.d_mlp
        head = (self.n_heads, d // self.n_heads, d)
        return {
            "W_E": (d, v),
            "W_pos": (3, d),
            "W_K": head,
            "W_Q": head,
            "W_V": head,
            "W_O": (d, d),
            "W_in": (m, d),
            "b_in": (m,),
            "W_out": (d, m),
            "b_out": (d,),
            "W_U": (d, v),
        }

    def init(self, seed: int) -> Parameters:
        """N(0, 1/d_model) for every matrix, N(0, 1/v) for W_U, zero biases; float32 on the CPU.

        As in the published code, W_out too has 1/d_model, not its fan-in.
        """
        generator = torch.Generator().manual_seed(seed)
        weights = {}
        for name, shape in self.shapes.items():
            spread = 0.0 if name.startswith("b_") else 1 / math.sqrt(self.p + 1 if name == "W_U" else self.d_model)
            weights[name] = torch.zeros(shape) if spread == 0.0 else spread * torch.randn(shape, generator=generator)
        return weights

    def circuit(self, w: Parameters) -> Circuit:
        """Multiply out what does not depend on the pair. Differentiable; a thousandth of a step's work."""
        x = w["W_E"].T[: self.p] + w["W_pos"][:2, None]  # [2, p, d]
        x_eq = w["W_E"][:, self.p] + w["W_pos"][2]  # [d]
        head = self.d_model // self.n_heads
        query = einsum(w["W_Q"], x_eq, "h e d, d -> h e") / math.sqrt(head)
        asked = einsum(query, w["W_K"], "h e, h e d -> h d")
        W_V = rearrange(w["W_V"], "h e d -> (h e) d")
        into = torch.cat((w["W_in"] @ w["W_O"], (w["W_in"] @ x_eq + w["b_in"])[:, None]), 1)
        W_U = w["W_U"].T
        out = torch.cat((W_U @ w["W_out"], W_U @ w["W_O"], (W_U @ (x_eq + w["b_out"]))[:, None]), 1)
        return Circuit(x @ asked.T, asked @ x_eq, x @ W_V.T, W_V @ x_eq, into, out)

    def logits(self, circuit: Circuit, a: Tensor, b: Tensor, out: Tensor) -> Tensor:
        """Logits of the p numbers for pairs of numbers; that of "=" is left out.  [n], [n] -> out [n, p]."""
        m, blocks = self.d_mlp, 1 if a.is_cuda else -(-len(a) // GRID_BLOCK)
        unembed = circuit.out[: self.p]
        for a_, b_, logits in zip(*(t.tensor_split(blocks) for t in (a, b, out)), strict=True):
            mixed = mix(circuit, a_, b_)
            mixed = torch.cat((mixed, mixed.new_ones(len(mixed), 1)), 1)
            hidden = (mixed @ circuit.into.T).relu_()
            torch.mm(mixed, unembed[:, m:].T, out=logits).addmm_(hidden, unembed[:, :m].T)
        return out


def mix(circuit: Circuit, a: Tensor, b: Tensor) -> Tensor:
    """What attention brings to "=": values mixed by the softmax over positions.  [n], [n] -> [n, d]."""
    n, heads = len(a), circuit.score_eq.shape[0]
    scores = (circuit.scores[0][a], circuit.scores[1][b], circuit.score_eq.expand(n, heads))
    pattern = torch.stack(scores).softmax(0).unsqueeze(-1)  # [3, n, h, 1]
    eq = rearrange(circuit.value_eq, "(h e) -> h e", h=heads)
    relative = rearrange(circuit.values - circuit.value_eq, "i t (h e) -> i t h e", h=heads)
    mixed = torch.addcmul(eq, pattern[0], relative[0][a]).addcmul_(pattern[1], relative[1][b])  # the pattern sums to 1
    return rearrange(mixed, "n h e -> n (h e)")
