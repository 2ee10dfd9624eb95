"""Looks inside the model at an epoch: weights in, named numbers and arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from grok_tui.protocol import ArrayInfo, SeriesInfo
from grok_tui.science import fourier, losses
from grok_tui.train.circuit import Parameters, multiply_out
from grok_tui.train.model import Transformer
from grok_tui.train.task import Table

SERIES = (
    SeriesInfo(
        "train_loss", "train", "nats", log=True,
        about="Cross-entropy on the training pairs over all p+1 outputs, as it is minimised; before the epoch's step.",
    ),
    SeriesInfo("train_accuracy", "train", about="Share of training pairs whose largest number-logit is right."),
    SeriesInfo("test_loss", "test", "nats", log=True, about="Cross-entropy on the test pairs over the p numbers."),
    SeriesInfo("test_accuracy", "test", about="Share of test pairs whose largest number-logit is right."),
    SeriesInfo(
        "restricted_loss", "restricted", "nats", log=True, reading="provisional",
        about="Test loss of the key sum directions and the constant alone (Nanda et al. 2023, 5.1; logit level).",
    ),
    SeriesInfo(
        "excluded_loss", "excluded", "nats", log=True, reading="provisional",
        about="Train loss without the key sum directions (Nanda et al. 2023, 5.1; logit level).",
    ),
    SeriesInfo(
        "excluded_loss_key_free", "excluded, key-free", "nats", log=True, reading="key-free",
        about="Train loss without any sum direction: no choice of keys is involved.",
    ),
    SeriesInfo(
        "test_fve", "cos fit on test", reading="key-free",
        about="Share of the test logits' variance that sums of cos(w_k(a+b-c)) explain, fitted on test pairs alone.",
    ),
    SeriesInfo("sum_of_squares", "sum of squared weights", log=True, about="Over all parameters, biases too."),
    SeriesInfo(
        "key_count", "key frequencies", reading="provisional",
        about="How many frequencies have alpha_k of at least 5 % of the largest.",
    ),
)  # fmt: skip

ARRAYS = (
    ArrayInfo(
        "fourier_W_E", "Fourier norms of W_E", "frequency k",
        about="[cos, sin] x k: norm of each Fourier component of the number embeddings (Nanda et al. 2023, Fig. 3).",
    ),
    ArrayInfo(
        "alpha", "alpha_k", "frequency k",
        about="Coefficient of cos(w_k(a+b-c)) in the logits over all pairs (Nanda et al. 2023, Fig. 14).",
    ),
    ArrayInfo(
        "key_frequencies", "key frequencies", about="The k whose alpha_k is at least 5 % of the largest; provisional."
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found."""

    numbers: dict[str, float]
    arrays: dict[str, NDArray[np.generic]]


class Probe:
    """Measures one model on one table. All of a look's numbers come to the host in a single transfer."""

    def __init__(self, model: Transformer, table: Table) -> None:
        self._model, self._table = model, table
        self._grid = table.is_train.new_empty(table.p**2, table.p, dtype=torch.float32)  # made once: 5 MB at p = 113
        self._sums = torch.arange(table.p, device=table.is_train.device)
        self._is_test = ~table.is_train
        self._test_counts = self._is_test.sum(1)

    @torch.no_grad()
    def look(self, weights: Parameters, flat: Tensor) -> Findings:
        """Measure the weights, of which `flat` holds every one."""
        table, p = self._table, self._table.p
        circuit, _ = multiply_out(weights, p)
        grid = self._model.logits(circuit, table.grid_a, table.grid_b, out=self._grid).view(p, p, p)  # [s, a, c]
        M = fourier.mean_over_sums(grid)
        alpha = fourier.coefficients(M)
        keys = fourier.key_frequencies(alpha)
        test, n_test = self._is_test, self._test_counts.sum()
        labels = self._sums[:, None].expand(p, p)
        parts = list(zip(fourier.blocks(grid), fourier.blocks(labels), strict=True))
        loss = torch.cat([losses.cross_entropies(*part) for part in parts])
        hits = torch.cat([losses.correct(*part) for part in parts])
        train_logits = self._grid[table.train_rows]
        numbers = {
            "test_loss": (loss * test).sum() / n_test,
            "test_accuracy": (hits & test).sum(dtype=torch.float64) / n_test,
            "restricted_loss": losses.restricted(M, keys, self._test_counts),
            "excluded_loss": losses.excluded(train_logits, table.train_sum, M, keys),
            "excluded_loss_key_free": losses.excluded(train_logits, table.train_sum, M, None),
            "test_fve": fourier.explained_on(grid, test),
            "sum_of_squares": flat.double().square().sum(),
            "key_count": keys.sum(),
        }
        norms = fourier.norms(weights["W_E"][:, :p])
        sent = torch.cat((torch.stack([v.double() for v in numbers.values()]), norms.flatten(), alpha, keys.double()))
        host = sent.cpu().numpy()
        count, half = len(numbers), (p - 1) // 2
        values, rest = host[:count], host[count:]
        return Findings(
            dict(zip(numbers, values.tolist(), strict=True)),
            {
                "fourier_W_E": rest[: 2 * half].reshape(2, half).astype(np.float32),
                "alpha": rest[2 * half : 3 * half].astype(np.float32),
                "key_frequencies": (np.flatnonzero(rest[3 * half :]) + 1).astype(np.int32),
            },
        )
