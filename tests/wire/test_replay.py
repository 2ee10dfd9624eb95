"""A recording played as if it were live: paced by its own times, complete, and by the usual path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from grok_tui import comparing, record, replay
from grok_tui.protocol import Array, Event, Frame, Points, Status, Stored
from grok_tui.record import Recorder
from grok_tui.replay import Player, ReplaySource, status
from grok_tui.runs import Run
from grok_tui.sources import RunSource, Source
from grok_tui.state import RunState
from grok_tui.tempo import Playback, Speed, Timeline
from tests.ui import story
from tests.wire.wiring import PATIENCE, Trainer, event, hello, points, same, stored

FAST = Speed(1e6)
pytestmark = pytest.mark.usefixtures("looking_often")


def fill(run: Run, *frames: Frame) -> Run:
    recorder = Recorder(run.frames)
    for frame in stored(frames):
        recorder.append(frame)  # type: ignore[arg-type]
    recorder.close()
    return run


def at(epoch: int, what: str, time: float, **data: object) -> Event:
    return Event(epoch, what, what, time, data=data)


CHANGED = at(200, "changed", 10.0, control="weight_decay", value=3.0)


def player(run: Run, since: int = 0, *, steady: bool = False) -> Player:
    return Player(run.frames, Timeline.of(record.skim(run.frames, ("hello", "event"))), since, steady=steady)


def newest(frames: Iterable[Stored]) -> int:
    epochs = [int(f.epochs[-1]) if isinstance(f, Points) else f.epoch for f in frames if not hasattr(f, "protocol")]
    return max(epochs, default=-1)


async def taken(source: Source, true: Callable[[], object] = lambda: False) -> RunState:
    """A viewer's state once the source has ended, or something is true."""
    state = RunState()
    async with asyncio.timeout(PATIENCE):
        async for batch in source.frames():
            for frame in batch:
                state.apply(frame)
            if true():
                break
    source.close()
    return state


def alike(left: RunState, right: RunState) -> bool:
    """The same series, arrays, events and phases."""
    return (
        left.series.keys() == right.series.keys()
        and all(same(left.series[n].epochs, right.series[n].epochs) for n in left.series)
        and all(same(left.series[n].values, right.series[n].values) for n in left.series)
        and same(left.arrays, right.arrays)
        and same(left.events, right.events)
        and left.phases.boundaries == right.phases.boundaries
        and (left.epoch, left.run, left.catalogue) == (right.epoch, right.run, right.catalogue)
    )


# What is due when


def test_epochs_come_when_they_came(run: Run) -> None:
    change = at(200, "changed", 10.0, control="lr", value=0.5)
    fill(run, hello(), at(0, "started", 0.0), points(0, 200), change, points(200, 800),
         at(1000, "finished", 20.0))  # fmt: skip
    playing = player(run)
    assert newest(playing.take(0.0)) == 0
    assert newest(playing.take(2.5)) == 50
    assert playing.take(2.5) == []
    assert playing.due == pytest.approx(51 / 20)
    assert newest(playing.take(9.99)) == 199
    assert [f.kind for f in playing.take(10.0)] == ["event", "points"]
    assert newest(playing.take(15.0)) == 600
    assert playing.pace == 80.0
    assert [f.kind for f in playing.take(20.0)] == ["points", "event"]
    assert playing.over


def test_a_frame_of_many_epochs_is_cut_and_nothing_of_it_is_lost(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 1000), at(1000, "finished", 10.0))
    playing, parts = player(run), []
    for clock in range(101):
        parts += [f for f in playing.take(clock / 10) if isinstance(f, Points)]
    assert len(parts) == 101
    assert max(len(f.epochs) for f in parts) == 10
    assert np.concatenate([f.epochs for f in parts]).tolist() == list(range(1000))
    whole = points(0, 1000)
    for name, column in whole.values.items():
        assert same(np.concatenate([f.values[name] for f in parts]), column)


def test_steady_is_an_epoch_a_second_of_its_clock_whatever_the_times_say(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 100), at(100, "paused", 1.0), at(100, "continued", 50.0),
         points(100, 100), at(200, "stopped", 5000.0))  # fmt: skip
    playing = player(run, steady=True)
    assert newest(playing.take(50.0)) == 50
    assert newest(playing.take(150.0)) == 150
    assert playing.pace == 1.0


def test_what_is_before_the_epoch_to_start_from_is_there_at_once(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 200), at(200, "changed", 10.0, control="lr", value=0.5),
         points(200, 800), at(1000, "finished", 20.0))  # fmt: skip
    playing = player(run, since=500)
    assert newest(playing.take(0.0)) == 500
    assert playing.controls == {"weight_decay": 1.0, "lr": 0.5}
    assert newest(playing.take(1.0)) == 580


def test_epochs_that_were_trained_again_are_played_again(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 100), at(100, "failed", 10.0), at(0, "resumed", 90.0),
         at(50, "replayed", 91.0), at(50, "changed", 91.0, control="lr", value=0.5), points(50, 100),
         at(150, "finished", 101.0))  # fmt: skip
    playing = player(run)
    assert newest(playing.take(9.0)) == 90
    assert [f.what for f in playing.take(10.0) if isinstance(f, Event)] == ["failed", "resumed", "replayed", "changed"]
    assert newest(playing.take(15.0)) == 100
    assert newest(playing.take(20.0)) == 150


def test_arrays_come_with_their_epoch(run: Run) -> None:
    spectra = [Array(epoch, "alpha", np.full(3, float(epoch))) for epoch in (0, 50, 100)]
    fill(run, hello(), at(0, "started", 0.0), *spectra, at(100, "finished", 10.0))
    playing = player(run)
    assert [f.epoch for f in playing.take(4.9) if isinstance(f, Array)] == [0]
    assert [f.epoch for f in playing.take(5.0) if isinstance(f, Array)] == [50]


def test_it_reads_no_more_than_it_needs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(run, hello(), at(0, "started", 0.0), *(points(10 * i, 10) for i in range(1000)), at(10_000, "finished", 100.0))
    monkeypatch.setattr(replay, "BATCH", 10)
    playing = player(run)
    playing.take(1.0)
    assert playing.position < 0.05 * run.frames.stat().st_size


def test_a_batch_is_bounded(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), *(points(10 * i, 10) for i in range(1000)))
    playing = player(run)
    batches = []
    while not playing.over:
        batches.append(len(playing.take(1e9, 100)))
    assert max(batches) == 100
    assert sum(batches) == 1003  # epoch 0, from which on it is played, is cut off its frame


def test_skimming_finds_the_events_and_stops_at_a_torn_end(run: Run) -> None:
    fill(run, hello(), event(0, "started"), *(points(10 * i, 10) for i in range(5)), event(50, "finished"))
    whole = record.skim(run.frames, ("event",))
    assert [f.what for f in whole if isinstance(f, Event)] == ["started", "finished"]
    with run.frames.open("r+b") as file:
        file.truncate(run.frames.stat().st_size - 3)
    assert len(record.skim(run.frames, ("event", "hello"))) == 2
    assert record.skim(run.path / "absent.bin", ("event",)) == []


# The source


@pytest.mark.parametrize("speed", ["story", "steady"])
async def test_a_run_of_40_000_epochs_at_full_speed_loses_nothing(run: Run, speed: str) -> None:
    fill(run, *story.frames(changes=((3000, "weight_decay", 2.0), (9000, "lr", 5e-4)), run=run.name))
    read = await taken(RunSource(run, follow=False))
    fast = FAST if speed == "story" else Speed(1e6, steady=True)
    played = await taken(ReplaySource(run, fast, follow=False))
    assert played.epoch == 40_000
    assert alike(played, read)
    assert (played.state, played.status) == (read.state, None)
    assert played.control_value("weight_decay") == read.control_value("weight_decay") == 2.0


async def test_while_it_is_played_its_link_says_so_and_it_cannot_be_steered(run: Run) -> None:
    fill(run, *story.frames(until=3000, state="stopped", run=run.name))
    source = ReplaySource(run, FAST, follow=False)
    seen = [
        (source.link, source.can_steer, any(isinstance(frame, Status) for frame in batch))
        async for batch in source.frames()
    ]
    assert seen[0] == ("replay", False, True)
    assert source.replay is None
    assert (source.link, source.can_steer) == ("recording", False)


def test_its_statuses_have_the_epoch_the_rate_and_the_controls_of_then(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 200), CHANGED, points(200, 200), at(400, "finished", 15.0))
    playing, playback = player(run), Playback(Speed(100.0))
    playing.take(5.0)
    then = status(playing, playback)
    assert then == Status(100, "running", 2000.0, {"weight_decay": 1.0}, 0)
    playing.take(12.5)
    assert status(playing, playback) == Status(300, "running", 4000.0, {"weight_decay": 3.0}, 0)
    assert then.controls == {"weight_decay": 1.0}
    playback.toggle()
    assert status(playing, playback) == Status(300, "paused", 0.0, {"weight_decay": 3.0}, 0)


def test_its_statuses_follow_a_schedule_and_what_ends_it(run: Run) -> None:
    decay = {"control": "weight_decay", "value": 1.0, "schedule": "set weight_decay linear 1 -> 0 over 100"}
    ramp, ended = at(100, "scheduled", 5.0, **decay), at(180, "changed", 9.0, control="weight_decay", value=3.0)
    fill(run, hello(), at(0, "started", 0.0), points(0, 100), ramp, points(100, 80), ended, points(180, 20))
    playing, playback, shown, state = player(run, steady=True), Playback(Speed(1.0)), {}, RunState()
    for clock in range(201):
        for frame in playing.take(clock):
            state.apply(frame)
        shown[playing.epoch] = status(playing, playback).controls["weight_decay"]
        assert shown[playing.epoch] == state.control_at("weight_decay", playing.epoch)
    found = [shown[epoch] for epoch in (99, 100, 125, 150, 179, 180, 199)]
    assert found == pytest.approx([1.0, 1.0, 0.75, 0.5, 0.21, 3.0, 3.0])


async def test_a_paused_replay_stands_still_until_it_goes_on(run: Run) -> None:
    fill(run, *story.frames(until=3000, state="stopped", run=run.name))
    source = ReplaySource(run, FAST, follow=False)
    assert source.replay
    source.replay.toggle()
    batches = source.frames()
    state = RunState()

    async def follow() -> None:
        async for batch in batches:
            for frame in batch:
                state.apply(frame)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(PATIENCE):
        while state.state != "paused":
            await asyncio.sleep(0)
        assert state.epoch == 0
        assert state.status is not None
        assert state.status.rate == 0
        source.replay.toggle()
        await following
    assert state.epoch == 3000


async def test_it_can_be_left_while_it_waits(run: Run) -> None:
    fill(run, hello(), at(0, "started", 0.0), points(0, 200), at(200, "finished", 1e6))
    source = ReplaySource(run, Speed(0.01))
    following = asyncio.create_task(taken(source))
    await asyncio.sleep(0)
    source.close()
    async with asyncio.timeout(PATIENCE):
        await following


async def test_a_run_that_is_still_trained_is_played_up_to_the_present_and_is_live_then(trainer: Trainer) -> None:
    for i in range(50):
        trainer.write(points(13 * i))
    source = ReplaySource(trainer.run, FAST)
    links: list[str] = []
    more: list[int] = []

    def caught_up() -> bool:
        links.append(source.link)
        if source.link == "live" and not more:
            more.append(trainer.write(points(650, 500)).end)
        return more == [source.position]

    state = await taken(source, caught_up)
    assert list(dict.fromkeys(links)) == ["replay", "recording", "live"]
    assert source.can_steer
    assert state.series["train_loss"].epochs.tolist() == list(range(1150))


async def test_a_torn_tail_ends_it(run: Run) -> None:
    fill(run, *story.frames(until=1000, state="stopped", run=run.name))
    with run.frames.open("ab") as file:
        file.write(b"\0\0\1\0half")
    played = await taken(ReplaySource(run, FAST, follow=False))
    assert played.epoch == 1000


async def test_an_empty_run_has_nothing_to_play(run: Run) -> None:
    assert (await taken(ReplaySource(run, None, follow=False))).epoch == 0


async def test_a_run_has_its_directorys_name_whatever_its_recording_says(run: Run) -> None:
    fill(run, hello("its-name-elsewhere"), points(0), at(100, "finished", 1.0))
    assert (await taken(RunSource(run, follow=False))).run == run.name
    assert (await taken(ReplaySource(run, FAST, follow=False))).run == run.name
    assert comparing.read(run).run == run.name
