"""The time cursor on the run screen: keys that come faster than the screen, and data that come meanwhile."""

from __future__ import annotations

import pytest

from grok_tui.sources import Scripted
from grok_tui.ui import pace
from grok_tui.ui.board import Board
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.view import View
from tests.ui.stage import on_stage, settled, status
from tests.ui.story import frames


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The cursors that the panes were drawn with."""
    found: list[int | None] = []
    draw = Board.draw

    def noted(self: Board, state: object, view: View, pending: tuple[float, ...]) -> None:
        found.append(view.cursor)
        draw(self, state, view, pending)  # type: ignore[arg-type]

    monkeypatch.setattr(Board, "draw", noted)
    return found


async def test_of_many_steps_at_once_only_the_newest_is_drawn(drawn: list[int | None]) -> None:
    async with on_stage(Scripted(frames(until=5000))) as (pilot, screen):
        drawn.clear()
        screen.action_cursor()
        for _ in range(20):
            screen.action_move(-1)
        await pilot.pause()
        assert drawn == [screen.view.cursor]


async def test_nothing_more_is_drawn_until_the_terminal_has_taken_the_last(
    drawn: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = 1
    monkeypatch.setattr(pace, "unwritten", lambda _: waiting)
    async with on_stage(Scripted(frames(until=5000))) as (pilot, screen):
        drawn.clear()
        screen.action_cursor()
        await pilot.pause(0.05)
        assert drawn == []
        waiting = 0
        screen.action_move(-1)
        while not drawn:
            await pilot.pause(0.01)
        assert drawn == [screen.view.cursor]


async def test_new_data_leave_the_cursor_where_it_is() -> None:
    source = Scripted(frames(until=5000))
    async with on_stage(source) as (pilot, screen):
        await pilot.press("c", "shift+left")
        before = screen.view.cursor
        source.push(*frames(until=8000)[-40:])
        await settled(pilot, source)
        assert screen.state.epoch == 8000
        assert screen.view.cursor == before


async def test_the_status_line_says_which_epoch_is_shown_until_it_is_now_again() -> None:
    async with on_stage(Scripted(frames(until=5000))) as (pilot, screen):
        assert " at " not in status(pilot)
        await pilot.press("c", "shift+left")
        await pilot.pause()
        assert f"at {screen.view.cursor:,}" in status(pilot)
        assert "● live" in status(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert " at " not in status(pilot)


async def test_home_and_end_go_to_the_first_and_the_last_epoch() -> None:
    async with on_stage(Scripted(frames(until=5000))) as (pilot, screen):
        await pilot.press("home")
        assert screen.view.cursor == 0
        await pilot.press("end")
        assert screen.view.cursor == 5000


def test_where_textual_does_not_say_what_waits_nothing_does() -> None:
    class Bare:
        _driver = None

    assert pace.unwritten(Bare()) == 0  # type: ignore[arg-type]


async def test_a_cursor_leaves_the_state_alone() -> None:
    async with on_stage(Scripted(frames(until=5000))) as (pilot, screen):
        assert isinstance(screen, RunScreen)
        before = repr(screen.state.phases.call)
        await pilot.press("c", "shift+left", "shift+left")
        await pilot.pause()
        assert repr(screen.state.phases.call) == before
