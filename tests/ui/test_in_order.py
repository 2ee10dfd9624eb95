"""What is typed behind a key that opens a dialog or a screen, before that is there: it is for what opens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from grok_tui import config, runs
from grok_tui.errors import RunError
from grok_tui.protocol import Order, SetControl
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui import in_order
from grok_tui.ui.doors import Doors
from grok_tui.ui.runs_table import RunsTable
from grok_tui.ui.screens.branch import BranchScreen
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.screens.help import HelpScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from tests.ui.family import CHILD
from tests.ui.kin import changed, scripted, steered, world
from tests.ui.stage import bottom, burst, done, on_stage, settled, until, viewer
from tests.ui.story import frames

LIVE = frames(until=5000)


def shown(pilot: Pilot[str], kind: type) -> Callable[[], bool]:
    return lambda: isinstance(pilot.app.screen, kind)


def came(pilot: Pilot[str], before: RunScreen) -> bool:
    """Another run is shown."""
    return pilot.app.screen is not before and isinstance(pilot.app.screen, RunScreen)


def orders(source: Scripted) -> list[str]:
    return [command.name for command in source.sent if isinstance(command, Order)]


@contextmanager
def slow(doors: Doors, name: str) -> Iterator[tuple[Doors, threading.Event]]:
    """A door that opens when it is told to, and at the end at the latest."""
    gate, door = threading.Event(), getattr(doors, name)

    def wait(*args: Any) -> Any:
        gate.wait(10)
        return door(*args)

    try:
        yield replace(doors, **{name: wait}), gate  # type: ignore[arg-type]
    finally:
        gate.set()


async def test_a_branch_typed_in_one_go_is_made_as_typed_and_the_screen_below_stays_as_it_is() -> None:
    source, made = scripted(LIVE), world()
    with slow(made.doors(), "points") as (doors, gate):
        async with on_stage(source, doors=doors) as (pilot, screen):
            before = screen.view
            burst(pilot, "b", "0", ".", "3", "enter")
            await pilot.pause()
            assert screen.large is None
            gate.set()
            await until(pilot, lambda: came(pilot, screen))
            [(_, _, wish)] = made.made
            assert wish["changes"] == {"weight_decay": 0.3}
            assert screen.view == before


async def test_it_is_the_same_while_a_pane_has_the_keyboard() -> None:
    source, made = scripted(LIVE), world()
    async with on_stage(source, doors=made.doors()) as (pilot, screen):
        await pilot.press("1")
        burst(pilot, "b", "0", ".", "3", "tab", *"1e-2", "enter")
        await until(pilot, lambda: came(pilot, screen))
        assert made.made[0][2]["changes"] == {"weight_decay": 0.3, "lr": 0.01}


async def test_a_note_typed_in_one_go_while_a_pane_has_the_keyboard_is_kept_whole() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("1")
        burst(pilot, "e", *"i0x", "left", "y")
        await pilot.pause()
        assert screen.query_one("#prompt-input", Input).value == "i0yx"


async def test_an_answer_typed_behind_its_question_is_the_answer() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        burst(pilot, "S", "y", "k")
        await until(pilot, lambda: len(orders(source)) == 2)
        assert orders(source) == ["stop", "checkpoint"]


async def test_a_button_pressed_in_a_burst_is_pressed_before_the_next_key_is_looked_at() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        burst(pilot, "S", "left", "enter", "k")
        await until(pilot, lambda: len(orders(source)) == 2)
        assert orders(source) == ["stop", "checkpoint"]
        assert pilot.app.screen is screen


async def test_an_undo_is_answered_in_the_same_breath() -> None:
    source = scripted(steered(changed(6000, 2, 1.0, 3.0)))
    async with on_stage(source) as (pilot, _):
        burst(pilot, "u", "n", "k")
        await settled(pilot, source)
        await until(pilot, lambda: bool(orders(source)))
        sent = [command for command in source.sent if isinstance(command, SetControl | Order)]
        assert [type(command) for command in sent] == [SetControl, Order]


async def test_help_opened_and_closed_in_a_burst_is_closed_and_the_next_key_is_for_the_run() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        burst(pilot, "?", "k", "escape", "k")
        await until(pilot, lambda: bool(orders(source)))
        await settled(pilot, source)
        assert orders(source) == ["checkpoint"]  # the first was for the help, which has no such key
        assert pilot.app.screen is screen
        burst(pilot, "?")
        await until(pilot, shown(pilot, HelpScreen))


async def test_what_is_chosen_in_the_palette_gets_what_is_typed_behind_it() -> None:
    source, made = scripted(LIVE), world()
    async with on_stage(source, doors=made.doors()) as (pilot, screen):
        before = screen.view
        burst(pilot, "ctrl+p", *"branch here", "enter", "0", ".", "3", "enter")
        await until(pilot, lambda: came(pilot, screen))
        assert made.made[0][2]["changes"] == {"weight_decay": 0.3}
        assert screen.view == before


async def test_a_dialog_that_cannot_be_opened_takes_with_it_what_was_typed_for_it_and_says_so() -> None:
    def trouble(_place: str) -> list[Run]:
        raise RunError("runs: cannot be read (Permission denied)")

    source = scripted(LIVE)
    with slow(replace(world().doors(), family=trouble), "family") as (doors, gate):
        async with on_stage(source, doors=doors) as (pilot, screen):
            burst(pilot, "d", "k", "x")
            await pilot.pause()
            gate.set()
            await done(pilot, "family")
            await until(pilot, lambda: "dropped" in bottom(pilot))
            assert "cannot be read (Permission denied)" in bottom(pilot)
            assert orders(source) == []
            assert not screen.view.log_x
            await pilot.press("k")
            await until(pilot, lambda: orders(source) == ["checkpoint"])


async def test_a_key_that_opens_nothing_leaves_the_keys_behind_it_to_the_screen() -> None:
    source = scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        burst(pilot, "u", "x")  # nothing to undo
        await pilot.pause()
        assert screen.view.log_x


async def test_keys_do_not_wait_for_ever() -> None:
    source = scripted(LIVE)
    with (
        slow(world().doors(), "points") as (doors, gate),
        patch.object(in_order, "PATIENCE", 0.05),
    ):
        async with on_stage(source, doors=doors) as (pilot, screen):
            burst(pilot, "b", "k", "x")
            await until(pilot, lambda: "takes long" in bottom(pilot))
            assert "dropped" in bottom(pilot)
            assert orders(source) == []
            await pilot.press("x")
            assert screen.view.log_x
            gate.set()
            await until(pilot, shown(pilot, BranchScreen))


@pytest.mark.parametrize("keys", [("ctrl+c",), ("ctrl+q",), ("q",), ("q", "q"), ("0", ".", "ctrl+c"), ("x", "ctrl+q")])
async def test_whoever_wants_to_leave_need_not_wait_for_what_is_to_open(keys: tuple[str, ...]) -> None:
    source, made = scripted(LIVE), world()
    with slow(made.doors(), "points") as (doors, _), patch.object(in_order, "PATIENCE", 60.0):
        async with on_stage(source, doors=doors) as (pilot, _):
            burst(pilot, "b", *keys)
            await until(pilot, lambda: pilot.app.return_value is not None, 5.0)
            assert "come back: grok-tui attach" in str(pilot.app.return_value)
            assert made.made == []


async def test_a_letter_that_leaves_is_still_for_a_dialog_that_opens_in_a_moment() -> None:
    source, made = scripted(LIVE), world()
    async with on_stage(source, doors=made.doors()) as (pilot, screen):
        before = screen.view
        burst(pilot, "b", "q", "k", "escape", "x")
        await until(pilot, lambda: screen.view.log_x != before.log_x)
        assert pilot.app.return_value is None
        assert orders(source) == []


async def test_home_and_the_screen_that_it_opens_take_a_burst_in_order(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    for _ in range(2):
        run = runs.create(config.preset("demo"))
        run.write_state({"epoch": 1200, "state": "finished", "time": 1.7e9, "controls": {}, "values": {}})
    deleted: list[str] = []
    doors = Doors(delete=lambda chosen: deleted.extend(run.name for run in chosen), source=lambda _: Scripted(LIVE))
    async with viewer(None, doors).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        burst(pilot, "tab", "down", "D", "y")
        await until(pilot, lambda: bool(deleted))
        assert len(deleted) == 1
        await until(pilot, shown(pilot, HomeScreen))
        burst(pilot, "enter", "x")
        await until(pilot, shown(pilot, RunScreen))
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.view.log_x)
        await pilot.press("H")
        await until(pilot, lambda: shown(pilot, HomeScreen)() and len(pilot.app.screen.query_one(RunsTable).runs) == 2)
        burst(pilot, "tab", "space", "down", "space", "d", "y")
        await until(pilot, shown(pilot, CompareScreen))
        comparison = pilot.app.screen
        assert isinstance(comparison, CompareScreen)
        await until(pilot, lambda: comparison.comparison.view.log_y != screen.view.log_y)


async def test_a_child_is_opened_behind_a_burst_that_makes_it() -> None:
    source, made = scripted(LIVE), world()
    async with on_stage(source, doors=made.doors()) as (pilot, screen):
        burst(pilot, "b", "enter")
        await until(pilot, lambda: came(pilot, screen))
        await until(pilot, lambda: CHILD in str(pilot.app.screen.query_one("#status").render()))
