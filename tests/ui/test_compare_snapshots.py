"""Pictures of runs side by side, at each size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import textual
from textual.pilot import Pilot

from grok_tui.aligning import START, Alignment
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui.app import GrokApp
from grok_tui.ui.doors import Doors
from tests.ui.story import frames
from tests.ui.test_compare import settled

pytestmark = pytest.mark.skipif(
    textual.__version__ != "8.2.8",
    reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
)

THREE: dict[str, tuple[int, list[tuple[int, str, float]]]] = {
    "mainline-1": (12_000, []),
    "raised-1": (9000, [(3000, "weight_decay", 3.0)]),
    "lowered-1": (7000, [(2000, "weight_decay", 0.3), (5000, "weight_decay", 1.0)]),
}
EIGHT = {f"seed-{n}": (1000 * n, THREE["raised-1"][1] if n > 5 else []) for n in range(1, 9)}


@pytest.mark.parametrize(
    ("runs", "size", "alignment", "presses"),
    [
        (THREE, (80, 24), START, ()),
        (THREE, (120, 40), Alignment("change"), ("n", "2", "c", "shift+left", "shift+left")),
        (THREE, (200, 60), START, ("c", "shift+left", "shift+left", "shift+left", "shift+left")),
        (EIGHT, (80, 24), START, ("n",)),
        (EIGHT, (120, 40), START, ("t", "x")),
    ],
    ids=["three-80x24", "three-aligned-120x40", "three-200x60", "eight-80x24", "eight-light-log-120x40"],
)
def test_runs_side_by_side(
    runs: dict[str, Any], size: tuple[int, int], alignment: Alignment, presses: tuple[str, ...], snap_compare: Any
) -> None:
    sources = {
        name: Scripted(frames(until=until, changes=changes, run=name, state="finished"), link="recording")
        for name, (until, changes) in runs.items()
    }
    chosen = [Run(Path("/nowhere") / name) for name in runs]
    app = GrokApp(doors=Doors(source=lambda run: sources[run.name]), compared=(chosen, alignment), charts_every=0.0)

    async def settle(pilot: Pilot[str]) -> None:
        await settled(pilot, sources.values())
        await pilot.press(*presses)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)
