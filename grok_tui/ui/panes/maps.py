"""What panes of heat maps have in common: a heading, the maps, and which arrays both are made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.protocol import Array
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import looked_at, not_yet, when, with_it
from grok_tui.ui.view import View
from grok_tui.ui.widgets.heading import Heading, Words
from grok_tui.ui.widgets.heatmap import HeatMaps, Maps


class MapsPane(Pane):
    """Heat maps of one array at an epoch, with what others say of it there."""

    arrays: ClassVar[tuple[str, ...]] = ()
    """The names of the maps' array, and of those that belong to it."""
    axes: ClassVar[int] = 3
    """Of the maps' array."""
    none_yet: ClassVar[str] = ""
    """What is said when it is there, but holds no maps."""

    def parts(self) -> ComposeResult:
        yield Heading()
        yield HeatMaps()

    def sees(self, state: RunState, view: View) -> Hashable:
        return looked_at(state, view, *self.arrays)

    def present(self, state: RunState, view: View) -> None:
        name, *others = self.arrays
        found = array_at(state, name, view.cursor)
        heading, pictures = self.query_one(Heading), self.query_one(HeatMaps)
        if found is None or found.values.ndim != self.axes or not len(found.values):
            heading.say()
            missing = self.none_yet if found is not None and self.none_yet else not_yet(state, name, view.cursor)
            pictures.show(Maps(missing=missing))
            return
        words, maps = self.drawn(found, with_it(state, found, *others), when(found.epoch, view))
        heading.say(*words)
        pictures.show(maps)

    def drawn(self, found: Array, others: tuple[Array | None, ...], at: str) -> tuple[tuple[Words, ...], Maps]:
        """The heading, from long to short, and the maps.

        Args:
            found: the maps' array.
            others: those that belong to it, in the order of their names.
            at: the epoch in words, where it is not the newest.
        """
        raise NotImplementedError
