"""A sweep under way; and what a trainer sets up in its process is undone in that of the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grok_tui.sweeps import Sweep
from tests.sweep import planted, tiny


@pytest.fixture(autouse=True)
def subnormal_numbers() -> Iterator[None]:
    """Other tests need the numbers that training does without."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def sweep(own_home: Path) -> Sweep:  # noqa: ARG001 - it is written there
    """Two decays, three seeds: one never groks, one has failed, two have no run yet."""
    made = tiny.made(seeds=3, training__epochs=planted.EPOCHS)
    planted.member(made, 1, 9000)
    planted.member(made, 2, None)
    planted.member(made, 3, 7000)
    planted.member(made, 4, None, upto=300, state="failed", why="train loss is not finite from epoch 299 on")
    return made
