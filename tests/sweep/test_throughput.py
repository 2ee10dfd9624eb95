"""What several members did together, and what one did alone."""

from __future__ import annotations

import pytest

from grok_tui import throughput
from grok_tui.protocol import Event
from grok_tui.throughput import Spans


def member(*told: tuple[str, int, float]) -> Spans:
    """What happened, at which epoch, at which second."""
    spans = Spans()
    for what, epoch, time in told:
        spans.take(Event(epoch, what, what, 1e9 + time))
    return spans


def trained(begin: float, end: float, epochs: int) -> Spans:
    return member(("started", 0, begin), ("finished", epochs, end))


def test_two_at_a_time_and_one_alone_are_told_apart() -> None:
    found = throughput.of([trained(0, 10, 400), trained(10, 30, 600), trained(15, 35, 600)])
    assert found is not None
    assert found.seconds == 35
    assert found.rate == pytest.approx(1600 / 35)
    assert found.at_once == pytest.approx(50 / 35)
    assert found.alone == 40


def test_pauses_and_gaps_between_members_are_no_training() -> None:
    paused = member(
        ("started", 0, 0), ("paused", 100, 10), ("checkpoint", 100, 20), ("continued", 100, 60), ("stopped", 200, 70),
        ("resumed", 150, 500), ("finished", 250, 520),
    )  # fmt: skip
    found = throughput.of([paused])
    assert found is not None
    assert (found.seconds, found.rate, found.at_once) == (40, 300 / 40, 1)


def test_where_all_shared_the_machine_nothing_is_said_of_one_alone() -> None:
    found = throughput.of([trained(0, 20, 400), trained(19, 40, 400)])
    assert found is not None
    assert found.alone == 0


def test_one_that_was_cut_off_counts_in_nothing_and_leaves_nobody_alone_after_it() -> None:
    killed = member(("started", 0, 12))
    found = throughput.of([trained(0, 10, 400), killed, trained(15, 25, 100)])
    assert found is not None
    assert (found.seconds, found.alone) == (20, 40)
    assert throughput.of([killed]) is None
    assert throughput.of([]) is None
