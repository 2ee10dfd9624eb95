"""The part of a training step that meets the data: loss and gradients of the circuit over all pairs.

What reaches the neurons of a pair is a weighted sum of a table's rows, and the way back to the table is one
too, by number instead of by pair: nothing is added in random order, on no device. Forward and backward are
written out without autograd, so that products run in place on buffers made once, and everything can be
captured in a CUDA graph: no value is ever brought to the host, no shape depends on data.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from grok_tui.train.circuit import Circuit, width
from grok_tui.train.model import arrive, pattern, table_rows
from grok_tui.train.task import Table

_relu_backward_ = torch.ops.aten.threshold_backward.grad_input
_weights_backward = torch.ops.aten._embedding_bag_per_sample_weights_backward


class Pairs:
    """The training pairs, n of them, and which rows of the circuit's table meet in each."""

    def __init__(self, table: Table, heads: int, m: int, like: Tensor) -> None:
        self.n, self._neurons, self._logits = len(table.train_a), slice(m), slice(m, m + table.p + 1)
        self._d_arriving = like.new_zeros(self.n, width(m, table.p + 1))  # its padding stays 0
        self._a, self._b, self._answers = table.train_a, table.train_b, table.train_sum[:, None]
        self._rows = table_rows(self._a, self._b, table.p, heads)  # [n, 2H]
        by_row, order = self._rows.flatten().sort(stable=True)
        self._entries = order.int()
        """[2Hn], places in `_rows`, sorted by the row that they name."""
        self._pair_of_entry = self._entries // (2 * heads)
        every_row = torch.arange(2 * table.p * heads + 1, dtype=torch.int32, device=by_row.device)
        self._row_starts = torch.searchsorted(by_row, every_row).int()
        """[2pH + 1], where each row's entries begin, and the end."""
        places = torch.arange(2 * heads * self.n, dtype=torch.int32, device=by_row.device)
        self._pair_starts, self._pair_of_place = places[:: 2 * heads], places // (2 * heads)

    def loss_and_gradient(self, circuit: Circuit) -> tuple[Tensor, Tensor, Circuit]:
        """Mean float64 cross-entropy over all outputs, number of right answers among the numbers, gradients."""
        attention = pattern(circuit, self._a, self._b)[:, :2]  # [n, 2, H]
        weights = attention.flatten(1)
        # forward
        arriving = arrive(circuit, self._rows, weights)  # [n, r]
        hidden = arriving[:, self._neurons].relu_()
        logits = torch.addmm(arriving[:, self._logits], hidden, circuit.W_L.T)
        loss, hits, d_logits = self._cross_entropy(logits)
        # back to what arrives
        d_arriving = self._d_arriving
        d_arriving[:, self._logits] = d_logits
        d_W_L = d_logits.T @ hidden
        d_hidden = torch.mm(d_logits, circuit.W_L, out=d_arriving[:, self._neurons])
        _relu_backward_(d_hidden, hidden, 0, grad_input=d_hidden)
        # back to the table's rows and the weights they came with
        d_table = embedding_bag(
            self._pair_of_entry,
            d_arriving,
            self._row_starts,
            mode="sum",
            per_sample_weights=weights.flatten().index_select(0, self._entries),
            include_last_offset=True,
        )
        d_weights = _weights_backward(
            d_arriving, circuit.table, self._rows.flatten(), self._pair_starts, self._pair_of_place, 0, -1
        )
        # back through the softmax to the scores
        d_attention = d_weights.view_as(attention)
        d_scores = attention * (d_attention - (attention * d_attention).sum(1, keepdim=True))
        by_number = embedding_bag(
            self._entries, d_scores.view(-1, 1), self._row_starts, mode="sum", include_last_offset=True
        )
        gradient = Circuit(by_number.view_as(circuit.scores), -d_scores.sum((0, 1)), d_table, d_arriving.sum(0), d_W_L)
        return loss, hits, gradient

    def _cross_entropy(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean loss, number of right answers, and the loss's gradient in the logits."""
        top, best = logits[:, :-1].max(1, keepdim=True)
        shifted = logits.double().sub_(torch.maximum(top, logits[:, -1:]))
        correct = shifted.gather(1, self._answers)
        total = shifted.exp_().sum(1, keepdim=True)
        # in float32 the right answer's p - 1 would be rounding alone from a loss of 1e-7 on: slingshots
        shifted.mul_((1 / self.n) / total).scatter_add_(1, self._answers, torch.full_like(correct, -1 / self.n))
        return (total.log() - correct).mean(), (best == self._answers).sum(), shifted.to(logits.dtype)
