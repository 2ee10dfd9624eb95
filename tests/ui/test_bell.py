"""The bell: rung for a change of phase that is seen to happen, and for nothing else."""

from __future__ import annotations

from grok_tui.protocol import PROTOCOL, Catalogue, Event, Hello
from grok_tui.sources import Scripted
from grok_tui.state import RunState
from grok_tui.ui.bell import Bell, Mishaps
from tests.science.curves import mainline
from tests.ui.stage import on_stage, settled
from tests.ui.story import frames


def watched(end: int, *, bell: bool = True) -> RunState:
    state = RunState()
    config = {"task": {"p": 113}, "notify": {"bell": bell}}
    state.apply(Hello(PROTOCOL, "run-1", "1", config, {}, 20_000, Catalogue()))
    grow(state, end)
    return state


def grow(state: RunState, end: int) -> None:
    for sample in mainline(end):
        state.phases.add(sample)


def test_a_change_of_phase_that_is_watched_rings_once() -> None:
    state, bell = watched(100), Bell()
    assert not bell.due(state, "live")
    grow(state, 600)
    assert state.phases.phase == "memorization"
    assert bell.due(state, "live")
    assert not bell.due(state, "live")


def test_what_was_recorded_before_does_not_ring() -> None:
    state, bell = watched(600), Bell()
    assert not bell.due(state, "recording")
    grow(state, 8000)
    assert not bell.due(state, "recording")
    assert not bell.due(state, "live"), "caught up"
    grow(state, 16_000)
    assert bell.due(state, "live")


def test_the_first_phase_is_no_change() -> None:
    state, bell = watched(-1), Bell()
    assert not bell.due(state, "live")
    grow(state, 1)
    assert not bell.due(state, "live")


def test_it_is_silent_unless_wanted() -> None:
    state, bell = watched(100, bell=False), Bell()
    bell.due(state, "live")
    grow(state, 600)
    assert not bell.due(state, "live")


def amiss(epoch: int) -> Event:
    return Event(epoch, "amiss", f"no branch at epoch {epoch:,}: no room", 0.0, 5, {"wish": 3})


def test_what_goes_amiss_is_news_once_and_only_while_it_is_watched() -> None:
    state, mishaps = watched(100), Mishaps()
    state.apply(amiss(40))
    assert not mishaps.news(state, "recording")
    assert not mishaps.news(state, "live"), "caught up"
    state.apply(amiss(60))
    assert mishaps.news(state, "live") == "no branch at epoch 60: no room"
    assert not mishaps.news(state, "live")


async def test_a_branch_that_fails_while_the_run_is_watched_is_said_in_the_bottom_line() -> None:
    source = Scripted(frames(until=2000))
    async with on_stage(source) as (pilot, screen):
        source.push(amiss(2000))
        await settled(pilot, source)
        assert screen.hints.notice == "no branch at epoch 2,000: no room"
