"""What a viewer reads of a run: all of it, once, from the file and then from the trainer; and what it may ask for."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from grok_tui import codec, notes, record, sources
from grok_tui.errors import LinkError
from grok_tui.protocol import Array, Command, Event, Frame, Order, Recorded, Reply, SetControl, Status
from grok_tui.runs import Run
from grok_tui.sources import RunSource, Scripted, ask
from tests.waiting import until
from tests.wire.watching import Screen, fill, watching
from tests.wire.wiring import PATIENCE, Trainer, answering, event, points, same, status, stored, training

pytestmark = pytest.mark.usefixtures("looking_often")


async def test_a_finished_recording_comes_in_bounded_batches_and_ends(run: Run) -> None:
    fill(run, event(13_000, "finished"), records=1000)
    screen = Screen(RunSource(run, follow=False))
    await screen.follow()
    assert same(screen.frames, record.read(run.frames)[0])
    assert max(screen.batches) <= sources.BATCH
    assert (screen.source.link, screen.source.can_steer, screen.source.note) == ("recording", False, "")


async def test_a_recording_without_an_end_is_cut_off(run: Run) -> None:
    fill(run, records=10)
    screen = Screen(RunSource(run, follow=False))
    await screen.follow()
    assert screen.source.link == "cut off"
    assert len(screen.frames) == 11


async def test_an_open_viewer_watches_a_run_that_nobody_trains_come_back(run: Run) -> None:
    async with watching(run) as screen:
        with training(run) as trainer:
            await screen.until(lambda: screen.live, "the start")
            trainer.write(points(0))
            trainer.write(event(13, "stopped"))
        await screen.until(lambda: screen.source.link == "recording", "the end")
        assert not screen.source.can_steer
        with training(run, fresh=False) as trainer:
            await screen.until(lambda: screen.live, "the resume")
            trainer.write(event(13, "resumed"))
            trainer.write(points(13))
            await screen.until(lambda: len(stored(screen.frames)) == 7, "the rest")
    assert same(stored(screen.frames), record.read(run.frames)[0])
    assert screen.links[:4] == ["recording", "live", "recording", "live"]


async def test_nothing_is_lost_or_doubled_between_the_file_and_the_socket(trainer: Trainer) -> None:
    over = threading.Event()

    def train() -> None:
        epoch = 0
        while not over.is_set():
            trainer.write(points(epoch, 1))
            trainer.status(status(epoch))
            epoch += 1
            sleep(0.0005)
        trainer.write(event(epoch, "finished"))

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(8):
            async with watching(trainer.run) as screen:
                await screen.until(lambda: screen.live and isinstance(screen.frames[-1], Status), "frames live")
                await asyncio.sleep(0)
            told, position = stored(screen.frames), screen.source.position
            frames, end = record.read(trainer.run.frames, 0, len(told))
            assert end == position
            assert same(told, frames)
    finally:
        over.set()
        thread.join()


async def test_of_two_viewers_one_that_does_not_read_catches_up_to_the_same(trainer: Trainer) -> None:
    large = np.random.default_rng(0)
    async with watching(trainer.run) as lively:
        asleep = RunSource(trainer.run)
        frames = asleep.frames()
        seen: list[Frame] = []
        while asleep.link != "live":
            seen += await anext(frames)
        for epoch in range(300):  # 10 MB
            trainer.write(Array(epoch, "map", large.random(4096)))
            if epoch % 20 == 0:
                await asyncio.sleep(0.001)
        trainer.write(event(300, "paused"))
        trainer.status(status(300, state="paused"))
        await lively.until(lambda: lively.has("paused"), "the end for the one that reads")
        while not any(isinstance(frame, Event) and frame.what == "paused" for frame in seen):
            seen += await asyncio.wait_for(anext(frames), PATIENCE)
        asleep.close()
        with suppress(StopAsyncIteration):
            while True:
                seen += await asyncio.wait_for(anext(frames), PATIENCE)
    truth = record.read(trainer.run.frames)[0]
    assert same(stored(seen), truth)
    assert same(stored(lively.frames), truth)


async def test_a_damaged_recording_is_shown_up_to_the_damage_with_a_note(run: Run) -> None:
    fill(run, event(130, "finished"), records=10)
    data = bytearray(run.frames.read_bytes())
    at = record.read(run.frames, 0, 5)[1]
    data[at + 30] ^= 1
    run.frames.write_bytes(data)
    screen = Screen(RunSource(run, follow=False))
    await screen.follow()
    assert len(screen.frames) == 5
    assert f"damaged at byte {at:,}" in screen.source.note


async def test_an_answer_comes_back_with_the_callers_own_number(trainer: Trainer) -> None:
    def echo(command: Command) -> Reply:
        assert isinstance(command, SetControl)
        return Reply(command.id, command.value < 2.5, 9, f"{command.value:g}")

    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.live, "the connection")
        with answering(trainer, echo):
            commands = [SetControl(5, "weight_decay", float(i)) for i in range(4)]
            replies = await asyncio.gather(*[screen.source.send(command) for command in commands])
    assert replies == [Reply(5, i < 2.5, 9, str(i)) for i in range(4)]


async def test_without_a_trainer_nothing_can_be_sent(run: Run) -> None:
    fill(run, event(0, "stopped"))
    async with watching(run) as screen:
        await screen.until(lambda: screen.frames, "the recording")
        with pytest.raises(LinkError, match="nobody is training demo-1"):
            await screen.source.send(Order(1, "pause"))


async def test_a_command_without_an_answer_is_given_up(trainer: Trainer) -> None:
    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.live, "the connection")
        with pytest.raises(LinkError, match=r"no answer in 0\.05 s"):
            await screen.source.send(Order(1, "pause"), timeout=0.05)


async def test_a_trainer_that_goes_away_fails_the_commands_on_their_way(run: Run) -> None:
    trainer = Trainer(run)
    async with watching(run) as screen:
        await screen.until(lambda: screen.live, "the connection")
        waiting = asyncio.create_task(screen.source.send(Order(1, "pause")))
        await screen.until(lambda: trainer.server.wait(0), "the command")
        trainer.close()
        with pytest.raises(LinkError, match="the connection was lost"):
            await waiting
        await screen.until(lambda: screen.source.link == "cut off", "the word for it")


async def test_leaving_does_not_end_the_run(trainer: Trainer) -> None:
    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.live, "the connection")
    until(lambda: trainer.server.viewers == 0, "its leaving")
    trainer.write(points(0))
    assert trainer.run.alive


KILLED = """
import sys
from pathlib import Path
from grok_tui.runs import Run
from tests.wire.wiring import Trainer, points, status
trainer = Trainer(Run(Path(sys.argv[1])))
epoch = 0
while True:
    trainer.write(points(epoch, 1))
    epoch += 1
    if epoch % 10 == 0:
        trainer.status(status(epoch))
"""


async def test_whatever_was_shown_is_on_disk_after_the_trainer_is_killed(run: Run) -> None:
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", KILLED, str(run.path)], cwd=root) as killed:
        try:
            async with watching(run) as screen:
                await screen.until(lambda: screen.live and len(screen.frames) > 500, "frames")
                killed.kill()
                await screen.until(lambda: screen.source.link == "cut off", "the word for it")
                shown = stored(screen.frames)
        finally:
            killed.kill()
    on_disk, end = record.read(run.frames)
    assert same(on_disk, shown)
    assert end == screen.source.position
    assert not run.alive
    with training(run, fresh=False) as trainer:
        assert trainer.recorder.position > end


async def test_a_copied_directory_is_not_taken_for_the_run_that_is_trained(trainer: Trainer) -> None:
    trainer.write(points(0))
    copy = Run(Path(shutil.copytree(trainer.run.path, trainer.run.path.with_name("copy-1"))))
    assert copy.socket == trainer.run.socket
    screen = Screen(RunSource(copy, follow=False))
    await screen.follow()
    assert screen.source.link == "cut off"
    assert trainer.server.viewers == 0
    with pytest.raises(LinkError, match="nobody is training copy-1"):
        ask(copy, Order(1, "stop"))
    assert trainer.server.commands() == []


def test_all_sources_look_the_same(run: Run) -> None:
    alike: list[sources.Source] = [RunSource(run), Scripted()]
    assert [source.can_steer for source in alike] == [False, True]


def test_recorded_frames_fit_on_the_link_at_their_largest() -> None:
    from grok_tui.record import MAX_PAYLOAD

    assert len(codec.pack(Recorded(2**62, 2**62, bytes(MAX_PAYLOAD)))) <= codec.MAX_FRAME


async def test_notes_of_other_viewers_appear_and_go_while_the_run_lives(trainer: Trainer) -> None:
    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.live)
        note = notes.add(trainer.run, 3, "somebody else saw this")
        await screen.until(lambda: note.event in screen.frames, "the note")
        notes.remove(trainer.run, note.id)
        await screen.until(lambda: any(getattr(f, "data", {}).get("removed") for f in screen.frames), "its end")
        assert screen.live


async def test_a_finished_run_has_its_notes_and_new_ones_appear(run: Run) -> None:
    fill(run, event(13, "finished"), records=1)
    first = notes.add(run, 1, "before")
    async with watching(run) as screen:
        await screen.until(lambda: first.event in screen.frames, "the first note")
        second = notes.add(run, 13, "meanwhile")
        await screen.until(lambda: second.event in screen.frames, "the second note")
        assert screen.source.link == "recording", "a note is no beginning and no end"
