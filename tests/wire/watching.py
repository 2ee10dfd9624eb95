"""A viewer without a screen: what it has taken in from a run, and how the link stood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter

from grok_tui.protocol import Event, Frame
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.sources import RunSource
from tests.wire.wiring import (
    PATIENCE,
    hello,
    points,
)


class Screen:
    """Takes in whatever a source yields, as a viewer does, and remembers how the link stood."""

    def __init__(self, source: RunSource) -> None:
        self.source = source
        self.frames: list[Frame] = []
        self.links: list[str] = []
        self.batches: list[int] = []

    async def follow(self) -> None:
        async for batch in self.source.frames():
            self.frames += batch
            self.batches.append(len(batch))
            if self.links[-1:] != [self.source.link]:
                self.links.append(self.source.link)

    async def until(self, true: Callable[[], object], what: str = "it") -> None:
        deadline = perf_counter() + PATIENCE
        while not true():
            assert perf_counter() < deadline, f"{what} did not happen; {len(self.frames)} frames, {self.links}"
            await asyncio.sleep(0.002)

    def has(self, what: str) -> bool:
        return any(isinstance(frame, Event) and frame.what == what for frame in self.frames)

    @property
    def live(self) -> bool:
        return self.source.link == "live"


@asynccontextmanager
async def watching(run: Run) -> AsyncIterator[Screen]:
    screen = Screen(RunSource(run))
    task = asyncio.create_task(screen.follow())
    try:
        yield screen
    finally:
        screen.source.close()
        await asyncio.wait_for(task, PATIENCE)


def fill(run: Run, *frames: Frame, records: int = 0) -> None:
    """A recording that nobody is writing."""
    recorder = Recorder(run.frames)
    recorder.append(hello(run.name))
    for i in range(records):
        recorder.append(points(13 * i))
    for frame in frames:
        recorder.append(frame)  # type: ignore[arg-type]
    recorder.close()
