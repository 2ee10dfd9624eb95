"""The model: its shapes, its initial weights, and its logits on any pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from grok_tui.config import Config
from grok_tui.train.circuit import Circuit, Parameters

GRID_BLOCK = 700
"""Pairs at a time on the CPU when only the logits are wanted: their activations stay in the cache."""


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

    def activations(self, circuit: Circuit, a: Tensor, b: Tensor) -> Tensor:
        """Neurons after their ReLU.  [n], [n] -> [n, m]."""
        h = circuit.W_L.new_empty(len(a), self.d_mlp)
        for a_, b_, out in zip(*self._blocks(a, b, h), strict=True):
            out.copy_(self._arrive(circuit, a_, b_)[:, : self.d_mlp]).relu_()
        return h

    def logits(self, circuit: Circuit, a: Tensor, b: Tensor, out: Tensor) -> Tensor:
        """Logits of the p numbers for pairs of numbers; that of "=" is left out.  [n], [n] -> out [n, p]."""
        m, p = self.d_mlp, self.p
        W_L = circuit.W_L[:p].T
        for a_, b_, logits in zip(*self._blocks(a, b, out), strict=True):
            arriving = self._arrive(circuit, a_, b_)
            torch.addmm(arriving[:, m : m + p], arriving[:, :m].relu_(), W_L, out=logits)
        return out

    def _arrive(self, circuit: Circuit, a: Tensor, b: Tensor) -> Tensor:
        weights = pattern(circuit, a, b)[:, :2].flatten(1)
        return arrive(circuit, table_rows(a, b, self.p, self.n_heads), weights)

    def _blocks(self, *rows: Tensor) -> tuple[tuple[Tensor, ...], ...]:
        blocks = 1 if rows[0].is_cuda else -(-len(rows[0]) // GRID_BLOCK)
        return tuple(each.tensor_split(blocks) for each in rows)


def table_rows(a: Tensor, b: Tensor, p: int, heads: int) -> Tensor:
    """Of the circuit's table, the rows that meet in each pair.  [n], [n] -> int32 [n, 2H]."""
    through = torch.arange(heads, dtype=torch.int32, device=a.device)
    first, second = (token[:, None].int() * heads + through for token in (a, b + p))
    return torch.cat((first, second), 1)


def pattern(circuit: Circuit, a: Tensor, b: Tensor) -> Tensor:
    """How "=" attends to a, b and itself.  [n], [n] -> [n, 3, H], which sums to 1 over the positions."""
    to_eq = circuit.score_eq.expand(len(a), -1)
    scores = circuit.scores[0].index_select(0, a), circuit.scores[1].index_select(0, b), to_eq
    return torch.stack(scores, 1).softmax(1)


def arrive(circuit: Circuit, rows: Tensor, weights: Tensor) -> Tensor:
    """What attention brings to the neurons, before their ReLU, and past them.  [n, 2H], [n, 2H] -> [n, r]."""
    return embedding_bag(rows, circuit.table, per_sample_weights=weights, mode="sum").add_(circuit.bias)
