"""The runs of a comparison: where each one's frames come from, and how it is told from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from textual.message import Message

from grok_tui import comparing, lineage, runs, wording
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.series import Series, Shifted
from grok_tui.sources import Source
from grok_tui.state import Ghost
from grok_tui.ui.link import BREATH
from grok_tui.ui.messages import StateAdvanced
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.strokes import Stroke

STROKES = (
    Stroke.SOLID,
    Stroke.DASHED,
    Stroke.DOTTED,
    Stroke.THICK,
    Stroke.DASH_DOT,
    Stroke.THICK_DASHED,
    Stroke.SPARSE,
    Stroke.THICK_DOTTED,
)
"""One for each run: no two of eight are drawn alike."""


class Member:
    """One of the runs that are compared."""

    def __init__(self, place: int, run: Run, source: Source) -> None:
        self.run = run
        self.source = source
        self.state = comparing.Lean()
        self.trouble = ""
        """Why no more of it comes; empty while all is well."""
        self.sign = str(place + 1)
        """Its key, its marker in every chart, its number in every table."""
        self.token = Token(Token.RUN_1 + place)
        self.stroke = STROKES[place]
        self.read = asyncio.Event()
        """What was recorded when it was opened has been folded in."""
        self.past: Ghost | None = None
        """The past that it has in common with a parent that is not compared; None while none is known."""
        self._size = _size(run.frames)
        self._born = 0.0
        self._moved: dict[tuple[int, int], tuple[Series, Shifted]] = {}

    @property
    def born(self) -> float:
        """When the run began, by which its branches know it."""
        self._born = self._born or lineage.born(self.run.path, self.run.frames)
        return self._born

    @property
    def standing(self) -> str:
        """How the run stands, in a word."""
        return wording.standing(self.state.state, self.source.link)

    @property
    def share(self) -> float:
        """How much of the recording has been read."""
        if self.read.is_set() or not self._size:
            return float(self.read.is_set())
        return min(getattr(self.source, "position", 0) / self._size, 1.0)

    async def look_up(self, compared: Sequence[Run], known: dict[Path, comparing.Lean]) -> None:
        """Read what its parent tells, where that is neither compared itself nor `known` already."""
        self.past = await asyncio.to_thread(_past, self.run, [run.path for run in compared], known)

    def moved(self, series: Series, by: int) -> Series:
        """A series with its epochs less by `by`: the same object for the same series, so that charts know it again."""
        if not by:
            return series
        key = id(series), by
        if key not in self._moved:
            self._moved[key] = series, Shifted(series, by)  # the series is kept too: its id stays its own
        return self._moved[key][1]

    def forget(self) -> None:
        """Let go of what another alignment was drawn with."""
        self._moved.clear()

    async def follow(self, post: Callable[[Message], object]) -> None:
        """Fold in everything that comes, for as long as somebody looks; posts `StateAdvanced` after each batch."""
        try:
            async for batch in self.source.frames():
                since = perf_counter()
                for frame in batch:
                    self.state.apply(frame)
                    if perf_counter() - since > BREATH:
                        post(StateAdvanced(self.state.epoch))
                        await asyncio.sleep(0)
                        since = perf_counter()
                if self.source.link != "recording" or getattr(self.source, "position", self._size) >= self._size:
                    self.read.set()
                post(StateAdvanced(self.state.epoch))
                await asyncio.sleep(0)
        except GrokTuiError as error:
            self.trouble = str(error)
        self.read.set()
        post(StateAdvanced(self.state.epoch))


def _past(run: Run, compared: Sequence[Path], known: dict[Path, comparing.Lean]) -> Ghost | None:
    above = runs.parent(run) if run.lineage else None
    return None if above is None or above.path in compared else comparing.past(run, known)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # nothing is recorded yet
        return 0
