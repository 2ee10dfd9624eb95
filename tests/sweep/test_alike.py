"""What was computed in a stack is repeated bit for bit by a seat of a stack, whatever is in the other seats."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from grok_tui import config as configs
from grok_tui import launch, recipe, runs, stacking, sweep_launch, sweeps
from grok_tui.config import Config
from grok_tui.runs import Run
from grok_tui.stacking import Manner
from grok_tui.sweeps import Sweep
from grok_tui.train import seats as alike
from grok_tui.train.crew import Crew, loads
from grok_tui.train.stack import Stack
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table
from tests.sweep import tiny
from tests.sweep.test_runner import events
from tests.sweep.tiny import members, run_of, states
from tests.train.stage import column
from tests.waiting import until

CPU = torch.device("cpu")
SHAPES = {
    "demo": {"task.p": 59, "data.fraction": 0.4, "model.d_model": 64, "model.n_heads": 4, "model.d_mlp": 256},
    "odd": {"task.p": 31, "data.fraction": 0.3, "model.d_model": 36, "model.n_heads": 3, "model.d_mlp": 100},
    "tiny": tiny.SIZES,
}
COUNT = 3


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def configured(shape: str, member: int) -> Config:
    apart = {"data.seed": member, "model.seed": 7 * member, "optimizer.weight_decay": 0.5 + member}
    return configs.override(Config(), (SHAPES[shape] | apart).items())


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_seat_computes_the_same_bits_at_every_place_whatever_the_others_hold_and_whether_they_move(
    shape: str,
) -> None:
    members = [configured(shape, i) for i in range(COUNT)]
    tables = [Table.of(config, CPU) for config in members]
    stack = Stack(members[0], COUNT, CPU)
    seats = [stack.take(i, config, table) for i, (config, table) in enumerate(zip(members, tables, strict=True))]
    stack.let(seats)
    stack.advance(4)
    middle = seats[0].state()
    stack.advance(4)
    wanted = seats[0].state()
    for place in range(COUNT):
        stack = Stack(members[0], COUNT, CPU)
        seat = stack.take(place, members[0], tables[0])  # the others are empty
        seat.load_state(middle)
        seat.advance(4)
        assert same(seat.state(), wanted)
        stack = Stack(members[0], COUNT, CPU)
        taken = [stack.take(i, members[i - place], tables[i - place]) for i in range(COUNT)]
        stack.let(taken[place:])  # some rest
        stack.advance(3)
        stack.let(taken)
        stack.advance(5)
        assert same(taken[place].state(), wanted)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_fewest_seats_that_give_the_bits_of_a_larger_stack_are_found(shape: str) -> None:
    config = configured(shape, 0)
    table = Table.of(config, CPU)
    wanted, found = (
        Stack(config, count, CPU).take(1, config, table) for count in (5, alike.fewest(config, table, CPU, 5))
    )
    for seat in (wanted, found):
        seat.advance(12)
    assert same(wanted.state(), found.state())


def test_what_gives_other_bits_is_not_taken_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a device whose products depend on how many there are."""
    honest = alike._tried

    def tried(config: Config, table: Table, device: torch.device, seats: int) -> list[torch.Tensor]:
        return [value + (1e-7 if seats == 2 else 0) for value in honest(config, table, device, seats)]

    monkeypatch.setattr(alike, "_tried", tried)
    config = configured("tiny", 0)
    assert [alike.fewest(config, Table.of(config, CPU), CPU, stack) for stack in (2, 3, 4, 9)] == [2, 3, 4, 4]


def test_a_run_is_taken_to_another_device_alone_and_a_new_one_has_its_own_stepper() -> None:
    before = {"device": "cuda", "stack": 8}
    assert alike.like_before(before, {"device": "cuda"}) == 8
    assert alike.like_before(before, {"device": "cpu"}) == 1
    assert alike.like_before({}, {"device": "cpu"}) == 1
    assert alike.made(1) is Stepper


@pytest.mark.parametrize("stack", ["4", 10**9, -1, True, None, 2.5])
def test_a_recording_of_somebody_else_makes_no_absurd_stack(stack: object) -> None:
    assert stacking.count({"stack": stack}) == 1


def stacked(count: int, seeds: int, *, decays: str, plan: tuple[str, ...] = ()) -> Sweep:
    """A sweep whose members share their steps, as it was made and not started."""
    sweep = tiny.made(decays=decays, seeds=seeds, training__epochs=400, measure__every=40, record__resume_every=100)
    contents = sweep.read()
    options = replace(contents.options, stack=count)
    sweep.write(replace(contents, base=configs.planning(contents.base, plan), options=options))
    return sweep


def over(sweep: Sweep) -> bool:
    return not sweep.alive and all(state not in ("waiting", "running") for state in states(sweep))


def weights(run: Run, epoch: int) -> dict[str, np.ndarray]:
    return dict(load_file(run.weights / f"{epoch:08d}.safetensors"))


def equal(one: Run, other: Run) -> None:
    """Their recordings and their last weights, bit for bit."""
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "excluded_loss"):
        assert column(one, name) == column(other, name), name
    last = max(int(path.stem) for path in one.weights.glob("*.safetensors"))
    ours, theirs = weights(one, last), weights(other, last)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.usefixtures("own_home")
def test_a_branch_of_a_member_of_a_stack_with_nothing_changed_equals_it_unless_it_is_trained_alone(
    tmp_path: Path,
) -> None:
    sweep = stacked(4, 2, decays="0.5,2")
    sweep_launch.start(sweep)
    until(lambda: over(sweep))
    assert states(sweep) == ["finished"] * 4
    parent = run_of(members(sweep)[2])
    assert stacking.manner(parent) == Manner(4, 1)
    child = launch.branch(parent, 150)
    until(lambda: bool(events(child, "finished")) and not child.alive)
    assert "not" not in events(child, "resumed")[0].text
    assert "equal to the recording, bit for bit" in events(child, "replayed")[0].text
    equal(child, parent)
    assert stacking.manner(child) == Manner(4, 1)
    like_its_recipe(parent, tmp_path / "recipe.toml")
    own = launch.branch(parent, 150, alone=True)
    until(lambda: bool(events(own, "finished")) and not own.alive)
    assert "alone, not in a stack of 4" in events(own, "resumed")[0].text
    assert column(own, "train_loss") != column(parent, "train_loss")
    assert stacking.manner(own).stack == 1
    assert "it gives another trajectory, since the run was trained in a stack of 4, then alone" in recipe.text(own)


def like_its_recipe(run: Run, file: Path) -> None:
    """Its recipe names what repeats it, and does."""
    text = recipe.text(run)
    file.write_text(text, encoding="utf-8")
    assert "it gives the same run: grok-tui --preset" in text
    assert "--stack 4 --recipe FILE" in text
    repeated = launch.start(recipe.applied(run.config, file), device="cpu", threads=1, stack=4)
    until(lambda: bool(events(repeated, "finished")) and not repeated.alive)
    equal(repeated, run)


@pytest.mark.usefixtures("own_home")
def test_members_of_a_stack_that_was_killed_go_on_bit_for_bit_by_themselves_and_fewer_together() -> None:
    whole, cut = stacked(3, 3, decays="2"), stacked(3, 3, decays="2", plan=("at 130: pause",))
    sweep_launch.start(whole)
    until(lambda: over(whole))
    sweep_launch.start(cut)
    until(lambda: all(member.run and run_of(member).state.get("state") == "paused" for member in members(cut)))
    first, *others = (run_of(member) for member in members(cut))
    assert first.pid == others[0].pid
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: over(cut))
    assert states(cut) == ["cut off"] * 3
    launch.resume(first)
    until(lambda: bool(events(first, "finished")) and not first.alive)
    sweep_launch.start(cut)
    until(lambda: over(cut))
    assert states(cut) == ["finished"] * 3
    assert others[0].pid == others[1].pid
    for run, wanted in zip((first, *others), map(run_of, members(whole)), strict=True):
        assert "equal to the recording, bit for bit" in events(run, "replayed")[0].text
        assert "not" not in events(run, "resumed")[0].text
        assert stacking.manner(run) == Manner(3, 1)
        equal(run, wanted)


@pytest.mark.usefixtures("own_home")
def test_members_keep_to_those_that_were_trained_like_them_and_new_ones_join_the_largest_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = stacked(4, 6, decays="2")
    contents = sweep.read()
    past = [Manner(4, 1), Manner(1, 1), Manner(0, 0), Manner(4, 1), Manner(2, 1), Manner(0, 0)]
    made = {
        runs.create(contents.config(member)).name: manner for member, manner in zip(contents.members, past, strict=True)
    }
    for member, name in zip(contents.members, made, strict=True):
        contents = contents.with_member(replace(member, run=name))
    monkeypatch.setattr(sweeps, "run_of", lambda _, member: runs.find(member.run))
    monkeypatch.setattr(stacking, "manner", lambda run: made[run.name])
    found = loads(contents, contents.members, Crew(1, 1, 4, "cpu"))
    assert sorted(sorted(member.number for member in load) for load in found) == [[1, 3, 4, 6], [2], [5]]
