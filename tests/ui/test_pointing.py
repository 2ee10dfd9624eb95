"""The mouse in charts: a click or a drag places the cursor, the wheel zooms."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widget import Widget

from grok_tui.sources import Scripted
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.panels import Panels
from grok_tui.ui.widgets.pointing import Pointable, epoch_of
from grok_tui.ui.widgets.ribbon import Ribbon
from tests.ui import measures
from tests.ui.stage import on_stage, text
from tests.ui.story import frames


async def click(pilot: Pilot[str], on: Widget, x: int, y: int = 4) -> None:
    await pilot.click(on, offset=(x, y))
    await pilot.pause()


def cursor_column(pilot: Pilot[str], on: Widget) -> int:
    """Where the chart's last row has the middle of the cursor's label."""
    row = text(pilot)[on.region.bottom - 1][on.region.x : on.region.right]
    at = row.index(f" {pilot.app.screen.view.cursor:,} ")  # type: ignore[attr-defined]
    return at + len(f" {pilot.app.screen.view.cursor:,} ") // 2  # type: ignore[attr-defined]


async def test_a_click_in_a_chart_places_the_cursor_where_it_was_clicked() -> None:
    async with on_stage(Scripted(frames(until=9000))) as (pilot, screen):
        chart = screen.query(Chart).first()
        for x in (12, 30, 45):
            await click(pilot, chart, x)
            assert screen.view.cursor is not None
            assert abs(cursor_column(pilot, chart) - x) <= 1


async def test_a_drag_moves_it_along_and_stops_at_the_ends() -> None:
    async with on_stage(Scripted(frames(until=9000))) as (pilot, screen):
        chart = screen.query(Chart).first()
        await pilot.mouse_down(chart, offset=(20, 4))
        await pilot.hover(chart, offset=(30, 4))
        await pilot.pause()
        assert abs(cursor_column(pilot, chart) - 30) <= 1
        await pilot.hover(None, offset=(119, 6))  # beyond the chart's right end
        await pilot.pause()
        assert screen.view.cursor == 9000
        await pilot.mouse_up(None, offset=(119, 6))
        await pilot.hover(chart, offset=(20, 4))
        await pilot.pause()
        assert screen.view.cursor == 9000, "the button is up"


async def test_a_click_on_the_ribbon_and_in_the_second_of_several_charts_places_it_too() -> None:
    async with on_stage(Scripted(measures.frames(until=9000))) as (pilot, screen):
        await click(pilot, screen.query_one(Ribbon), 30, 0)
        first = screen.view.cursor
        assert first is not None
        await pilot.press("v")
        await pilot.pause()
        panels = next(p for p in screen.query(Panels) if p.size.area)
        await click(pilot, panels, panels.size.width - 3)
        assert screen.view.cursor is not None
        assert screen.view.cursor > first


async def test_what_counts_no_epochs_places_no_cursor() -> None:
    async with on_stage(Scripted(frames(until=9000))) as (pilot, screen):
        await screen.action_show_pane("interference")
        await pilot.pause()
        await click(pilot, screen.query(Panels).last(), 20)
        assert screen.view.cursor is None


async def test_the_wheel_zooms_around_the_pointer() -> None:
    async with on_stage(Scripted(frames(until=9000))) as (pilot, screen):
        chart = screen.query(Chart).first()
        before = chart.epoch_at(30, 4, (30, 4))
        await _wheel(pilot, chart, up=True)
        assert screen.view.zoom is not None
        after = chart.epoch_at(30, 4, (30, 4))
        assert before is not None
        assert after == pytest.approx(before, abs=200)
        await _wheel(pilot, chart, up=False)
        assert screen.view.zoom is None


async def _wheel(pilot: Pilot[str], chart: Pointable, *, up: bool) -> None:
    kind = MouseScrollUp if up else MouseScrollDown
    x, y = chart.region.x + 30, chart.region.y + 4
    event = kind(chart, 30, 4, 0, 0, 0, False, False, False, x, y)
    chart.post_message(event)
    await pilot.pause()


def test_the_ends_of_an_axis_can_be_pointed_at() -> None:
    axis = Epochs(0, 1000)
    assert [epoch_of(axis, x, 50) for x in (-3, 0, 25, 49, 80)] == [0, 0, 510, 1000, 1000]
    assert epoch_of(Epochs(0, 999, log=True), 25, 50) == pytest.approx(10**1.53 - 1)


@pytest.mark.parametrize("log_x", [False, True])
def test_a_zoom_by_the_wheel_keeps_the_epoch_where_it_is(log_x: bool) -> None:
    view = View(log_x=log_x)
    for _ in range(6):
        before = view.epochs(9000).share(3000)
        view = view.zoom_by(9000, 3000, 1.25)
        assert view.epochs(9000).share(3000) == pytest.approx(before, abs=1e-6)
    for _ in range(12):
        view = view.zoom_by(9000, 3000, 1 / 1.25)
    assert view.zoom is None
