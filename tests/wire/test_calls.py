"""The phase at an earlier epoch, by what was known then."""

from __future__ import annotations

import numpy as np
import pytest

from grok_tui import calls
from grok_tui.protocol import Frame, Points
from grok_tui.science.phases import Phase, PhaseFold
from grok_tui.state import RunState
from tests.ui import story


def state_of(frames: list[Frame]) -> RunState:
    state = RunState()
    for frame in frames:
        state.apply(frame)
    return state


def same(found: PhaseFold, expected: PhaseFold) -> bool:
    """Compared as text: NaN equals NaN there."""
    return repr((found.call, found.boundaries, found.run_class.badge)) == repr(
        (expected.call, expected.boundaries, expected.run_class.badge)
    )


@pytest.mark.parametrize("epoch", [0, 1, 700, 1999, 2000, 6900, 7050, 9999])
def test_an_earlier_call_is_the_one_that_was_made_then(epoch: int) -> None:
    now = state_of(story.frames(10_000, changes=[(3000, "weight_decay", 0.3)]))
    then = state_of(story.frames(epoch, changes=[(3000, "weight_decay", 0.3)]))
    assert same(now.phases_at(epoch), then.phases)


def test_what_was_known_then_and_what_is_known_now_differ() -> None:
    state = state_of(story.frames(10_000))
    placed = next(b for b in state.phases.boundaries if b.phase is Phase.CIRCUIT_FORMATION)
    assert placed.confirmed > placed.epoch
    assert state.phases_at(placed.confirmed - 1).phase is Phase.MEMORIZATION
    assert state.phases_at(placed.confirmed).phase is Phase.CIRCUIT_FORMATION


def test_before_the_first_measure_nothing_is_called() -> None:
    assert state_of(story.frames(100)).phases_at(-1).last is None


def test_asking_for_the_past_leaves_the_present_alone() -> None:
    state = state_of(story.frames(10_000))
    before = state.phases.call
    for epoch in (9000, 100, 5000):
        state.phases_at(epoch)
    assert state.phases.call == before
    assert state.phases_at(None) is state.phases


def test_a_past_that_is_told_anew_is_called_anew() -> None:
    told = story.frames(5000)
    state = state_of(told)
    for frame in told:  # as after a resume from epoch 2,000
        if isinstance(frame, Points) and frame.epochs[0] >= 2000:
            state.apply(frame)
    for epoch in (1000, 2500, 5000):
        assert same(state.phases_at(epoch), state_of(story.frames(epoch)).phases)


def test_an_earlier_call_costs_a_few_samples_however_long_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(story.frames(40_000))
    folded = 0
    add = PhaseFold.add

    def counted(self: PhaseFold, sample: object) -> None:
        nonlocal folded
        folded += 1
        add(self, sample)  # type: ignore[arg-type]

    monkeypatch.setattr(PhaseFold, "add", counted)
    for epoch in range(39_000, 1000, -1000):
        state.phases_at(epoch)
    assert folded <= 38 * calls.EVERY


def test_of_very_many_samples_no_more_than_so_many_folds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST", 4)
    state = state_of(story.frames(10_000))
    assert len(state._calls._kept) <= 4
    for epoch in np.linspace(0, 10_000, 7).astype(int).tolist():
        assert same(state.phases_at(epoch), state_of(story.frames(epoch)).phases)
