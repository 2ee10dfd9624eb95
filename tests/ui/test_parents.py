"""The parent behind its child: read beside it, hidden and shown, and told when it is gone."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grok_tui import codec, config, lineage, record, runs
from grok_tui.errors import RunError
from grok_tui.lineage import Lineage
from grok_tui.protocol import Array, Event, Points
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui import ghost
from grok_tui.ui.doors import Doors
from grok_tui.ui.ghost import Origin
from grok_tui.ui.members import Member
from grok_tui.ui.sheets import pairs
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.ribbon import Ribbon
from tests.ui import story
from tests.ui.family import CHILD, PARENT, SINCE, branched, child, grown, parent
from tests.ui.kin import origin, scripted, world
from tests.ui.stage import bottom, done, on_stage, settled, text, until


async def test_a_childs_screen_reads_its_parent_and_shows_it_behind_its_curves() -> None:
    family = world(origins=origin())
    source = scripted(child(9000), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await until(pilot, lambda: screen.state.ghost is not None)
        await settled(pilot, family.sources[PARENT])
        assert screen.state.ghost is not None
        assert (screen.state.ghost.since, screen.state.ghost.state.run) == (SINCE, PARENT)
        await until(pilot, lambda: "parent nanda113-1" in "\n".join(text(pilot)))


async def test_a_young_child_shows_what_came_of_its_parent_until_g_hides_it() -> None:
    family = world(origins=origin())
    source = scripted(child(6300), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await until(pilot, lambda: screen.state.ghost is not None)
        await settled(pilot, family.sources[PARENT])

        def ends() -> set[float]:
            charts = {chart.plot.epochs.end for chart in screen.query(Chart) if chart.plot is not None}
            strip = screen.query_one(Ribbon).strip
            return charts | ({strip.epochs.end} if strip is not None else set())

        await until(pilot, lambda: ends() == {10_000})  # to the parent's 9,000, rounded
        await pilot.press("c", "home", "end")
        await pilot.pause()
        assert screen.view.cursor == 6300  # of the run itself
        await pilot.press("escape", "g")
        await pilot.pause()
        assert ends() == {8_000}


async def test_a_living_parent_goes_on_behind_a_child_that_stands_still() -> None:
    family = world(origins=origin())
    family.sources[PARENT] = theirs = scripted(parent(7000))
    source = scripted([*child(9000), Event(9000, "paused", "paused", 0.0)], CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await settled(pilot, theirs)
        await until(pilot, lambda: screen.state.ghost is not None)
        await pilot.pause()
        before = text(pilot)
        theirs.push(*(frame for frame in parent(9000) if isinstance(frame, Points) and frame.epochs[0] > 7000))
        await settled(pilot, theirs)
        await until(pilot, lambda: text(pilot) != before)


async def test_g_hides_the_parent_and_shows_it_again() -> None:
    family = world(origins=origin())
    source = scripted(child(9000), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await until(pilot, lambda: screen.state.ghost is not None)
        await pilot.press("g")
        await pilot.pause()
        assert screen.state.ghost is None
        assert "g shows it again" in bottom(pilot)
        family.sources[PARENT].push(Points(*_point(9500)))
        source.push(*grown(9001, 9100))
        await settled(pilot, family.sources[PARENT])
        await settled(pilot, source)
        assert screen.state.ghost is None
        await pilot.press("g")
        await pilot.pause()
        assert screen.state.ghost is not None
        assert screen.state.ghost.state.epoch == 9500


async def test_a_parent_that_is_gone_is_said_once_and_the_child_is_shown() -> None:
    family = world(trouble=RunError(f"{PARENT}, which {CHILD} branched from, is gone: its curves cannot be shown"))
    source = scripted(child(8000), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await done(pilot, "ghost")
        assert "is gone" in bottom(pilot)
        await pilot.press("x")
        source.push(*grown(8001, 8100))
        await settled(pilot, source)
        assert "is gone" not in bottom(pilot)
        assert screen.state.ghost is None
        await pilot.press("g")
        await pilot.pause()
        assert "no parent to show" in bottom(pilot)


async def test_a_run_that_is_no_branch_looks_for_its_parent_once_and_has_none() -> None:
    asked: list[str] = []

    def nobody(place: str) -> None:
        asked.append(place)

    source = scripted(parent(8000))
    async with on_stage(source, doors=Doors(origin=nobody)) as (pilot, screen):
        source.push(*grown(8001, 8100))
        await settled(pilot, source)
        await done(pilot, "ghost")
        assert screen.state.ghost is None
    assert asked == [PARENT]


async def test_leaving_the_child_closes_the_parents_source_too() -> None:
    family = world(origins=origin())
    source = scripted(child(9000), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await until(pilot, lambda: screen.state.ghost is not None)
        await pilot.press("H")
        await until(pilot, lambda: pilot.app.screen is not screen)
        assert await asyncio.wait_for(anext(family.sources[PARENT].frames(), None), 5) is None


def _point(epoch: int) -> tuple[Any, dict[str, Any]]:
    return np.array([epoch]), {"train_loss": np.array([1e-7])}


# Who the parent is, on disk


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    return tmp_path


def recorded_run(started: float = 1000.0) -> Run:
    """A run with the first frames of a recording."""

    def fill(run: Run) -> None:
        told = (story.hello(run.name), Event(0, "started", "started", started))
        record.write(run.frames, [codec.pack(frame) for frame in told])

    return runs.create(config.preset("nanda113"), fill)


def branch_of(run: Run, epoch: int = 6000, born: float = 1000.0) -> Run:
    def fill(made: Run) -> None:
        lineage.write(made.path, Lineage(run.name, epoch, born))

    return runs.create(config.preset("nanda113"), fill, run)


@pytest.mark.usefixtures("home")
def test_a_branchs_parent_is_found_beside_it_with_the_epoch_at_which_they_parted() -> None:
    run = recorded_run()
    assert ghost.origin(str(branch_of(run).path)) == Origin(run, 6000)
    assert ghost.origin(str(run.path)) is None


@pytest.mark.usefixtures("home")
def test_another_run_that_has_the_parents_name_now_is_not_taken_for_it() -> None:
    child_ = branch_of(recorded_run(), born=2000.0)
    with pytest.raises(RunError, match=r"nanda113-1 is not the run that nanda113-1\.1 branched from any more"):
        ghost.origin(str(child_.path))


@pytest.mark.usefixtures("home")
def test_a_parent_that_was_renamed_is_shown_under_its_new_name() -> None:
    child_ = branch_of(run := recorded_run())
    base = Run(run.path.rename(run.path.with_name("base")))
    assert recorded_run(2000.0).name == run.name
    assert ghost.origin(str(child_.path)) == Origin(base, 6000)


@pytest.mark.usefixtures("home")
def test_in_a_comparison_a_branch_is_held_against_its_parent_whatever_that_is_called_now() -> None:
    child_ = branch_of(run := recorded_run())
    base = Run(run.path.rename(run.path.with_name("base")))
    stranger = recorded_run(2000.0)
    members = [Member(i, each, Scripted([])) for i, each in enumerate((stranger, child_, base))]
    for member in members:
        member.state.apply(story.hello(member.run.name))
    assert pairs(members) == []
    members[1].state.apply(branched())
    assert pairs(members) == [(members[1], members[2], SINCE)]
    assert pairs(members[:2]) == []


@pytest.mark.usefixtures("home")
def test_a_parent_that_was_deleted_is_named_as_gone() -> None:
    run = recorded_run()
    child_ = branch_of(run)
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match=r"nanda113-1, which nanda113-1\.1 branched from, is gone"):
        ghost.origin(str(child_.path))


@pytest.mark.usefixtures("home")
def test_resume_points_are_told_in_their_order_and_nothing_else_is_taken_for_one() -> None:
    run = recorded_run()
    run.resume_points.mkdir(exist_ok=True)
    for name in ("00000200.safetensors", "00000100.safetensors", "later.safetensors", "00000300.safetensors.new"):
        (run.resume_points / name).touch()
    assert ghost.points(str(run.path)) == (100, 200)
    assert ghost.points(str(run.path / "none")) == ()


def test_maps_of_the_parent_are_not_kept() -> None:
    state = ghost.ParentState()
    state.apply(Array(1, "neuron_maps", np.zeros((5, 113, 113))))
    state.apply(Array(1, "alpha", np.zeros(56)))
    assert list(state.arrays) == ["alpha"]
