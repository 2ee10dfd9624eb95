"""What a viewer cannot change: a locked run. It says so, and offers no key that would."""

from __future__ import annotations

from pathlib import Path

from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui import keys
from grok_tui.ui.doors import Doors
from grok_tui.ui.status import line
from tests.ui.gallery import state_of
from tests.ui.stage import bottom, done, on_stage, settled, status
from tests.ui.story import frames

LIVE = frames(until=5000)
STEERING = [key for row in keys.RUN_KEYS if row.needs == "steer" for key, _ in row.does]


def locked(source: Scripted) -> Scripted:
    source.locked = True
    return source


async def test_a_locked_run_cannot_be_steered_and_the_line_names_what_unlocks_it() -> None:
    source = locked(Scripted(LIVE))
    async with on_stage(source) as (pilot, _):
        assert "⊠ locked" in status(pilot)
        assert "Pause" not in bottom(pilot)
        for key in STEERING:
            await pilot.press(key)
            await settled(pilot, source)
            assert "nanda113-1 is locked; to change it: grok-tui unlock nanda113-1" in bottom(pilot), key
        assert source.sent == []


async def test_a_lock_that_comes_while_it_is_looked_at_is_seen_and_so_is_its_end() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        assert "p Pause" in bottom(pilot)
        locked(source).push()
        await settled(pilot, source)
        assert "⊠ locked" in status(pilot)
        assert "p Pause" not in bottom(pilot)
        source.locked = False
        source.push()
        await settled(pilot, source)
        assert "locked" not in status(pilot)
        assert "p Pause" in bottom(pilot)


async def test_a_locked_run_that_was_stopped_is_not_resumed() -> None:
    source = locked(Scripted(frames(until=3000, state="stopped"), link="recording"))
    resumed: list[Run] = []
    doors = Doors(find=lambda name: Run(Path(name)), resume=resumed.append)
    async with on_stage(source, doors=doors) as (pilot, _):
        assert "r Resume" not in bottom(pilot)
        await pilot.press("r")
        await done(pilot, "resume")
        assert "grok-tui unlock nanda113-1" in bottom(pilot)
        assert resumed == []


def test_the_sign_of_the_lock_stays_when_the_word_has_no_room() -> None:
    state = state_of(LIVE)
    assert "⊠ locked" in line(state, "live", (), 118, "locked").plain
    assert "⊠" in line(state, "live", (), 60, "locked").plain
