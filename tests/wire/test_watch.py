"""How recomputed measures come to a viewer: from their own file, while it grows, and only when it does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import numpy as np
import pytest

from grok_tui import hindsight, sources
from grok_tui.errors import ConfigError
from grok_tui.hindsight import Watch
from grok_tui.protocol import PROTOCOL, Array, Catalogue, Event, Hello, Points, SeriesInfo, Status
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.sources import RunSource
from grok_tui.state import RunState
from tests.wire.wiring import PATIENCE, Trainer, event, hello, points

NAME = "restricted_loss_hindsight"


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOOK", 0.02)


def greeting(keys: Sequence[int], total: int, number: int = PROTOCOL) -> Hello:
    table = {"keys": list(keys), "rule": hindsight.RULE, "total": total}
    return Hello(number, "demo-1", "0.1.0", {"hindsight": table}, {}, 100, Catalogue(hindsight.SERIES))


def row(epoch: int, value: float = 1.0) -> Points:
    return Points(np.array([epoch]), {NAME: np.array([value])})


class Written:
    """A result that somebody is writing."""

    def __init__(self, run: Run, keys: Sequence[int], total: int = 3, moment: int = 1) -> None:
        hindsight.directory(run).mkdir(exist_ok=True)
        self.path = hindsight.path(run, keys)
        self.moment = moment
        self.recorder = Recorder(self.path)
        self.write(greeting(keys, total))

    def write(self, *frames: Hello | Points | Array | Event) -> None:
        for frame in frames:
            self.recorder.append(frame)
        self.moment += 1
        os.utime(self.path, (self.moment, self.moment))


def test_points_that_come_in_any_order_are_told_in_that_of_the_epochs(run: Run) -> None:
    written, watch, state = Written(run, [4, 7]), Watch(run), RunState()
    told = []
    for epoch in (300, 100, 200):
        written.write(row(epoch, epoch / 100))
        frames = watch.look()
        told.append(len(frames))
        for frame in frames:
            state.apply(frame)
        assert watch.look() == []
        assert watch.look() == []
    assert told == [2, 2, 2]
    assert state.series[NAME].epochs.tolist() == [100, 200, 300]
    assert state.series[NAME].values.tolist() == [1.0, 2.0, 3.0]
    assert state.final_keys == (4, 7)
    assert state.recomputed == (3, 3)
    found = state.info(NAME)
    assert isinstance(found, SeriesInfo)
    assert found.reading == "hindsight"


def test_the_runs_own_hello_and_series_are_not_those_of_hindsight(run: Run) -> None:
    written, state = Written(run, [4, 7]), RunState()
    written.write(Points(np.array([100]), {"train_loss": np.array([9.0]), NAME: np.array([1.0])}), event(1, "failed"))
    state.apply(hello(run.name))
    for frame in Watch(run).look():
        state.apply(frame)
    assert state.run == run.name
    assert state.hello is not None
    assert "hindsight" not in state.hello.config
    assert state.catalogue.controls
    assert [info.name for info in state.catalogue.series][:2] == ["train_loss", hindsight.SERIES[0].name]
    assert "train_loss" not in state.series
    assert state.events == []
    state.apply(hello(run.name))  # a resume
    assert state.info(NAME) is not None


def test_another_key_set_replaces_the_one_before_it(run: Run) -> None:
    first, watch, state = Written(run, [4, 7]), Watch(run), RunState()
    first.write(row(100), row(200), row(300))
    for frame in watch.look():
        state.apply(frame)
    second = Written(run, [5], total=40, moment=100)
    second.write(row(300, 8.0))
    for frame in watch.look():
        state.apply(frame)
    assert list(state.final_keys) == [5]
    assert state.series[NAME].values.tolist() == [8.0]
    assert state.recomputed == (1, 40)
    first.moment = 200
    first.write()  # asked for again: it is the newest
    for frame in watch.look():
        state.apply(frame)
    assert list(state.final_keys) == [4, 7]
    assert state.recomputed == (3, 3)


def test_results_that_are_given_up_leave_the_screen(run: Run) -> None:
    written, watch, state = Written(run, [4, 7]), Watch(run), RunState()
    written.write(row(100))
    for frame in watch.look():
        state.apply(frame)
    hindsight.forget(run)
    for frame in watch.look():
        state.apply(frame)
    assert state.final_keys == ()
    assert NAME not in state.series
    assert watch.look() == []


def test_a_torn_tail_is_left_out_until_it_is_whole(run: Run) -> None:
    written, watch = Written(run, [4]), Watch(run)
    written.write(row(100))
    whole = written.path.read_bytes()
    written.write(row(200))
    rest = written.path.read_bytes()[len(whole) :]
    written.path.write_bytes(whole + rest[:-3])
    assert [frame.epochs.tolist() for frame in watch.look() if isinstance(frame, Points)] == [[100]]
    assert watch.look() == []
    written.path.write_bytes(whole + rest)
    assert [frame.epochs.tolist() for frame in watch.look() if isinstance(frame, Points)] == [[100, 200]]


def test_a_result_of_a_newer_grok_tui_is_not_shown_and_said(run: Run) -> None:
    written, watch = Written(run, [4]), Watch(run)
    written.write(greeting([4], 3, PROTOCOL + 1), row(100))
    assert watch.look() == []
    assert "made by a newer grok-tui" in watch.note
    assert RunSource(run).note == ""


async def test_a_viewer_of_a_living_run_sees_them_grow_and_is_left_in_peace_otherwise(trainer: Trainer) -> None:
    state, batches, source = RunState(), 0, RunSource(trainer.run)

    async def follow() -> None:
        nonlocal batches
        async for batch in source.frames():
            batches += 1
            for frame in batch:
                state.apply(frame)

    async def until(count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(state.series.get(NAME, ())) < count or source.link != "live":
                await asyncio.sleep(0.005)

    task = asyncio.create_task(follow())
    written = Written(trainer.run, [4, 7])
    written.write(row(300))
    await until(1)
    for i in range(200):  # while the trainer talks without a pause
        trainer.write(points(13 * i))
        if i == 50:
            written.write(row(100))
    await until(2)
    written.write(row(200))
    await until(3)
    async with asyncio.timeout(PATIENCE):
        while len(state.series["train_loss"]) < 13 * 200:
            await asyncio.sleep(0.005)
    before = batches
    await asyncio.sleep(0.3)  # fifteen looks
    assert batches == before
    source.close()
    await task
    assert state.series[NAME].epochs.tolist() == [100, 200, 300]


async def test_an_open_viewer_of_a_finished_run_sees_them_come(run: Run) -> None:
    recorder = Recorder(run.frames)
    for frame in (hello(run.name), points(0), event(100, "finished")):
        recorder.append(frame)
    recorder.close()
    state, source = RunState(), RunSource(run)

    async def follow() -> None:
        async for batch in source.frames():
            for frame in batch:
                assert not isinstance(frame, Status)
                state.apply(frame)

    task = asyncio.create_task(follow())
    async with asyncio.timeout(PATIENCE):
        while state.state != "finished":
            await asyncio.sleep(0.005)
        Written(run, [4, 7]).write(row(50))
        while NAME not in state.series:
            await asyncio.sleep(0.005)
    assert (state.state, source.link) == ("finished", "recording")
    source.close()
    await task


async def test_whoever_looks_once_sees_them_too(run: Run) -> None:
    Written(run, [4, 7]).write(row(50))
    recorder = Recorder(run.frames)
    recorder.append(hello(run.name))
    recorder.close()
    state = RunState()
    async for batch in RunSource(run, follow=False).frames():
        for frame in batch:
            state.apply(frame)
    assert state.final_keys == (4, 7)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "0 is out of bounds: with p = 113 there are 1 to 56"),
        ("-3", "-3 is out of bounds"),
        ("60", "60 is the same wave as 53"),
        ("113", "113 is out of bounds: with p = 113 there are 1 to 56"),
        ("14,35,14", "14 stands there twice"),
        ("14,x", "'x' is not a whole number"),
        ("1.5", "'1.5' is not a whole number"),
        ("14,,35", "a number is missing"),
        ("", "a number is missing"),
        ("²", "'²' is not a whole number"),
    ],
)
def test_keys_that_are_none_are_met_with_what_was_expected(typed: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hindsight.parse(typed, 113)
    assert said in str(caught.value)


def test_keys_are_typed_in_any_order() -> None:
    assert hindsight.parse(" 41, 14,35", 113) == (14, 35, 41)
