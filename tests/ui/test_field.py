"""Keys that come in one burst, as from fast typing, a paste or a slow line: none overtakes another."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from grok_tui.protocol import SetControl
from grok_tui.sources import Scripted
from grok_tui.ui.screens.branch import BranchScreen
from tests.ui.kin import scripted, world
from tests.ui.stage import burst, on_stage, settled, until
from tests.ui.story import frames

LIVE = frames(until=5000)


def value(pilot: Pilot[str], id: str) -> str:
    return pilot.app.screen.query_one(f"#{id}", Input).value


async def test_in_the_branch_dialog_what_follows_tab_is_typed_into_the_next_input_in_place_of_what_stood_there() -> (
    None
):
    source = scripted(LIVE)
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, BranchScreen))
        await pilot.pause()
        burst(pilot, "3", "tab", "4", "5", "tab", "6", "shift+tab", "7")
        await pilot.pause()
        assert value(pilot, "control-weight_decay") == "3"
        assert value(pilot, "control-lr") == "7"
        assert value(pilot, "until-epoch") == "6"


async def test_in_the_branch_dialog_the_arrows_go_from_line_to_line() -> None:
    source = scripted(LIVE)
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, BranchScreen))
        burst(pilot, "down", "4", "up", "3")
        await pilot.pause()
        assert (value(pilot, "control-weight_decay"), value(pilot, "control-lr")) == ("3", "4")


async def test_what_is_typed_behind_a_key_that_clears_the_line_stays() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("e")
        burst(pilot, "a", "b", "c", "ctrl+u", "x", "y", "left", "z")
        await pilot.pause()
        assert value(pilot, "prompt-input") == "xzy"


async def test_a_paste_keeps_its_place_among_the_keys() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("e")
        burst(pilot, "a", "ctrl+u")
        pilot.app.post_message(events.Paste("one\ntwo"))
        burst(pilot, "backspace", "!")
        await pilot.pause()
        assert value(pilot, "prompt-input") == "on!"


async def test_what_is_typed_behind_enter_is_for_the_run_again() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        await pilot.press("w")
        burst(pilot, "3", "enter", "w", "4", "5", "enter")
        await pilot.pause()
        await settled(pilot, source)
        assert [command for command in source.sent if isinstance(command, SetControl)] == [
            SetControl(1, "weight_decay", 3.0),
            SetControl(2, "weight_decay", 45.0),
        ]
        assert not screen.prompt.is_open
