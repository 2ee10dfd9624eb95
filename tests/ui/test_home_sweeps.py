"""Members of sweeps on the home screen."""

from __future__ import annotations

import shutil

import pytest

from grok_tui.sweeps import Sweep
from grok_tui.ui.doors import Doors
from grok_tui.ui.runs_table import RunsTable
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.sweep import SweepScreen
from tests.sweep import planted, tiny
from tests.ui.at_home import family, scripted, under
from tests.ui.stage import bottom, done, text, until, viewer

pytestmark = pytest.mark.usefixtures("own_home")


def members(*, others: bool = True) -> Sweep:
    """Two of three members of a sweep, and a family beside them."""
    if others:
        family()
    sweep = tiny.made(decays="1,5,9", training__epochs=planted.EPOCHS)
    for number in (1, 2):
        planted.member(sweep, number, 9000)
    return sweep


async def test_a_sweep_has_a_column_only_where_a_run_belongs_to_one() -> None:
    family()
    async with viewer(None).run_test(size=(120, 36)) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab")
        await pilot.pause()
        assert "sweep" not in "\n".join(text(pilot)).lower()
        members(others=False)
        await pilot.press("r")
        await done(pilot, "runs")
        page = text(pilot)
        assert next(row for row in page if "last seen" in row).rstrip(" │").endswith("sweep")
        assert next(row for row in page if " tiny-2 " in row).rstrip(" │").endswith("tiny-sweep-1")
        assert "tiny-sweep-1" not in next(row for row in page if " demo-1 " in row)
        assert "s Sweep" in bottom(pilot)


async def test_at_80_columns_members_are_marked_and_the_border_names_the_sweep() -> None:
    members()
    async with viewer(None).run_test(size=(80, 24)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        await under(pilot, "tiny-2")
        page = "\n".join(text(pilot))
        assert "tiny-1 ▦ " in page
        assert "▦" not in next(row for row in text(pilot) if " nanda113-1 " in row)
        assert "member 2 of tiny-sweep-1" in page
        assert table.virtual_size.width <= table.scrollable_content_region.width
        await under(pilot, "nanda113-1")
        assert "tiny-sweep" not in "\n".join(text(pilot))


async def test_where_names_are_short_the_column_fits_80_columns() -> None:
    members(others=False)
    async with viewer(None).run_test(size=(80, 24)) as pilot:
        await done(pilot, "runs")
        await pilot.pause()
        table = pilot.app.screen.query_one(RunsTable)
        assert next(row for row in text(pilot) if " tiny-2 " in row).rstrip(" │").endswith("tiny-sweep-1")
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_s_opens_the_members_sweep_at_the_member_and_h_comes_home_again() -> None:
    members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        screen = pilot.app.screen
        assert isinstance(screen, SweepScreen)
        await until(pilot, lambda: screen.board is not None)
        assert screen.cell.numbers == (2,)
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


async def test_a_run_opened_at_home_after_a_look_at_a_sweep_comes_back_home() -> None:
    members()
    async with viewer(None, Doors(source=scripted)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await pilot.press("H")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RunScreen))
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_a_run_of_no_sweep_and_one_whose_sweep_is_gone_say_so() -> None:
    sweep = members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("s")
        await done(pilot, "sweep")
        assert "demo-1 belongs to no sweep" in bottom(pilot)
        shutil.rmtree(sweep.path)
        await under(pilot, "tiny-1")
        await pilot.press("s")
        await done(pilot, "sweep")
        assert "tiny-sweep-1, which is gone" in bottom(pilot)
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_before_a_member_is_deleted_its_sweep_is_named() -> None:
    members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("D")
        await done(pilot, "deletable")
        page = " ".join(" ".join(text(pilot)).replace("│", " ").split())
        assert "tiny-2 is member 2 of the sweep tiny-sweep-1: its cell there will be empty." in page
