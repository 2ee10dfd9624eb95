"""A limit on the epochs per second: even, exact in the long run, and no busy waiting."""

from __future__ import annotations

import pytest

from grok_tui import runs
from grok_tui.train.throttle import EVEN, SLACK, Throttle
from tests.train.stage import ask, column, final, on, tiny, train, whole


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def paced(limit: float, speed: float, seconds: float, hitch: float = 0.0) -> list[tuple[float, int]]:
    """(time, epochs) after each burst of a run that could do `speed` epochs per second; held up once for `hitch`."""
    clock, epochs, found = Clock(), 0, []
    throttle = Throttle(clock)
    throttle.set(limit)
    while clock.now < 100 + seconds:
        clock.now += throttle.left
        steps = throttle.burst or 1000
        clock.now += steps / speed
        if hitch and clock.now > 101:
            clock.now, hitch = clock.now + hitch, 0.0
        throttle.took(steps)
        epochs += steps
        found.append((clock.now - 100, epochs))
    return found


@pytest.mark.parametrize("limit", [0.5, 1.0, 50.0, 333.0])
def test_a_fast_run_moves_evenly_at_its_limit(limit: float) -> None:
    for at, epochs in paced(limit, 2000.0, 20.0):
        assert abs(epochs - limit * at) <= 1 + limit * (EVEN + SLACK)


def test_a_run_that_was_held_up_does_not_rush_afterwards() -> None:
    found = paced(50.0, 2000.0, 20.0, hitch=3.0)
    (end, total), held = found[-1], 3.0
    assert total == pytest.approx(50 * (end - held), abs=50 * (SLACK + EVEN) + 2)


def test_a_run_that_is_slower_than_its_limit_is_not_held_up() -> None:
    end, total = paced(1000.0, 45.0, 5.0)[-1]
    assert total / end == pytest.approx(45.0, rel=0.01)


def test_without_a_limit_there_is_nothing_to_wait_for() -> None:
    throttle = Throttle(Clock())
    throttle.took(1000)
    assert (throttle.left, throttle.burst) == (0.0, None)


@pytest.mark.usefixtures("own_home")
def test_a_limit_changes_no_result_and_leaves_no_mark() -> None:
    run = runs.create(tiny("at 60: limit 1000000", training__epochs=80))
    with on(run) as session:
        train(session, 20)
        assert ask(session, "limit 1") == "1 epochs per second at most"
        assert session.epoch == 20
        session.stepped(0, 1.0)
        assert ask(session, "limit 1000000") == "1e+06 epochs per second at most"
        while session.epoch < 40:
            session.turn()
        assert ask(session, "limit off") == "no limit on the epochs per second"
        train(session)
    plain = whole("at 60: limit 1000000", training__epochs=80)
    assert column(run, "train_loss") == column(plain, "train_loss")
    assert final(run) == final(plain)


class Ticking:
    """Time passes between any two looks at the clock."""

    now = 100.0

    def __call__(self) -> float:
        self.now += 0.0004
        return self.now


@pytest.mark.usefixtures("own_home")
def test_a_run_whose_rest_ends_between_two_looks_at_the_clock_is_measured_all_the_same() -> None:
    run = runs.create(tiny(training__epochs=200))
    with on(run) as session:
        session.throttle = Throttle(Ticking())
        session.limit(1000)
        while not session.turn():
            pass
    assert column(run, "test_loss") == column(whole(training__epochs=200), "test_loss")
