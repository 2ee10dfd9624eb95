"""What a trainer sets up in its process is undone in that of the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def subnormal_numbers() -> Iterator[None]:
    """Other tests need the numbers that training does without."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
