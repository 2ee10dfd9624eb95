"""What a sweep's screen and table know: read from the members' recordings as they grow."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from grok_tui import comparing, crossings, sweep_lists, sweep_state, sweeps, workers
from grok_tui import config as configs
from grok_tui.grok_times import Sign, Time, when
from grok_tui.protocol import PROTOCOL, Array, Catalogue, Event, Hello, Points
from grok_tui.record import Recorder
from grok_tui.state import RunState
from grok_tui.sweep_board import build
from grok_tui.sweep_state import SweepState, heading
from grok_tui.sweeps import Sweep
from grok_tui.tracks import Track
from tests.sweep import planted, tiny

pytestmark = pytest.mark.usefixtures("own_home")


def looked(sweep: Sweep) -> SweepState:
    state = SweepState(sweep)
    while state.look():
        pass
    return state


@pytest.fixture
def sweep(sweep: Sweep) -> Sweep:
    """As planted, and one more that is on its way."""
    planted.member(sweep, 5, None, upto=4000, state="stopped")
    return sweep


def test_a_track_tells_the_phases_that_the_runs_own_screen_tells(sweep: Sweep) -> None:
    run = planted.member(sweep, 6, 8000)
    track, state = Track(run), RunState()
    while track.look(records=50):
        pass
    from grok_tui import record

    for frame in record.read(run.frames)[0]:
        state.apply(frame)
    assert len(track.phases.boundaries) > 1
    assert track.phases.boundaries == state.phases.boundaries
    assert track.accuracy.values.tolist() == state.series["test_accuracy"].values.tolist()


def test_below_chance_is_told_of_a_member_as_a_comparison_tells_it(sweep: Sweep) -> None:
    run = planted.member(sweep, 6, 8000)
    track = Track(run)
    while track.look(records=50):
        pass
    told = crossings.level(comparing.read(run), crossings.CHANCE)
    assert told.epoch is not None
    assert told.after < told.epoch < told.by == 8000  # interpolated
    assert when(track, Sign.CHANCE) == told.epoch


def test_a_dip_below_chance_before_the_training_set_is_learned_is_no_time(sweep: Sweep) -> None:
    track = Track(planted.member(sweep, 6, None))
    loss, learned = track.below
    epochs = np.arange(0, 800, 100)
    loss.add(epochs, np.array([1.0, 1.0, 1.0, 20.0, 20.0, 1.0, 1.0, 1.0]))
    learned.add(epochs, np.array([0.1, 0.2, 0.3, 0.9, 1.0, 1.0, 1.0, 1.0]))
    found = when(track, Sign.CHANCE)
    assert found is not None
    assert 400 < found <= 500


def test_a_track_follows_a_recording_that_grows_with_a_torn_record_at_its_end(sweep: Sweep) -> None:
    run = planted.member(sweep, 6, 8000)
    whole = run.frames.read_bytes()
    track = Track(run)
    for size in (0, 3, 700, len(whole) // 2, len(whole) - 5, len(whole)):
        run.frames.write_bytes(whole[:size])
        while track.look(records=7):
            pass
    assert track.epoch == planted.EPOCHS
    assert len(track.accuracy) == planted.EPOCHS // planted.EVERY + 1


def test_what_is_being_drawn_of_a_track_stays_as_it_is_while_more_is_read(sweep: Sweep) -> None:
    """The screen draws in one thread what another one reads."""
    run = planted.member(sweep, 6, 8000)
    track = Track(run)
    track.look(records=100)
    drawn, size = track.accuracy, len(track.accuracy)
    assert 0 < size < planted.EPOCHS // planted.EVERY
    while track.look(records=100):
        assert (len(drawn.epochs), len(drawn.values)) == (size, size)
    assert len(track.accuracy) == planted.EPOCHS // planted.EVERY + 1
    whole = track.accuracy
    track.look()
    assert track.accuracy is whole, "nothing new, nothing to draw"


def test_what_was_given_up_and_trained_again_counts_anew(sweep: Sweep) -> None:
    run = planted.member(sweep, 6, 1000, upto=2000)
    track = Track(run)
    track.look()
    recorder = Recorder(run.frames)
    recorder.append(Event(500, "changed", "", 0.0, 1, {"control": "weight_decay", "value": 0.5, "previous": 1.0}))
    for epoch in range(500, 3001, planted.EVERY):
        recorder.append(Points(np.array([epoch]), planted.measures(epoch, 2500)))
    recorder.close()
    track.look()
    assert track.epoch == 3000
    from grok_tui import grok_times

    assert grok_times.when(track, Sign.ACCURACY) == 2500


def test_a_track_knows_the_value_that_a_schedule_gives(sweep: Sweep) -> None:
    run = planted.member(sweep, 6, None, upto=2000)
    decay = run.config.optimizer.weight_decay
    recorder = Recorder(run.frames)
    line = f"set weight_decay linear {decay} -> 0 over 2000"
    data = {"control": "weight_decay", "value": decay, "previous": decay, "schedule": line}
    recorder.append(Event(2000, "scheduled", "", 0.0, 1, data))
    for epoch in range(2100, 3001, planted.EVERY):
        recorder.append(Points(np.array([epoch]), planted.measures(epoch, None)))
    recorder.close()
    track = Track(run)
    track.look()
    assert track.phases.last is not None
    assert (track.phases.last.epoch, track.phases.last.weight_decay) == (3000, decay / 2)


def test_a_run_whose_first_record_is_large_is_stepped_over() -> None:
    sweep = tiny.made()
    run = planted.member(sweep, 1, None, upto=0)
    run.frames.unlink()
    recorder = Recorder(run.frames)
    recorder.append(Hello(PROTOCOL, run.name, "", configs.to_tables(run.config), {}, 1, Catalogue()))
    recorder.append(Array(0, "W_E", np.ones((500, 500))))
    recorder.append(Points(np.array([0]), planted.measures(0, 0)))
    recorder.close()
    track = Track(run)
    track.look()
    assert track.accuracy.last == 0.99


def test_many_recordings_are_read_in_turns_so_that_something_can_be_drawn_soon(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_state, "BREATH", 0.0)
    monkeypatch.setattr(sweep_state, "RECORDS", 50)
    state = SweepState(sweep)
    assert state.look()
    assert len(state.standings) == 6
    assert not state.tracks
    monkeypatch.setattr(sweep_state, "BREATH", 0.001)
    while state.look():
        pass
    assert [state.tracks[number].epoch for number in (1, 2, 3)] == [planted.EPOCHS] * 3


def test_times_and_their_absence_are_told_apart(sweep: Sweep) -> None:
    state = looked(sweep)
    assert state.time(1, Sign.ACCURACY) == Time(9000)
    assert state.time(2, Sign.ACCURACY) == Time(20_000, reached=False)
    assert state.time(6, Sign.ACCURACY) is None
    said = [sweep_lists.time_said(state.time(n, Sign.ACCURACY), state.standings[n]) for n in range(1, 7)]
    assert said == ["9,000", "never in 20,000", "7,000", "–", "never in 4,000", "–"]


def test_the_median_over_seeds_counts_the_one_that_never_grokked_and_leaves_out_the_one_that_failed(
    sweep: Sweep,
) -> None:
    state = looked(sweep)
    median = state.over_seeds([1, 2, 3], Sign.ACCURACY)
    assert median is not None
    assert (median.low, median.known, median.reached) == (9000, True, 2)
    rest = state.over_seeds([4, 5, 6], Sign.ACCURACY)
    assert rest is not None
    assert (rest.count, rest.low) == (1, 4000)


def test_the_table_says_all_of_it(sweep: Sweep) -> None:
    text = "\n".join(sweep_lists.table(sweep))
    assert "3 of 6 done, 1 waiting, 1 failed, 1 stopped" in text
    assert "✗ failed: train loss is not finite from epoch 299 on" in text
    assert "9,000 [7,000-20,000+]" in text


def test_a_sweep_that_is_over_says_how_fast_it_went_beside_one_alone(sweep: Sweep) -> None:
    for number, (begin, end) in zip((1, 2, 3), ((0, 100), (100, 300), (200, 400)), strict=True):
        run = sweeps.run_of(sweep.read(), sweep.read().members[number - 1])
        assert run is not None
        recorder = Recorder(run.frames)
        recorder.append(Event(0, "started", "started", 1e9 + begin))
        recorder.append(Event(20_000, "finished", "finished", 1e9 + end))
        recorder.close()
    assert "150 model-epochs/s over 7 min, 1.2 at a time, one alone 200 epochs/s" in "\n".join(sweep_lists.table(sweep))


def test_in_the_list_a_sweep_runs_stands_still_or_has_lost_its_runner(sweep: Sweep) -> None:
    def listed() -> str:
        return "\n".join(sweep_lists.all_sweeps())

    assert "■ not running" in listed()
    with workers.post(sweep.path):
        assert "✂ without its runner" in listed()
        with sweep.hold():
            assert "● running" in listed()


def test_a_deleted_member_is_said_to_be_gone(sweep: Sweep) -> None:
    state = looked(sweep)
    run = state.standings[1].run
    assert run is not None
    shutil.rmtree(run.path)
    state.look()
    assert state.standings[1].state == "gone"
    assert heading(state) == "■ not running"


def test_the_board_is_the_grid_and_its_seeds_share_a_cell_when_asked(sweep: Sweep) -> None:
    state = looked(sweep)
    board = build(state, Sign.ACCURACY, collapsed=False)
    assert (board.down, board.across, board.rows, board.columns) == (
        "weight decay",
        "seed",
        ("1", "5"),
        ("0", "1", "2"),
    )
    assert [[cell.words[-1] for cell in row] for row in board.cells] == [
        ["9,000", "never", "7,000"],
        ["failed", "stopped", "wait"],
    ]
    assert [[cell.mark for cell in row] for row in board.cells] == [["✓", "○", "✓"], ["✗", "■", "…"]]
    assert board.times == (7000, 9000)
    taken = build(state, Sign.ACCURACY, collapsed=True)
    assert (taken.rows, [row[0].numbers for row in taken.cells]) == (("1", "5"), [(1, 2, 3), (4, 5, 6)])
    assert taken.cells[0][0].words == ("9,000",)
    assert taken.cells[0][0].more[0] == "[7,000-20,000+] 2/3"
    assert taken.cells[1][0].mark == "✗"


def test_three_axes_are_one_down_and_two_across() -> None:
    sweep = tiny.made(seeds=2, vary=("optimizer.lr=1e-3,2e-3",))
    board = build(looked(sweep), Sign.ACCURACY, collapsed=False)
    assert (len(board.rows), len(board.columns), board.across) == (2, 4, "lr, seed")
    assert board.columns[1] == "1e-3 1"
    assert {number for row in board.cells for cell in row for number in cell.numbers} == set(range(1, 9))
