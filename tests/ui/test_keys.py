"""One table of keys feeds bindings, bottom line, help, palette and README."""

from __future__ import annotations

from textual.binding import Binding
from textual.keys import _get_key_aliases

from grok_tui.sources import Scripted
from grok_tui.ui import keys, layouts, panes
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.screens.help import HelpScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.sweep import SweepScreen
from tests.ui.stage import bottom, on_stage, text
from tests.ui.story import frames


def test_no_key_does_two_things_on_one_screen() -> None:
    for rows in (keys.RUN_KEYS, keys.HOME_KEYS, keys.COMPARE_KEYS, keys.SWEEP_KEYS):
        used = [key for row in (*rows, *keys.APP_KEYS) for key, _ in row.does]
        assert len(used) == len(set(used))


def test_every_action_of_the_table_exists() -> None:
    from grok_tui.ui.app import GrokApp

    for rows, screen in (
        (keys.RUN_KEYS, RunScreen),
        (keys.HOME_KEYS, HomeScreen),
        (keys.COMPARE_KEYS, CompareScreen),
        (keys.SWEEP_KEYS, SweepScreen),
        (keys.APP_KEYS, GrokApp),
    ):
        for row in rows:
            for action in (*(action for _, action in row.does), *(action for _, action in row.offers)):
                name = action.split("(")[0].removeprefix("app.")
                assert hasattr(screen, f"action_{name}"), (row.shown, name)


def test_every_key_is_one_that_textual_knows() -> None:
    for row in keys.TABLE:
        for binding in row.bindings:
            assert isinstance(binding, Binding)
            assert all(_get_key_aliases(key) for key in binding.key.split(","))


def test_there_is_a_number_for_each_pane() -> None:
    row = next(row for row in keys.RUN_KEYS if row.label == "Pane")
    assert len(row.does) == keys.PLACES == layouts.MOST


def test_the_markdown_names_every_key_once_with_its_sentence() -> None:
    table = keys.markdown()
    for row in keys.TABLE:
        assert f"| `{row.shown}` | {row.about} |" in table
    assert len([line for line in table.splitlines() if line.startswith("| `")]) == len(keys.TABLE)


async def test_help_lists_every_key_and_every_pane() -> None:
    async with on_stage(Scripted(frames(until=0)), size=(90, 300)) as (pilot, _):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        page = "\n".join(text(pilot))
        flat = " ".join(page.replace("│", " ").split())
        for row in keys.TABLE:
            assert row.shown in page
            assert " ".join(row.about.split()) in flat
        for name, pane in panes.every().items():
            assert name in page
            assert pane.title in page


async def test_the_bottom_line_shows_what_fits_and_always_the_way_out() -> None:
    async with on_stage(Scripted(frames(until=100)), size=(90, 24)) as (pilot, _):
        for width in (20, 40, 80, 120, 200):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            assert "q Leave" in bottom(pilot)
            if width >= 40:
                assert "? Help" in bottom(pilot)
            assert len(bottom(pilot)) == width
            if width == 200:
                for row in keys.RUN_KEYS:
                    if row.hint and row.needs not in ("resume", "replay"):
                        assert f"{row.first} {row.label}" in bottom(pilot)


async def test_a_key_in_the_bottom_line_can_be_clicked() -> None:
    source = Scripted(frames(until=100))
    async with on_stage(source) as (pilot, screen):
        column = bottom(pilot).index("Log x")
        await pilot.click("#hints", offset=(column, 0))
        await pilot.pause()
        assert screen.view.log_x


async def test_the_bottom_line_says_continue_while_paused() -> None:
    async with on_stage(Scripted(frames(until=100, state="paused"))) as (pilot, _):
        assert "p Continue" in bottom(pilot)
