from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from grok_tui import codec, paths, record
from grok_tui.errors import LinkError
from grok_tui.protocol import Array, Command, Hello, Order, Recorded, Reply, SetControl, Status
from grok_tui.runs import Run
from grok_tui.train import serve
from grok_tui.train.serve import Server
from tests.waiting import until
from tests.wire.wiring import Trainer, Viewer, answering, event, hello, make_run, points, same, status, training


@pytest.fixture
def viewer(trainer: Trainer) -> Iterator[Viewer]:
    with Viewer(trainer.run.socket) as found:
        yield found


def is_end(frame: object) -> bool:
    return isinstance(frame, Status) and frame.state == "stopped"


def test_a_newcomer_hears_the_hello_and_then_how_the_run_stands(trainer: Trainer) -> None:
    for epoch in range(0, 130, 13):
        trainer.write(points(epoch))
    with Viewer(trainer.run.socket) as viewer:
        first, second = viewer.frame(), viewer.frame()
    assert same(first, hello(trainer.run.name))
    assert isinstance(second, Status)
    assert second.position == trainer.recorder.position, "of what was recorded after the last status too"


def test_every_viewer_gets_each_recorded_frame_with_its_place(trainer: Trainer) -> None:
    with Viewer(trainer.run.socket) as one, Viewer(trainer.run.socket) as two:
        until(lambda: trainer.server.viewers == 2, "two viewers")
        written = [trainer.write(points(epoch)) for epoch in range(0, 130, 13)]
        trainer.status(status(130, state="stopped"))
        for viewer in (one, two):
            assert [f for f in viewer.until(is_end) if isinstance(f, Recorded)] == written
    until(lambda: trainer.server.viewers == 0, "their leaving")


def test_only_the_owner_can_reach_the_socket(trainer: Trainer) -> None:
    found = trainer.run.socket.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert stat.S_IMODE(trainer.run.socket.parent.stat().st_mode) == 0o700


KNOCK = """
import os, socket, sys
os.setgid(65534)
os.setuid(65534)
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
print(len(link.recv(1000)))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can knock as somebody else; run the tests as root")
def test_another_user_is_turned_away_even_where_the_file_system_lets_them_in(
    trainer: Trainer, capfd: pytest.CaptureFixture[str]
) -> None:
    trainer.run.socket.chmod(0o666)
    trainer.run.socket.parent.chmod(0o755)
    trainer.run.socket.parent.parent.chmod(0o755)
    knock = [sys.executable, "-c", KNOCK, str(trainer.run.socket)]
    done = subprocess.run(knock, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0" or "ConnectionReset" in done.stderr
    until(lambda: "turned away a connection from user 65534" in capfd.readouterr().err, "a line in the log")


def test_a_peer_of_another_user_is_turned_away(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "peer_uid", lambda _: os.getuid() + 1)
    with Viewer(trainer.run.socket) as viewer:
        assert viewer.frame() is None
    assert trainer.server.viewers == 0
    assert capfd.readouterr().err.count("turned away") == 1


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert serve.peer_uid(ours) == os.getuid()


def test_a_run_deep_in_the_tree_has_a_socket_of_bearable_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    monkeypatch.setenv("GROK_TUI_HOME", str(deep))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    run = make_run()
    with training(run), Viewer(run.socket) as viewer:
        assert len(os.fsencode(run.socket)) <= paths.SOCKET_LIMIT
        assert isinstance(viewer.frame(), Hello)


def test_a_path_too_long_for_a_socket_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / ("d" * 100)).mkdir()
    with pytest.raises(LinkError, match="cannot listen there"):
        Server(tmp_path / ("d" * 100) / "socket", hello())


def test_the_socket_of_a_killed_trainer_is_replaced(run: Run) -> None:
    path = paths.socket_path(run.path)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with training(run), Viewer(run.socket) as viewer:
        assert isinstance(viewer.frame(), Hello)
    assert not path.exists()


def test_a_file_in_the_way_of_the_socket_is_left_alone(run: Run) -> None:
    path = paths.socket_path(run.path)
    path.write_text("mine")
    with pytest.raises(LinkError, match="in the way of the socket"):
        Server(path, hello())
    assert path.read_text() == "mine"


def test_commands_arrive_in_order_with_a_ticket_to_answer_with(trainer: Trainer, viewer: Viewer) -> None:
    sent = [SetControl(i, "weight_decay", float(i)) for i in range(20)]
    viewer.send(*sent)
    got: list[Command] = []
    while len(got) < 20:
        assert trainer.server.wait(5)
        found = trainer.server.commands()
        got += [command for _, command in found]
        for ticket, command in found:
            trainer.server.reply(ticket, Reply(command.id, True, 9, f"{command.id}"))
    assert got == sent
    assert [viewer.reply().text for _ in range(20)] == [str(i) for i in range(20)]


def test_an_answer_goes_to_the_viewer_that_asked_and_to_no_other(trainer: Trainer, viewer: Viewer) -> None:
    with Viewer(trainer.run.socket) as other:
        viewer.send(Order(5, "pause"))
        assert trainer.server.wait(5)
        trainer.answer()
        trainer.status(status(1, state="stopped"))
        assert viewer.reply() == Reply(5, True, 7, "done")
        assert not [frame for frame in other.until(is_end) if isinstance(frame, Reply)]


def test_whatever_value_was_typed_reaches_the_trainer_to_be_refused(trainer: Trainer, viewer: Viewer) -> None:
    values: list[Any] = [float("nan"), float("inf"), -1, "three", None, True, [1], {"a": 1}, b"\xff"]
    viewer.send(*[SetControl(i, "weight_decay", value) for i, value in enumerate(values)])
    got: list[Any] = []
    while len(got) < len(values):
        assert trainer.server.wait(5)
        got += [command.value for _, command in trainer.server.commands() if isinstance(command, SetControl)]
    assert same(got, values)


def test_waiting_ends_with_the_time_a_command_or_a_wake(trainer: Trainer, viewer: Viewer) -> None:
    begun = time.monotonic()
    assert not trainer.server.wait(0.05)
    assert 0.04 < time.monotonic() - begun < 2
    viewer.send(Order(1, "pause"))
    assert trainer.server.wait(5)
    assert trainer.server.wait(5), "still there: it was not taken"
    assert len(trainer.server.commands()) == 1
    assert not trainer.server.wait(0)
    trainer.server.wake()
    assert trainer.server.wait(5)
    assert trainer.server.commands() == []


def test_a_signal_handler_may_wake_a_waiting_trainer(trainer: Trainer) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: trainer.server.wake())
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        assert trainer.server.wait(10)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_viewer_that_never_reads_costs_neither_the_trainer_nor_the_others(trainer: Trainer) -> None:
    large = Array(1, "map", np.random.default_rng(0).random(4096))
    with Viewer(trainer.run.socket) as silent, Viewer(trainer.run.socket) as lively:
        until(lambda: trainer.server.viewers == 2, "two viewers")
        seen: list[object] = []
        reader = threading.Thread(target=lambda: seen.extend(lively.until(is_end)))
        reader.start()
        slowest = 0.0
        for i in range(400):  # 13 MB: ten times what the server keeps for the silent one
            recorded = trainer.recorder.append(large)
            begun = time.perf_counter()
            trainer.server.publish(recorded)
            slowest = max(slowest, time.perf_counter() - begun)
            if i % 10 == 0:
                time.sleep(0.001)  # as a step would
        trainer.status(status(400, state="stopped"))
        reader.join(10)
        assert not reader.is_alive()
        assert slowest < 0.1, "publishing waited for somebody"
        held = [frame for frame in silent.until(is_end) if isinstance(frame, Recorded)]
        gap = sum(frame.end - frame.start for frame in held)
        assert gap < 4 << 20, "the server kept too much for a viewer that does not read"


def test_a_viewer_that_reads_again_is_told_where_the_recording_ends(trainer: Trainer) -> None:
    with Viewer(trainer.run.socket) as silent:
        until(lambda: trainer.server.viewers == 1, "a viewer")
        large = Array(1, "map", np.zeros(65536))
        for _ in range(20):
            trainer.write(large)
        trainer.write(event(1, "stopped"))
        end = trainer.recorder.position
        position = 0
        for frame in silent.until(lambda f: isinstance(f, Status) and f.position == end):
            if isinstance(frame, Recorded):
                position = frame.end
        assert 0 < position < end, "it was skipped over"
    assert same(record.read(trainer.run.frames)[0][-1], event(1, "stopped"))


def test_a_newer_viewers_unknown_message_is_passed_over(trainer: Trainer, viewer: Viewer) -> None:
    viewer.socket.sendall(codec.framed(msgpack.packb({"kind": "wish", "id": 1})))
    viewer.send(Order(2, "pause"))
    until(lambda: trainer.answer(), "the command")
    assert viewer.reply().id == 2


def test_a_command_may_come_byte_by_byte(trainer: Trainer, viewer: Viewer) -> None:
    for byte in codec.framed(codec.pack(Order(2, "pause"))):
        viewer.socket.sendall(bytes([byte]))
    until(lambda: trainer.answer(), "the command")
    assert viewer.reply().id == 2


def test_a_key_held_down_is_answered_every_time(trainer: Trainer, viewer: Viewer) -> None:
    with answering(trainer):
        for i in range(serve.BURST):
            viewer.send(SetControl(i, "weight_decay", 1.0))
        assert all(viewer.reply().ok for _ in range(serve.BURST))


def test_more_viewers_than_there_is_room_for_are_turned_away(
    trainer: Trainer, capfd: pytest.CaptureFixture[str]
) -> None:
    viewers = [Viewer(trainer.run.socket) for _ in range(serve.MAX_VIEWERS)]
    until(lambda: trainer.server.viewers == serve.MAX_VIEWERS, "a full house")
    with Viewer(trainer.run.socket) as late:
        assert late.frame() is None
    assert "turned away a viewer" in capfd.readouterr().err
    for viewer in viewers:
        viewer.socket.close()
    until(lambda: trainer.server.viewers == 0, "their leaving")
    with Viewer(trainer.run.socket) as later:
        assert isinstance(later.frame(), Hello)


def accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def test_the_socket_comes_back_when_its_directory_was_swept_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "WATCH", 0.02)
    with training(run) as trainer, Viewer(run.socket) as old:
        inode = run.socket.stat().st_ctime_ns
        shutil.rmtree(run.socket.parent)
        until(lambda: run.socket.exists() and run.socket.stat().st_ctime_ns != inode, "a new socket")
        until(lambda: accepts(run.socket), "somebody who listens there")  # a bound socket listens a moment later
        with Viewer(run.socket) as new:
            until(lambda: trainer.server.viewers == 2, "both viewers")
            assert stat.S_IMODE(run.socket.stat().st_mode) == 0o600
            trainer.status(status(9, state="stopped"))
            for viewer in (old, new):
                viewer.until(is_end)


def test_closing_sends_the_last_frames_first_and_removes_the_socket(run: Run) -> None:
    trainer = Trainer(run)
    with Viewer(run.socket) as viewer:
        until(lambda: trainer.server.viewers == 1, "a viewer")
        for epoch in range(0, 1300, 13):
            trainer.write(points(epoch))
        trainer.status(status(1300, state="stopped"))
        trainer.close()
        frames = viewer.until(is_end)
        assert viewer.frame() is None
    assert len([frame for frame in frames if isinstance(frame, Recorded)]) == 100
    assert not run.socket.exists()
    trainer.server.publish(Recorded(0, 1, b""))  # after the end: nothing happens
    trainer.server.close()


def test_closing_at_once_after_opening_is_quick(run: Run) -> None:
    begun = time.monotonic()
    for _ in range(10):
        Trainer(run).close()
    assert time.monotonic() - begun < 3


def test_closing_does_not_wait_for_a_viewer_that_never_reads(run: Run) -> None:
    before = set(threading.enumerate())
    trainer = Trainer(run)
    with Viewer(run.socket):
        until(lambda: trainer.server.viewers == 1, "a viewer")
        for _ in range(20):
            trainer.write(Array(1, "map", np.zeros(65536)))
        begun = time.monotonic()
        trainer.close()
        assert time.monotonic() - begun < 5
    assert not run.socket.exists()
    assert set(threading.enumerate()) == before


def test_the_thread_sleeps_while_nothing_happens(trainer: Trainer, viewer: Viewer) -> None:
    assert viewer.frame()
    thread = next(thread for thread in reversed(threading.enumerate()) if thread.name == "link")
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    before = time.clock_gettime(clock)
    trainer.server.wait(0.3)
    assert time.clock_gettime(clock) - before < 0.01
