"""A branch asked for on the screen: what is asked first, what it starts, what it refuses."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static

from grok_tui.errors import LaunchError
from grok_tui.protocol import Status
from grok_tui.runs import Run
from grok_tui.ui import wishes
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.screens.branch import BranchScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.undo import UndoScreen
from tests.ui import story
from tests.ui.family import CHILD, PARENT, parent
from tests.ui.gallery import state_of
from tests.ui.kin import changed, scripted, steered, world
from tests.ui.stage import bottom, done, on_stage, text, until


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
        ("generalized", "40000", "has not come to generalized: it is now"),
        ("clenup", "40000", "'clenup' is no phase; did you mean 'cleanup'?"),
        ("test_loss < 1", "40000", "an epoch or a phase was expected"),
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


async def test_a_phase_is_an_epoch_too() -> None:
    family = world()
    source = scripted(story.frames(until=9000, changes=[(5000, "weight_decay", 3.0), (8000, "weight_decay", 5.0)]))
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        began = next(b.epoch for b in screen.state.phases.boundaries if b.phase == "cleanup")
        await pilot.press("b")
        await done(pilot, "points")
        assert pilot.app.screen.query_one("#control-weight_decay", Input).value == "5"
        pilot.app.screen.query_one("#at-epoch", Input).value = "cleanup + 10"
        await pilot.pause()
        assert pilot.app.screen.query_one("#control-weight_decay", Input).value == "3"
        assert f"epoch {began + 10:,}: {began + 10 - 5900:,} epochs computed again" in "\n".join(text(pilot))
        pilot.app.screen.query_one("#at-epoch", Input).value = "clenup"
        await pilot.pause()
        assert f"epoch {began + 10:,}:" not in "\n".join(text(pilot))
        pilot.app.screen.query_one("#at-epoch", Input).value = "Cleanup+10"
        await pilot.press("enter")
        await until(pilot, lambda: bool(family.made))
    assert family.made[0][1:] == (began + 10, {"changes": {}, "settings": (), "before": None})


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


async def test_the_line_that_has_the_keyboard_is_marked_without_colour() -> None:
    async with on_stage(scripted(parent(9000)), doors=world().doors()) as (pilot, _):
        await pilot.press("b")
        await done(pilot, "points")
        marked = []
        for _key in range(4):
            await pilot.pause()
            marked += [line.split("│  ▸ ")[1][:12].strip() for line in text(pilot) if "│  ▸ " in line]
            await pilot.press("tab")
        assert marked == ["weight decay", "learning rat", "train until", "at epoch"]


@pytest.mark.parametrize(("typed", "said"), [("0", True), ("0.0", True), ("1e-9", False), ("", False)])
async def test_that_nothing_is_learnt_at_a_learning_rate_of_0_is_said_before_enter(typed: str, said: bool) -> None:
    async with on_stage(scripted(parent(9000)), doors=world().doors(), size=(80, 24)) as (pilot, screen):
        await pilot.press("b")
        await done(pilot, "points")
        pilot.app.screen.query_one("#control-lr", Input).value = typed
        await pilot.pause()
        assert ("nothing is learnt at 0: no weight moves" in "\n".join(text(pilot))) == said
        await pilot.press("escape", "l", *(typed or ["backspace"]))
        await pilot.pause()
        assert screen.prompt.is_open
        assert ("nothing is learnt at 0: no weight moves" in "\n".join(text(pilot))) == said
