"""What a viewer cannot change: a locked run; anything at all, when it only looks. It says so, and offers no key."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from grok_tui.errors import RefusedError
from grok_tui.protocol import Order
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui import doors as doors_
from grok_tui.ui import keys
from grok_tui.ui.doors import READ_ONLY, Doors, OnlyLooking, only_looking
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.status import line
from tests.ui.gallery import state_of
from tests.ui.stage import bottom, done, on_stage, settled, status, text, until, viewer
from tests.ui.story import frames

LIVE = frames(until=5000)
STEERING = [key for row in keys.RUN_KEYS if row.needs in ("steer", "pause") for key, _ in row.does]


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


# A viewer that only looks


CHANGING = [row for row in keys.RUN_KEYS if row.needs not in ("", "replay")]
"""The rows of every key that changes a run or makes one."""


def broken(*_: object) -> None:
    raise AssertionError("a door was opened by a viewer that only looks")


SHUT = only_looking(Doors(start=broken, resume=broken, hindsight=broken))  # type: ignore[arg-type]


def test_the_keys_that_change_something_say_so_in_the_table() -> None:
    known = {row.shown: row.needs for row in CHANGING}
    steering = dict.fromkeys(("S", "k", "w", "+ ]", "- [", "l"), "steer")
    assert known == known | {"f": "write", "r": "resume", "p": "pause"} | steering
    assert {row.needs for row in keys.TABLE} == {"", "steer", "pause", "resume", "replay", "write"}


def test_the_keys_of_an_action_all_need_the_same() -> None:
    for rows in (keys.RUN_KEYS, keys.HOME_KEYS):
        needs: dict[str, set[str]] = {}
        for row in rows:
            for _, action in row.does:
                needs.setdefault(action.partition("(")[0], set()).add(row.needs)
        assert all(len(found) == 1 for found in needs.values()), needs


@pytest.mark.parametrize("row", CHANGING, ids=[row.label for row in CHANGING])
@pytest.mark.parametrize("state", ["running", "stopped"])
async def test_no_key_changes_anything_in_a_viewer_that_only_looks(row: keys.Key, state: str) -> None:
    source = Scripted(frames(until=3000, state=state), link="live" if state == "running" else "recording")
    async with on_stage(source, doors=SHUT) as (pilot, screen):
        assert "⊙ read-only" in status(pilot)
        assert row not in screen._offered()
        for key, action in row.does:
            await pilot.press(key)
            await settled(pilot, source)
            await done(pilot, "resume", "hindsight")
            assert pilot.app.screen is screen, "it asked whether to do it"
            assert not screen.prompt.is_open
            assert bottom(pilot).strip() == READ_ONLY, key
            await screen.run_action(action)
            await done(pilot, "resume", "hindsight", "send")
        assert source.sent == []


async def test_looking_is_as_ever_in_a_viewer_that_only_looks() -> None:
    source = Scripted(LIVE)
    async with on_stage(source, doors=SHUT) as (pilot, screen):
        await pilot.press("c", "left", "x", "v")
        await pilot.pause()
        assert screen.view.cursor is not None
        assert "q Leave" in bottom(pilot) or "layout" in bottom(pilot)


async def test_the_palette_of_a_viewer_that_only_looks_has_nothing_that_changes_a_run() -> None:
    for doors, offered in ((None, True), (SHUT, False)):
        async with on_stage(Scripted(LIVE), doors=doors) as (pilot, _):
            await pilot.press("ctrl+p", *"weight decay")
            await until(pilot, lambda: "ecay" in "".join(text(pilot)[4:]))
            await pilot.pause(0.1)
            assert any("Double the weight decay" in row for row in text(pilot)) == offered


async def test_a_viewer_that_only_looks_starts_nothing_from_home() -> None:
    async with viewer(None, SHUT).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)
        assert "Start" not in bottom(pilot)
        await pilot.press("enter")
        await done(pilot, "start")
        assert bottom(pilot).strip() == READ_ONLY


def test_a_door_is_shut_unless_it_only_looks() -> None:
    shut = only_looking(Doors())
    for field in fields(Doors):
        if field.name not in doors_.LOOKING:
            with pytest.raises(RefusedError, match="only looks"):
                getattr(shut, field.name)("anything", more=True)


async def test_every_source_of_a_viewer_that_only_looks_takes_no_commands(tmp_path: Path) -> None:
    inner = Scripted(LIVE)
    source = only_looking(Doors(source=lambda _: inner)).source(Run(tmp_path))
    assert isinstance(source, OnlyLooking)
    assert (source.link, source.can_steer) == ("live", False)
    with pytest.raises(RefusedError):
        await source.send(Order(1, "stop"))
    assert inner.sent == []
