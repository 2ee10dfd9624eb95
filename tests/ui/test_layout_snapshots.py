"""Pictures of the layouts of charts, at three sizes, with every measure planted."""

from __future__ import annotations

from typing import Any

import pytest
import textual
from textual.pilot import Pilot

from grok_tui.sources import Scripted
from tests.ui.boards import SIZES
from tests.ui.measures import frames
from tests.ui.stage import done, settled, viewer

pytestmark = [
    pytest.mark.skipif(
        textual.__version__ != "8.2.8",
        reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
    ),
    pytest.mark.usefixtures("own_home"),
]


def shot(name: str, size: tuple[int, int], snap_compare: Any, *keys: str) -> bool:
    source = Scripted(frames(until=9000))

    async def settle(pilot: Pilot[str]) -> None:
        await settled(pilot, source)
        await pilot.app.screen.run_action(f"layout({name!r})")
        await done(pilot)
        for key in (*keys, "escape"):
            await pilot.press(key)
            await done(pilot)

    return bool(snap_compare(viewer(source), terminal_size=size, run_before=settle))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["progress", "frequencies", "checks"])
def test_a_layout_looks_as_it_did(name: str, size: tuple[int, int], snap_compare: Any) -> None:
    assert shot(name, size, snap_compare)


def test_on_a_light_screen_with_logarithmic_epochs_it_looks_as_it_did(snap_compare: Any) -> None:
    assert shot("frequencies", (120, 40), snap_compare, "t", "x")
