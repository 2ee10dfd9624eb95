"""The trainer process: `python -m grok_tui.train RUN_DIRECTORY`. Its output is the run's log."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import torch

from grok_tui import __version__
from grok_tui import config as configs
from grok_tui.errors import GrokTuiError, LaunchError, RunError
from grok_tui.protocol import PROTOCOL, Catalogue, Hello
from grok_tui.runs import Run
from grok_tui.train import steer
from grok_tui.train.journal import Journal
from grok_tui.train.past import Past
from grok_tui.train.probe import ARRAYS, SERIES
from grok_tui.train.serve import Server
from grok_tui.train.session import Session

MAX_THREADS = 8
"""Of the machine's cores, at most: a step is 30 ms of small matrix products, which do not scale further."""


def main(arguments: list[str] | None = None) -> int:
    """Train one run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=None)
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal is gone; the run is not
    try:
        run = Run(chosen.run.absolute())
        with run.hold():
            return _train(run, chosen.device, chosen.threads)
    except GrokTuiError as error:
        print(f"grok-tui: {error}", flush=True)
        return error.exit_code


def _device(name: str, before: str) -> torch.device:
    """The device of that name; for "auto" the one that the run was trained on `before`, or else the best."""
    if name == "cuda" and not torch.cuda.is_available():
        raise LaunchError(
            "--device cuda: this torch sees no CUDA device; use --device cpu, or install a CUDA build of torch"
        )
    if name == "auto" and before == "cuda" and not torch.cuda.is_available():
        raise LaunchError("was trained on CUDA, which is not here; --device cpu goes on, with other rounding")
    if name == "auto":
        name = before or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("highest")  # TF32 off: it changes the tail of the loss
    torch.set_flush_denormal(True)  # moments of dead neurons decay into subnormals, which are slow
    return torch.device(name)


def _threads(wanted: int | None, before: int | None) -> int:
    """As many as wanted, or as `before`: another number rounds otherwise. For a new run, leave the viewer a core.

    Two threads on two busy cores are slower than one.
    """
    wanted = wanted if wanted is not None else before
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = wanted if wanted is not None else max(1, min(MAX_THREADS, cores - 1))
    if not 1 <= threads <= 1024:
        raise LaunchError(f"--threads {threads}: 1 or more were expected; this machine has {cores} cores")
    torch.set_num_threads(threads)
    return threads


def _train(run: Run, device_name: str, wanted: int | None) -> int:
    config = run.config
    journal = Journal(run)
    try:
        past = Past(run, journal.ledger.entries)
        if past.finished:
            raise RunError(f"{run.name} has finished its {config.training.epochs:,} epochs")
        device = _device(device_name, str(past.machine.get("device", "")))
        threads = _threads(wanted, past.machine.get("threads"))
        machine = _machine(device, threads)
        session = Session(run, journal, past, device)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: session.stop(f"stopped by {signal.Signals(received).name}"))
        catalogue = Catalogue(SERIES, ARRAYS, steer.catalogue(config))
        hello = Hello(
            PROTOCOL, run.name, __version__, configs.to_tables(config), machine,
            config.training.epochs, catalogue,
        )  # fmt: skip
        journal.write(hello)
        journal.server = Server(run.socket, hello)
        _open(session, past, machine)
        try:
            print(f"{session.train()} at epoch {session.epoch}", flush=True)
        except Exception as error:
            _fail(session, error)
            raise
        return 0
    except GrokTuiError:
        raise
    except Exception as error:
        traceback.print_exc()
        raise LaunchError(f"{type(error).__name__}: {error}") from None
    finally:
        journal.close()


def _open(session: Session, past: Past, machine: dict[str, Any]) -> None:
    """Say how the run begins, and what the ledger knows that the recording does not."""
    for entry in past.untold:
        session.journal.event(entry.epoch, entry.what, entry.text, entry.seq, **entry.data)
    if past.exists:
        others = [
            f"{name} {machine.get(name)}, not {was}" for name, was in past.machine.items() if machine.get(name) != was
        ]
        text = ": ".join((f"resumed from epoch {session.epoch:,}", *([", ".join(others)] if others else [])))
        session.journal.intervention(session.epoch, "resumed", text)
        if past.gave_up and not session.replaying:
            session.take_back_what_diverged()
    else:
        session.journal.event(0, "started", f"started {session.config.name}")


def _fail(session: Session, error: Exception) -> None:
    """Say in the recording, if it takes it, and to the viewers that the run has failed, and why."""
    try:
        session.journal.event(session.epoch, "failed", str(error))
    except GrokTuiError as second:  # the disk that is full, again
        print(f"grok-tui: {second}", flush=True)
    try:
        session.fail(str(error))
    except GrokTuiError as second:
        print(f"grok-tui: {second}", flush=True)


def _machine(device: torch.device, threads: int) -> dict[str, Any]:
    """What the numbers depend on besides the configuration."""
    return {
        "device": device.type,
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu(),
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "host": socket.gethostname(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux, or a processor without a name
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
