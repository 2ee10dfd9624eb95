"""Grids with an axis of epochs, on which a mouse can point: a click or a drag, and the wheel."""

from __future__ import annotations

from textual.events import MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp

from grok_tui.ui.messages import Pointed, Wheeled
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.grid import CellGrid

ZOOM = 1.25
"""By how much a notch of the wheel zooms."""


class Pointable(CellGrid):
    """A grid that knows the epoch of each of its columns, and says which one the mouse points at."""

    _from: tuple[int, int] | None = None
    """Where the button went down, while it is."""

    def epoch_at(self, x: int, y: int, start: tuple[int, int]) -> float | None:
        """The epoch at a cell, for a pointer that went down at `start`; None where that is on no axis of epochs."""
        raise NotImplementedError

    def on_mouse_down(self, event: MouseDown) -> None:
        if event.button == 1 and self.epoch_at(event.x, event.y, (event.x, event.y)) is not None:
            self._from = event.x, event.y
            self.capture_mouse()
            self._point(event.x, event.y)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._from is not None:
            self._point(event.x, event.y)

    def on_mouse_up(self, _event: MouseUp) -> None:
        if self._from is not None:
            self._from = None
            self.release_mouse()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._turn(event.x, event.y, ZOOM)
        event.stop()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._turn(event.x, event.y, 1 / ZOOM)
        event.stop()

    def _point(self, x: int, y: int) -> None:
        if self._from is not None and (epoch := self.epoch_at(x, y, self._from)) is not None:
            self.post_message(Pointed(epoch))

    def _turn(self, x: int, y: int, factor: float) -> None:
        if (epoch := self.epoch_at(x, y, (x, y))) is not None:
            self.post_message(Wheeled(epoch, factor))


def epoch_of(epochs: Epochs, column: int, columns: int) -> float:
    """The epoch in the middle of a column; of the first and the last, the axis's ends. Columns outside are those."""
    left, right = epochs.unit(epochs.start), epochs.unit(epochs.end)
    if column <= 0 or column >= columns - 1:
        return epochs.start if column <= 0 else epochs.end
    return epochs.epoch(left + (column + 0.5) / columns * (right - left))
