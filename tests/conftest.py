"""What every test relies on: a home of its own, and nothing of the caller's terminal or settings."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

_HOME = pytest.StashKey[str]()
_FOREIGN = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TEXTUAL", "TEXTUAL_THEME", "TEXTUAL_DRIVER", "TEXTUAL_FPS")

hypothesis_settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy two-core machine is no bug
hypothesis_settings.load_profile("here")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests were started with &
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ["GROK_TUI_HOME"] = config.stash[_HOME] = tempfile.mkdtemp(prefix="grok-tui-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)


def kill_trainers_of(home: Path) -> None:
    """End whatever still trains in a run under `home`."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(home) in word for word in process.info["cmdline"] or ()):
            process.kill()


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for this test alone, and nobody training in it afterwards."""
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    yield tmp_path
    kill_trainers_of(tmp_path)
