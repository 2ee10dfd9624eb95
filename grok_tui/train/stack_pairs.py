"""`pairs.Pairs` for n models at once, each with its own split of as many pairs: one product for all of them.

Their tables stand one under the other, so that a row's number says whose it is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from grok_tui.train.circuit import Circuit, width
from grok_tui.train.pairs import _relu_backward_, _weights_backward
from grok_tui.train.task import Table


class StackedPairs:
    """Room for the pairs of n models; `put` fills one model's place, in memory that stays where it is."""

    def __init__(self, models: int, pairs: int, p: int, heads: int, m: int, like: Tensor) -> None:
        self.models, self.n, self.p, self.heads = models, pairs, p, heads
        self._neurons, self._logits = slice(m), slice(m, m + p + 1)
        every, entries, rows = models * pairs, 2 * heads * pairs, 2 * p * heads
        self._d_arriving = like.new_zeros(models, pairs, width(m, p + 1))  # its padding stays 0
        device = like.device
        self._a, self._b = (torch.zeros(models, pairs, dtype=torch.int64, device=device) for _ in range(2))
        self._answers = torch.zeros(models, pairs, 1, dtype=torch.int64, device=device)
        self._rows = torch.zeros(models, pairs, 2 * heads, dtype=torch.int32, device=device)
        self._entries, self._pair_of_entry = (
            torch.zeros(models, entries, dtype=torch.int32, device=device) for _ in range(2)
        )
        self._row_starts = torch.zeros(models * rows + 1, dtype=torch.int32, device=device)
        self._row_starts[-1] = models * entries
        places = torch.arange(2 * heads * every, dtype=torch.int32, device=device)
        self._pair_starts, self._pair_of_place = places[:: 2 * heads].contiguous(), places // (2 * heads)

    def put(self, model: int, table: Table) -> None:
        """This model trains on these pairs."""
        heads, p = self.heads, self.p
        through = torch.arange(heads, dtype=torch.int32, device=self._rows.device) * (2 * p)
        first, second = (token[:, None].int() + through for token in (table.train_a, table.train_b + p))
        rows = torch.cat((first, second), 1)  # [n, 2H], the head's block, then the number
        by_row, order = rows.flatten().sort(stable=True)
        every_row = torch.arange(2 * p * heads, dtype=torch.int32, device=rows.device)
        size = rows.numel()
        self._a[model], self._b[model] = table.train_a, table.train_b
        self._answers[model] = table.train_sum[:, None]
        self._rows[model] = rows + model * len(every_row)
        self._entries[model] = order.int() + model * size
        self._pair_of_entry[model] = order.int() // (2 * heads) + model * self.n
        starts = torch.searchsorted(by_row, every_row).int() + model * size
        self._row_starts[model * len(every_row) : (model + 1) * len(every_row)] = starts

    def loss_and_gradient(self, circuit: Circuit) -> tuple[Tensor, Tensor, Circuit]:
        """Each model's mean float64 cross-entropy [n], its number of right answers [n], and the gradients."""
        attention = self._pattern(circuit)  # [n, pairs, 2, H]
        weights = attention.flatten(2)
        tables, r = circuit.table.flatten(0, 2), circuit.table.shape[-1]
        # forward
        arriving = embedding_bag(
            self._rows.flatten(0, 1), tables, per_sample_weights=weights.flatten(0, 1), mode="sum"
        ).view(self.models, self.n, r)
        arriving += circuit.bias[:, None]
        hidden = arriving[..., self._neurons].relu_()
        logits = torch.baddbmm(arriving[..., self._logits], hidden, circuit.W_L.mT)
        loss, hits, d_logits = self._cross_entropy(logits)
        # back to what arrives
        d_arriving = self._d_arriving
        d_arriving[..., self._logits] = d_logits
        d_W_L = d_logits.mT @ hidden
        d_hidden = d_arriving[..., self._neurons]
        d_hidden.copy_(d_logits @ circuit.W_L)
        _relu_backward_(d_hidden, hidden, 0, grad_input=d_hidden)
        # back to the tables' rows and the weights they came with
        flat = d_arriving.flatten(0, 1)
        d_table = embedding_bag(
            self._pair_of_entry.flatten(),
            flat,
            self._row_starts,
            mode="sum",
            per_sample_weights=weights.flatten().index_select(0, self._entries.flatten()),
            include_last_offset=True,
        )
        d_weights = _weights_backward(flat, tables, self._rows.flatten(), self._pair_starts, self._pair_of_place, 0, -1)
        # back through the softmax to the scores
        d_attention = d_weights.view_as(attention)
        d_scores = attention * (d_attention - (attention * d_attention).sum(2, keepdim=True))
        by_number = embedding_bag(
            self._entries.flatten(), d_scores.view(-1, 1), self._row_starts, mode="sum", include_last_offset=True
        )
        scores = by_number.view(self.models, self.heads, 2, self.p).permute(0, 2, 3, 1)
        gradient = Circuit(scores, -d_scores.sum((1, 2)), d_table.view_as(circuit.table), d_arriving.sum(1), d_W_L)
        return loss, hits, gradient

    def _pattern(self, circuit: Circuit) -> Tensor:
        """How "=" attends to a and b.  -> [n, pairs, 2, H], beside what it keeps for itself."""
        H = self.heads
        places = (tokens[..., None].expand(-1, -1, H) for tokens in (self._a, self._b))
        first, second = (circuit.scores[:, i].gather(1, place) for i, place in enumerate(places))
        to_eq = circuit.score_eq[:, None].expand(-1, self.n, -1)
        return torch.stack((first, second, to_eq), 2).softmax(2)[:, :, :2]

    def _cross_entropy(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As in one model, whose reasons hold here too."""
        top, best = logits[..., :-1].max(2, keepdim=True)
        shifted = logits.double().sub_(torch.maximum(top, logits[..., -1:]))
        correct = shifted.gather(2, self._answers)
        total = shifted.exp_().sum(2, keepdim=True)
        shifted.mul_((1 / self.n) / total).scatter_add_(2, self._answers, torch.full_like(correct, -1 / self.n))
        losses = (total.log() - correct).flatten(1).mean(1)
        return losses, (best == self._answers).flatten(1).sum(1), shifted.to(logits.dtype)
