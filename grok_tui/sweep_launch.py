"""Start and stop the runner of a sweep: a process in a session of its own, that outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from grok_tui import launch, sweeps, workers
from grok_tui.errors import LaunchError, RunError
from grok_tui.runs import Run
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
        with sweep.log.open("ab") as log, workers.post(sweep.path) as post:
            before = log.tell()
            process = launch.spawn(words, sweep.path, log, post=post)
    except OSError as error:
        raise LaunchError(f"{sweep.name}: its runner could not be started ({error.strerror})") from None
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
        RunError: nothing of it is running, nor about to.
        LaunchError: it did not end in time, or is not ours to stop.
    """
    again = f"grok-tui sweep {sweep.name} --resume continues it"
    if sweep.alive:
        _stop_runner(sweep)
        _stop_members(sweep)  # those of a runner before it, that this one had not come to
        return f"{sweep.name} is stopped; {again}"
    names, ended = _stop_members(sweep)
    if names:
        return f"{sweep.name} had no runner any more; stopped what still trained: {', '.join(names)}; {again}"
    if ended:
        return f"{sweep.name} was only starting, and is stopped; {again}"
    raise RunError(f"{sweep.name} is not running now; {again}")


def _stop_runner(sweep: Sweep) -> None:
    told, deadline = set[int](), time.monotonic() + PARTING
    while sweep.alive:
        _tell(sweep.pid, told, f"the runner of {sweep.name}")
        if time.monotonic() > deadline:
            raise LaunchError(f"{sweep.name} has not stopped within {PARTING:g} s; its log: {sweep.log}")
        time.sleep(0.05)


def _stop_members(sweep: Sweep) -> tuple[list[str], bool]:
    """Stop every process that trains members, or is about to, and wait for the last.

    Returns the names of the members that trained, and whether there was such a process. A signal and no command: a
    process that trains several begins no other of them then, and one that loads torch cannot be asked anything.
    """
    told, names, deadline = set[int](), dict[str, None](), time.monotonic() + PARTING
    while True:
        living, posts = _living(sweep), workers.living(sweep.path)
        if not living and not posts:
            return list(names), bool(told)
        for run in living:
            names[run.name] = None
            _tell(run.pid, told, f"the trainer of {run.name}")
        for pid in posts:
            _tell(pid, told, f"a process of {sweep.name}")
        if time.monotonic() > deadline:
            who = ", ".join(run.name for run in living) or ", ".join(f"process {pid}" for pid in posts)
            raise LaunchError(f"still training {PARTING:g} s after being asked to stop: {who}")
        time.sleep(0.05)


def _living(sweep: Sweep) -> list[Run]:
    """The members in training."""
    contents = sweep.read()
    found = (sweeps.run_of(contents, member) for member in contents.members)
    return [run for run in found if run is not None and run.alive]


def _tell(pid: int, told: set[int], who: str) -> None:
    """Ask a process to end, once; one whose number is not known yet (0) at the next look."""
    if not pid or pid in told:
        return
    told.add(pid)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:  # it has just ended
        pass
    except PermissionError:
        raise LaunchError(f"{who}, process {pid}, belongs to somebody else: it cannot be stopped from here") from None
