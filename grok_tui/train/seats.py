"""A run whose past was computed in a stack goes on in one, though it is by itself: bit for bit, the other seats empty.

What a seat computes depends neither on its place nor on what the other seats hold, and hardly on their number:
on a CPU the products of two models are those of any more. A few steps of both show whether that is so here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from grok_tui import stacking
from grok_tui.config import Config
from grok_tui.train.session import Make
from grok_tui.train.stack import Stack
from grok_tui.train.step import Stepper, Steps
from grok_tui.train.task import Table

TRIED = 2
"""Steps: the second is with moments that are not zero. Other sums would be seen in the first."""


def like_before(before: Mapping[str, Any], now: Mapping[str, Any]) -> int:
    """How many models are to share a run's steps: as many as before, unless the device is another."""
    return stacking.count(before) if before.get("device") == now.get("device") else 1


def made(stack: int) -> Make:
    """What makes a single run's steps as those of a stack of so many were."""
    if stack == 1:
        return Stepper

    def take(config: Config, table: Table, device: torch.device) -> Steps:
        return Stack(config, fewest(config, table, device, stack), device).take(0, config, table)

    return take


def fewest(config: Config, table: Table, device: torch.device, stack: int, least: int = 2) -> int:
    """The fewest seats, from `least` on, whose steps are bit for bit those of a stack of so many.

    On a GPU no fewer are looked for: there an empty seat costs little.
    """
    if device.type != "cpu" or least >= stack:
        return stack
    wanted, seats = _tried(config, table, device, stack), least
    while seats < stack and not all(map(torch.equal, _tried(config, table, device, seats), wanted)):
        seats *= 2
    return min(seats, stack)


def _tried(config: Config, table: Table, device: torch.device, seats: int) -> list[torch.Tensor]:
    """What a few steps make of a model, from its beginning."""
    seat = Stack(config, seats, device).take(0, config, table)
    seat.advance(TRIED)
    return [seat.read_losses()[0], *seat.state().values()]
