"""Where a viewer's frames come from: a run (its file, then its trainer), or a script. All look the same.

`RunSource` reads the recording from disk and then follows the trainer's socket. Each frame on the socket
carries its place in the recording: the one that fits on is taken, one that is known is ignored, and when
one was missed the file is read again. So nothing is lost or doubled, however slow the viewer is. What is
recomputed with the final keys is read from its own file, at which it looks now and then.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Literal, Protocol

from grok_tui import codec, notes, record
from grok_tui.errors import GrokTuiError, LinkError, ProtocolError
from grok_tui.hindsight import Watch
from grok_tui.protocol import PROTOCOL, Command, Event, Frame, Hello, Recorded, Reply, Status
from grok_tui.runs import Run
from grok_tui.tempo import Playback
from grok_tui.wording import ENDED

Link = Literal["live", "recording", "cut off", "replay"]
"""live: a trainer is at the other end. recording: the run has ended. cut off: it should not have, or the
trainer cannot be reached; what is on disk is shown. replay: what is on disk is played as if it were live."""

BATCH = 256
"""Records read from disk before the viewer may draw: a few milliseconds' work."""

LOOK = 1.0
"""Seconds between looks whether somebody has begun to train in a run that nobody trains."""

PATIENCE = 10.0
"""Seconds for the trainer to answer a command: a step of a large model, and a measure."""


def named(frames: Iterable[Frame], run: Run) -> list[Frame]:
    """These frames, a greeting with the name that the run's directory has: the recording may be of another name."""
    return [replace(frame, run=run.name) if isinstance(frame, Hello) else frame for frame in frames]


class Source(Protocol):
    """Frames in, commands out."""

    @property
    def link(self) -> Link:
        """Where the frames come from now."""

    @property
    def note(self) -> str:
        """One line that the user should see: a damaged recording, a trainer of another version. Or empty."""

    @property
    def place(self) -> str:
        """The run's directory; empty when there is none. A copied one holds the recording of another name."""

    @property
    def replay(self) -> Playback | None:
        """What can be done to a recording that is being played; None when it is not."""

    @property
    def locked(self) -> bool:
        """The run's owner wants nothing about it changed: its trainer would refuse every command."""

    @property
    def can_steer(self) -> bool:
        """False when nobody is there to take commands: controls are then disabled."""

    def frames(self) -> AsyncIterator[list[Frame]]:
        """Batches, the recorded ones first; an empty one when nothing but `link`, `note` or `locked` has changed."""

    async def send(self, command: Command, timeout: float = PATIENCE) -> Reply:
        """The trainer's answer; comes while somebody iterates over `frames` in another task.

        Raises:
            LinkError: there is no trainer, or it did not answer.
        """

    def close(self) -> None:
        """End `frames`. The run goes on."""


class RunSource:
    """A run: what is on disk, then what its trainer sends, for as long as somebody looks.

    With `follow`, a run that nobody trains is watched, so that a resumed one comes back to life in the
    viewer. Without, `frames` ends when nobody trains it.
    """

    def __init__(self, run: Run, *, follow: bool = True) -> None:
        self.run = run
        self.position = 0
        """Where in the recording we are, in bytes."""
        self.link: Link = "recording"
        self.locked = run.locked
        self.replay: Playback | None = None
        self._trouble = ""
        self._damage = ""
        self._follow = follow
        self._hindsight = Watch(run)
        self._notes = notes.Watch(run)
        self._ended = False
        self._closed = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._serial = 0

    @property
    def place(self) -> str:
        """The run's directory."""
        return str(self.run.path)

    @property
    def can_steer(self) -> bool:
        """Whether a trainer is at the other end."""
        return self.link == "live"

    @property
    def note(self) -> str:
        """What the user should see; empty when all is well."""
        return self._trouble or self._damage or self._hindsight.note or self._notes.note

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """See `Source`."""
        try:
            while not self._closed.is_set():
                async for batch in self._recorded():
                    yield batch
                async for batch in self._beside():
                    yield batch
                if reader := await self._connect():
                    async for batch in self._live(reader):
                        yield batch
                    self._hang_up()
                    async for batch in self._recorded():
                        yield batch
                alive = self.run.alive
                if self._look(alive):
                    yield []
                if not alive and not self._follow:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), LOOK)
        finally:
            self._hang_up()

    async def send(self, command: Command, timeout: float = PATIENCE) -> Reply:
        """See `Source`."""
        if self._writer is None or self.link != "live":
            raise LinkError(f"nobody is training {self.run.name}")
        self._serial += 1
        serial = self._serial
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[serial] = answer
        try:
            self._writer.write(codec.framed(codec.pack(replace(command, id=serial))))
            return replace(await asyncio.wait_for(answer, timeout), id=command.id)
        except TimeoutError:
            raise LinkError(f"no answer in {timeout:g} s; it may still be carried out") from None
        finally:
            del self._waiting[serial]

    def close(self) -> None:
        """End `frames`. The run goes on."""
        self._closed.set()
        self._hang_up()

    async def _recorded(self) -> AsyncIterator[list[Frame]]:
        """What the file has now from our position on, in batches between which the viewer may draw."""
        try:
            end = self.run.frames.stat().st_size
        except OSError:  # nothing was recorded yet
            return
        while self.position < end and not self._closed.is_set():
            frames, position = record.read(self.run.frames, self.position, BATCH)
            if position == self.position:  # a torn tail
                return
            self.position = position
            yield self._taken(frames)
            await asyncio.sleep(0)

    async def _beside(self) -> AsyncIterator[list[Frame]]:
        """What others did to the directory since we looked last: notes, recomputed measures, whether it is locked."""
        before = self._hindsight.note, self._notes.note, self.locked
        if told := self._notes.look():
            yield list(told)
        while not self._closed.is_set() and (frames := self._hindsight.look()):
            yield list(frames)
            await asyncio.sleep(0)
        self.locked = self.run.locked
        if (self._hindsight.note, self._notes.note, self.locked) != before:
            yield []

    async def _connect(self) -> asyncio.StreamReader | None:
        if self._trouble:  # it would end as it did; what is on disk can still be followed
            return None
        if not self.run.alive:  # a copied directory names the socket of the one that it was copied from
            return None
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(self.run.socket), limit=1 << 20)
        except (OSError, GrokTuiError):  # nobody listens; `_look` says what that means
            return None
        return reader

    async def _live(self, reader: asyncio.StreamReader) -> AsyncIterator[list[Frame]]:
        """What the trainer sends, a batch for whatever could be read at once, until the connection ends."""
        data = bytearray()
        looked = time.monotonic()
        while not self._closed.is_set():
            if time.monotonic() - looked >= LOOK:
                async for batch in self._beside():
                    yield batch
                looked = time.monotonic()
            try:
                if (received := await _next_bytes(reader)) is None:
                    continue
                if not received:
                    return
                data += received
                payloads, taken = codec.whole_frames(data)
                del data[:taken]
                frames, missed = self._take(payloads)
            except OSError:  # a connection that broke, rather than ended
                return
            except ProtocolError as error:
                self._trouble = f"the trainer cannot be followed live: {error}"
                return
            if frames or (payloads and self.link != "live"):
                self.link, self._damage = "live", ""
                yield frames
            if missed:
                async for batch in self._recorded():
                    yield batch

    def _take(self, payloads: list[bytes]) -> tuple[list[Frame], bool]:
        """The frames in `payloads` that are new to us, and whether the file has more than they."""
        frames: list[Frame] = []
        missed = False
        for payload in payloads:
            match codec.unpack(payload):
                case Recorded(start=start, end=end, frame=inner):
                    if start == self.position and not missed:
                        frames.append(codec.unpack(inner))
                        self.position = end
                    missed = missed or start > self.position
                case Status() as status:
                    frames.append(status)
                    missed = missed or status.position > self.position
                case Reply() as reply:
                    if (answer := self._waiting.get(reply.id)) is not None and not answer.done():
                        answer.set_result(reply)
                case Hello(protocol=number) if number > PROTOCOL:
                    raise ProtocolError(f"it speaks protocol {number}, this grok-tui up to {PROTOCOL}")
        return self._taken(frames), missed

    def _taken(self, frames: Iterable[Frame]) -> list[Frame]:
        """These frames under the run's own name; whether the last event was an end is remembered."""
        found = named(frames, self.run)
        for frame in found:
            if isinstance(frame, Event):
                self._ended = frame.what in ENDED
        return found

    def _look(self, alive: bool) -> bool:
        """Judge the link when there is no connection; whether anything changed."""
        before = self.link, self.note
        nothing = self.position == 0 and not alive
        self.link = "recording" if self._ended or nothing else "cut off"
        if not alive:
            self._trouble = ""
            self._damage = record.damage(self.run.frames, self.position) or ""
        return before != (self.link, self.note)

    def _hang_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkError("the connection was lost before the trainer answered"))


class Scripted:
    """Frames from a script, for tests and pictures: no run, no clock."""

    def __init__(
        self, frames: Iterable[Frame] = (), *, link: Link = "live", reply: Callable[[Command], Reply] | None = None
    ) -> None:
        self.link: Link = link
        self.note = ""
        self.place = ""
        self.locked = False
        self.replay: Playback | None = None
        self.sent: list[Command] = []
        """The commands that were sent, in order."""
        self._reply = reply or (lambda command: Reply(command.id, True, 0, "done"))
        self._batches: asyncio.Queue[list[Frame] | None] = asyncio.Queue()
        if first := list(frames):
            self._batches.put_nowait(first)

    @property
    def can_steer(self) -> bool:
        """Whether the script plays a living trainer."""
        return self.link == "live"

    def push(self, *frames: Frame) -> None:
        """Let these frames arrive, as one batch."""
        self._batches.put_nowait(list(frames))

    def become(self, link: Link, note: str = "") -> None:
        """Change the link, as when the trainer dies or comes back."""
        self.link, self.note = link, note
        self._batches.put_nowait([])

    async def taken(self) -> None:
        """Wait until the viewer has taken in everything so far."""
        await self._batches.join()

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """See `Source`."""
        while (batch := await self._batches.get()) is not None:
            yield batch
            self._batches.task_done()
        self._batches.task_done()

    async def send(self, command: Command, timeout: float = PATIENCE) -> Reply:  # noqa: ARG002 - answers at once
        """See `Source`."""
        if not self.can_steer:
            raise LinkError("nobody is training this run")
        self.sent.append(command)
        return self._reply(command)

    def close(self) -> None:
        """End `frames`."""
        self._batches.put_nowait(None)


async def _next_bytes(reader: asyncio.StreamReader) -> bytes | None:
    """What arrives next; empty at the end, None when nothing did for a while. Nothing is lost between two calls."""
    try:
        async with asyncio.timeout(LOOK):
            return await reader.read(1 << 18)
    except TimeoutError:
        return None


def ask(run: Run, command: Command, timeout: float = PATIENCE) -> Reply:
    """Send one command from a script and wait for the answer.

    Raises:
        LinkError: nobody is training the run, or the trainer did not answer.
    """
    if not run.alive:
        raise LinkError(f"nobody is training {run.name}")
    deadline = time.monotonic() + timeout
    data = bytearray()
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.settimeout(timeout)
            link.connect(str(run.socket))
            link.sendall(codec.framed(codec.pack(command)))
            while (left := deadline - time.monotonic()) > 0:
                link.settimeout(left)
                if not (received := link.recv(1 << 18)):
                    raise LinkError(f"the trainer of {run.name} hung up before it answered")
                data += received
                payloads, taken = codec.whole_frames(data)
                del data[:taken]
                for payload in payloads:
                    frame = codec.unpack(payload)
                    if isinstance(frame, Reply) and frame.id == command.id:
                        return frame
        except TimeoutError:
            pass  # said below, as when the last answer was not the one
        except OSError as error:
            raise LinkError(f"the trainer of {run.name} cannot be reached ({error.strerror})") from None
    raise LinkError(f"no answer from {run.name} in {timeout:g} s; it may still be carried out")
