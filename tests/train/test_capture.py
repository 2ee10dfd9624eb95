"""What a CUDA graph asks of a step, checked on a CPU: the same kernels on the same memory, no look at a value.

A graph replays recorded kernels on recorded addresses. Here the operators of one step are recorded with
their tensors and run again in order, each result copied to where it was recorded: if a step read a value
on the host, chose a shape by data or kept state outside its tensors, the replay would part from the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table

CPU = torch.device("cpu")
CONFIG = configs.override(Config(), {"task.p": 11, "model.d_model": 16, "model.d_mlp": 32, "model.n_heads": 2}.items())
LOOKS = {"_local_scalar_dense", "item", "nonzero", "masked_select", "unique", "is_nonzero", "equal"}
"""Operators that bring a value to the host or shape their result by data."""


class Recording(TorchDispatchMode):  # type: ignore[no-untyped-call, misc, unused-ignore]
    """Keeps every operator that runs, with the tensors it ran on and the ones it made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls.append(tree_map(_bare, (func, args, kwargs or {}, result)))
        return result

    def replay(self) -> None:
        for func, args, kwargs, made in self.calls:
            for old, new in zip(tree_leaves(made), tree_leaves(func(*args, **kwargs)), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def stepper() -> Stepper:
    return Stepper(CONFIG, Table.of(CONFIG, CPU), CPU)


def _bare(item: Any) -> Any:
    """The memory of a tensor, without what autograd keeps about it."""
    return item.detach() if isinstance(item, Tensor) else item


def recorded(take_a_step: Callable[[], None]) -> Recording:
    recording = Recording()
    with recording:
        take_a_step()
    return recording


def test_no_value_of_a_step_reaches_the_host() -> None:
    one = stepper()
    recording = recorded(one._step)
    assert len(recording.calls) > 50
    names = {func.overloadpacket.__name__ for func, *_ in recording.calls}
    assert not names & LOOKS


def test_replaying_a_recorded_step_is_taking_it_again_with_controls_changed_in_between() -> None:
    stepped, replayed = (stepper() for _ in range(2))
    recording = recorded(replayed._step)
    stepped._step()
    for step in range(1, 30):
        if step == 15:
            for one in (stepped, replayed):
                one.optimizer.weight_decay.fill_(30.0)
                one.optimizer.lr.fill_(0.005)
        stepped._step()
        recording.replay()
    assert torch.equal(stepped.flat, replayed.flat)
    assert torch.equal(stepped._losses, replayed._losses)
    assert torch.equal(stepped._hits, replayed._hits)
    assert float(replayed.optimizer.steps) == 30


def test_every_step_runs_the_same_operators() -> None:
    one = stepper()
    first, later = ([func for func, *_ in recorded(one._step).calls] for _ in range(2))
    assert first == later


def test_nothing_is_added_in_random_order() -> None:
    """As these do on a GPU; `scatter_add_` has one number for each place here."""
    used = {func.overloadpacket.__name__ for func, *_ in recorded(stepper()._step).calls}
    assert not used & {
        "index_add_",
        "index_add",
        "index_put_",
        "_embedding_bag_dense_backward",
        "embedding_dense_backward",
    }
