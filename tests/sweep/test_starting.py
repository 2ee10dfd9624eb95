"""A sweep that is stopped while what it has started still loads: nothing of it trains afterwards."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grok_tui import sweep_launch, sweep_lists, workers
from grok_tui.errors import LaunchError, RunError
from grok_tui.sweep_state import SweepState, heading
from grok_tui.sweeps import Sweep
from tests.sweep import tiny
from tests.sweep.tiny import members, run_of, states
from tests.waiting import until

HeldUp = Callable[[str], Path]

WAITS = """
import pathlib, signal, sys
if {module!r} in sys.orig_argv:
    pathlib.Path({sign!r}).touch()
    while True:
        signal.pause()
"""


@pytest.fixture
def held_up(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> HeldUp:
    """Processes of a module load for ever; the file that is returned appears when the first does."""
    place = own_home / "held-up"
    place.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(place))

    def hold(module: str) -> Path:
        sign = place / "sign"
        (place / "sitecustomize.py").write_text(WAITS.format(module=module, sign=str(sign)))
        return sign

    return hold


def let_go(sign: Path) -> None:
    """Those that are started from now on load as ever."""
    (sign.parent / "sitecustomize.py").unlink()


def stacked(sweep: Sweep, stack: int) -> Sweep:
    contents = sweep.read()
    sweep.write(replace(contents, options=replace(contents.options, stack=stack)))
    return sweep


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("stack", "module"), [(2, "grok_tui.train.together"), (1, "grok_tui.train")])
def test_what_a_killed_runner_had_started_is_stopped_while_it_still_loads(
    held_up: HeldUp, stack: int, module: str
) -> None:
    sign = held_up(module)
    sweep = stacked(tiny.made(decays="1,5"), stack)
    sweep_launch.start(sweep)
    until(sign.exists)
    os.kill(sweep.pid, signal.SIGKILL)
    until(lambda: not sweep.alive)
    (pid,) = workers.living(sweep.path)
    state = SweepState(sweep)
    state.look()
    assert (heading(state), state.over) == ("… starting", False)
    assert "goes on" in sweep_lists.farewell(state)
    assert "only starting" in sweep_launch.stop(sweep)
    until(lambda: gone(pid))
    assert workers.living(sweep.path) == []
    state.look()
    assert state.over
    with pytest.raises(RunError, match="is not running now"):
        sweep_launch.stop(sweep)


def test_a_runner_is_stopped_before_it_has_taken_its_lock(held_up: HeldUp) -> None:
    sign = held_up("grok_tui.train.sweep")
    sweep = tiny.made(decays="1")
    failed: list[str] = []

    def start() -> None:
        try:
            sweep_launch.start(sweep)
        except LaunchError as error:
            failed.append(str(error))

    starting = threading.Thread(target=start)
    starting.start()
    until(sign.exists)
    assert not sweep.alive
    assert "only starting" in sweep_launch.stop(sweep)
    starting.join(20)
    assert "killed by signal 15" in failed[0]
    assert states(sweep) == ["waiting"]


def test_members_whose_stack_was_stopped_while_it_loaded_wait_and_have_not_failed(held_up: HeldUp) -> None:
    sign = held_up("grok_tui.train.together")
    sweep = stacked(tiny.made(decays="1,5", training__epochs=60), 2)
    sweep_launch.start(sweep)
    until(sign.exists)
    assert "is stopped" in sweep_launch.stop(sweep)
    assert states(sweep) == ["waiting", "waiting"]
    let_go(sign)
    sweep_launch.start(sweep)
    until(lambda: not sweep.alive)
    assert states(sweep) == ["finished", "finished"]
    assert [run_of(member).name for member in members(sweep)] == ["tiny-1", "tiny-2"]


def test_of_processes_that_have_ended_nothing_is_left(own_home: Path) -> None:
    with workers.post(own_home):
        assert workers.living(own_home) == [0]
    assert list((own_home / workers.FOLDER).iterdir()) == []
    with workers.post(own_home) as first, workers.post(own_home) as second:
        first.taken(4)
        second.taken(5)
        assert sorted(workers.living(own_home)) == [4, 5]
    assert workers.living(own_home) == []


@pytest.mark.usefixtures("own_home")
def test_where_no_post_can_be_made_nothing_is_started_and_the_place_is_named() -> None:
    sweep = tiny.made(decays="1")
    (sweep.path / workers.FOLDER).write_text("in the way")
    with pytest.raises(RunError, match=r"workers: cannot be written"):
        sweep_launch.start(sweep)
    assert not sweep.alive
