"""The trainer's side of the link: a thread that serves any number of viewers and never waits for one.

A viewer that does not read is skipped over: its buffer is bounded, and once it reads again it is told where
the recording ends and fetches from the file what it missed. The trainer's thread only hands things over.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import queue
import socket
import stat
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from grok_tui import codec
from grok_tui.errors import LinkError, ProtocolError
from grok_tui.protocol import Command, Frame, Hello, Order, Plan, Recorded, Reply, SetControl, Status, Unknown

MAX_VIEWERS = 64
"""At once; more are turned away."""

BEHIND = 1 << 20
"""Unread bytes at which a viewer is skipped over."""

CAUGHT_UP = 64 << 10
"""Unread bytes at which one that was skipped over is served again."""

OUTBOX = 256
"""Frames that wait for the server's thread; if it cannot keep up, the oldest go, and viewers read the file."""

MAX_PENDING = 64
"""Unanswered commands of one viewer; more are refused."""

BURST, PER_SECOND = 64, 50
"""Commands that one viewer may send at once, and for ever: a key held down sends 30 a second."""

PENALTY = 0.25
"""Seconds for which a viewer that sends more is not listened to."""

WATCH = 5.0
"""Seconds between looks whether the socket is still there: a log-out may take the runtime directory away."""

GOODBYE = 0.5
"""Seconds for the last frames to leave on closing."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which viewer's command it is: a reply goes back with it."""

    viewer: int
    id: int


class Server:
    """Serves one run at `path`. Every method may be called from the trainer's thread and returns at once."""

    def __init__(self, path: Path, hello: Hello) -> None:
        """Listen at `path`.

        Raises:
            LinkError: nothing can listen there.
        """
        self.path = path
        self._greeting = _framed(hello)
        self._status: Status | None = None
        self._end = 0
        self._inbox: queue.SimpleQueue[tuple[Ticket, Command] | None] = queue.SimpleQueue()
        self._held: list[tuple[Ticket, Command] | None] = []
        self._outbox: deque[Frame] = deque(maxlen=OUTBOX)
        self._roused = False
        self._viewers: dict[int, _Viewer] = {}
        self._serial = 0
        self._listening: asyncio.Server | None = None
        self._inode: tuple[int, int] | None = None
        self._leave = asyncio.Event()
        self._closed = False
        sock = self._bind()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(sock,), name="link", daemon=True)
        self._thread.start()

    @property
    def viewers(self) -> int:
        """How many are connected."""
        return len(self._viewers)

    def publish(self, recorded: Recorded) -> None:
        """Send a recorded frame to every viewer that keeps up."""
        self._end = recorded.end  # before the look at the viewers: a newcomer is told either this or the frame
        self._broadcast(recorded)

    def status(self, status: Status) -> None:
        """Send how the run stands to every viewer that keeps up, and to each newcomer."""
        self._status = status
        self._broadcast(status)

    def commands(self) -> list[tuple[Ticket, Command]]:
        """The commands that came in since the last call, oldest first."""
        found, self._held = self._held, []
        with suppress(queue.Empty):
            while True:
                found.append(self._inbox.get_nowait())
        return [item for item in found if item is not None]

    def wait(self, timeout: float | None = None) -> bool:
        """Block until a command has come in (True), `wake` was called (True) or `timeout` seconds are over."""
        if not self._held:
            with suppress(queue.Empty):
                self._held.append(self._inbox.get(timeout=timeout))
        return bool(self._held)

    def wake(self) -> None:
        """End a `wait`; safe in a signal handler."""
        self._inbox.put(None)

    def reply(self, ticket: Ticket, reply: Reply) -> None:
        """Answer one command. A viewer that has left meanwhile gets nothing."""
        self._hand_over(self._answer, ticket, reply)

    def close(self) -> None:
        """Send what is on its way, turn everybody away and remove the socket."""
        if self._closed:
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(GOODBYE + 5)

    # What follows runs in the server's thread, except `_bind`'s first call.

    def _broadcast(self, frame: Frame) -> None:
        if not self._viewers:
            return
        self._outbox.append(frame)
        if not self._roused:
            self._roused = True
            self._hand_over(self._send)

    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(call, *args)

    def _serve(self, sock: socket.socket) -> None:
        self._loop.set_exception_handler(lambda _, context: _say(str(context.get("exception") or context["message"])))
        try:
            self._loop.run_until_complete(self._attend(sock))
        finally:
            self._loop.close()

    async def _attend(self, sock: socket.socket) -> None:
        await self._listen(sock)
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), WATCH)
            if not self._closed and not self._still_there():
                self._deafen()  # first: it may remove the path
                with suppress(LinkError):  # the directory is not back yet
                    await self._listen(self._bind())
        await self._farewell()

    async def _listen(self, sock: socket.socket) -> None:
        self._listening = await self._loop.create_unix_server(lambda: _Viewer(self), sock=sock)

    def _deafen(self) -> None:
        if self._listening is not None:
            self._listening.close()
        self._listening = None

    def _bind(self) -> socket.socket:
        """A socket bound to the path, for this user only; it accepts nobody before `listen`."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            if self.path.exists():
                if not stat.S_ISSOCK(self.path.lstat().st_mode):
                    raise LinkError(f"{self.path}: in the way of the socket; remove it")
                self.path.unlink()  # of a trainer that was killed: the run's lock is ours
            sock.bind(str(self.path))
            self.path.chmod(0o600)
            sock.listen(MAX_VIEWERS)
            sock.setblocking(False)
            found = self.path.lstat()
        except OSError as error:
            sock.close()
            raise LinkError(f"{self.path}: cannot listen there ({error.strerror or error})") from None
        except LinkError:
            sock.close()
            raise
        self._inode = (found.st_dev, found.st_ino)
        return sock

    def _still_there(self) -> bool:
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._inode

    def _send(self) -> None:
        self._roused = False  # before the look into the outbox: what comes later rouses us again
        for _ in range(len(self._outbox)):
            data = _framed(self._outbox.popleft())
            for viewer in self._viewers.values():
                if not viewer.behind:
                    viewer.write(data)

    def _standing(self) -> bytes:
        """The newest status, with the recording's present end."""
        status = self._status
        return b"" if status is None else _framed(dataclasses.replace(status, position=max(self._end, status.position)))

    def _answer(self, ticket: Ticket, reply: Reply) -> None:
        if (viewer := self._viewers.get(ticket.viewer)) is not None:
            viewer.pending -= 1
            viewer.write(_framed(reply))

    def _welcome(self, viewer: _Viewer) -> bool:
        if self._closed or len(self._viewers) >= MAX_VIEWERS:
            return False
        self._serial += 1
        viewer.number = self._serial
        self._viewers[viewer.number] = viewer
        viewer.write(self._greeting + self._standing())
        return True

    async def _farewell(self) -> None:
        self._deafen()
        self._send()
        for viewer in list(self._viewers.values()):
            viewer.transport.close()  # once its buffer is empty
        deadline = time.monotonic() + GOODBYE
        while self._viewers and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        for viewer in list(self._viewers.values()):
            viewer.transport.abort()
        await asyncio.sleep(0)
        if self._still_there():
            with suppress(OSError):  # nobody can use it any more, and the next trainer replaces it
                self.path.unlink()


class _Viewer(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.number = 0
        self.pending = 0
        self.behind = False
        self._chunk = bytearray(1024)
        self._data = bytearray()
        self._tokens = float(BURST)
        self._then = time.monotonic()
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=BEHIND, low=CAUGHT_UP)
        try:
            uid = peer_uid(self.transport.get_extra_info("socket"))
        except OSError:  # gone already
            uid = -1
        if uid != os.getuid():
            self.transport.abort()
            _say(f"turned away a connection from user {uid}")
        elif not self.server._welcome(self):
            self.transport.abort()
            _say(f"turned away a viewer: {MAX_VIEWERS} are connected")

    def write(self, data: bytes) -> None:
        """Send `data`, unless the viewer has just gone."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.server._viewers.pop(self.number, None)

    def pause_writing(self) -> None:
        self.behind = True
        self._listen()

    def resume_writing(self) -> None:
        self.behind = False
        self.write(self.server._standing())  # says where the recording ends: the rest is in the file
        self._listen()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - small on purpose: it bounds a flood
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        if self.number not in self.server._viewers:
            return
        self._data += self._chunk[:nbytes]
        try:
            payloads, taken = codec.whole_frames(self._data, codec.MAX_COMMAND)
            del self._data[:taken]
            for payload in payloads:
                self._take(codec.unpack(payload))
        except ProtocolError as error:
            self.transport.abort()
            _say(f"closed a connection that does not speak the protocol: {error}")

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, Unknown):
            return
        if not isinstance(frame, SetControl | Order | Plan):
            raise ProtocolError(f"a viewer sent a {frame.kind}")
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._then) * PER_SECOND)
        self._then = now
        if self.pending >= MAX_PENDING or self._tokens < 1:
            epoch = self.server._status.epoch if self.server._status else 0
            self.write(_framed(Reply(frame.id, False, epoch, "too many commands at once")))
            self._deaf = True
            self._listen()
            return
        self._tokens -= 1
        self.pending += 1
        self.server._inbox.put((Ticket(self.number, frame.id), frame))

    def _listen(self) -> None:
        """Read commands, except of one that sends too many or does not read its answers."""
        if self.transport.is_closing():
            return
        if self._deaf:
            self.transport.pause_reading()
            self.server._loop.call_later(PENALTY, self._hear)
        elif self.behind:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _hear(self) -> None:
        self._deaf = False
        self._listen()


def peer_uid(sock: socket.socket) -> int:
    """The user at the other end of a unix socket, as the kernel knows it."""
    if sys.platform == "darwin":
        local, local_peercred = 0, 1
        _, uid = struct.unpack_from("=II", sock.getsockopt(local, local_peercred, 76))
    else:
        _, uid, _ = struct.unpack("=iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def _framed(frame: Frame) -> bytes:
    return codec.framed(codec.pack(frame))


def _say(line: str) -> None:
    with suppress(OSError):  # the log's disk is full: the link goes on without it
        print(f"link: {line}", file=sys.stderr, flush=True)
