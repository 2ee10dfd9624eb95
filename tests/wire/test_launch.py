from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from grok_tui import config, launch, paths, runs
from grok_tui.config import Config
from grok_tui.errors import LaunchError, RunError
from grok_tui.protocol import Order
from grok_tui.runs import Run
from grok_tui.sources import ask
from tests.waiting import until
from tests.wire.grown import parent
from tests.wire.wiring import make_run, points, training

Behave = Callable[[str], None]


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch) -> Behave:
    """Let the next trainers be `idle_trainer` in one of its modes."""

    def behave(mode: str) -> None:
        words = [sys.executable, "-P", "-m", "tests.wire.idle_trainer", mode]
        monkeypatch.setattr(launch, "command", lambda run, *_: [*words, str(run.path)])

    return behave


def processes() -> dict[int, str]:
    """The command line of every process."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]): line for line in listed.splitlines()}


def end(run: Run) -> None:
    os.kill(run.pid, signal.SIGTERM)
    until(lambda: not run.alive, "the end of the trainer")


def test_the_command_line_names_the_run_the_device_and_the_threads(run: Run) -> None:
    words = [sys.executable, "-P", "-m", "grok_tui.train", str(run.path), "--device", "cpu"]
    assert launch.command(run, "cpu", None) == words
    assert launch.command(run, "cpu", 3) == [*words, "--threads", "3"]


def test_a_started_trainer_listens_in_a_session_of_its_own_with_no_terminal(behave: Behave) -> None:
    behave("serve")
    run = launch.start(Config(name="demo"))
    try:
        assert run.alive
        assert ask(run, Order(1, "pause")).ok
        assert os.getsid(run.pid) == run.pid != os.getsid(0)
        process = Path(f"/proc/{run.pid}")
        if process.is_dir():  # Linux
            assert (process / "stat").read_text().rpartition(")")[2].split()[4] == "0", "it has a terminal"
            assert (process / "cwd").readlink() == run.path
            files = [(process / "fd" / str(number)).readlink() for number in range(3)]
            assert files == [Path("/dev/null"), run.log, run.log]
        with pytest.raises(RunError, match=f"demo-1 is being trained already, by process {run.pid}"):
            launch.resume(run)
    finally:
        end(run)


def test_no_zombie_stays_when_the_trainer_ends_before_us(behave: Behave) -> None:
    behave("serve")
    run = launch.start(Config(name="demo"))
    pid = run.pid
    assert pid in processes()
    end(run)
    until(lambda: pid not in processes(), "the burial")


START = """
import sys
from grok_tui import launch
from grok_tui.config import Config
launch.command = lambda run, *_: [sys.executable, "-P", "-m", "tests.wire.idle_trainer", "serve", str(run.path)]
print(launch.start(Config(name="demo")).path)
"""


def test_the_trainer_outlives_whoever_started_it() -> None:
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, cwd=root, check=True)
    run = Run(Path(done.stdout.strip()))
    try:
        assert run.alive
        assert ask(run, Order(1, "pause")).ok
        assert done.stderr == ""
    finally:
        end(run)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("refuse", "--device cuda: no such device"),
        ("mute", "the trainer ended with exit code 4"),
        ("crash", "RuntimeError: out of memory"),
        ("die", "the trainer was killed by signal 9"),
    ],
)
def test_a_trainer_that_does_not_come_up_says_why_and_leaves_nothing(behave: Behave, mode: str, why: str) -> None:
    behave(mode)
    with pytest.raises(LaunchError) as caught:
        launch.start(Config(name="demo"))
    assert str(caught.value) == f"demo-1 did not start: {why}"
    assert list(paths.runs_dir().iterdir()) == []


def test_a_run_that_recorded_something_before_it_failed_is_kept(behave: Behave) -> None:
    behave("late")
    with pytest.raises(LaunchError, match="demo-1 did not start: the disk is full"):
        launch.start(Config(name="demo"))
    assert runs.find("demo-1").frames.stat().st_size > 0


def test_a_failed_resume_leaves_the_run_and_quotes_only_the_new_lines(behave: Behave, run: Run) -> None:
    run.log.write_text("an old error\n")
    behave("mute")
    with pytest.raises(LaunchError, match="exit code 4"):
        launch.resume(run)
    assert run.log.read_text() == "an old error\n"
    assert run.problem is None


def test_a_trainer_that_has_finished_before_we_look_is_no_failure(behave: Behave) -> None:
    behave("quick")
    run = launch.start(Config(name="demo"))
    until(lambda: not run.alive, "its end")


def test_a_trainer_that_never_listens_is_ended(behave: Behave, monkeypatch: pytest.MonkeyPatch) -> None:
    behave("hang")
    monkeypatch.setattr(launch, "PATIENCE", 0.6)
    monkeypatch.setattr(launch, "GRACE", 0.1)
    with pytest.raises(LaunchError, match=r"demo-1 did not start within 0.6 s: "):
        launch.start(Config(name="demo"))
    assert not [line for line in processes().values() if str(paths.runs_dir()) in line]
    assert list(paths.runs_dir().iterdir()) == []


def test_a_directory_that_cannot_be_written_is_an_error_of_one_line(behave: Behave, run: Run) -> None:
    behave("serve")
    run.log.mkdir()
    with pytest.raises(LaunchError, match="could not be started"):
        launch.resume(run)


def test_a_newer_run_is_not_resumed(behave: Behave, run: Run) -> None:
    behave("serve")
    (run.path / "VERSION").write_text("2\n")
    with pytest.raises(RunError, match="newer"):
        launch.resume(run)
    assert not run.log.exists()


def test_starting_works_in_a_thread(behave: Behave) -> None:
    behave("serve")
    started: list[Run] = []
    thread = threading.Thread(target=lambda: started.append(launch.start(Config(name="demo"))))
    thread.start()
    thread.join()
    assert started[0].alive
    end(started[0])


@pytest.mark.parametrize("module", ["launch", "runs", "sources", "record", "ledger"])
def test_what_a_viewer_needs_never_loads_torch(module: str) -> None:
    code = f"import sys, grok_tui.{module}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_resuming_takes_up_an_ended_run(behave: Behave) -> None:
    run = make_run()
    behave("serve")
    for _ in range(2):
        launch.resume(run)
        assert run.alive
        end(run)


@pytest.mark.parametrize(("mode", "left"), [("refuse", 1), ("mute", 1), ("late", 2)])
def test_of_a_branch_whose_trainer_does_not_come_up_only_what_was_recorded_is_left(
    behave: Behave, mode: str, left: int
) -> None:
    parent = make_run()
    with training(parent) as trainer:
        trainer.write(points(0, 30))
    behave(mode)
    with pytest.raises(LaunchError, match=r"demo-1\.1 did not start"):
        launch.branch(parent, 20)
    assert len(list(paths.runs_dir().iterdir())) == left


def test_a_started_branch_listens_and_runs_only_the_hook_that_it_is_given(
    behave: Behave, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = runs.create(config.override(Config(name="demo"), [("notify.hook", "touch parents")]))
    with training(parent) as trainer:
        trainer.write(points(0, 30))
    behave("serve")
    asked: list[tuple[object, ...]] = []
    real = launch.command

    def command(run: Run, *how: object) -> list[str]:
        asked.append(how[:3])
        return real(run, *how)  # type: ignore[arg-type]

    monkeypatch.setattr(launch, "command", command)
    children = [
        launch.branch(parent, 20, threads=3),
        launch.branch(parent, 20, settings=[("notify.hook", "touch own")]),
        launch.branch(parent, 20, hook="touch other"),
    ]
    try:
        assert all(child.alive for child in children)
        assert asked == [("auto", 3, ""), ("auto", None, "touch own"), ("auto", None, "touch other")]
    finally:
        for child in children:
            end(child)


@pytest.mark.parametrize("make", [lambda: launch.start(Config(name="demo")), lambda: launch.branch(parent(), 55)])
def test_a_start_that_is_called_off_leaves_nothing(make: Callable[[], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def called_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "_launch", called_off)
    with pytest.raises(KeyboardInterrupt):
        make()
    assert [run.name for run in runs.listing() if not run.frames.exists() or run.lineage] == []
