"""One optimiser step after another: weights in one flat buffer, AdamW on it, a captured graph on CUDA.

Everything a step reads that can change while a run goes on (learning rate, weight decay, the step's own
number) is a scalar on the device, so a captured step needs no recapture when it changes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grok_tui.config import Config
from grok_tui.train.model import Parameters, Transformer
from grok_tui.train.pairs import PairBuffers, PairLoss
from grok_tui.train.task import Table

HISTORY = 4096
"""Losses kept on the device until they are read; `advance` is never asked for more at once."""


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
        beta1, beta2 = self.betas
        lr = self.lr * (self.steps / self.warmup).clamp(max=1) if self.warmup else self.lr.clone()
        shrink = 1 - lr * self.weight_decay
        self.steps += 1
        self.exp_avg.lerp_(gradient, 1 - beta1)
        self.exp_avg_sq.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        root = (self.exp_avg_sq.sqrt()).div_((1 - beta2**self.steps).sqrt()).add_(self.eps)
        weights.mul_(shrink)
        weights.sub_((self.exp_avg * (lr / (1 - beta1**self.steps))).div_(root))


class Stepper:
    """A model in training. `advance` takes steps; what they cost in loss is read later, many at a time."""

    def __init__(
        self,
        config: Config,
        table: Table,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        whole: bool | None = None,
    ) -> None:
        """Draw the initial weights. `whole` is `PairBuffers`'; by default as the device wants it."""
        self.model, self.table = Transformer.of(config), table
        shapes, on_gpu = self.model.shapes, device.type == "cuda"
        initial = self.model.init(config.model.seed)
        self.flat = torch.cat([weight.flatten() for weight in initial.values()]).to(device, dtype)
        self._gradient = torch.zeros_like(self.flat)
        self.optimizer = AdamW(len(self.flat), config, self.flat)
        self.weights: Parameters = {}
        for name, weight, gradient in zip(shapes, self._cut(self.flat), self._cut(self._gradient), strict=True):
            self.weights[name] = weight.view(shapes[name]).requires_grad_()
            self.weights[name].grad = gradient.view(shapes[name])
        self._buffers = PairBuffers(
            table,
            config.model.n_heads,
            config.model.d_model,
            config.model.d_mlp,
            self.flat,
            on_gpu if whole is None else whole,
        )
        self._losses = torch.zeros(HISTORY, dtype=torch.float64, device=device)
        self._hits = torch.zeros(HISTORY, dtype=torch.int64, device=device)
        self.epoch = 0
        """Steps taken."""
        self._read = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        if on_gpu:
            self._capture()

    def _cut(self, flat: Tensor) -> tuple[Tensor, ...]:
        return torch.split(flat, [torch.Size(shape).numel() for shape in self.model.shapes.values()])

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
        slots = torch.arange(self._read, self.epoch) % HISTORY
        self._read = self.epoch
        return self._losses.cpu()[slots], self._hits.cpu()[slots].double() / self._buffers.n

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
        """Loss and number of right answers of the present weights; gradients are left in `weights[...].grad`."""
        self._gradient.zero_()
        with torch.enable_grad():
            loss, hits = PairLoss.apply(self._buffers, *self.model.circuit(self.weights))  # type: ignore[no-untyped-call]
            loss.backward()
        return loss.detach(), hits

    @torch.no_grad()
    def _step(self) -> None:
        loss, hits = self.loss_and_gradient()
        slot = (self.optimizer.steps % HISTORY).long().view(1)
        self._losses.index_copy_(0, slot, loss.view(1))
        self._hits.index_copy_(0, slot, hits.view(1))
        self.optimizer.step_(self.flat, self._gradient)

    def _capture(self) -> None:
        """Record one step as a CUDA graph; the warm-up steps that capture needs are taken back."""
        before = self.state()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step()
        self.load_state(before)
