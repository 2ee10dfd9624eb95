"""Pictures of a child with its parent behind it, and of the questions before a branch and an undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import textual
from textual.pilot import Pilot

from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui.app import GrokApp
from grok_tui.ui.doors import Doors
from grok_tui.ui.ghost import Origin
from grok_tui.ui.screens.run import RunScreen
from tests.ui.family import CHILD, PARENT, SINCE, child, parent
from tests.ui.stage import done, settled, until, viewer

pytestmark = [
    pytest.mark.skipif(
        textual.__version__ != "8.2.8",
        reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
    ),
    pytest.mark.usefixtures("own_home"),
]

SIZES = [(80, 24), (120, 36)]


def shot(size: tuple[int, int], snap_compare: Any, *keys: str) -> bool:
    source, theirs = Scripted(child(9000)), Scripted(parent(9000))
    source.place = CHILD
    doors = Doors(
        source=lambda _: theirs,
        origin=lambda _: Origin(Run(Path(PARENT)), SINCE),
        points=lambda _: (0, 4000, 8900),
    )
    app: GrokApp = viewer(source, doors)

    async def settle(pilot: Pilot[str]) -> None:
        await settled(pilot, source)
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.ghost is not None)
        await settled(pilot, theirs)
        for key in keys:
            await pilot.press(key)
            await done(pilot, "points")
        await pilot.pause()

    return bool(snap_compare(app, terminal_size=size, run_before=settle))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_child_with_its_parent_looks_as_it_did(size: tuple[int, int], snap_compare: Any) -> None:
    assert shot(size, snap_compare)


def test_at_a_cursor_on_a_light_screen_it_looks_as_it_did(snap_compare: Any) -> None:
    assert shot((120, 36), snap_compare, "t", "c", *["left"] * 12)


def test_one_large_chart_of_both_looks_as_it_did(snap_compare: Any) -> None:
    assert shot((80, 24), snap_compare, "1", "m")


@pytest.mark.parametrize("key", ["b", "u"], ids=["branch", "undo"])
def test_a_question_looks_as_it_did(key: str, snap_compare: Any) -> None:
    assert shot((80, 24), snap_compare, key)
