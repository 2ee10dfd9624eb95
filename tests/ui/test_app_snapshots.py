"""Pictures of whole screens, at both sizes and in each state a user may meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import textual
from textual.pilot import Pilot

from grok_tui import config, runs
from grok_tui.protocol import Event, Reply, Status
from grok_tui.sources import Scripted
from grok_tui.ui.doors import Doors
from tests.ui.stage import done, settled, viewer
from tests.ui.story import frames

pytestmark = pytest.mark.skipif(
    textual.__version__ != "8.2.8",
    reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
)

SIZES = [(80, 24), (120, 36)]
NOON = 1_500_033_600.0
"""The same day in every time zone but one."""

CHANGED = [(3000, "weight_decay", 2.0)]


def waiting() -> Scripted:
    return Scripted()


def memorising() -> Scripted:
    return Scripted(frames(until=1200))


def grokked() -> Scripted:
    return Scripted(frames(until=9000, changes=CHANGED))


def finished() -> Scripted:
    return Scripted(frames(changes=CHANGED), link="recording")


def cut_off() -> Scripted:
    source = Scripted(frames(until=5000))
    source.become("cut off")
    return source


def paused() -> Scripted:
    stopped = Event(5000, "paused", "paused", 0.0)
    return Scripted([*frames(until=5000), stopped, Status(5000, "paused", 0.0, {"weight_decay": 1.0, "lr": 1e-3}, 1)])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", [waiting, memorising, grokked, finished, cut_off, paused])
def test_the_screen_looks_as_it_did(scene: Any, size: tuple[int, int], snap_compare: Any) -> None:
    source: Scripted = scene()

    async def settle(pilot: Pilot[str]) -> None:
        await settled(pilot, source)
        await pilot.press("escape")  # notices go after a while; here at once
        await pilot.pause()

    assert snap_compare(viewer(source), terminal_size=size, run_before=settle)


PRESSES = {
    "the cursor": ("c", "shift+left"),
    "an input": ("w", "2"),
    "something asked": ("plus",),
    "one large pane": ("2", "m"),
    "log x": ("x",),
    "help": ("question_mark",),
    "the question before a stop": ("S",),
    "light": ("t",),
}


@pytest.mark.parametrize("name", PRESSES)
def test_what_keys_bring_up_looks_as_it_did(name: str, snap_compare: Any) -> None:
    source = Scripted(frames(until=7500), reply=lambda command: Reply(command.id, True, 7501, "done"))

    async def press(pilot: Pilot[str]) -> None:
        await settled(pilot, source)
        await pilot.press(*PRESSES[name])
        await settled(pilot, source)

    assert snap_compare(viewer(source), terminal_size=(100, 30), run_before=press)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_home_looks_as_it_did(
    size: tuple[int, int], snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    for name, state in (("demo", "finished"), ("nanda113", "stopped"), ("nanda113", "running")):
        controls = {"weight_decay": 1.0}
        told = {"epoch": 1200, "state": state, "time": NOON, "controls": controls, "values": {"test_accuracy": 0.25}}
        runs.create(config.preset(name)).write_state(told)
    order = sorted(runs.listing(), key=lambda run: run.name)

    async def look(pilot: Pilot[str]) -> None:
        await done(pilot, "runs")

    app = viewer(None, Doors(listing=lambda: order))
    assert snap_compare(app, terminal_size=size, run_before=look)
