"""The time cursor on the run screen: keys that come faster than the screen, and data that come meanwhile."""

from __future__ import annotations

from collections import Counter

import pytest

from grok_tui.calls import EVERY
from grok_tui.science.phases import PhaseFold
from grok_tui.series import Series
from grok_tui.sources import Scripted
from grok_tui.ui import pace
from grok_tui.ui.board import Board
from grok_tui.ui.panes import lines
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.view import View
from grok_tui.ui.widgets import chart
from grok_tui.ui.widgets.cells import Cells, Token
from tests.ui import measures
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


def test_a_part_of_a_row_is_the_row_s_part() -> None:
    cells = Cells(12, 1)
    cells.text(0, 0, "ab", Token.TRAIN)
    cells.text(2, 0, "cdef", Token.TEST)
    for start in range(12):
        for end in range(start, 13):
            part = cells.runs(0, start, end)
            assert "".join(text for text, _ in part) == cells.line(0)[start:end]
            assert [style for text, style in part for _ in text] == cells.styles[0, start:end].tolist()


async def test_a_step_draws_no_curve_again_and_only_panes_whose_arrays_are_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What keeps scrubbing fluent, however long the run: counted, not timed."""
    counts: Counter[str] = Counter()

    def counted(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: object, **more: object) -> object:
            counts[name] += 1
            return real(*arguments, **more)

        monkeypatch.setattr(owner, name, call)

    async with on_stage(Scripted(measures.frames(until=9000)), size=(200, 60)) as (pilot, screen):
        await pilot.press("c", "left")
        await pilot.pause()
        counted(chart, "_body")
        counted(Series, "columns")
        counted(PhaseFold, "add")
        counted(lines, "_line")
        steps = 20
        for _ in range(steps):
            await pilot.press("left")
            await pilot.pause()
        assert screen.view.cursor is not None
        assert screen.view.cursor < 9000
        assert counts["_body"] <= 3, "a legend may grow by a row"
        assert counts["columns"] <= 3 * 10
        assert counts["add"] <= steps * EVERY
        assert counts["_line"] == 0
