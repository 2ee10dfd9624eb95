"""When a run in training is recomputed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from grok_tui.errors import LaunchError, RunError
from grok_tui.runs import Run
from grok_tui.train.trigger import CIRCUIT, Trigger

FORMED = 0.5


class Started(list[tuple[int, ...]]):
    def __call__(self, _run: Run, keys: Sequence[int], /, **_: bool) -> None:
        self.append(tuple(keys))


def fired(trigger: Trigger, epochs: range, keys: Sequence[int], fve: float = FORMED) -> list[int]:
    return [epoch for epoch in epochs if trigger.saw(epoch, keys, fve)]


def trigger(started: Started, every: int = 100) -> Trigger:
    return Trigger(Run(Path("nowhere")), every, started)


def test_it_starts_once_the_keys_have_stood_still() -> None:
    started = Started()
    found = trigger(started)
    assert fired(found, range(0, 5000, 100), range(1, 31)) == [2000, 4000]
    started.clear()
    assert fired(found, range(5000, 12_000, 100), [4, 7]) == [7000, 9000, 11_300]
    assert set(started) == {(4, 7)}


def test_dozens_of_keys_of_a_run_that_only_memorises_start_nothing() -> None:
    started = Started()
    found = trigger(started)
    assert fired(found, range(0, 50_000, 100), range(1, 31), CIRCUIT / 2) == []
    assert not found.ended(50_000)
    assert started == []


def test_keys_that_come_and_go_start_nothing_until_the_end() -> None:
    started = Started()
    found = trigger(started)
    for epoch in range(0, 30_000, 100):
        assert not found.saw(epoch, [4, 7, 9] if epoch % 1900 else [4, 7], FORMED)
    assert found.ended(30_000)
    assert started == [(4, 7, 9)]


def test_where_measures_are_rare_twenty_of_them_must_agree() -> None:
    found = trigger(Started(), every=1000)
    assert fired(found, range(0, 21_000, 1000), [4]) == [20_000]


def test_a_run_without_keys_starts_nothing() -> None:
    found = trigger(Started())
    assert fired(found, range(0, 9000, 100), []) == []
    assert not found.ended(9000)


def test_what_cannot_be_started_is_said_and_does_not_end_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_run: Run, _keys: Sequence[int], /, **_: bool) -> None:
        raise LaunchError("no room")

    found = Trigger(Run(Path("nowhere")), 100, broken)
    assert fired(found, range(0, 5000, 100), [4, 7]) == []
    assert capsys.readouterr().out.splitlines() == ["hindsight at epoch 2,000: no room"]  # and not at each measure


def test_what_was_busy_is_tried_again_and_at_the_end_it_takes_its_turn() -> None:
    asked = []

    def busy_until_4000(_run: Run, keys: Sequence[int], /, *, wait: bool = False) -> None:
        asked.append((tuple(keys), wait))
        if len(asked) <= 20 and not wait:
            raise RunError("is being recomputed already")

    found = Trigger(Run(Path("nowhere")), 100, busy_until_4000)
    assert fired(found, range(0, 5000, 100), [4, 7]) == [4000]
    del asked[1:]
    assert not found.saw(5000, [4, 9], FORMED)
    assert found.ended(5000)
    assert asked[1:] == [((4, 9), True)]
