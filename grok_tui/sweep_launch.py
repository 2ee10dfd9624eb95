"""Start and stop the runner of a sweep: a process in a session of its own, that outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from grok_tui import launch, sources, sweeps
from grok_tui.errors import GrokTuiError, LaunchError, RunError
from grok_tui.protocol import Order
from grok_tui.sweeps import Sweep

PATIENCE = 20.0
"""Seconds for a runner to take its lock: it loads no torch."""

PARTING = 90.0
"""Seconds for a runner to stop its members, each with a resume point."""


def start(sweep: Sweep) -> None:
    """Start a runner on what is not done yet; returns when it is at work, or has ended already.

    Raises:
        RunError: one is at work, or there is nothing left to do.
        LaunchError: it did not come up.
    """
    if sweep.alive:
        raise RunError(f"{sweep.name} is being run already, by process {sweep.pid}")
    if all(member.state in sweeps.DONE for member in sweep.read().members):
        raise RunError(f"{sweep.name} is done: all of its members have ended")
    words = [sys.executable, "-P", "-m", "grok_tui.train.sweep", str(sweep.path)]
    try:
        with sweep.log.open("ab") as log:
            before = log.tell()
            process = subprocess.Popen(
                words,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=sweep.path,
                env=launch.environment(),
            )
    except OSError as error:
        raise LaunchError(f"{sweep.name}: its runner could not be started ({error.strerror})") from None
    threading.Thread(target=process.wait, name=f"wait for {sweep.name}", daemon=True).start()  # leaves no zombie
    _wait(sweep, process, before)


def _wait(sweep: Sweep, process: subprocess.Popen[bytes], before: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (sweep.alive and sweep.pid == process.pid):
        if (code := process.poll()) is not None:
            if code == 0 or sweep.log.read_bytes()[before:].rstrip().endswith((b"failed", b"stopped")):
                return  # so short that it is over
            raise LaunchError(f"{sweep.name} did not start: {launch.reason(sweep.log, before, code, 'its runner')}")
        if time.monotonic() > deadline:
            process.kill()
            raise LaunchError(f"{sweep.name} did not start within {PATIENCE:g} s")
        time.sleep(0.02)


def stop(sweep: Sweep) -> str:
    """Stop a sweep's runner and its members, each with a resume point; returns what was done.

    Raises:
        RunError: nothing of it is running.
        LaunchError: it did not end in time.
    """
    contents = sweep.read()
    found = [sweeps.run_of(contents, member) for member in contents.members]
    living = [run for run in found if run is not None and run.alive]
    if not sweep.alive and not living:
        raise RunError(f"{sweep.name} is not running now; grok-tui sweep {sweep.name} --resume continues it")
    if sweep.alive:
        os.kill(sweep.pid, signal.SIGTERM)
        deadline = time.monotonic() + PARTING
        while sweep.alive:
            if time.monotonic() > deadline:
                raise LaunchError(f"{sweep.name} has not stopped within {PARTING:g} s; its log: {sweep.log}")
            time.sleep(0.05)
    refused = []
    for run in [run for run in living if run.alive]:  # of a runner that was killed
        try:
            reply = sources.ask(run, Order(1, "stop"))
            refused += [] if reply.ok else [f"{run.name}: {reply.text}"]
        except GrokTuiError as error:
            refused.append(str(error))
    if refused:
        raise LaunchError("; ".join(refused))
    return f"{sweep.name} is stopped; grok-tui sweep {sweep.name} --resume continues it"
