"""Draws docs/screen.svg from the recording of a real run: the same recording gives the same picture.

python scripts/picture.py nanda113-1              the newest state
python scripts/picture.py nanda113-1 --until 8000 as the screen was at epoch 8,000
python scripts/picture.py nanda113-1 --layout circuit --out docs/circuit.svg
python scripts/picture.py nanda113-1.1 --family --out docs/branch.svg      a branch, its parent behind it
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from grok_tui import hindsight, record, runs
from grok_tui.protocol import Stored
from grok_tui.replay import before
from grok_tui.sources import Link, Scripted
from grok_tui.ui.app import GrokApp
from grok_tui.ui.screens.run import RunScreen

PICTURE = Path(__file__).parent.parent / "docs" / "screen.svg"


def recorded(run: runs.Run, until: int | None) -> list[Stored]:
    """The run's frames, up to an epoch."""
    frames: list[Stored] = []
    position = 0
    while True:
        found, end = record.read(run.frames, position, 4096)
        frames += found
        if end == position:
            break
        position = end
    last = float("inf") if until is None else until
    return [cut for frame in frames if (cut := before(frame, last)) is not None]


async def drawn(frames: list[Stored], size: tuple[int, int], link: Link, layout: str) -> str:
    """The screen after all frames, in a layout, as SVG."""
    source = Scripted(frames, link=link)
    app = GrokApp(source, charts_every=0.0, status_every=0.0)
    async with app.run_test(size=size) as pilot:
        await source.taken()
        if layout:
            await app.screen.run_action(f"layout({layout!r})")
        await pilot.pause()
        await pilot.pause(0.5)
        return app.export_screenshot(title="grok-tui")


async def with_family(run: runs.Run, size: tuple[int, int], layout: str) -> str:
    """The screen of a run as its users open it, with its parent, as SVG."""
    app = GrokApp.on(run)
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, RunScreen)
        parent = runs.find(run.lineage.parent).state if run.lineage else {}
        while (ghost := screen.state.ghost) is None or ghost.state.epoch < parent.get("epoch", 0):
            await pilot.pause(0.2)
        if layout:
            await screen.run_action(f"layout({layout!r})")
        await pilot.pause(2.0)
        return app.export_screenshot(title="grok-tui")


def main() -> None:
    """Parse, replay, write."""
    parser = argparse.ArgumentParser(description="Draw docs/screen.svg from a run.")
    parser.add_argument("run", nargs="?", help="its name; the newest if omitted")
    parser.add_argument("--until", type=int, metavar="EPOCH", help="as the screen was then")
    parser.add_argument("--size", default="120x40", help="columns x rows; 120x40 if omitted")
    parser.add_argument("--layout", default="", help="the arrangement of panes; main if omitted")
    parser.add_argument("--family", action="store_true", help="with the parent that it is a branch of")
    parser.add_argument("--out", type=Path, default=PICTURE)
    chosen = parser.parse_args()
    width, height = map(int, chosen.size.split("x"))
    link: Link = "recording" if chosen.until is None else "live"
    run = runs.find(chosen.run)
    frames = recorded(run, chosen.until)
    if chosen.until is None:
        frames += hindsight.Watch(run).look()
    if chosen.family:
        svg = asyncio.run(with_family(run, (width, height), chosen.layout))
    else:
        svg = asyncio.run(drawn(frames, (width, height), link, chosen.layout))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
