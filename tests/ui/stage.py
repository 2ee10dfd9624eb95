"""The whole viewer on a scripted source: no clock, no run, no trainer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from grok_tui.sources import Scripted
from grok_tui.ui.app import GrokApp
from grok_tui.ui.doors import Doors
from grok_tui.ui.screens.run import RunScreen


def viewer(source: Scripted | None, doors: Doors | None = None) -> GrokApp:
    """A viewer that redraws without waiting."""
    return GrokApp(source, doors=doors, charts_every=0.0, status_every=0.0)


@asynccontextmanager
async def on_stage(
    source: Scripted, size: tuple[int, int] = (120, 40), doors: Doors | None = None
) -> AsyncIterator[tuple[Pilot[str], RunScreen]]:
    """A viewer that has taken in everything that `source` has so far."""
    async with viewer(source, doors).run_test(size=size) as pilot:
        await settled(pilot, source)
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        yield pilot, screen


async def settled(pilot: Pilot[str], source: Scripted) -> None:
    """Wait until what has arrived is folded in and drawn, and what was sent is answered."""
    await source.taken()
    await pilot.pause()
    await done(pilot, "send")


def burst(pilot: Pilot[str], *keys: str) -> None:
    """All of them at once, before the viewer looks at the first."""
    for key in keys:
        pilot.app.post_message(
            events.Key(_character_to_key(key) if len(key) == 1 else key, key if len(key) == 1 else None)
        )


async def done(pilot: Pilot[str], *names: str) -> None:
    """Wait until the workers of these names have ended."""
    for worker in [worker for worker in pilot.app.workers if worker.name in names]:
        await worker.wait()
    await pilot.pause()


async def until(pilot: Pilot[str], true: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait until something is true, for so many seconds at most."""
    deadline = monotonic() + patience
    while not true():
        assert monotonic() < deadline, "it did not come true"
        await pilot.pause(0.01)


def text(pilot: Pilot[str]) -> list[str]:
    """The screen's rows as text."""
    lines = pilot.app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in lines]


def status(pilot: Pilot[str]) -> str:
    """The first row."""
    return text(pilot)[0]


def bottom(pilot: Pilot[str]) -> str:
    """The last row."""
    return text(pilot)[-1]
