"""A run, and the file that it is packed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from grok_tui import packing
from grok_tui.runs import Run
from tests.share import planted


@pytest.fixture
def run() -> Run:
    return planted.run()


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    return packing.pack(run, tmp_path / "a.grok").file
