"""The trainer of several runs at once: `python -m grok_tui.train.together RUN_DIRECTORY...`, one step for all.

Each run keeps a session of its own: recording, measures, ledger, resume points, viewers, commands. They advance
in lockstep to the nearest epoch at which any of them has something due. Runs for which there is no seat yet
wait until another has ended or pauses; one that fails or rests does not hold up the others. One that is paused
leaves its seat to who waits for one, and once it goes on is the first to get the next.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from grok_tui import locks
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.train import machine
from grok_tui.train.opening import Signals, fail, open_run
from grok_tui.train.seats import fewest
from grok_tui.train.session import Session
from grok_tui.train.stack import Seat, Stack
from grok_tui.train.task import Table

REST = 0.2
"""Seconds at most between looks at the commands while all rest."""


def main(arguments: list[str] | None = None) -> int:
    """Train the runs; returns the exit code: 0 when all of them have ended well."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train.together", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--seats", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    machine.prepare()
    together = Together(chosen.runs, chosen.seats, chosen.device, chosen.threads)
    while together.turn():
        pass
    return 0 if together.well else 1


class Member:
    """A run that was begun: its session, its seat, and what must be let go of in the end."""

    def __init__(self, session: Session, seat: Seat, held: ExitStack) -> None:
        self.session, self.seat, self.held = session, seat, held
        self.begun = False


class Together:
    """Runs of one shape and the stack that trains them."""

    def __init__(self, paths: Sequence[Path], seats: int, device: str, threads: int) -> None:
        self.waiting = deque(Run(path.absolute()) for path in paths)
        self.members: list[Member] = []
        self.well = True
        """Nothing has failed."""
        self._seats, self._device, self._threads = min(seats, len(self.waiting)), device, threads
        self._stacked = seats
        """Whose steps are taken, bit for bit: with fewer runs than seats, the past of these was computed in so many."""
        self._signals = Signals()
        self._stack: Stack | None = None

    def turn(self) -> bool:
        """Seat who waits, do what is due, take steps; False once nobody is left."""
        self._give_seats()
        for member in list(self.members):
            self._attend(member)
        moving = [member for member in self.members if member.session.ready]
        if moving:
            self._advance(moving)
        elif self.members:
            time.sleep(min(REST, *(member.session.rest for member in self.members)))
        return bool(self.members or (self.waiting and not self._signals.received))

    def _give_seats(self) -> None:
        """To those that go on first, then to those that wait for their turn; what is paused leaves its seat to them."""
        back = [member for member in self.members if not (member.seat.seated or member.session.paused)]
        while (back or self.waiting) and not self._signals.received:
            if not self._free() and not self._made_room():
                return
            if back:
                member = back.pop(0)
                member.seat.sit(next(self._places()))
                member.session.seated = True
            else:
                self._seat(self.waiting.popleft())

    def _free(self) -> int:
        """How many more may be trained at once."""
        return self._seats - sum(member.seat.seated for member in self.members)

    def _made_room(self) -> bool:
        """Whether one that is paused has left its seat."""
        resting = (m for m in self.members if m.seat.seated and m.session.paused and not m.session.replaying)
        if (member := next(resting, None)) is None:
            return False
        member.seat.rise()
        member.session.seated = False
        return True

    def _places(self) -> Iterator[int]:
        seats = self._stack.seats if self._stack is not None else []
        return (place for place, seat in enumerate(seats) if seat is None)

    def _seat(self, run: Run) -> None:
        held, seats = ExitStack(), list[Seat]()

        def take(config: Config, table: Table, device: torch.device) -> Seat:
            if self._stack is None:
                self._stack = Stack(config, fewest(config, table, device, self._stacked, self._seats), device)
            seats.append(self._stack.take(next(self._places()), config, table))
            return seats[-1]

        try:
            locks.check(run)
            held.enter_context(run.hold())
            hook = "" if run.frames.exists() else run.config.notify.hook  # as `Crew.start`: it may be another's
            session = open_run(run, self._device, self._threads, hook, make=take, stack=self._stacked)
        except Exception as error:  # whatever ails one run, the others of the stack go on
            self._tell(run, error)
            if seats and self._stack is not None:
                seats[0].leave()
            held.close()
            return
        self._signals.reach(session)
        self.members.append(Member(session, seats[0], held))

    def _attend(self, member: Member) -> None:
        try:
            if not member.begun:
                member.begun = True
                member.session.begin()
            end = member.session.attend()
        except Exception as error:  # as above: said in its own recording and log
            self._failed(member, error)
            return
        if end:
            print(f"{member.session.run.name}: {end} at epoch {member.session.epoch}", flush=True)
            self._let_go(member)

    def _advance(self, moving: list[Member]) -> None:
        assert self._stack is not None
        steps, begun = min(member.session.reach() for member in moving), time.perf_counter()
        self._stack.let([member.seat for member in moving])
        self._stack.advance(steps)
        self._stack.wait()
        took = time.perf_counter() - begun
        for member in moving:
            try:
                member.session.stepped(steps, took)
            except Exception as error:  # as above
                self._failed(member, error)

    def _failed(self, member: Member, error: Exception) -> None:
        """One run's failure: said where it would be looked for, and the others go on."""
        self._tell(member.session.run, error)
        fail(member.session, error)
        self._let_go(member)

    def _let_go(self, member: Member) -> None:
        self.members.remove(member)
        member.seat.leave()
        self._signals.forget(member.session)
        member.session.journal.close()
        member.held.close()

    def _tell(self, run: Run, error: Exception) -> None:
        """Into the log of the run, which is not ours."""
        self.well = False
        if not isinstance(error, GrokTuiError):
            traceback.print_exception(error)
        text = f"grok-tui: {error}" if isinstance(error, GrokTuiError) else f"{type(error).__name__}: {error}"
        print(f"{run.name}: {text}", flush=True)
        try:
            with run.log.open("a", encoding="utf-8") as log:
                log.write(text + "\n")
        except OSError as second:  # the disk that is full, perhaps
            print(f"{run.log}: cannot be written ({second.strerror})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
