"""One run's progress measures with a fixed key set: stored weights in, named numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from grok_tui.config import Config
from grok_tui.errors import RecordError
from grok_tui.hindsight import SUFFIX
from grok_tui.science import fourier
from grok_tui.train import checkpoint
from grok_tui.train.circuit import Parameters, multiply_out
from grok_tui.train.keylosses import key_losses
from grok_tui.train.model import Transformer
from grok_tui.train.task import Table


class Reading:
    """The measures of one table with the keys given. On the CPU, as it must not disturb who trains."""

    def __init__(self, config: Config, keys: Sequence[int]) -> None:
        device = torch.device("cpu")
        self._model, self._table = Transformer.of(config), Table.of(config, device)
        p = self._table.p
        self._keys = torch.zeros((p - 1) // 2, dtype=torch.bool)
        self._keys[torch.tensor(list(keys)) - 1] = True
        self._grid = torch.empty(p * p, p)  # made once: 5 MB at p = 113

    def of_file(self, path: Path) -> dict[str, float]:
        """The measures of a snapshot.

        Raises:
            RecordError: it is not a whole one, or not of the run's model.
        """
        weights, _ = checkpoint.read(path)
        try:
            return self.of(weights)
        except RecordError as error:
            raise RecordError(f"{path}: {error}") from None

    @torch.no_grad()
    def of(self, weights: Parameters) -> dict[str, float]:
        """The measures of these weights, by the names of `hindsight.SERIES`.

        Raises:
            RecordError: they are not those of the run's model.
        """
        shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        if any(shapes.get(name) != shape for name, shape in self._model.shapes.items()):
            raise RecordError("these are not the weights of the run's model")
        table, keys = self._table, self._keys
        p = table.p
        circuit, _ = multiply_out(weights, p)
        logits = self._model.logits(circuit, table.grid_a, table.grid_b, out=self._grid)
        grid = logits.view(p, p, p)  # [s, a, c]
        M = fourier.mean_over_sums(grid)
        found, _ = key_losses(grid, M, keys, table)
        return {f"{name}{SUFFIX}": float(value) for name, value in found.items()}
