"""Each test has a home and a runtime directory of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grok_tui import sources
from grok_tui.runs import Run
from tests.wire.wiring import Trainer, make_run, training


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    runtime = tempfile.mkdtemp(prefix="gt-")
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    yield tmp_path / "home"
    shutil.rmtree(runtime)


@pytest.fixture
def run() -> Run:
    return make_run()


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer looks at the directory fifty times a second, so that no test waits for it."""
    monkeypatch.setattr(sources, "LOOK", 0.02)


@pytest.fixture
def trainer(run: Run) -> Iterator[Trainer]:
    with training(run) as found:
        yield found
