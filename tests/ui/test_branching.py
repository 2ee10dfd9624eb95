"""Stories of going back: a branch from the cursor, undo, and the parent behind its child."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.widgets import Input, Static

from grok_tui import codec, config, lineage, record, runs
from grok_tui.errors import LaunchError, RunError
from grok_tui.lineage import Lineage
from grok_tui.protocol import Array, Event, Frame, Points, SetControl, Status
from grok_tui.runs import Run
from grok_tui.sources import Link, Scripted
from grok_tui.state import RunState
from grok_tui.ui import ghost, wishes
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.ghost import Origin
from grok_tui.ui.screens.branch import BranchScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.undo import UndoScreen
from grok_tui.ui.wishes import Wish, last_change
from tests.ui import story
from tests.ui.family import CHILD, PARENT, SINCE, child, grown, parent
from tests.ui.gallery import state_of
from tests.ui.stage import bottom, done, on_stage, settled, text, until

POINTS = (0, 4000, 5900)


@dataclass
class World:
    """A parent and what is made of it; no disk, no trainer."""

    sources: dict[str, Scripted] = field(default_factory=dict)
    made: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    trouble: Exception | None = None

    def doors(self) -> Doors:
        return Doors(
            find=lambda name: Run(Path(name)),
            source=self.source,
            branch=self.branch,
            points=lambda _: POINTS,
            origin=self.origin,
        )

    def source(self, run: Run) -> Scripted:
        return self.sources[run.name]

    def branch(self, run: Run, epoch: int, **wish: Any) -> Run:
        if self.trouble:
            raise self.trouble
        self.made.append((run.name, epoch, wish))
        return Run(Path(CHILD))

    def origin(self, place: str) -> Origin | None:
        if self.trouble:
            raise self.trouble
        return self.origins.get(Path(place).name)


def scripted(frames: Iterable[Frame], place: str = PARENT, link: Link = "live") -> Scripted:
    source = Scripted(frames, link=link)
    source.place = place
    return source


def world(**more: Any) -> World:
    """With the child's source at hand, which opens once it is made."""
    made = World(**more)
    made.sources = {CHILD: scripted(child(6500), CHILD), PARENT: scripted(parent(9000))}
    return made


def origin() -> dict[str, Origin]:
    return {CHILD: Origin(Run(Path(PARENT)), SINCE)}


def changed(epoch: int, seq: int, previous: float, value: float, control: str = "weight_decay") -> Event:
    data = {"control": control, "value": value, "previous": previous}
    return Event(epoch, "changed", f"{control} {previous:g} → {value:g}", 0.0, seq, data)


def steered(*events: Event, until: int = 9000, state: str = "running") -> list[Frame]:
    told = [frame for frame in story.frames(until=until) if not isinstance(frame, Status)]
    return [*told, *events, Status(until, state, 45.0, {"weight_decay": 1.0, "lr": 1e-3}, 9)]


# A branch


async def test_b_branches_at_the_cursor_with_what_was_typed_and_opens_the_child() -> None:
    family = world()
    source = scripted(parent(9000))
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        screen.look(screen.view.place_cursor(9000, 6000))
        await pilot.press("b")
        await done(pilot, "points")
        assert isinstance(pilot.app.screen, BranchScreen)
        page = "\n".join(text(pilot))
        assert "resume point 5,900: 100 epochs computed again" in page
        assert "0.001 per epoch, half-life 693 epochs" in page
        await pilot.press(*"0.3")
        await pilot.pause()
        page = "\n".join(text(pilot))
        assert "3e-4 per epoch, half-life 2,310 epochs" in page
        assert "weight decay 1 → 0.3" in page
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is not screen and isinstance(pilot.app.screen, RunScreen))
        assert family.made == [(PARENT, 6000, {"changes": {"weight_decay": 0.3}, "settings": (), "before": None})]
        assert isinstance(pilot.app.screen, RunScreen)
        await family.sources[CHILD].taken()
        assert pilot.app.screen.state.run == CHILD
    assert source.sent == []


async def test_without_a_cursor_b_branches_now_and_nothing_changed_is_a_control() -> None:
    family = world()
    async with on_stage(scripted(parent(9000)), doors=family.doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        assert pilot.app.screen.query_one("#at-epoch", Input).value == "9000"
        assert "no change: a control" in "\n".join(text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: bool(family.made))
        assert family.made[0][1:] == (9000, {"changes": {}, "settings": (), "before": None})


@pytest.mark.parametrize("typed", ["-1", "1e9", "nan", "much", ""])
async def test_a_bad_value_starts_nothing_and_says_what_was_expected(typed: str) -> None:
    family = world()
    async with on_stage(scripted(parent(9000)), doors=family.doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        pilot.app.screen.query_one("#control-weight_decay", Input).value = typed
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, BranchScreen)
        assert "a number from 0 to 1,000 was expected" in " ".join("\n".join(text(pilot)).split())
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, RunScreen)
    assert family.made == []


@pytest.mark.parametrize(
    ("epoch", "until_", "why"),
    [
        ("9001", "40000", "recorded up to 9,000"),
        ("6.5", "40000", "a whole number from 0 on was expected"),
        ("6000", "6000", "more than the 6,000 epochs that it begins with"),
    ],
)
async def test_epochs_that_cannot_be_start_nothing(epoch: str, until_: str, why: str) -> None:
    family = world()
    async with on_stage(scripted(parent(9000)), doors=family.doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        pilot.app.screen.query_one("#at-epoch", Input).value = epoch
        pilot.app.screen.query_one("#until-epoch", Input).value = until_
        await pilot.press("enter")
        await pilot.pause()
        assert why in " ".join(str(pilot.app.screen.query_one("#branch-sum", Static).render()).split())
    assert family.made == []


async def test_another_epoch_brings_the_value_that_was_in_force_there_unless_one_was_typed() -> None:
    source = scripted(story.frames(until=9000, changes=[(5000, "weight_decay", 3.0)]))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        epoch = pilot.app.screen.query_one("#at-epoch", Input)
        decay = pilot.app.screen.query_one("#control-weight_decay", Input)
        assert decay.value == "3"
        epoch.value = "4,999"
        await pilot.pause()
        assert decay.value == "1"
        decay.value = "0.5"
        epoch.value = "5000"
        await pilot.pause()
        assert decay.value == "0.5"


async def test_a_finished_run_branched_at_its_end_is_given_more_epochs() -> None:
    family = world()
    source = scripted(story.frames(), link="recording")
    async with on_stage(source, doors=family.doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        assert int(pilot.app.screen.query_one("#until-epoch", Input).value) > 40_000
        pilot.app.screen.query_one("#until-epoch", Input).value = "50,000"
        await pilot.press("enter")
        await until(pilot, lambda: bool(family.made))
        assert family.made[0][1] == 40_000
        assert family.made[0][2]["settings"] == (("training.epochs", "50000"),)


async def test_a_branch_that_cannot_be_made_says_why_and_the_run_stays() -> None:
    family = world()
    async with on_stage(scripted(parent(9000)), doors=family.doors()) as (pilot, screen):
        family.trouble = LaunchError("no space left on device")
        await pilot.press("b")
        await done(pilot, "points")
        await pilot.press("enter")
        await pilot.pause()
        await done(pilot, "branch")
        assert pilot.app.screen is screen
        assert "no space left on device" in bottom(pilot)
        family.trouble = None
        await pilot.press("b")
        await done(pilot, "points")
        assert isinstance(pilot.app.screen, BranchScreen)


async def test_a_second_b_while_a_branch_is_made_makes_no_second_one() -> None:
    go = threading.Event()
    made: list[int] = []

    def slow(_run: Run, epoch: int, **_wish: Any) -> Run:
        made.append(epoch)
        go.wait(20)
        return Run(Path(CHILD))

    family = world()
    doors = Doors(
        find=lambda n: Run(Path(n)), source=family.source, branch=slow, points=lambda _: (), origin=lambda _: None
    )
    async with on_stage(scripted(parent(9000)), doors=doors) as (pilot, screen):
        await pilot.press("b")
        await done(pilot, "points")
        await pilot.press("enter")
        await until(pilot, lambda: bool(made))
        assert "branching nanda113-1 at epoch 9,000" in " ".join(text(pilot)[-2:])
        await pilot.press("b")
        await pilot.pause()
        assert pilot.app.screen is screen
        go.set()
        await until(pilot, lambda: pilot.app.screen is not screen)
    assert made == [9000]


async def test_before_anything_is_recorded_there_is_nothing_to_branch_from() -> None:
    async with on_stage(scripted(story.frames(until=-1)), doors=world().doors()) as (pilot, screen):
        await pilot.press("b", "u")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "nothing" in bottom(pilot)


async def test_a_viewer_that_only_looks_neither_branches_nor_undoes() -> None:
    family = world()
    source = scripted(steered(changed(6000, 1, 1.0, 0.3)))
    async with on_stage(source, doors=only_looking(family.doors())) as (pilot, screen):
        for key in ("b", "u"):
            await pilot.press(key)
            await pilot.pause()
            assert pilot.app.screen is screen
            assert "--read-only" in bottom(pilot)
    assert family.made == []


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 5)])
async def test_the_questions_can_be_asked_at_any_size(size: tuple[int, int]) -> None:
    source = scripted(steered(changed(6000, 1, 1.0, 0.3)))
    async with on_stage(source, size=size, doors=world().doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        await pilot.press("tab", "down", "up", "escape", "u")
        await pilot.pause()
        assert isinstance(pilot.app.screen, UndoScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 2


def test_a_status_ahead_of_the_recording_offers_no_epoch_that_is_not_recorded() -> None:
    state = state_of(parent(9000))
    state.apply(Status(9300, "running", 45.0, {}, 0))
    assert (state.epoch, wishes.recorded(state)) == (9300, 9000)


# Undo


async def test_u_names_the_last_change_and_sets_it_back_from_now_on() -> None:
    source = scripted(steered(changed(6000, 1, 1.0, 0.3)))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        assert "Undo: weight decay 1 → 0.3 at epoch 6,000" in "\n".join(text(pilot))
        await pilot.press("n")
        await settled(pilot, source)
        assert [(each.name, each.value) for each in source.sent if isinstance(each, SetControl)] == [
            ("weight_decay", 1.0)
        ]


async def test_as_if_it_had_never_been_branches_before_the_change_and_opens_the_child() -> None:
    family = world()
    source = scripted(
        steered(changed(6000, 4, 1.0, 0.3), changed(6500, 5, 1e-3, 5e-4, "lr"), changed(6500, 6, 5e-4, 1e-3, "lr"))
    )
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await pilot.press("u")
        await pilot.pause()
        told = " ".join(str(each.render()) for each in pilot.app.screen.query(".undo-detail").results(Static))
        assert "a new run from epoch 6,000, without this change and the 2 after it" in told
        await pilot.press("b")
        await until(pilot, lambda: pilot.app.screen is not screen and isinstance(pilot.app.screen, RunScreen))
        assert family.made == [(PARENT, 6000, {"changes": {}, "settings": (), "before": 4})]
    assert source.sent == []


async def test_when_the_run_has_ended_only_the_branch_is_offered() -> None:
    family = world()
    told = [*steered(changed(6000, 1, 1.0, 0.3)), Event(9000, "stopped", "stopped at epoch 9,000", 0.0)]
    source = scripted(told, link="recording")
    async with on_stage(source, doors=family.doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        page = "\n".join(text(pilot))
        assert "(n)" not in page
        assert "nobody is training" in page
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(pilot.app.screen, UndoScreen)
        await pilot.press("enter")
        await until(pilot, lambda: bool(family.made))
    assert source.sent == []


async def test_with_no_change_u_says_so() -> None:
    async with on_stage(scripted(parent(9000)), doors=world().doors()) as (pilot, screen):
        await pilot.press("u")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "nothing to undo: no control has been changed" in bottom(pilot)


def undone(*events: Event) -> int | None:
    """The number of the change that u would undo."""
    state = RunState()
    for event in events:
        state.apply(event)
    found = last_change(state)
    return found.seq if found else None


def test_a_second_undo_undoes_the_change_before_and_not_the_undo() -> None:
    first, second = changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 4.0)
    assert undone(first, second) == 2
    assert undone(first, second, changed(300, 3, 4.0, 2.0)) == 1
    assert undone(first, second, changed(300, 3, 4.0, 2.0), changed(400, 4, 2.0, 1.0)) is None


def test_after_an_undo_a_new_change_is_the_one_to_undo() -> None:
    assert undone(changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 1.0), changed(300, 3, 1.0, 2.0)) == 3


def test_each_control_is_taken_back_by_itself() -> None:
    decay, rate = changed(100, 1, 1.0, 2.0), changed(200, 2, 1e-3, 5e-4, "lr")
    assert undone(decay, rate) == 2
    assert undone(decay, rate, changed(300, 3, 2.0, 1.0)) == 2
    assert undone(decay, rate, changed(300, 3, 5e-4, 1e-3, "lr")) == 1


def test_a_change_to_the_same_value_is_none_and_given_up_epochs_have_none() -> None:
    assert undone(changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 2.0)) == 1
    assert undone(changed(100, 1, 1.0, 2.0), changed(500, 2, 2.0, 9.0), changed(300, 3, 2.0, 4.0)) == 3
    assert undone(changed(500, 1, 1.0, 9.0), changed(300, 2, 1.0, 1.0)) is None


def scheduled(epoch: int, seq: int, previous: float, value: float) -> Event:
    line = f"set weight_decay cosine {previous:g} -> {value:g} over 1000"
    data = {"control": "weight_decay", "value": previous, "previous": previous, "schedule": line}
    return Event(epoch, "scheduled", "weight_decay cosine 1 → 0.1 over 1000", 0.0, seq, data)


def test_a_schedule_is_undone_as_a_change_is_and_its_own_end_is_nobodys() -> None:
    ended = changed(1100, 3, 0.1, 0.1)
    ended.data["ended"] = "schedule"
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1)) == 2
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1), ended) == 2
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1), changed(600, 3, 0.55, 1.0)) == 1


async def test_u_names_a_schedule_by_its_line() -> None:
    source = scripted(steered(scheduled(6000, 1, 1.0, 0.1)))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        assert "Undo: weight_decay cosine 1 → 0.1 over 1000 at epoch 6,000" in "\n".join(text(pilot))


def test_a_value_that_is_left_as_it_stands_is_no_change_however_many_digits_it_has() -> None:
    state = state_of(steered(scheduled(6000, 1, 1.0, 0.1)))
    value = state.control_at("weight_decay", 6333)
    typed = wishes.held(state, "weight_decay", 6333)
    assert float(typed) != value
    wish = wishes.wished(state, "6333", {"weight_decay": typed, "lr": "0.001"}, "40000")
    assert wish.changes == {}
    assert wishes.wished(state, "6333", {"weight_decay": "0.5", "lr": "0.001"}, "40000").changes == {
        "weight_decay": 0.5
    }


def test_a_wish_without_more_epochs_has_no_settings() -> None:
    assert Wish(3).settings == ()
    assert Wish(3, epochs=9).settings == (("training.epochs", "9"),)


# The parent behind its child


async def test_a_childs_screen_reads_its_parent_and_shows_it_behind_its_curves() -> None:
    family = world(origins=origin())
    source = scripted(child(9000), CHILD)
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await until(pilot, lambda: screen.state.ghost is not None)
        await settled(pilot, family.sources[PARENT])
        assert screen.state.ghost is not None
        assert (screen.state.ghost.since, screen.state.ghost.state.run) == (SINCE, PARENT)
        await until(pilot, lambda: "parent nanda113-1" in "\n".join(text(pilot)))


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
