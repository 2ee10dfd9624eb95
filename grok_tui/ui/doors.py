"""What the screens do to the world outside: list, start, resume, recompute, open. Tests put others in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grok_tui import config, launch, runs
from grok_tui.config import Config
from grok_tui.launch import Recomputing
from grok_tui.runs import Run
from grok_tui.sources import RunSource, Source


@dataclass(frozen=True, slots=True)
class Doors:
    """Each blocks, but for `source`: the screens call them in threads."""

    presets: Callable[[], dict[str, Config]] = config.presets
    listing: Callable[[], list[Run]] = runs.listing
    find: Callable[[str], Run] = runs.find
    start: Callable[[Config], Run] = launch.start
    resume: Callable[[Run], None] = launch.resume
    hindsight: Callable[[Run], Recomputing] = launch.hindsight
    source: Callable[[Run], Source] = RunSource
