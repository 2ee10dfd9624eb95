"""Families on the home screen: branches below their parents, chosen to be compared, deleted."""

from __future__ import annotations

import shutil
from unittest.mock import patch

import pytest
from textual.widgets import DataTable

from grok_tui import config, runs
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.runs_table import RunsTable, look
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.home import HomeScreen
from tests.ui.at_home import Wanted, family, make, under
from tests.ui.stage import bottom, done, text, viewer

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_branches_stand_below_their_parents_and_no_column_is_cut(size: tuple[int, int]) -> None:
    family()
    async with viewer(None).run_test(size=size) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab")
        await pilot.pause()
        rows = text(pilot)
        at = [next(i for i, row in enumerate(rows) if name in row) for name in (" nanda113-1 ", "└ nanda113-1.1 ")]
        assert at[1] == at[0] + 1
        assert "  └ nanda113-1.1.1 " in rows[at[0] + 2]
        table = pilot.app.screen.query_one(DataTable)
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_the_border_says_where_the_branch_under_the_bar_left_its_parent() -> None:
    family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1.1")
        assert "branched at 6,000: weight decay 0.3" in "\n".join(text(pilot))
        await under(pilot, "nanda113-1")
        assert "branched" not in "\n".join(text(pilot))


async def test_space_selects_runs_and_d_asks_to_compare_them_from_top_to_bottom() -> None:
    family()
    wanted = Wanted()
    async with viewer(None).run_test(size=(100, 40), message_hook=wanted) as pilot:
        await done(pilot, "runs")
        for name in ("nanda113-1.1", "demo-1", "nanda113-1"):
            await under(pilot, name)
            await pilot.press("space")
        await under(pilot, "demo-1")
        await pilot.press("space")
        page = "\n".join(text(pilot))
        assert "◆└ nanda113-1.1 " in page
        assert "◆nanda113-1 " in page
        assert "2 selected" in page
        await pilot.press("r")
        await done(pilot, "runs")
        assert "◆nanda113-1 " in "\n".join(text(pilot))
        await pilot.press("d")
        await pilot.pause()
        assert set(wanted) == {("nanda113-1", "nanda113-1.1")}


async def test_one_run_alone_is_not_compared_and_an_unreadable_one_says_why() -> None:
    found = family()
    (found[-1].path / "VERSION").write_text("99\n")
    wanted = Wanted()
    async with viewer(None).run_test(size=(100, 40), message_hook=wanted) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1")
        await pilot.press("space", "d")
        await pilot.pause()
        assert "select two runs or more" in bottom(pilot)
        await under(pilot, "demo-1")
        await pilot.press("space", "d")
        await pilot.pause()
        assert "made by a newer grok-tui" in " ".join(" ".join(text(pilot)[-3:]).split())
    assert wanted == []


async def test_a_selected_run_that_is_gone_is_selected_no_more() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("space")
        shutil.rmtree(found[-1].path)
        await pilot.press("r")
        await done(pilot, "runs")
        assert pilot.app.screen.query_one(RunsTable).selected == ()


@pytest.mark.parametrize("key", ["D", "delete"])
async def test_a_run_is_deleted_after_a_question_and_not_before(key: str) -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press(key)
        await done(pilot, "deletable")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert "Delete demo-1?" in "\n".join(text(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert found[-1].path.is_dir()
        await pilot.press(key)
        await done(pilot, "deletable")
        await pilot.press("y")
        await pilot.pause()
        await done(pilot, "delete")
        await done(pilot, "runs")
        assert not found[-1].path.exists()
        assert "demo-1 is deleted" in bottom(pilot)
        assert "demo-1" not in [run.name for run in pilot.app.screen.query_one(RunsTable).runs]


async def test_a_parent_is_not_deleted_while_it_has_branches_which_are_named() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1")
        await pilot.press("D")
        await done(pilot, "deletable")
        assert isinstance(pilot.app.screen, HomeScreen)
        said = " ".join(" ".join(text(pilot)[-3:]).split())
        assert "nanda113-1 is needed by its branches: nanda113-1.1, nanda113-1.1.1" in said
    assert all(run.path.is_dir() for run in found)


async def test_among_the_presets_the_keys_of_runs_do_nothing_and_say_so() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        assert "space Select" not in bottom(pilot)
        for key in ("space", "D"):
            await pilot.press(key)
            await pilot.pause()
            assert "tab goes to the runs first" in bottom(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert "space Select" in bottom(pilot)
        assert "d Compare" in bottom(pilot)
    assert all(run.path.is_dir() for run in found)


async def test_a_viewer_that_only_looks_deletes_nothing() -> None:
    found = family()
    async with viewer(None, only_looking(Doors())).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("D")
        await pilot.pause()
        assert "--read-only" in bottom(pilot)
    assert found[-1].path.is_dir()


async def test_a_look_that_finds_nothing_new_draws_no_cell() -> None:
    family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        with patch.object(table, "update_cell_at") as update, patch.object(table, "clear") as clear:
            await pilot.press("r")
            await done(pilot, "runs")
        assert (update.call_count, clear.call_count) == (0, 0)


async def test_a_screen_that_becomes_narrower_keeps_the_bar_and_cuts_no_column() -> None:
    family()
    async with viewer(None).run_test(size=(120, 36)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1.1.1")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        table = pilot.app.screen.query_one(RunsTable)
        assert table.run is not None
        assert table.run.name == "nanda113-1.1.1"
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_the_columns_have_their_widths_before_anything_else_happens() -> None:
    make("nanda113", "finished", 40_000)
    async with viewer(None).run_test(size=(120, 40)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        rows = look([runs.create(config.preset("nanda113")), *table.runs])
        table.show(rows)  # nobody is given time to measure
        assert [column.width for column in table.ordered_columns][:3] == [
            len(" nanda113-2"),
            len("✓ finished"),
            len("40,000/40,000"),
        ]
        assert not any(column.auto_width for column in table.ordered_columns)
