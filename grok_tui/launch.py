"""Start a trainer: a process of its own, in a session of its own, that outlives whoever started it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import grok_tui
from grok_tui import runs
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError, LaunchError, RunError
from grok_tui.runs import Run

PATIENCE = 60.0
"""Seconds for a trainer to listen: importing torch from a cold disk takes most of them."""

GRACE = 5.0
"""Seconds for one that did not listen in time to end itself."""


def start(config: Config, *, device: str = "auto", threads: int | None = None) -> Run:
    """Make a run and start its trainer; returns when the trainer listens. Blocks: call it in a thread.

    Raises:
        RunError: the run directory cannot be made.
        LaunchError: the trainer ended, or did not listen in time. Nothing is left when nothing was recorded.
    """
    run = runs.create(config)
    try:
        _launch(run, device, threads)
    except KeyboardInterrupt:  # called off before anybody saw it
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    except LaunchError:
        if not run.frames.exists() or run.frames.stat().st_size == 0:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def resume(run: Run, *, device: str = "auto", threads: int | None = None) -> None:
    """Start a trainer on a run that has none; returns when it listens. Blocks: call it in a thread.

    Raises:
        RunError: somebody is training in it, or this build cannot read it.
        LaunchError: the trainer ended, or did not listen in time. The recording is as it was.
    """
    runs.check(run.path)
    if run.state.get("state") == "finished":
        raise RunError(f"{run.name} has finished its {run.config.training.epochs:,} epochs")
    if run.alive:
        raise RunError(f"{run.name} is being trained already, by process {run.pid}")
    _launch(run, device, threads)


def command(run: Run, device: str, threads: int | None) -> list[str]:
    """The trainer's command line."""
    words = [sys.executable, "-P", "-m", "grok_tui.train", str(run.path), "--device", device]
    return words if threads is None else [*words, "--threads", str(threads)]


def _launch(run: Run, device: str, threads: int | None) -> None:
    try:
        with run.log.open("ab") as log:
            before = log.tell()
            process = subprocess.Popen(
                command(run, device, threads),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=run.path,
                env=_environment(),
            )
    except OSError as error:
        raise LaunchError(f"{run.name}: the trainer could not be started ({error.strerror})") from None
    # A thread that waits for it: no zombie stays when it ends before us, and it outlives us when it does not.
    threading.Thread(target=process.wait, name=f"wait for {run.name}", daemon=True).start()
    try:
        _wait(run, process, before)
    except KeyboardInterrupt:
        _end(process)
        raise


def _wait(run: Run, process: subprocess.Popen[bytes], before: int) -> None:
    """Until the trainer listens; `before` is where its part of the log begins."""
    deadline = time.monotonic() + PATIENCE
    while not _listens(run):
        if (code := process.poll()) is not None:
            if code == 0:  # a short run: finished before we looked
                return
            raise LaunchError(f"{run.name} did not start: {_reason(run.log, before, code)}")
        if time.monotonic() > deadline:
            _end(process)
            raise LaunchError(f"{run.name} did not start within {PATIENCE:g} s: {_reason(run.log, before, None)}")
        time.sleep(0.02)


def _listens(run: Run) -> bool:
    """Somebody accepts connections where the trainer said that it would be."""
    if not run.alive:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(run.socket))
        except (OSError, GrokTuiError):
            return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reason(log: Path, start: int, code: int | None) -> str:
    """The last line that the trainer printed after byte `start`, or how it ended when it printed nothing."""
    lines = log.read_bytes()[start:].decode(errors="replace").split("\n")
    if said := [line.strip() for line in lines if line.strip()]:
        return said[-1].removeprefix("grok-tui: ")[:300]
    if code is None:
        return "the trainer said nothing"
    return f"the trainer was killed by signal {-code}" if code < 0 else f"the trainer ended with exit code {code}"


def _environment() -> dict[str, str]:
    """Ours, in which the trainer finds this very package: an installed one, or a checkout."""
    root = Path(grok_tui.__file__).parent.parent
    if root.name in ("site-packages", "dist-packages"):
        return dict(os.environ)
    others = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(root), *([others] if others else [])])}
