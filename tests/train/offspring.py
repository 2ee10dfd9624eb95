"""The processes that make branches, in the hands of a test."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from grok_tui import launch, offshoot, runs
from grok_tui.offshoot import Outcome, Wish
from grok_tui.runs import Run
from grok_tui.train import offshoots
from tests.train.stage import entries, on, tiny, train

PLAN = "at 37: branch weight_decay 9; set lr 0.02"


@dataclass
class Process:
    """One that has been started, and ends when the test says so."""

    wish: Wish
    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


def nobody_makes(monkeypatch: pytest.MonkeyPatch) -> list[Wish]:
    """Branches are wanted, and said to be made at once; none is. Returns what will have been wanted."""
    wanted: list[Wish] = []

    def start(_run: Run, wish: Wish) -> Process:
        wanted.append(wish)
        return Process(wish, 0)

    monkeypatch.setattr(offshoot, "start", start)
    monkeypatch.setattr(offshoot, "outcome", lambda *_: Outcome("somebody"))
    return wanted


def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that will have been started, none of which ends by itself."""
    started: list[Process] = []
    monkeypatch.setattr(offshoots, "LINGER", 2.0)

    def start(_run: Run, wish: Wish) -> Process:
        started.append(Process(wish))
        return started[-1]

    monkeypatch.setattr(offshoot, "start", start)
    return started


def of_epoch_37(run: Run) -> Wish:
    (entry,) = [entry for entry in entries(run) if entry.what == "branch"]
    return Wish(37, entry.seq, {"weight_decay": 9.0})


def asking() -> tuple[Run, Wish]:
    """A run that asked for a branch and was killed before anything was done for it."""
    run = runs.create(tiny(PLAN))
    with on(run) as session:
        session.planner.offshoots.start = lambda: None  # type: ignore[method-assign]
        train(session, 45)
        session.settle()
    return run, of_epoch_37(run)


def untrained(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """No trainer is started; the runs for which one would have been."""
    begun: list[Run] = []
    monkeypatch.setattr(launch, "_launch", lambda run, *_: begun.append(run))
    return begun
