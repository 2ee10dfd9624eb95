"""The trainer process: `python -m grok_tui.train RUN_DIRECTORY`. Its output is the run's log."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from grok_tui import __version__
from grok_tui import config as configs
from grok_tui.errors import GrokTuiError, LaunchError, RunError
from grok_tui.protocol import PROTOCOL, Catalogue, Hello
from grok_tui.runs import Run
from grok_tui.train import catalogue as measures
from grok_tui.train import machine as machines
from grok_tui.train import steer
from grok_tui.train.journal import Journal
from grok_tui.train.past import Past
from grok_tui.train.serve import Server
from grok_tui.train.session import Session


def main(arguments: list[str] | None = None) -> int:
    """Train one run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--hook", default="")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal is gone; the run is not
    try:
        run = Run(chosen.run.absolute())
        with run.hold():
            return _train(run, chosen.device, chosen.threads, chosen.hook)
    except GrokTuiError as error:
        print(f"grok-tui: {error}", flush=True)
        return error.exit_code


def _train(run: Run, device_name: str, wanted: int | None, hook: str) -> int:
    config = run.config
    journal = Journal(run)
    try:
        past = Past(run, journal.ledger.entries)
        if past.finished:
            raise RunError(f"{run.name} has finished its {config.training.epochs:,} epochs")
        device = machines.pick_device(device_name, str(past.machine.get("device", "")))
        threads = machines.use_threads(wanted, past.machine.get("threads"))
        machine = machines.describe(device, threads)
        machines.prepare()
        session = Session(run, journal, past, device, hook)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: session.stop(f"stopped by {signal.Signals(received).name}"))
        catalogue = Catalogue(measures.series(config), measures.arrays(config), steer.catalogue(config))
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


if __name__ == "__main__":
    sys.exit(main())
