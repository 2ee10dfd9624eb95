"""Several runs in one process and one step: each is a run like any other."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grok_tui import launch, locks, runs
from grok_tui.protocol import Hello
from grok_tui.record import read
from grok_tui.runs import Run
from grok_tui.train import steer
from grok_tui.train.cadence import is_measured
from grok_tui.train.session import Session
from grok_tui.train.throttle import Throttle
from grok_tui.train.together import Together
from tests.sweep import tiny
from tests.sweep.test_runner import epochs, events
from tests.train.stage import column, final
from tests.train.test_throttle import Clock, Ticking
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")

SERIES = ("train_loss", "test_loss", "train_accuracy")

SHORT: dict[str, Any] = {"training__epochs": 120, "measure__every": 20, "record__resume_every": 50}


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recomputed afterwards."""
    monkeypatch.setattr(launch, "hindsight", lambda *_, **__: None)


def made(count: int, **changes: Any) -> list[Run]:
    return [runs.create(tiny.config(**SHORT, data__seed=i, **changes)) for i in range(count)]


def train(
    found: list[Run], seats: int, upto: int = 10_000, at_first: Callable[[Together], None] | None = None
) -> Together:
    """To their ends, or to where the first is stopped; something may be done to those that are seated at first."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    together = Together([Path(run.path) for run in found], seats, "cpu", 1)
    try:
        while together.turn():
            if at_first is not None:
                at_first(together)
                at_first = None
            if together.members and together.members[0].session.epoch >= upto:
                together.members[0].session.stop("stopped by the test")
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    return together


def hello(run: Run) -> Hello:
    return next(frame for frame in reversed(read(run.frames)[0]) if isinstance(frame, Hello))


def test_each_run_of_a_stack_records_every_epoch_and_finishes_also_those_that_waited_for_a_seat() -> None:
    found = made(3)
    assert train(found, seats=2).well
    for run in found:
        assert run.state["state"] == "finished"
        assert not run.alive
        assert epochs(run) == list(range(120))
        assert hello(run).machine["stack"] == 2
        assert [path.name for path in sorted(run.resume_points.iterdir())][-1] == "00000120.safetensors"


def test_one_that_is_paused_leaves_its_seat_to_who_waits_and_is_as_if_it_had_not_when_it_goes_on() -> None:
    alone = made(3)
    assert train(alone, seats=2).well
    found = made(3)
    together = Together([Path(run.path) for run in found], 2, "cpu", 1)
    while not together.members or together.members[0].session.epoch < 30:
        together.turn()
    session = together.members[0].session
    steer.pause(session, True)
    steps = session.epoch
    while len(together.members) < 3:
        assert together.turn()
    steer.pause(session, False)
    together.turn()
    assert (session.epoch, session.state) == (steps, "waiting")  # for one of the two others to end
    while together.turn():
        pass
    for run, other in zip(found, alone, strict=True):
        assert run.state["state"] == "finished"
        assert epochs(run) == list(range(120))
        assert [column(run, name) for name in SERIES] == [column(other, name) for name in SERIES]
        assert final(run) == final(other)


def test_one_that_diverges_fails_with_its_reason_and_the_others_finish() -> None:
    found = made(2)
    wild = runs.create(tiny.config(**SHORT, optimizer__lr=1.0, optimizer__weight_decay=1000, optimizer__warmup=10))
    assert not train([found[0], wild, found[1]], seats=3).well
    assert [run.state["state"] for run in (found[0], wild, found[1])] == ["finished", "failed", "finished"]
    assert "not finite" in wild.log.read_text()
    assert epochs(found[1]) == list(range(120))


def test_a_run_that_somebody_trains_or_that_has_finished_is_left_alone() -> None:
    found = made(3)
    train(found[:1], seats=1)
    with found[1].hold():
        train(found, seats=2)
    assert found[1].state == {}
    assert found[2].state["state"] == "finished"
    assert "is being trained already" in found[1].log.read_text()
    assert epochs(found[0]) == list(range(120))


def test_a_locked_run_is_not_trained_and_says_how_to_unlock_it() -> None:
    found = made(2)
    locks.lock(found[0])
    assert not train(found, seats=2).well
    assert found[0].state == {}
    assert not found[0].frames.exists()
    assert f"grok-tui unlock {found[0].name}" in found[0].log.read_text()
    assert found[1].state["state"] == "finished"


def test_one_whose_rest_ends_while_the_others_are_attended_is_measured_all_the_same() -> None:
    run, longer = made(1)[0], runs.create(tiny.config(**SHORT | {"training__epochs": 100_000}))

    def limit(together: Together) -> None:
        session = together.members[0].session
        session.throttle = Throttle(Ticking())
        session.limit(2000)

    train([run, longer], seats=2, upto=121, at_first=limit)  # the longer one is stopped once it is alone
    due = [epoch for epoch in range(121) if is_measured(epoch, 20)]
    assert list(column(run, "test_loss")) == due


@pytest.mark.parametrize("rates", [(30.0, 30.0), (50.0, 10.0)])
def test_runs_of_a_stack_keep_the_rates_that_they_are_limited_to(
    rates: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, seen = Clock(), list[tuple[float, list[int]]]()
    sessions: list[Session] = []

    def limit(together: Together) -> None:
        sessions.extend(member.session for member in together.members)
        for session, rate in zip(sessions, rates, strict=True):
            session.throttle = Throttle(clock)
            session.limit(rate)
        slept(0.0)

    def slept(seconds: float) -> None:
        clock.now += seconds
        seen.append((clock.now, [session.epoch for session in sessions]))

    monkeypatch.setattr("grok_tui.train.together.time", SimpleNamespace(sleep=slept, perf_counter=time.perf_counter))
    train(made(2), seats=2, at_first=limit)
    for i, rate in enumerate(rates):
        under_way = [(now, epochs[i]) for now, epochs in seen if epochs[i] < 120]
        (begun, first), (ended, last) = under_way[0], under_way[-1]
        assert last > 110
        assert (last - first) / (ended - begun) == pytest.approx(rate, rel=0.05)


def test_gone_on_with_alone_it_says_that_it_was_trained_in_a_stack() -> None:
    run, other = made(2)
    train([run, other], seats=2, upto=70)
    for path in run.resume_points.iterdir():
        if path.stem > "00000050":
            path.unlink()
    launch.resume(run, device="cpu", threads=1, alone=True)
    until(lambda: not run.alive and bool(events(run, "finished")))
    assert "alone, not in a stack of 2" in events(run, "resumed")[0].text
    said = events(run, "replayed")[0].text
    assert "differ" in said
    assert "alone, not in a stack of 2" in said
