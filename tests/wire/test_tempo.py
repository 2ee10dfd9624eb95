"""The pace of a recording, as its events tell it, and what users make of that."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui import tempo
from grok_tui.errors import ConfigError
from grok_tui.protocol import Event
from grok_tui.tempo import Speed, Timeline
from tests.wire.wiring import hello


def timeline(*events: tuple[int, str, float]) -> Timeline:
    return Timeline.of([hello(), *(Event(epoch, what, what, time) for epoch, what, time in events)])


@pytest.mark.parametrize(
    ("typed", "speed"),
    [("100x", Speed(100)), ("0.5", Speed(0.5)), (" 1e3x ", Speed(1000)), ("500/s", Speed(500, steady=True))],
)
def test_a_speed_is_times_as_recorded_or_epochs_per_second(typed: str, speed: Speed) -> None:
    assert tempo.parse(typed) == speed


@pytest.mark.parametrize("typed", ["", "fast", "x", "/s", "nan", "inf x", "0x", "-1x", "1e9x", "10x/s"])
def test_what_is_no_speed_is_refused_in_a_line_that_shows_some(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"--speed .* (was expected|out of bounds)"):
        tempo.parse(typed)


def test_faster_and_slower_go_by_1_2_5() -> None:
    speed, said = Speed(0.5), []
    for _ in range(9):
        said.append(str(speed))
        speed = speed.faster()
    assert said == ["0.5x", "1x", "2x", "5x", "10x", "20x", "50x", "100x", "200x"]
    assert str(Speed(130).slower()) == "100x"
    assert str(Speed(130, steady=True).faster()) == "200/s"


@given(value=st.floats(tempo.LEAST, tempo.MOST), faster=st.lists(st.booleans(), max_size=40))
def test_no_step_leaves_the_bounds(value: float, faster: list[bool]) -> None:
    speed = Speed(value)
    for up in faster:
        speed = speed.faster() if up else speed.slower()
        assert tempo.LEAST <= speed.value <= tempo.MOST


def test_between_two_events_it_goes_as_fast_as_it_went() -> None:
    found = timeline((0, "started", 100.0), (200, "changed", 110.0), (1000, "finished", 120.0))
    assert [found.pace(1), found.pace(2)] == [20.0, 80.0]
    assert found.seconds == pytest.approx(20.0)


def test_a_pause_takes_no_time() -> None:
    found = timeline(
        (0, "started", 0.0), (200, "paused", 10.0), (200, "changed", 4000.0), (200, "continued", 9000.0),
        (400, "finished", 9010.0),
    )  # fmt: skip
    assert found.paces == (20.0, math.inf, math.inf, 20.0)
    assert found.seconds == pytest.approx(20.0)


def test_neither_does_the_time_between_a_stop_and_a_resume_nor_what_was_computed_again() -> None:
    found = timeline(
        (0, "started", 0.0), (200, "stopped", 10.0), (150, "resumed", 50_000.0), (200, "replayed", 50_002.0),
        (400, "finished", 50_012.0),
    )  # fmt: skip
    assert found.seconds == pytest.approx(20.0)
    assert found.pace(3) == math.inf
    assert found.pace(4) == 20.0


def test_what_a_kill_left_without_a_time_has_the_usual_pace() -> None:
    """Nobody knows how long the run was dead before it was resumed."""
    found = timeline(
        (0, "started", 0.0), (200, "checkpoint", 10.0), (200, "resumed", 9000.0), (300, "finished", 9005.0)
    )
    assert found.pace(2) == 20.0


def test_the_usual_pace_is_that_of_the_middle_epoch() -> None:
    found = timeline((0, "started", 0.0), (10, "changed", 10.0), (1000, "changed", 20.0), (1100, "finished", 21.0))
    assert found.usual == 99.0
    assert found.pace(17) == 99.0


def test_a_machine_that_slept_is_not_waited_for() -> None:
    found = timeline(
        (0, "started", 0.0), (500, "changed", 10.0), (1000, "changed", 30_000.0), (1500, "finished", 30_010.0)
    )
    assert found.paces == (50.0, 50.0, 50.0)


def test_checkpoints_that_were_imported_take_a_minute_in_all() -> None:
    """The time in which they were imported says nothing of the training."""
    events = [
        Event(0, "started", "imported 5 epochs of others", 7.0),
        Event(6000, "finished", "imported as finished", 7.1),
    ]
    found = Timeline.of([hello(), *events])
    assert found.usual == pytest.approx(100 / 60)
    assert found.pace(1) == found.usual


@pytest.mark.parametrize(("seconds", "speed"), [(20.0, "1x"), (59.0, "1x"), (900.0, "20x"), (86_400.0, "2,000x")])
def test_unless_told_otherwise_all_of_it_takes_a_minute_at_most(seconds: float, speed: str) -> None:
    found = timeline((0, "started", 0.0), (40_000, "finished", seconds))
    assert str(found.fitting) == speed


def test_an_empty_recording_has_a_pace_too() -> None:
    assert Timeline.of([]).pace(0) > 0
    assert Timeline.of([]).fitting == Speed(1.0)
