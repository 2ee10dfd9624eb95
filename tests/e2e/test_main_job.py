"""The main job as a user does it, in a real pseudo-terminal with the installed command."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grok_tui import ledger, record, runs
from grok_tui.bench import finished_run
from grok_tui.protocol import Event
from grok_tui.state import RunState
from grok_tui.terminal import Terminal
from tests.waiting import until


def program() -> str:
    """The installed command: beside this interpreter, or on the path."""
    beside = Path(sysconfig.get_path("scripts")) / "grok-tui"
    found = str(beside) if beside.exists() else shutil.which("grok-tui")
    assert found, "grok-tui is not installed: pip install it first"
    return found


pytestmark = pytest.mark.usefixtures("own_home")


def opened(*arguments: str, columns: int = 120, rows: int = 40) -> Terminal:
    return Terminal([program(), *arguments], columns, rows)


def shows(*words: str) -> Callable[[str], bool]:
    return lambda text: all(re.search(word, text) for word in words)


def see(terminal: Terminal, *words: str, patience: float = 60.0) -> None:
    """Wait until all the words are on the screen."""
    assert terminal.until(shows(*words), patience) is not None, f"{words} not on the screen:\n{terminal.text}"


def reach(terminal: Terminal, phase: str) -> None:
    """Wait until the status line names the phase: the panes name phases that are yet to come, too."""
    found = terminal.until(lambda text: phase in text.splitlines()[0], 120)
    assert found is not None, f"{phase} not in the status line:\n{terminal.text}"


def test_memorise_grok_change_the_decay_leave_and_come_back() -> None:
    with opened("--preset", "demo", "--threads", "1") as terminal:
        see(terminal, "demo-1", "live", r"weight decay 1\.5")
        run = runs.find("demo-1")
        reach(terminal, "memorization")
        see(terminal, "train 1")
        reach(terminal, "circuit formation")
        terminal.press("w")
        see(terminal, "Enter")
        terminal.press(*"1.75", "enter")
        see(terminal, r"weight decay 1\.75")
        terminal.press("+")
        see(terminal, r"weight decay 3\.5")
        terminal.press("-")
        see(terminal, r"weight decay 1\.75")
        see(terminal, "1.75 → 3.5", "3.5 → 1.75")
        changed = [entry for entry in ledger.read(run.ledger) if entry.what == "changed"]
        assert [entry.data["value"] for entry in changed] == [1.75, 3.5, 1.75]
        terminal.press("q")
        assert terminal.wait(10) == 0
        see(terminal, "demo-1.*goes on", "grok-tui attach")
    assert run.alive
    epoch = int(run.state["epoch"])
    until(lambda: int(run.state["epoch"]) > epoch, "going on")

    with opened("attach") as terminal:
        see(terminal, "demo-1", r"weight decay 1\.75", rf"{changed[1].epoch:,}.*1\.75 → 3\.5")
        reach(terminal, "generalized")
        see(terminal, r"test (1\.000|0\.9)")
        see(terminal, "finished", patience=120)
    state = RunState()
    for frame in record.read(run.frames)[0]:
        state.apply(frame)
    order = ["fitting", "memorization", "circuit formation", "cleanup", "generalized"]
    assert [boundary.phase for boundary in state.phases.boundaries] == order
    events = [frame for frame in record.read(run.frames)[0] if isinstance(frame, Event) and frame.what == "changed"]
    assert [(event.epoch, event.data["value"]) for event in events] == [
        (entry.epoch, entry.data["value"]) for entry in changed
    ]


def test_pulling_the_terminal_away_leaves_the_run_training() -> None:
    with opened("--preset", "demo", "--threads", "1") as terminal:
        see(terminal, "demo-1", "live")
        run = runs.find()
    # leaving the block hangs up: the viewer is gone
    assert terminal.process.returncode is not None
    assert run.alive
    epoch = int(run.state.get("epoch", 0))
    with opened("attach", run.name) as terminal:
        see(terminal, "live")
        assert int(run.state["epoch"]) >= epoch


def test_a_killed_trainer_is_said_to_be_cut_off_and_comes_back_with_a_key() -> None:
    with opened("--preset", "demo", "--threads", "1") as terminal:
        see(terminal, "live")
        run = runs.find()
        psutil.Process(run.pid).kill()
        see(terminal, "cut off")
        terminal.press("r")
        see(terminal, "live", "resumed")
        assert run.alive


def test_two_viewers_at_once_one_of_which_never_reads() -> None:
    with opened("--preset", "demo", "--threads", "1") as reader:
        see(reader, "live")
        run = runs.find()
        silent = opened("attach")
        epoch = int(run.state.get("epoch", 0))
        with silent:
            for key, value in (("+", "3"), ("-", r"1\.5")):
                reader.press(key)
                see(reader, rf"weight decay {value}\b(?! *→)")
            deadline = time.monotonic() + 60
            while int(run.state["epoch"]) < epoch + 500:
                assert time.monotonic() < deadline, "the run stands still"
                reader.read(0.1)
            see(silent, "live|finished", r"weight decay 1\.5")


@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (80, 24), (120, 40), (200, 60), (300, 90)])
def test_a_finished_run_opens_at_any_size_and_follows_a_resize(columns: int, rows: int) -> None:
    run = finished_run(4000)
    with opened("attach", run.name, columns=columns, rows=rows) as terminal:
        see(terminal, "finished|✓")
        for width, height in ((80, 24), (33, 9), (150, 50), (columns, rows)):
            terminal.resize(width, height)
            terminal.read(0.4)
        see(terminal, "finished|✓")
        assert terminal.process.poll() is None
        terminal.press("q")
        assert terminal.wait(10) == 0
        assert "Traceback" not in terminal.text


def test_a_finished_run_sends_nothing_when_nothing_changes() -> None:
    run = finished_run(4000)
    with opened("attach", run.name) as terminal:
        see(terminal, "finished")
        terminal.read(2.0)
        assert terminal.read(3.0) == 0


def test_commands_from_a_script_steer_the_run_a_viewer_watches() -> None:
    with opened("--preset", "demo", "--threads", "1") as terminal:
        see(terminal, "live")
        done = subprocess.run(
            [program(), "set", "demo-1", "weight_decay", "3"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        see(terminal, r"weight decay 3\b")
        refused = subprocess.run(
            [program(), "set", "demo-1", "weight_decay", "nan"], capture_output=True, text=True, check=False
        )
        assert refused.returncode != 0
        assert len(refused.stderr.strip().splitlines()) == 1
        assert "out of bounds" in refused.stderr
        stopped = subprocess.run([program(), "stop", "demo-1"], capture_output=True, text=True, check=False)
        assert stopped.returncode == 0, stopped.stderr
        see(terminal, "stopped")
