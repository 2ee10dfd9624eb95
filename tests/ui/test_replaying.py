"""Stories of a recording that is played on the screen."""

from __future__ import annotations

from pathlib import Path

from grok_tui.protocol import Status
from grok_tui.runs import Run
from grok_tui.sources import Scripted, Source
from grok_tui.tempo import Playback, Speed
from grok_tui.ui.doors import READ_ONLY, Doors, only_looking
from grok_tui.ui.screens.run import RunScreen
from tests.ui.stage import bottom, on_stage, settled, status, until
from tests.ui.story import RATE, frames


def then(epoch: int, state: str = "running") -> Status:
    return Status(epoch, state, 100 * RATE, {"weight_decay": 1.0, "lr": 1e-3}, 0)


def played(epoch: int = 3000) -> Scripted:
    source = Scripted([*frames(until=epoch)[:-1], then(epoch)], link="replay")
    source.replay = Playback(Speed(100.0))
    return source


async def test_the_status_line_says_that_it_is_a_replay_how_fast_and_where() -> None:
    async with on_stage(played()) as (pilot, _):
        assert "⏵ replay 100x" in status(pilot)
        assert "epoch 3,000 of 40,000" in status(pilot)
        assert "4,500/s   8 s left" in status(pilot)


async def test_p_pauses_the_replay_and_goes_on_with_it() -> None:
    source = played()
    async with on_stage(source) as (pilot, _):
        assert source.replay
        await pilot.press("p")
        assert source.replay.paused
        source.push(then(3000, "paused"))
        await settled(pilot, source)
        assert "⏸ replay paused" in status(pilot)
        assert "p Continue" in bottom(pilot)
        await pilot.press("p")
        assert not source.replay.paused
        assert source.sent == []


async def test_faster_and_slower_are_seen_at_once() -> None:
    async with on_stage(played()) as (pilot, _):
        await pilot.press("greater_than_sign")
        assert "replay 200x" in status(pilot)
        await pilot.press("less_than_sign", "less_than_sign")
        assert "replay 50x" in status(pilot)


async def test_a_replay_cannot_be_steered_and_says_how_to_get_out() -> None:
    source = played()
    async with on_stage(source) as (pilot, screen):
        assert "S Stop" not in bottom(pilot)
        for key in ("plus", "w", "l", "k", "S", "r"):
            await pilot.press(key)
            await settled(pilot, source)
            assert "a replay of nanda113-1 cannot be steered; R shows the run as it is now" in bottom(pilot)
            assert pilot.app.screen is screen
        assert source.sent == []


async def test_the_cursor_works_as_ever() -> None:
    source = played()
    async with on_stage(source) as (pilot, screen):
        await pilot.press("c", "shift+left")
        cursor = screen.view.cursor
        assert cursor is not None
        assert cursor < 3000
        source.push(*frames(until=5000)[-20:-1], then(5000))
        await settled(pilot, source)
        assert screen.view.cursor == cursor


async def test_a_run_that_is_no_replay_has_no_speed() -> None:
    async with on_stage(Scripted(frames(until=3000))) as (pilot, _):
        assert "Speed" not in bottom(pilot)
        await pilot.press("greater_than_sign")
        assert "this is no replay; R plays the run" in bottom(pilot)


async def test_its_end_is_told() -> None:
    source = played(40_000)
    async with on_stage(source) as (pilot, _):
        source.push(*frames()[-2:-1])
        source.replay = None
        source.become("recording")
        await settled(pilot, source)
        assert "finished" in status(pilot)
        assert "the replay is over; R plays it again" in bottom(pilot)


async def test_r_plays_the_run_from_the_cursor_and_r_again_comes_back_with_panes_and_axes_as_they_were() -> None:
    wanted: list[tuple[str, Speed | None, int]] = []

    def replay(run: Run, speed: Speed | None, since: int) -> Source:
        wanted.append((run.name, speed, since))
        return played()

    back = Scripted(frames(until=5000))
    doors = Doors(find=lambda name: Run(Path(name)), replay=replay, source=lambda _: back)
    async with on_stage(Scripted(frames(until=5000)), doors=doors) as (pilot, first):
        await pilot.press("v", "x", "c", "shift+left")
        layout, cursor = first._board.arrangement, first.view.cursor
        await pilot.press("R")
        await until(pilot, lambda: "replay" in status(pilot))
        assert wanted == [("nanda113-1", None, cursor)]
        second = pilot.app.screen
        assert isinstance(second, RunScreen)
        assert second is not first
        assert second._board.arrangement is layout
        assert [pane.name for pane in second._board.panes] == list(layout.panes)
        assert (second.view.log_x, second.view.cursor) == (True, None)
        await pilot.press("R")
        await until(pilot, lambda: "live" in status(pilot))
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen._board.arrangement is layout


async def test_a_viewer_that_only_looks_may_pause_a_replay_and_nothing_else() -> None:
    source = played()
    async with on_stage(source, doors=only_looking(Doors())) as (pilot, _):
        assert source.replay
        await pilot.press("p")
        assert source.replay.paused
        await pilot.press("plus")
        assert bottom(pilot).strip() == READ_ONLY
        await pilot.press("greater_than_sign")
        assert "200x" in status(pilot)
