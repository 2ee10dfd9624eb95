"""Several models of one shape in one step: a stack with a seat for each, that keep out of each other's way.

One small model leaves a GPU idle: its step is launches, not work. Here each kernel works on all seats, and the
whole step is one CUDA graph. A seat that is not to move (its run has ended, failed or is paused) keeps its
weights and moments as they are, by a flag on the device; another member may take it when its run has ended.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grok_tui.config import Config
from grok_tui.train.circuit import Parameters
from grok_tui.train.graph import recorded
from grok_tui.train.model import Transformer
from grok_tui.train.stack_circuit import multiply_out, pull_back
from grok_tui.train.stack_pairs import StackedPairs
from grok_tui.train.step import HISTORY, read_history
from grok_tui.train.task import Table


class StackedAdamW:
    """`step.AdamW` on n flat buffers, each with its own learning rate, decay and step count."""

    def __init__(self, seats: int, size: int, config: Config, like: Tensor) -> None:
        chosen = config.optimizer
        self.betas, self.eps, self.warmup = (chosen.beta1, chosen.beta2), chosen.eps, chosen.warmup
        self.exp_avg, self.exp_avg_sq = like.new_zeros(seats, size), like.new_zeros(seats, size)
        self.lr, self.weight_decay, self.steps = (
            torch.zeros(seats, dtype=torch.float64, device=like.device) for _ in range(3)
        )
        self.moving = torch.zeros(seats, dtype=torch.float64, device=like.device)
        """1 for the seats that take part in a step."""

    def step_(self, weights: Tensor, gradient: Tensor) -> None:
        """One update of the moving seats' `weights` in place; no host value is read."""
        lr = self.lr * (self.steps / self.warmup).clamp(max=1) if self.warmup else self.lr
        weights.mul_((1 - lr * self.weight_decay * self.moving).to(weights.dtype)[:, None])
        rates, counts, rests = lr.to(weights.dtype), self.steps.float(), (1 - self.moving).float()
        for seat in range(len(weights)):  # the fused kernel has one learning rate; it leaves alone what has found_inf
            adamw(
                [weights[seat]], [gradient[seat]], [self.exp_avg[seat]], [self.exp_avg_sq[seat]], [], [counts[seat]],
                fused=True, amsgrad=False, beta1=self.betas[0], beta2=self.betas[1], lr=rates[seat],
                weight_decay=0, eps=self.eps, maximize=False, found_inf=rests[seat],
            )  # fmt: skip
        self.steps += self.moving


class Stack:
    """Models in training together. `take` seats one; `advance` moves those that `let` says."""

    def __init__(self, config: Config, seats: int, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        """Room for models of the shape of `config`."""
        self.model = Transformer.of(config)
        size = sum(torch.Size(shape).numel() for shape in self.model.shapes.values())
        self.flat = torch.zeros(seats, size, dtype=dtype, device=device)
        self._gradient = torch.zeros_like(self.flat)
        self.optimizer = StackedAdamW(seats, size, config, self.flat)
        self._pairs = StackedPairs(
            seats, config.n_train, config.task.p, config.model.n_heads, config.model.d_mlp, self.flat
        )
        self._weights, self._gradients = self._named(self.flat), self._named(self._gradient)
        self.losses = torch.zeros(seats, HISTORY, dtype=torch.float64, device=device)
        self.hits = torch.zeros(seats, HISTORY, dtype=torch.int64, device=device)
        self.seats: list[Seat | None] = [None] * seats
        self._moving: list[Seat] = []
        self._graph: torch.cuda.CUDAGraph | None = None

    def take(self, place: int, config: Config, table: Table) -> Seat:
        """Seat a model, as it is before its first step. Whoever sat there is gone."""
        empty = all(seat is None for seat in self.seats)
        for each in range(len(self.seats)) if empty else (place,):  # what nobody uses must be sound numbers too
            self._pairs.put(each, table)
            initial = self.model.init(config.model.seed)
            self.flat[each] = torch.cat([weight.flatten() for weight in initial.values()]).to(self.flat)
        adam = self.optimizer
        for zeroed in (adam.exp_avg, adam.exp_avg_sq, adam.steps, adam.moving):
            zeroed[place] = 0
        adam.lr[place], adam.weight_decay[place] = config.optimizer.lr, config.optimizer.weight_decay
        self.leave(place)
        seat = Seat(self, place, table)
        self.seats[place] = seat
        return seat

    def rows(self, place: int) -> dict[str, Tensor]:
        """All that a place holds of the model in it, as views."""
        kept = {name: getattr(self.optimizer, name)[place] for name in _KEPT}
        return kept | {"weights": self.flat[place], "losses": self.losses[place], "hits": self.hits[place]}

    def leave(self, place: int) -> None:
        """Nobody sits there any more."""
        self._moving = [seat for seat in self._moving if seat.place != place]
        self.optimizer.moving[place] = 0
        self.seats[place] = None

    def let(self, moving: Iterable[Seat]) -> None:
        """From now on these move."""
        moving = list(moving)
        if moving != self._moving:
            self._moving = moving
            flags = torch.zeros(len(self.seats), dtype=torch.float64)
            flags[[seat.place for seat in moving]] = 1
            self.optimizer.moving.copy_(flags)

    def advance(self, steps: int) -> None:
        """Take so many steps with all that move. On CUDA they are queued; reading anything waits for them."""
        for seat in self._moving:
            if seat.unread + steps > HISTORY:
                raise ValueError(f"{steps} more steps would overwrite losses that were not read yet")
        if self.flat.is_cuda and self._graph is None:
            self._capture()
        for _ in range(steps):
            if self._graph is None:
                self._step()
            else:
                self._graph.replay()
        for seat in self._moving:
            seat.epoch += steps

    def wait(self) -> None:
        """Until the steps that were asked for are done."""
        if self._graph is not None:
            torch.cuda.current_stream().synchronize()

    def _named(self, flat: Tensor) -> Parameters:
        """Views of `flat`, by the weights' names; the seats' axis first."""
        shapes = self.model.shapes
        parts = torch.split(flat, [torch.Size(shape).numel() for shape in shapes.values()], 1)
        return {name: part.view(len(flat), *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}

    def _step(self) -> None:
        circuit, inside = multiply_out(self._weights, self.model.p)
        loss, hits, gradient = self._pairs.loss_and_gradient(circuit)
        pull_back(self._weights, inside, gradient, self._gradients)
        slot = (self.optimizer.steps % HISTORY).long()[:, None]  # of one that rests: where its next loss will be
        self.losses.scatter_(1, slot, loss[:, None])
        self.hits.scatter_(1, slot, hits[:, None])
        self.optimizer.step_(self.flat, self._gradient)

    def _capture(self) -> None:
        adam = self.optimizer
        self._graph = recorded(self._step, (self.flat, adam.exp_avg, adam.exp_avg_sq, adam.steps))


class Controls:
    """One seat's learning rate and weight decay, as scalars on the device."""

    def __init__(self, rows: dict[str, Tensor]) -> None:
        self.lr, self.weight_decay = rows["lr"], rows["weight_decay"]


class Seat:
    """One model of a stack: what a session needs of a stepper."""

    def __init__(self, stack: Stack, place: int, table: Table) -> None:
        self.stack, self.table = stack, table
        self.epoch = 0
        """Steps taken."""
        self._read = 0
        self._hold(place, stack.rows(place))

    @property
    def seated(self) -> bool:
        """It has a place: without one it keeps all that it has, and cannot move."""
        return self.place >= 0

    def rise(self) -> None:
        """Give the place to another, and keep what this one has."""
        rows = {name: row.clone() for name, row in self._rows.items()}
        self.stack.leave(self.place)
        self._hold(-1, rows)

    def sit(self, place: int) -> None:
        """Take a free place, with all that was kept."""
        rows = self.stack.rows(place)
        self.stack._pairs.put(place, self.table)
        for name, row in rows.items():
            row.copy_(self._rows[name])
        self.stack.leave(place)
        self.stack.seats[place] = self
        self._hold(place, rows)

    def leave(self) -> None:
        """It is over: whatever place it has is free."""
        if self.seated:
            self.stack.leave(self.place)

    def _hold(self, place: int, rows: dict[str, Tensor]) -> None:
        self.place, self._rows = place, rows
        self.flat, self.optimizer = rows["weights"], Controls(rows)
        shapes = self.stack.model.shapes
        parts = torch.split(self.flat, [torch.Size(shape).numel() for shape in shapes.values()])
        self.weights = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}

    @property
    def unread(self) -> int:
        """Steps whose losses were not read yet."""
        return self.epoch - self._read

    def advance(self, steps: int) -> None:
        """Take steps with this seat alone."""
        self.stack.let([self])
        self.stack.advance(steps)

    def wait(self) -> None:
        """Until they are done."""
        self.stack.wait()

    def read_losses(self) -> tuple[Tensor, Tensor]:
        """Loss and accuracy that each step since the last call started from.  -> [n], [n] in float64."""
        begun, self._read, rows = self._read, self.epoch, self._rows
        return read_history(rows["losses"], rows["hits"], begun, self.epoch, self.stack._pairs.n)

    def state(self) -> dict[str, Tensor]:
        """As `Stepper.state`: either goes on from the other's."""
        return {name: self._rows[name].detach().to("cpu", copy=True) for name in (*_KEPT, "weights")}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state()` returned."""
        for name in (*_KEPT, "weights"):
            self._rows[name].copy_(state[name])
        self.epoch = self._read = int(state["steps"])


_KEPT = ("exp_avg", "exp_avg_sq", "lr", "weight_decay", "steps")
"""What a seat keeps of the optimiser."""
