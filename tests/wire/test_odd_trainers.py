"""What a viewer makes of a trainer that repeats itself, leaves out, runs ahead, talks nonsense or is newer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from grok_tui import codec, record
from grok_tui.protocol import Frame
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.wire.watching import fill, watching
from tests.wire.wiring import (
    hello,
    points,
    same,
    status,
    stored,
)

pytestmark = pytest.mark.usefixtures("looking_often")


class Script:
    """A server that says exactly what it is told."""

    def __init__(self, run: Run, *data: bytes) -> None:
        self.run, self.data = run, data
        self.visits = 0

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        for piece in self.data:
            writer.write(piece)
            await writer.drain()
        await reader.read()
        writer.close()

    async def __aenter__(self) -> Script:
        self._hold = self.run.hold()
        self._hold.__enter__()
        self._server = await asyncio.start_unix_server(self._talk, self.run.socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.sleep(0)
        self._hold.__exit__(None, None, None)


def said(*frames: Frame) -> bytes:
    return b"".join(codec.framed(codec.pack(frame)) for frame in frames)


async def test_known_frames_are_ignored_and_missed_ones_read_from_the_file(run: Run) -> None:
    recorder = Recorder(run.frames)
    recorded = [recorder.append(frame) for frame in (hello(), points(0), points(13), points(26), points(39))]
    whole = run.frames.read_bytes()
    recorder.close()
    run.frames.write_bytes(whole[: recorded[1].end])
    told = [recorded[0], recorded[1], recorded[2], recorded[1], recorded[4], recorded[3], recorded[4]]
    async with Script(run, said(hello()), said(*told)), watching(run) as screen:
        await screen.until(lambda: screen.source.position == recorded[2].end, "the frame that fits on")
        run.frames.write_bytes(whole)
        await screen.until(lambda: screen.source.position == recorded[2].end, "nothing more by itself")
    assert same(stored(screen.frames), [hello(), points(0), points(13)])
    async with Script(run, said(hello(), *told)), watching(run) as screen:
        await screen.until(lambda: screen.source.position == len(whole), "everything")
    assert same(stored(screen.frames), record.read(run.frames)[0])


async def test_a_status_that_is_ahead_sends_the_viewer_to_the_file(run: Run) -> None:
    fill(run)
    before = run.frames.read_bytes()
    fill(run, points(0), points(13))
    whole = run.frames.read_bytes()
    run.frames.write_bytes(before)
    more = asyncio.Event()

    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said(hello(), status(0)))
        await more.wait()
        writer.write(said(status(26, len(whole))))
        await reader.read()
        writer.close()

    script = Script(run)
    script._talk = later  # type: ignore[method-assign]
    async with script, watching(run) as screen:
        await screen.until(lambda: screen.live, "the connection")
        run.frames.write_bytes(whole)
        more.set()
        await screen.until(lambda: screen.source.position == len(whole), "the rest of the file")
    assert same(stored(screen.frames), record.read(run.frames)[0])


@pytest.mark.parametrize(
    ("data", "about"),
    [(b"\xff\xff\xff\xff", "over the limit"), (said(hello()) + codec.framed(b"\xc1"), "not a frame")],
)
async def test_a_trainer_that_talks_nonsense_is_left_and_its_recording_followed(
    run: Run, data: bytes, about: str
) -> None:
    fill(run, records=3)
    async with Script(run, data) as script, watching(run) as screen:
        await screen.until(lambda: screen.source.note and screen.source.link == "cut off", "a note")
        assert about in screen.source.note
        assert not screen.source.can_steer
        recorder = Recorder(run.frames)
        recorder.append(points(39))
        recorder.close()
        await screen.until(lambda: len(stored(screen.frames)) == 5, "what is on disk")
        assert script.visits == 1


async def test_a_newer_trainers_protocol_is_not_guessed_at(run: Run) -> None:
    fill(run, records=3)
    async with Script(run, said(replace(hello(), protocol=2), status(5))), watching(run) as screen:
        await screen.until(lambda: "it speaks protocol 2, this grok-tui up to 1" in screen.source.note, "a note")
        assert len(stored(screen.frames)) == 4
    assert "live" not in screen.links
