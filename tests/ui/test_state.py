"""What the fold makes of frames that come late, twice or not at all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from grok_tui.protocol import Array, Event, Points, Status
from grok_tui.state import MAPS, RunState
from grok_tui.ui.panes import FourierPane, LossesPane
from grok_tui.ui.panes.ablation import AblationPane
from grok_tui.ui.status import line
from tests.ui import measures
from tests.ui.gallery import Gallery, state_of
from tests.ui.story import frames


def told(what: str, epoch: int) -> Event:
    return Event(epoch, what, what, 0.0)


def test_an_end_in_the_recording_outranks_a_status_from_before_it() -> None:
    """A viewer that slept through the end has the trainer's last status but one, and then the file's last event."""
    state = RunState()
    for frame in frames(until=500):
        state.apply(frame)
    state.apply(Status(500, "running", 30.0, {"weight_decay": 1.0}, 0))
    assert state.state == "running"
    state.apply(told("stopped", 510))
    assert state.state == "stopped"
    state.apply(Status(510, "stopped", 0.0, {"weight_decay": 1.0}, 0))
    assert state.state == "stopped"
    state.apply(told("resumed", 510))
    state.apply(Status(511, "running", 30.0, {"weight_decay": 1.0}, 0))
    assert state.state == "running"


def test_while_epochs_are_computed_again_the_status_line_says_how_far() -> None:
    state = RunState()
    for frame in frames(until=2000):
        state.apply(frame)
    state.apply(Status(1200, "replaying", 30.0, {}, 0))
    assert "epoch 1,200 of" in line(state, "live", (), 200).plain
    assert state.epoch == 2000


def test_changes_are_kept_by_control() -> None:
    state = RunState()
    for frame in frames(until=100):
        state.apply(frame)
    for epoch, control, value in ((10, "weight_decay", 3.0), (20, "lr", 0.01), (30, "weight_decay", 1.5)):
        state.apply(Event(epoch, "changed", "", 0.0, 1, {"control": control, "value": value}))
    assert [value for _, value in state.control_pieces("weight_decay")][-2:] == [3.0, 1.5]
    assert [event.epoch for event in state.changes("lr")] == [20]
    assert [event.epoch for event in state.changes()] == [10, 20, 30]


def test_of_maps_the_newest_and_an_even_choice_are_kept() -> None:
    state = RunState()
    for epoch in range(0, 100_000, 100):
        state.apply(Array(epoch, "attention_pattern", np.zeros((4, 40, 40), np.float16)))
        state.apply(Array(epoch, "alpha", np.zeros(56, np.float32)))
    kept = [array.epoch for array in state.arrays["attention_pattern"]]
    assert len(kept) <= MAPS
    assert (kept[0], kept[-1]) == (0, 99_900)
    assert max(b - a for a, b in pairwise(kept)) <= 100_000 / MAPS * 8
    assert len(state.arrays["alpha"]) == 1000


def test_a_look_that_was_taken_again_stands_once() -> None:
    state = RunState()
    for value in (1.0, 2.0):
        state.apply(Array(100, "alpha", np.full(3, value, np.float32)))
    assert [array.values[0] for array in state.arrays["alpha"]] == [2.0]


def test_what_was_given_up_and_trained_again_counts_anew() -> None:
    """A run that degraded, went back and stayed well is well, in its phases and in its arrays."""
    state, straight = RunState(), RunState()
    told = list(frames(until=9000))
    for frame in told:
        straight.apply(frame)
        state.apply(frame)
    for epoch in range(9050, 12_000, 50):
        worse = {"test_loss": 60.0, "test_accuracy": 0.01}
        state.apply(Points(np.array([epoch]), {name: np.array([value]) for name, value in worse.items()}))
        state.apply(Array(epoch, "alpha", np.zeros(56, np.float32)))
    assert state.phases.phase == "degraded"
    again = [
        f for f in told if isinstance(f, Points | Array) and (f.epoch if isinstance(f, Array) else f.epochs[0]) >= 8000
    ]
    for frame in again:
        state.apply(frame)
    assert state.phases.phase == straight.phases.phase
    assert state.phases.boundaries == straight.phases.boundaries
    assert [a.epoch for a in state.arrays["alpha"]] == [a.epoch for a in straight.arrays["alpha"]]


async def test_arrays_that_no_trainer_records_leave_no_trace_and_every_pane_stands() -> None:
    odd = [
        Array(400, "ablation_per_frequency", np.zeros(0)),
        Array(400, "fourier_W_E", np.zeros((2, 0))),
        Array(400, "key_frequencies", np.array([1.5, np.nan])),
    ]
    before, after = (state_of([*measures.frames(300), *more]) for more in ([], odd))
    for array in odd:
        assert [found.epoch for found in after.arrays[array.name]] == [
            found.epoch for found in before.arrays[array.name]
        ]
    app = Gallery(after, panes=(AblationPane, FourierPane, LossesPane))
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        assert "nats" in app.text(AblationPane)
