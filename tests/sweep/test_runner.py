"""The runner as a process, looked at from outside: failures, kills, stops, and going on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

import psutil
import pytest

from grok_tui import config as configs
from grok_tui import launch, record, runs, sources, sweep_launch, sweeps
from grok_tui.errors import RunError
from grok_tui.protocol import Event, Order, Points
from grok_tui.runs import Run
from grok_tui.sweeps import Member, Sweep
from grok_tui.train.crew import Crew
from grok_tui.train.sweep import Runner
from tests.sweep import tiny
from tests.sweep.tiny import members, run_of, states
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("own_home")

SHORT: dict[str, Any] = {"training__epochs": 200, "measure__every": 50}
LONG: dict[str, Any] = {"training__epochs": 10_000_000, "record__resume_every": 200}


def epochs(run: Run) -> list[int]:
    """Of every recorded train loss, as they stand in the recording."""
    frames = [f for f in record.read(run.frames)[0] if isinstance(f, Points) and "train_loss" in f.values]
    return [epoch for frame in frames for epoch in frame.epochs.tolist()]


def events(run: Run, what: str) -> list[Event]:
    return [f for f in record.read(run.frames)[0] if isinstance(f, Event) and f.what == what]


def begun(sweep: Sweep, count: int = 1) -> bool:
    """So many members train, and have come past their first resume points."""
    runs = [run_of(m) for m in members(sweep) if m.run]
    return sum(bool(list(run.resume_points.glob("*.safetensors"))) and run.alive for run in runs) >= count


def over(sweep: Sweep) -> bool:
    return not sweep.alive


def living(sweep: Sweep) -> list[Run]:
    return [run_of(m) for m in members(sweep) if m.run and run_of(m).alive]


def test_a_member_that_fails_does_not_stop_the_others() -> None:
    """A learning rate of 1 with a decay of 1000 blows up at once."""
    sweep = tiny.made(decays="1,1000", vary=("optimizer.lr=1e-3,1.0", "optimizer.warmup=0"), jobs=2, **SHORT)
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["finished", "finished", "finished", "failed"]
    failed = members(sweep)[3]
    assert "train loss is not finite" in failed.why
    assert epochs(run_of(members(sweep)[0])) == list(range(200))
    with pytest.raises(RunError, match="done"):
        sweep_launch.start(tiny_done(sweep))


def test_a_member_that_cannot_even_be_started_does_not_stop_the_others() -> None:
    sweep = tiny.made(decays="1,5", **SHORT)
    contents = sweep.read()
    first = contents.members[0]
    run = runs.create(contents.config(first), lambda new: sweeps.mark(new, contents, sweep, first))
    (run.path / "VERSION").write_text("99\n")
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["failed", "finished"]
    assert "made by a newer grok-tui" in members(sweep)[0].why


def tiny_done(sweep: Sweep) -> Sweep:
    """The sweep as if its failed member were done."""
    contents = sweep.read()
    for member in contents.members:
        contents = contents.with_member(Member(member.place, member.run, "finished"))
    sweep.write(contents)
    return sweep


def test_a_disk_that_is_full_for_a_while_costs_no_member_its_place() -> None:
    sweep = tiny.made(decays="1,5", jobs=2, **LONG)
    sweep_launch.start(sweep)
    until(lambda: begun(sweep, 2))
    first, second = (run_of(member) for member in members(sweep))
    resource.prlimit(sweep.pid, resource.RLIMIT_FSIZE, (700, resource.RLIM_INFINITY))  # the log has room, the sweep not
    sources.ask(first, Order(1, "stop"))
    until(lambda: "sweep.toml: cannot be written" in sweep.log.read_text())
    assert sweep.alive
    assert second.alive
    resource.prlimit(sweep.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sources.ask(second, Order(1, "stop"))
    until(lambda: over(sweep))
    assert states(sweep) == ["stopped", "stopped"]


def test_what_the_disk_takes_only_at_the_end_is_written_then(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = tiny.made(decays="1")
    runner = Runner(sweep)
    with monkeypatch.context() as full:
        full.setattr("builtins.print", no_room)
        full.setattr(os, "fsync", no_room)
        runner._note(members(sweep)[0], state="failed", why="the disk is full")
        with pytest.raises(RunError, match="cannot be written"):
            runner.tell()
    assert states(sweep) == ["waiting"]
    runner.tell()
    assert states(sweep) == ["failed"]


def no_room(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_member_that_its_plan_has_stopped_has_ended_and_is_not_gone_on_with() -> None:
    sweep = tiny.made(decays="1", **SHORT)
    contents = sweep.read()
    sweep.write(replace(contents, base=configs.planning(contents.base, ["at 100: stop"])))
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    member = members(sweep)[0]
    assert (member.state, member.why) == ("ended", "stopped by plan 1")
    assert epochs(run_of(member))[-1] == 99
    with pytest.raises(RunError, match="all of its members have ended"):
        sweep_launch.start(sweep)


def paused(sweep: Sweep) -> list[int]:
    """The members that are, by their numbers."""
    return [m.number for m in members(sweep) if m.run and run_of(m).alive and run_of(m).state.get("state") == "paused"]


def pausing(**changes: Any) -> Sweep:
    """A sweep of three of which one trains at a time, and each pauses at epoch 20."""
    sweep = tiny.made(decays="1,3,5", **SHORT)
    contents = sweep.read()
    options = replace(contents.options, **changes)
    sweep.write(replace(contents, options=options, base=configs.planning(contents.base, ["at 20: pause"])))
    return sweep


def test_a_member_that_is_paused_gives_its_place_to_the_next_and_goes_on_when_it_is_continued() -> None:
    sweep = pausing()
    sweep_launch.start(sweep)
    until(lambda: len(paused(sweep)) == 3)
    assert "paused, and the next may be trained meanwhile" in sweep.log.read_text()
    for member in members(sweep):
        sources.ask(run_of(member), Order(1, "resume"))
    until(lambda: over(sweep))
    assert states(sweep) == ["finished"] * 3
    assert all(epochs(run_of(member)) == list(range(200)) for member in members(sweep))


def test_a_place_that_was_taken_back_is_not_given_away_again_by_another_that_rests_at_that_moment() -> None:
    runner = Runner(tiny.made(decays="1,5", **SHORT))
    looked, go, left, resting = (threading.Event() for _ in range(4))

    class Slow:
        name, state = "tiny-1", MappingProxyType({"state": "paused"})

        @property
        def alive(self) -> bool:
            looked.set()
            return go.wait(20)

    class Resting(Slow):
        @property
        def alive(self) -> bool:
            return True

    def ends() -> None:
        runner._rest([cast("Run", Resting())])
        resting.set()
        assert looked.wait(20)
        runner._rest([])
        left.set()

    def begins() -> None:
        assert resting.wait(20)
        runner._rest([cast("Run", Slow())])

    threads = [threading.Thread(target=target) for target in (ends, begins)]
    for thread in threads:
        thread.start()
    assert left.wait(20)
    go.set()
    for thread in threads:
        thread.join(20)
    assert runner._resting == {threads[1].ident}


def test_where_memory_is_short_the_next_waits_until_what_is_paused_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = pausing()
    runner = Runner(sweep)
    monkeypatch.setattr(Crew, "lacks", lambda *_: "about 9 GB is needed, 1 GB is free")
    monkeypatch.setattr("grok_tui.train.sweep.SCARCE", 0.0)
    work = threading.Thread(target=runner.run)
    work.start()
    try:
        until(lambda: "paused" in [m and run_of(m).state.get("state") for m in members(sweep) if m.run])
        until(lambda: runner._lacking != "")
        assert len([m for m in members(sweep) if m.run]) == 1
    finally:
        runner.stop()
        work.join()
    assert states(sweep) == ["stopped", "waiting", "waiting"]


@pytest.mark.parametrize("stack", [1, 2])
def test_a_member_that_its_plan_stopped_while_no_runner_looked_is_not_gone_on_with(stack: int) -> None:
    sweep = tiny.made(decays="1,5", **SHORT)
    contents = sweep.read()
    base = configs.planning(contents.base, ["at 100: stop"])
    contents = replace(contents, base=base, options=replace(contents.options, stack=stack))
    first = contents.members[0]
    run = runs.create(contents.config(first), lambda new: sweeps.mark(new, contents, sweep, first))
    sweep.write(contents.with_member(Member(first.place, run.name, "running")))  # as a runner notes before it is killed
    launch.resume(run, device="cpu", threads=1)
    until(lambda: not run.alive and bool(events(run, "stopped")))
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["ended", "ended"]
    assert members(sweep)[0].why == "stopped by plan 1"
    assert not events(run, "resumed")
    assert epochs(run)[-1] == 99


def test_a_killed_runner_leaves_its_members_training_and_the_next_one_waits_for_them() -> None:
    sweep = tiny.made(decays="1,5,9", jobs=2, **LONG)
    sweep_launch.start(sweep)
    until(lambda: begun(sweep, 2))
    os.kill(sweep.pid, signal.SIGKILL)
    until(lambda: over(sweep))
    before = living(sweep)
    assert len(before) == 2
    sweep_launch.start(sweep)
    until(lambda: sweep.log.read_text().count("waited for") == 2)
    assert [run.pid for run in living(sweep)] == [run.pid for run in before], "a member was started twice"
    sweep_launch.stop(sweep)
    assert len(runs.listing()) == 2
    assert states(sweep) == ["stopped", "stopped", "waiting"]


def test_a_member_that_was_cut_off_goes_on_from_its_resume_point() -> None:
    sweep = tiny.made(decays="1", **LONG)
    sweep_launch.start(sweep)
    until(lambda: begun(sweep))
    run = run_of(members(sweep)[0])
    for pid in (sweep.pid, run.pid):
        psutil.Process(pid).kill()
    until(lambda: over(sweep) and not run.alive)
    known = epochs(run)[-1]
    sweep_launch.start(sweep)
    until(lambda: epochs(run)[-1] > known)
    sweep_launch.stop(sweep)
    assert all("bit for bit" in event.text for event in events(run, "replayed"))
    assert "from epoch 0" not in events(run, "resumed")[0].text
    assert epochs(run) == list(range(epochs(run)[-1] + 1))
    assert [r.name for r in runs.listing()] == [run.name]


def test_a_run_that_a_killed_runner_had_made_and_not_written_down_is_the_members_own() -> None:
    sweep = tiny.made(decays="1", **SHORT)
    contents = sweep.read()
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    run = run_of(members(sweep)[0])
    sweep.write(contents)  # as it was before the member had a run
    assert members(sweep)[0].run == ""
    sweep_launch.start(sweep)
    until(lambda: over(sweep) and states(sweep) == ["finished"])
    assert run_of(members(sweep)[0]) == run
    assert epochs(run) == list(range(200))


def test_a_stopped_sweep_leaves_resume_points_and_goes_on() -> None:
    sweep = tiny.made(decays="1,5", **LONG)
    sweep_launch.start(sweep)
    until(lambda: begun(sweep))
    said = sweep_launch.stop(sweep)
    assert "--resume continues it" in said
    assert states(sweep) == ["stopped", "waiting"]
    run = run_of(members(sweep)[0])
    assert (run.resume_points / f"{events(run, 'stopped')[0].epoch:08d}.safetensors").exists()
    sweep_launch.start(sweep)
    until(lambda: bool(events(run, "resumed")) and run.alive)
    sweep_launch.stop(sweep)
    with pytest.raises(RunError, match="is not running now"):
        sweep_launch.stop(sweep)


def test_stopping_a_sweep_whose_runner_was_killed_ends_a_stack_with_those_that_wait_for_a_seat_in_it() -> None:
    sweep = tiny.made(decays="1,5,9", **LONG)
    contents = sweep.read()
    sweep.write(replace(contents, options=replace(contents.options, stack=2)))
    sweep_launch.start(sweep)
    until(lambda: begun(sweep, 2))
    seated = living(sweep)
    stack = psutil.Process(seated[0].pid)
    psutil.Process(sweep.pid).kill()
    until(lambda: over(sweep))
    said = sweep_launch.stop(sweep)
    until(lambda: not stack.is_running() or stack.status() == psutil.STATUS_ZOMBIE, patience=20)
    assert [run_of(member).state.get("state") for member in members(sweep)] == ["stopped", "stopped", None]
    assert "no runner" in said
    assert all(run.name in said for run in seated)
    with pytest.raises(RunError, match="is not running now"):
        sweep_launch.stop(sweep)


def test_those_that_waited_in_a_stack_that_was_killed_are_trained_in_another_one() -> None:
    sweep = tiny.made(decays="1,5,9", **LONG)
    contents = sweep.read()
    sweep.write(replace(contents, options=replace(contents.options, stack=2)))
    sweep_launch.start(sweep)
    until(lambda: begun(sweep, 2))
    third = run_of(members(sweep)[2])
    psutil.Process(living(sweep)[0].pid).kill()
    until(lambda: third.alive)
    until(lambda: states(sweep) == ["cut off", "cut off", "running"])
    assert f"{third.name}, to which it had not come" in sweep.log.read_text()
    sweep_launch.stop(sweep)
    assert states(sweep) == ["cut off", "cut off", "stopped"]


def test_a_stack_that_is_killed_before_it_trains_anything_is_not_begun_again_and_again() -> None:
    sweep = tiny.made(decays="1,5")
    run = Runner(sweep)
    load = {member.number: run._with_a_run(member) for member in run.contents.members}
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert run._watch(load, process) == {}
    assert states(sweep) == ["failed", "failed"]


def test_one_that_could_not_be_begun_waits_again_once_the_sweep_goes_on() -> None:
    sweep = tiny.made(decays="1,5,9", **LONG)
    contents = sweep.read()
    contents = replace(contents, options=replace(contents.options, stack=2))
    sweep.write(contents.with_member(replace(contents.members[2], state="failed", why="its trainer did not start")))
    sweep_launch.start(sweep)
    until(lambda: begun(sweep, 2))
    assert (members(sweep)[2].state, members(sweep)[2].why) == ("waiting", "")
    sweep_launch.stop(sweep)
    assert states(sweep) == ["stopped", "stopped", "waiting"]


def test_a_member_whose_run_was_deleted_is_run_anew() -> None:
    sweep = tiny.made(decays="1,5", **SHORT)
    contents = sweep.read()
    gone = Member(contents.members[0].place, "tiny-9", "stopped")
    sweep.write(contents.with_member(gone))
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["finished", "finished"]
    assert members(sweep)[0].run != "tiny-9"


def test_a_run_that_got_the_name_of_a_deleted_member_is_no_member_and_is_left_alone() -> None:
    sweep = tiny.made(decays="1", **SHORT)
    other = runs.create(tiny.config(**SHORT, optimizer__weight_decay=7))
    contents = sweep.read()
    sweep.write(contents.with_member(Member(contents.members[0].place, other.name, "stopped")))
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["finished"]
    assert run_of(members(sweep)[0]).config.optimizer.weight_decay == 1
    assert other.state == {}
    assert not other.frames.exists()
