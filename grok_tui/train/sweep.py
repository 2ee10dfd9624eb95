"""The runner of a sweep: `python -m grok_tui.train.sweep SWEEP_DIRECTORY`. Its output is the sweep's log.

It only starts trainers, waits for them and writes down how each member stands; the trainers are processes of
their own and survive it. So it loads no torch, and when it is killed another one goes on: members that are
being trained are waited for, those that were cut off go on from their resume points.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from grok_tui import grids, launch, ledger, listing, membership, runs, sweeps, wording
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.grids import Place
from grok_tui.runs import Run
from grok_tui.sweeps import Contents, Member, Sweep
from grok_tui.train.crew import Crew, Load, loads

LOOK = 0.25
"""Seconds between looks at the members in training: two system calls each."""

BY_PLAN = "stopped by plan"
"""How the ledger's last entry begins when a run ended as it was to: by a rule of its plan."""

SCARCE = 10.0
"""Seconds between looks whether there is memory for one more member: on a GPU each starts a process."""

PARTING = 60.0
"""Seconds for a member to save its resume point and end, once it was asked to stop."""


def main(arguments: list[str] | None = None) -> int:
    """Run the members that are not done; returns the exit code: 0 when all are."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train.sweep", description=__doc__)
    parser.add_argument("sweep", type=Path)
    sweep = Sweep(parser.parse_args(arguments).sweep.absolute())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal is gone; the sweep is not
    try:
        with sweep.hold():
            return _run(Runner(sweep))
    except GrokTuiError as error:
        say(f"grok-tui: {error}")
        return error.exit_code


def _run(runner: Runner) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stop())
    runner.run()
    runner.tell()
    counts = {state: sum(m.state == state for m in runner.contents.members) for state in ("failed", "stopped")}
    done = sum(member.state in sweeps.DONE for member in runner.contents.members)
    others = "".join(f", {count} {state}" for state, count in counts.items() if count)
    say(f"{done} of {len(runner.contents.members)} members done{others}")
    return 0 if done == len(runner.contents.members) else 1


class Runner:
    """Works through a sweep's members, several at a time."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.contents = sweep.read()
        self.stopping = False
        self._writing = threading.Lock()
        self._untold = False
        """How the members stand could not be written."""
        self._resting: set[int] = set()
        """The threads that wait for nothing but what is paused."""
        self._patience = -math.inf
        """When it is worth looking again whether there is memory for one more."""
        self._lacking = ""
        self._adopt()

    def run(self) -> None:
        """Until every member is done, has failed, or was stopped."""
        left = self._left()
        crew = Crew.of(self.contents, left)
        say(crew.said)
        for member in left:
            if member.state == "failed" and ((run := sweeps.run_of(self.contents, member)) is None or not run.state):
                self._note(member, state="waiting", why="")  # it could not be begun; now its turn is to come again
        queue = deque(self._queue(crew))
        work: list[Future[None]] = []
        with ThreadPoolExecutor(max(len(queue), 1)) as pool:  # a thread for each that was begun, also of those at rest
            while not self.stopping and (queue or not all(one.done() for one in work)):
                while queue and not self.stopping and self._place_for(queue[0], crew, work):
                    work.append(pool.submit(self._carry, queue.popleft(), crew))
                time.sleep(LOOK)
        for one in work:
            one.result()

    def tell(self) -> None:
        """Write down how the members stand, if that could not be done when it changed.

        Raises:
            RunError: it still cannot.
        """
        if self._untold:
            self.sweep.write(self.contents)

    def stop(self) -> None:
        """Stop the members that are being trained, and begin no others. Safe to call from a signal handler."""
        self.stopping = True  # a flag and no event: a handler must not wait for a lock that it has interrupted

    def _place_for(self, load: Load, crew: Crew, work: list[Future[None]]) -> bool:
        """Whether a load may be begun now: one that is paused gives its place away, if there is memory for both."""
        begun = sum(not one.done() for one in work)
        if self._living(load):
            return True  # it is only waited for
        if begun - len(self._resting) >= crew.jobs or time.monotonic() < self._patience:
            return False
        if begun < crew.jobs or not (why := crew.lacks(self.contents, load)):
            return True
        self._patience = time.monotonic() + SCARCE
        if why != self._lacking:
            self._lacking = why
            say(f"what is paused keeps its memory, and the next one waits for it: {why}")
        return False

    def _living(self, load: Load) -> bool:
        return any((run := sweeps.run_of(self.contents, m)) is not None and run.alive for m in load)

    def _rest(self, waiting: list[Run]) -> None:
        """Note whether all that the present thread waits for is paused, and so leaves its place to others."""
        me = threading.get_ident()
        rests = bool(waiting) and all(run.alive and run.state.get("state") == "paused" for run in waiting)
        if rests and me not in self._resting:
            names = ", ".join(run.name for run in waiting)
            say(f"{names}: paused, and the next may be trained meanwhile")
        (self._resting.add if rests else self._resting.discard)(me)  # in place: the others are at theirs

    def _adopt(self) -> None:
        """Runs that a killed runner had made and not yet written down."""
        for run in runs.listing():
            own = membership.read(run.path)
            if own is None or own.id != self.contents.id:
                continue
            member = next((m for m in self.contents.members if m.number == own.number), None)
            if member is not None and sweeps.run_of(self.contents, member) is None:
                self._note(member, run=run.name)

    def _left(self) -> list[Member]:
        """Members that need something done: those in training first, then those that were begun."""
        numbers = [place.number for place in _queued(self.contents)]
        left = [m for m in self.contents.members if m.state not in sweeps.DONE and not _hopeless(self.contents, m)]

        def urgency(member: Member) -> tuple[int, int]:
            run = sweeps.run_of(self.contents, member)
            begun = 2 if run is None else 0 if run.alive else 1
            return begun, numbers.index(member.number)

        return sorted(left, key=urgency)

    def _queue(self, crew: Crew) -> Iterator[Load]:
        left = self._left()
        living = [m for m in left if (run := sweeps.run_of(self.contents, m)) is not None and run.alive]
        rest = [member for member in left if member not in living]
        yield from ([member] for member in living)
        yield from loads(self.contents, rest, crew)

    def _carry(self, load: Load, crew: Crew) -> None:
        """Bring the members of a load to their ends, however those are."""
        left = {member.number for member in load}
        try:
            members = {m.number: self._with_a_run(m) for m in load if not self.stopping}
            if not members:
                return
            for run in members.values():
                if run.alive:
                    say(f"{run.name} is being trained, and waited for")
            done = {n: run for n, run in members.items() if not run.alive and outcome(run)[0] in sweeps.DONE}
            self._watch(done, None)  # they ended while no runner looked
            rest = {number: run for number, run in members.items() if number not in done}
            while rest:
                left = set(rest)
                rest = self._watch(rest, crew.start([run for run in rest.values() if not run.alive], self.sweep))
                if rest:
                    names = ", ".join(run.name for run in rest.values())
                    say(f"their process has ended; {names}, to which it had not come, are next in another")
        except GrokTuiError as error:
            self._could_not([member for member in load if member.number in left], str(error))
        except Exception as error:  # one member's trouble is not the others': said, kept and shown
            say(traceback.format_exc().rstrip())
            self._could_not([m for m in load if m.number in left], f"{type(error).__name__}: {error}")

    def _could_not(self, load: Load, why: str) -> None:
        """Note why members have failed; one that is being trained all the same is waited for."""
        for member in load:
            living = sweeps.run_of(self.contents, self._member(member.number))
            if living is None or not living.alive:
                self._note(member, state="failed", why=why)
            else:
                self._watch({member.number: living}, None)

    def _watch(self, places: dict[int, Run], process: subprocess.Popen[bytes] | None) -> dict[int, Run]:
        """Wait for the ends of members, and note each when it comes; `process` trains several, one after another.

        Returns those to which it had not come when it ended, if it had trained any: another process may.
        """
        waiting, begun, leave = dict(places), time.time(), math.inf
        seen, behind = set[int](), dict[int, Run]()
        while waiting and time.monotonic() < leave:
            over = process is None or process.poll() is not None
            for number, run in list(waiting.items()):
                if run.alive:
                    seen.add(number)
                    if self._member(number).state != "running":
                        self._note(self._member(number), state="running", why="")
                elif number in seen or over or _ended_since(run, begun):
                    del waiting[number]
                    if over and seen and not (number in seen or self.stopping or _touched_since(run, begun)):
                        behind[number] = run
                        continue
                    state, why = outcome(run) if run.state or not self.stopping else ("waiting", "")
                    self._note(self._member(number), state=state, why=why)
            if self.stopping and leave == math.inf:
                leave = time.monotonic() + PARTING
                _stop([run for run in waiting.values() if run.alive], process)
            self._rest(list(waiting.values()))
            if waiting:
                time.sleep(LOOK)
        self._rest([])
        return behind

    def _with_a_run(self, member: Member) -> Run:
        """The member's run, made if it has none."""
        if (run := sweeps.run_of(self.contents, self._member(member.number))) is not None:
            return run
        config = self.contents.config(member)
        run = runs.create(config, lambda new: sweeps.mark(new, self.contents, self.sweep, member))
        self._note(member, run=run.name, state="waiting", why="")
        return run

    def _member(self, number: int) -> Member:
        return next(member for member in self.contents.members if member.number == number)

    def _note(self, member: Member, **changes: Any) -> None:
        """Write down how a member stands."""
        with self._writing:
            before = self._member(member.number)
            after = replace(before, **changes)
            if after.state != before.state:
                said = f"member {after.number} ({after.place.said}): {after.run or 'no run'} {after.state}"
                say(said + (f": {after.why}" if after.why else ""))
            self.contents = self.contents.with_member(after)
            try:
                self.sweep.write(self.contents)
                self._untold = False
            except RunError as error:  # the disk may take it when the next one changes; what trains goes on
                self._untold = True
                say(str(error))


def say(text: str) -> None:
    """A line of the log, where the disk still takes it: without the log the members train as well."""
    with suppress(OSError):
        print(text, flush=True)


def outcome(run: Run) -> tuple[str, str]:
    """How a run that nobody trains has ended: a member's state, and why."""
    standing = listing.run_standing(run)
    if standing == "finished":
        return standing, ""
    said = last_words(run)
    if standing == "failed" or not run.state:
        return "failed", said
    if standing == "stopped":
        entry = ledger.read(run.ledger)[-1]
        return ("ended" if entry.text.startswith(BY_PLAN) else "stopped"), entry.text
    return "cut off", f"its trainer ended at epoch {int(run.state.get('epoch') or 0):,} without a word"


def last_words(run: Run) -> str:
    """The last line of a run's log."""
    return launch.reason(run.log, 0, None) if run.log.exists() else "its trainer did not start"


def _hopeless(contents: Contents, member: Member) -> bool:
    """It diverged: trained again, it would diverge again."""
    run = sweeps.run_of(contents, member)
    if member.state != "failed" or run is None:
        return False
    values = run.state.get("values")
    return isinstance(values, dict) and "train_loss" in values and values["train_loss"] is None


def _queued(contents: Contents) -> list[Place]:
    return grids.queue(contents.axes, [member.place for member in contents.members])


def _ended_since(run: Run, begun: float) -> bool:
    state = run.state
    return state.get("state") in wording.ENDED and float(state.get("time") or 0) >= begun


def _touched_since(run: Run, begun: float) -> bool:
    """A trainer took it up, or said why not."""
    return any(path.exists() and path.stat().st_mtime >= begun for path in (run.lock, run.log))


def _stop(living: list[Run], process: subprocess.Popen[bytes] | None) -> None:
    """Tell trainers to save a resume point and end; a process with several begins no other then."""
    pids = {run.pid for run in living if run.alive} | ({process.pid} if process is not None else set())
    for pid in pids:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
