"""`grok-tui hindsight` from the shell: what it prints, where, and its exit code."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grok_tui import hindsight
from grok_tui.runs import Run
from tests.train.test_hindsight import KEYS, planted
from tests.waiting import until

Done = subprocess.CompletedProcess[str]

pytestmark = pytest.mark.usefixtures("own_home")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "grok_tui", "hindsight", *arguments]


def grok_tui(*arguments: str) -> Done:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False
    )


def test_it_says_how_far_it_is_what_came_out_and_where_it_is_kept() -> None:
    run = planted([100, 200, 300])
    done = grok_tui(run.name)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["planted-1: recomputing 3 epochs with keys 2 5"]
    lines = done.stdout.splitlines()
    assert "3 of 3 epochs" in lines
    assert "planted-1, keys 2 5: 3 epochs from 100 to 300" in lines
    head = next(i for i, line in enumerate(lines) if line.startswith("epoch"))
    assert lines[head].split("  ") == ["epoch", "restricted (test)", "excluded (train)", "restricted accuracy"]
    assert [line.split()[0] for line in lines[head + 1 : head + 4]] == ["100", "200", "300"]
    assert str(hindsight.path(run, KEYS)) in lines[-1]
    again = grok_tui(run.name)
    assert again.stderr.splitlines() == ["planted-1: nothing new to recompute with keys 2 5"]
    assert "of 3 epochs" not in again.stdout  # one of the two
    assert again.stdout == done.stdout.partition("3 of 3 epochs\n")[2]


def test_of_a_run_in_training_it_says_that_the_keys_are_provisional() -> None:
    run = planted([100])
    with run.hold():
        living = grok_tui(run.name)
    assert living.returncode == 0, living.stderr
    assert "its keys are provisional still" in living.stdout
    assert "provisional" not in grok_tui(run.name).stdout


def test_keys_can_be_given() -> None:
    run = planted([100])
    assert grok_tui(run.name, "--keys", "6,1").returncode == 0
    assert hindsight.result(run, (1, 6)).epochs == {100}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("planted-1", "--keys", "0"), 2, "0 is out of bounds: with p = 13 there are 1 to 6"),
        (("planted-1", "--keys", "7"), 2, "7 is the same wave as 6"),
        (("planted-1", "--keys", "2,2"), 2, "2 stands there twice"),
        (("planted-1", "--keys", "two"), 2, "'two' is not a whole number"),
        (("planted-2",), 1, "planted-2 has no stored weights"),
        (("planted-3",), 1, "planted-3 has no key frequencies yet; name some with --keys"),
        (("planted-9",), 1, "there is no run 'planted-9'"),
        ((), 2, "Missing argument 'RUN'"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    arguments: tuple[str, ...], code: int, said: str, own_home: Path
) -> None:
    for run in (planted([100]), planted([]), planted([100], keys=())):
        assert own_home in run.path.parents
    done = grok_tui(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_what_ends_the_process_early_is_said_in_one_line() -> None:
    run = planted([100])
    hindsight.directory(run).mkdir()
    (hindsight.path(run, KEYS)).mkdir()
    done = grok_tui(run.name)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if line.startswith("grok-tui: ")]) == 1
    assert "Traceback" not in done.stderr


def interrupted(run: Run) -> tuple[int, str]:
    """ctrl+c on a terminal, once a bar is there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command(run.name), stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen = b""
    deadline = time.monotonic() + 60
    while b"#" not in seen:
        assert time.monotonic() < deadline, seen
        seen += os.read(master, 4096)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            if not (more := os.read(master, 4096)):
                break
        except OSError:  # the other end is closed
            break
        seen += more
    os.close(master)
    return process.wait(60), seen.decode()


def test_on_a_terminal_there_is_a_bar_and_ctrl_c_stops_until_the_next_time() -> None:
    run = planted(list(range(0, 10_000, 10)))
    code, seen = interrupted(run)
    assert code == 130
    assert "planted-1" in seen
    assert "the same command goes on" in seen
    until(lambda: hindsight.going_on(run) is None, "the end of the recomputing")
    assert 0 < len(hindsight.result(run, KEYS).epochs) < 1000
