"""Looks inside the model at an epoch: weights in, named numbers and arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from grok_tui.config import Config
from grok_tui.science import fourier, losses, margins, weights
from grok_tui.train import closeup
from grok_tui.train.circuit import Parameters, multiply_out
from grok_tui.train.closeup import Seen
from grok_tui.train.keylosses import key_losses
from grok_tui.train.model import Transformer
from grok_tui.train.task import Table


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found."""

    numbers: dict[str, float]
    arrays: dict[str, NDArray[np.generic]]


class Probe:
    """Measures one model on one table. A look's numbers and spectra come to the host together."""

    def __init__(self, config: Config, table: Table) -> None:
        self._model, self._table, self._config = Transformer.of(config), table, config
        p = table.p
        self._grid = table.is_train.new_empty(p**2, p, dtype=torch.float32)  # made once: 5 MB at p = 113
        self._sums = torch.arange(p, device=table.is_train.device)
        start = weights.sums_of_squares(self._model.init(config.model.seed))
        self._at_start = torch.stack(list(start.values())).sum()

    @torch.no_grad()
    def look(self, w: Parameters, closely: bool = False) -> Findings:
        """Measure the weights; `closely` adds what takes longer."""
        seen = self._see(w)
        numbers = self._losses(seen) | self._margins(seen.grid) | self._sizes(w)
        spectra = self._spectra(seen)
        numbers |= {
            "gini_W_E": weights.gini(fourier.paired(spectra["fourier_W_E"])),
            "gini_W_L": weights.gini(fourier.paired(spectra["fourier_W_L"])),
            "test_fve": seen.fit.explained[0],
            "logit_fve": seen.fit.explained[1],
            "key_count": seen.keys.sum(),
        }
        spectra["keys"] = seen.keys
        maps: dict[str, Tensor] = {}
        if closely:
            more, maps = closeup.look(seen, self._config.measure.neuron_level)
            numbers |= more
        return _to_host(numbers, spectra, maps)

    def _see(self, w: Parameters) -> Seen:
        table, p = self._table, self._table.p
        circuit, _ = multiply_out(w, p)
        grid = self._model.logits(circuit, table.grid_a, table.grid_b, out=self._grid).view(p, p, p)
        M = fourier.mean_over_sums(grid)
        alpha = fourier.coefficients(M)
        fit = fourier.fit_on(grid, table.sets[1:])
        return Seen(w, circuit, self._model, table, grid, M, alpha, fourier.key_frequencies(alpha), fit)

    def _losses(self, seen: Seen) -> dict[str, Tensor]:
        grid, M, test = seen.grid, seen.M, self._table.sets[1]
        labels = self._sums[:, None].expand(len(M), len(M))
        right = torch.cat([losses.correct(*part) for part in zip(*map(fourier.blocks, (grid, labels)), strict=True)])
        found, excluded = key_losses(grid, M, seen.keys, self._table)
        measured = {
            "test_loss": excluded.nothing[1],
            "test_accuracy": (right & test).sum(dtype=torch.float64) / test.sum(),
        }
        return measured | found | {"excluded_loss_key_free": excluded.every[0]}

    def _margins(self, grid: Tensor) -> dict[str, Tensor]:
        found = margins.margins(grid)
        train, test = found[self._table.sets[0]], found[self._table.sets[1]]
        spread = margins.spread(test)
        return {
            "margin_train": train.mean(),
            "margin_test": spread.mean,
            "margin_test_05": spread.low,
            "margin_test_50": spread.middle,
            "margin_test_95": spread.high,
            "about_to_flip": margins.about_to_flip(test),
            "zero_losses": margins.zero_losses(self._grid[self._table.train_rows], self._table.train_sum),
        }

    def _sizes(self, w: Parameters) -> dict[str, Tensor]:
        squares = weights.sums_of_squares(w)
        total = torch.stack(list(squares.values())).sum()
        return {
            "sum_of_squares": total,
            **{f"sum_of_squares_{name}": value for name, value in squares.items()},
            "weight_norm_ratio": weights.norm_ratio(total, self._at_start.to(total.device)),
            "norm_W_U": squares["W_U"].sqrt(),
        }

    def _spectra(self, seen: Seen) -> dict[str, Tensor]:
        p, w = self._table.p, seen.weights
        return {
            "fourier_W_E": fourier.norms(w["W_E"][:, :p]),
            "fourier_W_L": fourier.logit_norms(w["W_U"][:, :p], w["W_out"]),
            "alpha": seen.alpha,
            "alpha_test": seen.fit.alpha[0],
        }


def _to_host(numbers: Mapping[str, Tensor], spectra: Mapping[str, Tensor], maps: Mapping[str, Tensor]) -> Findings:
    """Numbers and spectra in one transfer, maps in one each."""
    sent = torch.cat(
        (torch.stack([value.double() for value in numbers.values()]), *(s.double().flatten() for s in spectra.values()))
    )
    host = sent.cpu().numpy()
    cuts = np.cumsum([len(numbers), *(s.numel() for s in spectra.values())])[:-1]
    values, *flat = np.split(host, cuts)
    arrays: dict[str, NDArray[np.generic]] = {
        name: found.reshape(tensor.shape).astype(np.float32)
        for (name, tensor), found in zip(spectra.items(), flat, strict=True)
    }
    arrays["key_frequencies"] = (np.flatnonzero(arrays.pop("keys")) + 1).astype(np.int32)
    arrays |= {name: tensor.cpu().numpy() for name, tensor in maps.items()}
    return Findings(dict(zip(numbers, values.tolist(), strict=True)), arrays)
