"""What the tests of this directory share: frames, a trainer that does not train, a viewer made of a bare socket."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from grok_tui import codec, config, runs
from grok_tui.ledger import Ledger
from grok_tui.protocol import (
    PROTOCOL,
    Catalogue,
    Command,
    ControlInfo,
    Event,
    Frame,
    Hello,
    Points,
    Recorded,
    Reply,
    SeriesInfo,
    Status,
    Stored,
)
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.train.serve import Server

PATIENCE = 60.0
"""Seconds until a test gives up waiting for something that should happen at once."""


def hello(run: str = "demo-1") -> Hello:
    control = ControlInfo("weight_decay", "weight decay", 1.0, 0.0, 10.0)
    catalogue = Catalogue((SeriesInfo("train_loss", "train loss", log=True),), (), (control,))
    return Hello(PROTOCOL, run, "0.1.0", {"task": {"p": 113}}, {"device": "cpu"}, 100, catalogue)


def points(first: int, count: int = 13) -> Points:
    epochs = np.arange(first, first + count)
    return Points(epochs, {"train_loss": 1 / (1 + epochs.astype(np.float64)), "train_accuracy": epochs / 100})


def event(epoch: int, what: str, **data: Any) -> Event:
    return Event(epoch, what, what, 1.5e9, data=data)


def status(epoch: int, position: int = 0, state: str = "running") -> Status:
    return Status(epoch, state, 20.0, {"weight_decay": 1.0}, position)


def same(left: Any, right: Any) -> bool:
    """Equal, where NaN is equal to itself and arrays are equal in dtype, shape and bytes."""
    if dataclasses.is_dataclass(left):
        names = [f.name for f in dataclasses.fields(left)]
        return type(left) is type(right) and all(same(getattr(left, n), getattr(right, n)) for n in names)
    if isinstance(left, np.ndarray):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    if isinstance(left, dict):
        return isinstance(right, dict) and left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, tuple | list):
        return isinstance(right, tuple | list) and len(left) == len(right) and all(map(same, left, right))
    return bool(left == right or (left != left and right != right))


def stored(frames: Iterable[Frame]) -> list[Frame]:
    """Without the statuses, which are not recorded."""
    return [frame for frame in frames if not isinstance(frame, Status)]


def make_run(name: str = "demo") -> Run:
    return runs.create(config.Config(name=name))


class Trainer:
    """Holds a run, records, serves and answers as the real one does, in this process."""

    def __init__(self, run: Run, *, fresh: bool = True) -> None:
        self.run = run
        self._stack = ExitStack()
        self._stack.enter_context(run.hold())
        self.recorder = Recorder(run.frames)
        self._stack.callback(self.recorder.close)
        self.ledger = Ledger(run.ledger)
        self._stack.callback(self.ledger.close)
        first = hello(run.name)
        self.recorder.append(first)
        self.server = Server(run.socket, first)
        self._stack.callback(self.server.close)
        self.status(status(0))
        if fresh:
            self.write(event(0, "started"))

    def write(self, frame: Stored) -> Recorded:
        recorded = self.recorder.append(frame)
        self.server.publish(recorded)
        return recorded

    def status(self, frame: Status) -> None:
        self.server.status(dataclasses.replace(frame, position=self.recorder.position))

    def answer(self, how: Callable[[Command], Reply] = lambda c: Reply(c.id, True, 7, "done")) -> int:
        found = self.server.commands()
        for ticket, command in found:
            self.server.reply(ticket, how(command))
        return len(found)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def training(run: Run, *, fresh: bool = True) -> Iterator[Trainer]:
    trainer = Trainer(run, fresh=fresh)
    try:
        yield trainer
    finally:
        trainer.close()


@contextmanager
def answering(
    trainer: Trainer, how: Callable[[Command], Reply] = lambda c: Reply(c.id, True, 7, "done")
) -> Iterator[None]:
    """A thread in which the trainer answers whatever comes."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if trainer.server.wait(0.05):
                trainer.answer(how)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Viewer:
    """A bare socket that speaks the protocol as far as it is told to."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._data = bytearray()
        self._ready: list[Frame] = []

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *commands: Command) -> None:
        self.socket.sendall(b"".join(codec.framed(codec.pack(command)) for command in commands))

    def frame(self) -> Frame | None:
        """The next frame; None when the server has hung up."""
        while not self._ready:
            try:
                received = self.socket.recv(1 << 18)
            except ConnectionResetError:
                return None
            if not received:
                return None
            self._data += received
            payloads, taken = codec.whole_frames(self._data)
            del self._data[:taken]
            self._ready += [codec.unpack(payload) for payload in payloads]
        return self._ready.pop(0)

    def until(self, wanted: Callable[[Frame], object]) -> list[Frame]:
        """The frames up to the first for which `wanted` is true."""
        frames = []
        while (frame := self.frame()) is not None:
            frames.append(frame)
            if wanted(frame):
                return frames
        raise AssertionError(f"the server hung up after {len(frames)} frames")

    def reply(self) -> Reply:
        found = self.until(lambda frame: isinstance(frame, Reply))[-1]
        assert isinstance(found, Reply)
        return found
