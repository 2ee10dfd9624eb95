"""One optimiser step after another: weights in one flat buffer, AdamW on it, a captured graph on CUDA.

Everything a step reads that can change while a run goes on (learning rate, weight decay, the step's own
number) is a scalar on the device, so a captured step needs no recapture when it changes.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grok_tui.config import Config
from grok_tui.train.circuit import Parameters, multiply_out, pull_back
from grok_tui.train.graph import recorded
from grok_tui.train.model import Transformer
from grok_tui.train.pairs import Pairs
from grok_tui.train.task import Table

HISTORY = 4096
"""Losses kept on the device until they are read; `advance` is never asked for more at once."""


class Steered(Protocol):
    """An optimiser whose scalars on the device may be filled with other values between two steps."""

    @property
    def lr(self) -> Tensor:
        """The learning rate."""

    @property
    def weight_decay(self) -> Tensor:
        """The weight decay."""


class Steps(Protocol):
    """What takes a session's steps: a model's own stepper, or its seat in a stack."""

    @property
    def epoch(self) -> int:
        """Steps taken."""

    @property
    def optimizer(self) -> Steered:
        """Its controls."""

    @property
    def weights(self) -> Parameters:
        """By the field's names."""

    @property
    def flat(self) -> Tensor:
        """All of them."""

    @property
    def unread(self) -> int:
        """Steps whose losses were not read yet."""

    def advance(self, steps: int) -> None:
        """Take so many steps."""

    def wait(self) -> None:
        """Until they are done."""

    def read_losses(self) -> tuple[Tensor, Tensor]:
        """Loss and accuracy that each step since the last call started from."""

    def state(self) -> dict[str, Tensor]:
        """All that the next step depends on besides the configuration."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state()` returned."""


class AdamW:
    """Loshchilov and Hutter's decoupled weight decay on a flat buffer, with a linear warm-up.

    Equal to torch.optim.AdamW with its factor min(t / warmup, 1) on the learning rate, t = 0, 1, ...: the
    first step has learning rate 0, and therefore no decay either (decay is lr x weight_decay a step).
    """

    def __init__(self, size: int, config: Config, like: Tensor) -> None:
        chosen = config.optimizer
        self.betas, self.eps, self.warmup = (chosen.beta1, chosen.beta2), chosen.eps, chosen.warmup
        self.exp_avg, self.exp_avg_sq = like.new_zeros(size), like.new_zeros(size)
        self.lr, self.weight_decay, self.steps = (
            torch.tensor(value, dtype=torch.float64, device=like.device)
            for value in (chosen.lr, chosen.weight_decay, 0.0)
        )

    def step_(self, weights: Tensor, gradient: Tensor) -> None:
        """One update of `weights` in place; no host value is read."""
        lr = self.lr * (self.steps / self.warmup).clamp(max=1) if self.warmup else self.lr
        weights.mul_(1 - lr * self.weight_decay)
        adamw(
            [weights], [gradient], [self.exp_avg], [self.exp_avg_sq], [],
            [self.steps.float()],  # which ends at 2^24, long after the bias correction has; our own count does not
            fused=True, amsgrad=False, beta1=self.betas[0], beta2=self.betas[1],
            lr=lr.to(weights.dtype),  # the CUDA kernel reads a float
            weight_decay=0, eps=self.eps, maximize=False,
        )  # fmt: skip
        self.steps += 1


def read_history(losses: Tensor, hits: Tensor, begun: int, end: int, n: int) -> tuple[Tensor, Tensor]:
    """Loss, and share of n pairs that were right, that the steps begun..end-1 started from.  -> [n], [n] in float64."""
    slots = torch.arange(begun, end) % HISTORY
    return losses.cpu()[slots], hits.cpu()[slots].double() / n


class Stepper:
    """A model in training. `advance` takes steps; what they cost in loss is read later, many at a time."""

    def __init__(
        self,
        config: Config,
        table: Table,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model, self.table = Transformer.of(config), table
        initial = self.model.init(config.model.seed)
        self.flat = torch.cat([weight.flatten() for weight in initial.values()]).to(device, dtype)
        self._gradient = torch.zeros_like(self.flat)
        self.optimizer = AdamW(len(self.flat), config, self.flat)
        self.weights, self.gradients = self._named(self.flat), self._named(self._gradient)
        self._pairs = Pairs(table, config.model.n_heads, config.model.d_mlp, self.flat)
        self._losses = torch.zeros(HISTORY, dtype=torch.float64, device=device)
        self._hits = torch.zeros(HISTORY, dtype=torch.int64, device=device)
        self.epoch = 0
        """Steps taken."""
        self._read = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        if device.type == "cuda":
            self._capture()

    def _named(self, flat: Tensor) -> Parameters:
        """Views of `flat`, by the weights' names."""
        shapes = self.model.shapes
        parts = torch.split(flat, [torch.Size(shape).numel() for shape in shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}

    def advance(self, steps: int) -> None:
        """Take `steps` optimiser steps. On CUDA they are queued; reading anything waits for them."""
        if self.epoch + steps - self._read > HISTORY:
            raise ValueError(f"{steps} more steps would overwrite losses that were not read yet")
        for _ in range(steps):
            if self._graph is None:
                self._step()
            else:
                self._graph.replay()
        self.epoch += steps

    @property
    def unread(self) -> int:
        """Steps whose losses were not read yet."""
        return self.epoch - self._read

    def wait(self) -> None:
        """Wait until the steps that were asked for are done."""
        if self._graph is not None:
            torch.cuda.current_stream().synchronize()

    def read_losses(self) -> tuple[Tensor, Tensor]:
        """Loss and accuracy that each step since the last call started from.  -> [n], [n] in float64."""
        begun, self._read = self._read, self.epoch
        return read_history(self._losses, self._hits, begun, self.epoch, self._pairs.n)

    def state(self) -> dict[str, Tensor]:
        """Copies, on the CPU, of all that the next step depends on besides the configuration."""
        adam = self.optimizer
        kept = {
            "exp_avg": adam.exp_avg,
            "exp_avg_sq": adam.exp_avg_sq,
            "lr": adam.lr,
            "weight_decay": adam.weight_decay,
        }
        kept |= {"steps": adam.steps, "weights": self.flat}
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in kept.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state()` returned."""
        adam = self.optimizer
        self.flat.copy_(state["weights"])
        for name in ("exp_avg", "exp_avg_sq", "lr", "weight_decay", "steps"):
            getattr(adam, name).copy_(state[name])
        self.epoch = self._read = int(state["steps"])

    def loss_and_gradient(self) -> tuple[Tensor, Tensor]:
        """Loss and number of right answers of the present weights; their gradients are left in `gradients`."""
        circuit, inside = multiply_out(self.weights, self.table.p)
        loss, hits, gradient = self._pairs.loss_and_gradient(circuit)
        pull_back(self.weights, inside, gradient, self.gradients)
        return loss, hits

    def _step(self) -> None:
        loss, hits = self.loss_and_gradient()
        slot = (self.optimizer.steps % HISTORY).long().view(1)
        self._losses.index_copy_(0, slot, loss.view(1))
        self._hits.index_copy_(0, slot, hits.view(1))
        self.optimizer.step_(self.flat, self._gradient)

    def _capture(self) -> None:
        adam = self.optimizer
        self._graph = recorded(self._step, (self.flat, adam.exp_avg, adam.exp_avg_sq, adam.steps))
