"""Stories of one run on the screen: looking, leaving, and screens of any size."""

from __future__ import annotations

import pytest

from grok_tui.sources import Scripted
from grok_tui.state import RunState
from grok_tui.ui.screens.help import HelpScreen
from grok_tui.ui.screens.run import RunScreen
from tests.ui.asking import LIVE, controls, decays
from tests.ui.stage import on_stage, settled, status, text, viewer
from tests.ui.story import frames

# Leaving


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_says_that_the_run_goes_on_and_sends_nothing(key: str) -> None:
    source = Scripted(LIVE)
    app = viewer(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, source)
        await pilot.press(key)
        await pilot.pause()
    assert app.return_value == "nanda113-1 goes on training; come back: grok-tui attach nanda113-1"
    assert source.sent == []


async def test_leaving_a_stopped_run_says_how_to_go_on() -> None:
    source = Scripted(frames(until=3000, state="stopped"), link="recording")
    app = viewer(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, source)
        await pilot.press("q")
    assert app.return_value == "nanda113-1 is stopped at epoch 3,000; continue it: grok-tui resume nanda113-1"


async def test_letters_typed_into_the_input_are_not_commands() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        before = screen.view
        await pilot.press("w", "q", "x", "p", "S", "plus")
        await settled(pilot, source)
        assert pilot.app.is_running
        assert screen.view == before
        assert source.sent == []


# Looking


async def test_nothing_has_the_keyboard_at_first() -> None:
    async with on_stage(Scripted(LIVE)) as (_, screen):
        assert screen.focused is None


async def test_x_and_y_switch_the_axes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        log_x, log_y = screen.view.log_x, screen.view.log_y
        await pilot.press("x", "y")
        assert (screen.view.log_x, screen.view.log_y) == (not log_x, not log_y)


async def test_the_cursor_comes_moves_and_goes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("c")
        assert screen.view.cursor == 5000
        await pilot.press("left")
        one = screen.view.cursor
        await pilot.press("shift+left")
        assert one is not None
        assert screen.view.cursor is not None
        assert 5000 - one < one - screen.view.cursor
        await pilot.press("c")
        assert screen.view.cursor is None


async def test_a_zoom_survives_new_data_and_0_ends_it() -> None:
    source = Scripted(frames(until=5000))
    async with on_stage(source) as (pilot, screen):
        await pilot.press("i", "i", "left", "left")
        zoom = screen.view.zoom
        assert zoom is not None
        source.push(*frames(until=8000)[-40:])
        await settled(pilot, source)
        assert screen.view.zoom == zoom
        await pilot.press("0")
        assert screen.view.zoom is None


async def test_a_pane_is_gone_to_made_large_and_small_again() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("3")
        assert screen.focused is not None
        assert screen.focused.id == "pane-3"
        await pilot.press("m")
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.size.height > 30
        await pilot.press("tab")
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.id == "pane-4"
        await pilot.press("escape")
        assert screen.large is None


async def test_escape_goes_back_by_one_layer() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("c", "2", "m", "w")
        await pilot.press("escape")
        assert screen.large is not None
        await pilot.press("escape")
        assert screen.large is None
        assert screen.view.cursor is not None
        await pilot.press("escape")
        assert screen.view.cursor is None
        assert pilot.app.is_running


async def test_every_pane_can_be_seen_at_80x24() -> None:
    async with on_stage(Scripted(LIVE), size=(80, 24)) as (pilot, screen):
        for number in range(1, 7):
            await pilot.press(str(number))
            if screen.large is None:
                await pilot.press("m")
            await pilot.pause()
            assert screen.large is not None
            assert screen.large.id == f"pane-{number}"
            assert screen.large.size.height >= 18
            await pilot.press("escape")


# Help and palette


async def test_help_opens_and_closes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        for key in ("question_mark", "h", "f1"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, HelpScreen)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(pilot.app.screen, RunScreen)


async def test_the_palette_does_what_the_keys_do() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("ctrl+p")
        await pilot.press(*"double the weight")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await settled(pilot, source)
        assert decays(source) == [2.0]


async def test_light_and_dark_change_places() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        dark = pilot.app.theme
        await pilot.press("t")
        assert pilot.app.theme != dark
        await pilot.press("t")
        assert pilot.app.theme == dark


# Sizes


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (300, 90)])
async def test_any_size_can_be_started_and_steered(size: tuple[int, int]) -> None:
    source = Scripted(LIVE)
    async with on_stage(source, size=size) as (pilot, _):
        await pilot.press("plus", "c", "left", "i", "m", "escape", "w", "4", "enter")
        await settled(pilot, source)
        assert decays(source) == [2.0, 4.0]


async def test_it_can_be_resized_to_any_size_while_it_runs() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        for number, size in enumerate(
            [(20, 5), (300, 90), (80, 24), (1, 2), (40, 10), (200, 60), (100, 30), (120, 40)]
        ):
            await pilot.resize_terminal(*size)
            await pilot.press("w", str(number), "enter", "m")
            source.push(controls(5000, 1.0))
            await settled(pilot, source)
            await pilot.press("m")
            assert decays(source)[-1] == number
            assert text(pilot)[-1].strip() or min(size) < 3
        assert screen.large is None
        assert "nanda113-1" in status(pilot)


async def test_an_empty_source_waits() -> None:
    source = Scripted()
    async with viewer(source).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "waiting" in status(pilot)


async def test_a_backlog_is_folded_before_the_viewer_is_left() -> None:
    state = RunState()
    for frame in frames(until=2000):
        state.apply(frame)
    async with on_stage(Scripted(frames(until=2000))) as (_, screen):
        assert screen.state.epoch == state.epoch == 2000


async def test_a_pane_is_gone_to_and_made_large_without_a_pause_between_the_keys() -> None:
    async with on_stage(Scripted(LIVE)) as (_, screen):
        screen.action_pane(4)
        screen.action_maximise()
        assert screen.large is not None
        assert screen.large.id == "pane-4"
