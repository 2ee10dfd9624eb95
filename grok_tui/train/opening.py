"""A run is opened for training: its past is read, its recording and its link begin, and how it began is said."""

from __future__ import annotations

import signal

from grok_tui import __version__, stacking
from grok_tui import catalogue as measures
from grok_tui import config as configs
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.protocol import PROTOCOL, Catalogue, Hello
from grok_tui.runs import Run
from grok_tui.train import machine as machines
from grok_tui.train import planner, seats, steer
from grok_tui.train.journal import Journal
from grok_tui.train.past import Past
from grok_tui.train.serve import Server
from grok_tui.train.session import Make, Session


class Signals:
    """SIGTERM and SIGINT stop the sessions that are reached, also when they came before there was one."""

    def __init__(self) -> None:
        self.received = ""
        """Which one has come, in words; empty while none has."""
        self._sessions: list[Session] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def reach(self, session: Session) -> None:
        """This one too is stopped by a signal."""
        self._sessions.append(session)
        if self.received:
            session.stop(self.received)

    def forget(self, session: Session) -> None:
        """This one has ended."""
        self._sessions.remove(session)

    def _take(self, number: int, _frame: object) -> None:
        self.received = f"stopped by {signal.Signals(number).name}"
        for session in self._sessions:
            session.stop(self.received)


def open_run(
    run: Run, device_name: str, wanted: int | None, hook: str = "", *, make: Make | None = None, stack: int = 0
) -> Session:
    """The session of a run whose lock is held, recording and listening. Close its journal in the end.

    `stack`: how many models share the steps that `make` takes. Without `make` as many as in the run's past,
    empty seats beside it, unless `stack` says otherwise.

    Raises:
        GrokTuiError: it has finished, or there is something that it cannot be trained with. Nothing stays open.
    """
    journal = Journal(run)
    try:
        return _opened(run, journal, device_name, wanted, hook, make, stack)
    except BaseException:
        journal.close()
        raise


def _opened(
    run: Run, journal: Journal, device_name: str, wanted: int | None, hook: str, make: Make | None, stack: int
) -> Session:
    config = run.config
    past = Past(run, journal.ledger.entries)
    if past.finished:
        raise RunError(f"{run.name} has finished its {config.training.epochs:,} epochs")
    device = machines.pick_device(device_name, str(past.machine.get("device", "")))
    threads = machines.use_threads(wanted, past.machine.get("threads"))
    machine = machines.describe(device, threads)
    stack = stack or seats.like_before(past.machine, machine)
    if stack > 1:
        machine["stack"] = stack
    if not past.end:
        planner.check(config)
    past.since = machines.differences(past.machine, machine) if past.exists else []
    machines.prepare()
    session = Session(run, journal, past, device, hook, make or seats.made(stack))
    catalogue = Catalogue(measures.series(config), measures.arrays(config), steer.catalogue(config))
    tables = configs.to_tables(config)
    hello = Hello(PROTOCOL, run.name, __version__, tables, machine, config.training.epochs, catalogue)
    journal.write(hello)
    journal.server = Server(run.socket, hello)
    _say_how_it_begins(session, past, stack)
    return session


def _say_how_it_begins(session: Session, past: Past, stack: int) -> None:
    """And what the ledger knows that the recording does not."""
    for entry in past.untold:
        session.journal.event(entry.epoch, entry.what, entry.text, entry.seq, **entry.data)
    if past.exists:
        alike = [f"{stacking.said(stack)}, as before"] if stack > 1 and stack == stacking.count(past.machine) else []
        others = [", ".join([*alike, *past.since])] if alike or past.since else []
        begun = "begins at" if past.branched else "resumed from"
        text = ": ".join((f"{begun} epoch {session.epoch:,}", *others))
        session.journal.intervention(session.epoch, "resumed", text)
        if past.gave_up and not session.replaying:
            session.take_back_what_diverged()
    else:
        session.journal.event(0, "started", f"started {session.config.name}")
    if not past.end and not any(entry.what == "branched" for entry in session.journal.ledger.entries):
        session.planner.begin(session.config.plan.lines)


def fail(session: Session, error: Exception) -> None:
    """Say in the recording, if it takes it, and to the viewers that the run has failed, and why."""
    try:
        session.journal.event(session.epoch, "failed", str(error))
    except GrokTuiError as second:  # the disk that is full, again
        print(f"grok-tui: {second}", flush=True)
    try:
        session.fail(str(error))
    except GrokTuiError as second:
        print(f"grok-tui: {second}", flush=True)
