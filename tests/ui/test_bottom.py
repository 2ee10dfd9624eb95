"""The bottom line: an answer takes one row, moves nothing, and can be read whole."""

from __future__ import annotations

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from grok_tui.protocol import Reply
from grok_tui.sources import Scripted
from grok_tui.ui.bottom import Hints
from grok_tui.ui.panes import Pane
from grok_tui.ui.screens.help import HelpScreen
from tests.ui.stage import bottom, burst, on_stage, settled, text, until
from tests.ui.story import frames

LIVE = frames(until=5000)
LONG = " ".join(f"reason{n}" for n in range(30))
SIZES = [(80, 24), (120, 40), (200, 60)]


def places(pilot: Pilot[str]) -> dict[str, Region]:
    return {str(pane.id): pane.region for pane in pilot.app.screen.query(Pane)}


@pytest.mark.parametrize("size", SIZES)
async def test_no_pane_moves_while_a_long_answer_is_there(size: tuple[int, int]) -> None:
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, LONG))
    async with on_stage(source, size=size) as (pilot, screen):
        before = places(pilot)
        assert before["pane-1"].area
        await pilot.press("k")
        await settled(pilot, source)
        assert bottom(pilot).startswith(" reason0 reason1 reason2")
        assert places(pilot) == before
        assert screen.query_one(Hints).region.height == 1
        await pilot.press("x")
        await pilot.pause()
        assert "reason" not in bottom(pilot)
        assert places(pilot) == before


@pytest.mark.parametrize("size", SIZES)
async def test_no_pane_moves_while_what_is_wrong_with_a_line_is_told_whole(size: tuple[int, int]) -> None:
    async with on_stage(Scripted(LIVE), size=size) as (pilot, screen):
        before = places(pilot)
        burst(pilot, "a")
        await pilot.pause()
        assert places(pilot) == before
        burst(pilot, *"when zzz: pause")
        await pilot.pause()
        assert "generalized" in " ".join(text(pilot)[screen.prompt.region.y :])
        assert screen.prompt.region.height > 1
        assert screen.prompt.region.bottom == size[1]
        assert places(pilot) == before
        await pilot.press("escape")
        await pilot.pause()
        assert places(pilot) == before
        assert "q Leave" in bottom(pilot)


async def test_what_does_not_fit_is_cut_and_help_has_it_whole() -> None:
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, LONG))
    async with on_stage(source, size=(80, 24)) as (pilot, _):
        await pilot.press("k")
        await settled(pilot, source)
        assert bottom(pilot).rstrip().endswith("… ? all")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        await pilot.pause()
        said = pilot.app.screen.query_one("#help-said").region
        shown = " ".join(" ".join(row[said.x : said.right] for row in text(pilot)[said.y : said.bottom]).split())
        assert shown == f"{LONG} (epoch 5,000)"


async def test_what_fits_is_shown_as_it_is_and_help_says_nothing_of_it() -> None:
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, LONG if command.id == 1 else "no"))
    async with on_stage(source, size=(80, 24)) as (pilot, _):
        await pilot.press("k")
        await settled(pilot, source)
        await pilot.press("k")
        await settled(pilot, source)
        assert bottom(pilot).strip() == "no (epoch 5,000)"
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        assert not pilot.app.screen.query("#help-said")


async def test_of_a_path_that_leaves_no_room_the_directories_are_left_out_first() -> None:
    wrong = "made by a newer grok-tui (layout 99; this one reads 1); update grok-tui"
    path = "/home/somebody/with/a/long/name/runs/demo-1"
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, f"{path}: {wrong}"))
    async with on_stage(source, size=(80, 24)) as (pilot, screen):
        await pilot.press("k")
        await settled(pilot, source)
        assert bottom(pilot).startswith(" …/demo-1: made by a newer grok-tui (layout 99; this one reads 1)")
        assert screen.query_one(Hints).whole == f"{path}: {wrong} (epoch 5,000)"


async def test_an_answer_of_several_lines_is_one_row() -> None:
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, "one\ntwo"))
    async with on_stage(source, size=(80, 24)) as (pilot, _):
        await pilot.press("k")
        await settled(pilot, source)
        assert bottom(pilot).strip() == "one two (epoch 5,000)"
