from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui import codec
from grok_tui.protocol import Command, Order, Reply, SetControl
from grok_tui.train import serve
from grok_tui.train.serve import Ticket
from tests.wire.wiring import Trainer, Viewer, answering, hello, make_run, status, training


@pytest.fixture
def viewer(trainer: Trainer) -> Iterator[Viewer]:
    with Viewer(trainer.run.socket) as found:
        yield found


BAD = {
    "not msgpack": codec.framed(b"\xc1"),
    "nothing": codec.framed(b""),
    "a field of the wrong type": codec.framed(msgpack.packb({"kind": "order", "id": "x", "name": "stop"})),
    "a trainer's frame": codec.framed(codec.pack(status(1))),
    "a hello": codec.framed(codec.pack(hello())),
    "too long an announcement": (codec.MAX_COMMAND + 1).to_bytes(4, "big"),
    "too long a command": codec.framed(codec.pack(SetControl(1, "weight_decay", "x" * codec.MAX_COMMAND))),
    "a browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_malformed_command_closes_its_connection_with_one_line_and_touches_nothing_else(
    trainer: Trainer, viewer: Viewer, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with Viewer(trainer.run.socket) as bad:
        bad.send(Order(3, "pause"))
        bad.socket.sendall(data)
        while bad.frame() is not None:
            pass
    viewer.send(Order(4, "pause"))
    with answering(trainer):
        assert viewer.reply().id == 4
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("link: closed a connection that does not speak the protocol: ")
    assert len(lines[0]) < 300


@pytest.fixture(scope="module")
def battered() -> Iterator[Trainer]:
    """A trainer that many bad viewers visit."""
    before = {name: os.environ.get(name) for name in ("GROK_TUI_HOME", "XDG_RUNTIME_DIR")}
    directory = Path(f"/tmp/gt-fuzz-{os.getpid()}")
    directory.mkdir()
    os.environ |= {"GROK_TUI_HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}
    try:
        with training(make_run()) as trainer, answering(trainer):
            yield trainer
    finally:
        shutil.rmtree(directory)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@given(st.lists(st.binary(max_size=60) | st.integers(0, 5000), min_size=1, max_size=5), st.booleans())
@settings(max_examples=80, deadline=None)
def test_whatever_bytes_come_the_server_serves_the_others(
    battered: Trainer, pieces: list[bytes | int], framed: bool
) -> None:
    with Viewer(battered.run.socket) as well, Viewer(battered.run.socket) as bad:
        try:
            for piece in pieces:
                data = bytes(piece) if isinstance(piece, int) else piece
                bad.socket.sendall(codec.framed(data) if framed else data)
        except OSError:
            pass  # turned away already
        well.send(Order(77, "checkpoint"))
        assert well.reply() == Reply(77, True, 7, "done")


@given(
    st.sampled_from([Order(1, "pause"), SetControl(2, "weight_decay", 3.0)]), st.integers(0, 60), st.integers(0, 255)
)
@settings(max_examples=80, deadline=None)
def test_mutated_commands_leave_the_server_serving(
    battered: Trainer, command: Order | SetControl, at: int, to: int
) -> None:
    data = bytearray(codec.framed(codec.pack(command)))
    data[at % len(data)] = to
    with Viewer(battered.run.socket) as well, Viewer(battered.run.socket) as bad:
        bad.socket.sendall(data)
        well.send(Order(78, "checkpoint"))
        assert well.reply() == Reply(78, True, 7, "done")


def test_a_flood_of_commands_is_bounded_and_delays_nobody_else(trainer: Trainer, viewer: Viewer) -> None:
    flood = b"".join(codec.framed(codec.pack(SetControl(i, "weight_decay", 1.0))) for i in range(3000))
    with Viewer(trainer.run.socket) as flooder:
        flooder.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            flooder.socket.sendall(flood * 10)
        viewer.send(Order(5, "pause"))
        found: list[tuple[Ticket, Command]] = []
        while not any(isinstance(command, Order) for _, command in found):
            assert trainer.server.wait(5)
            found += trainer.server.commands()
        assert len(found) <= serve.MAX_PENDING + 1
        for ticket, command in found:
            trainer.server.reply(ticket, Reply(command.id, True, 1, "done"))
        assert viewer.reply().ok
        flooder.socket.settimeout(5)
        answers = [flooder.reply() for _ in range(serve.MAX_PENDING + 5)]
        assert [answer.text for answer in answers if not answer.ok] != []
        assert {answer.text for answer in answers if not answer.ok} == {"too many commands at once"}
