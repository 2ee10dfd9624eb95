"""When to redraw: at once if the last time is long enough ago, else when it is. Nothing asked, nothing drawn."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.app import App
from textual.timer import Timer
from textual.widget import Widget


class Pace:
    """Calls `draw` at most once per `interval` seconds, however often it is asked to."""

    def __init__(self, owner: Widget, draw: Callable[[], None], interval: float) -> None:
        self._owner = owner
        self._draw = draw
        self._interval = interval
        self._last = float("-inf")
        self._timer: Timer | None = None

    def ask(self) -> None:
        """Draw soon."""
        if self._timer is not None:
            return
        wait = self._last + self._interval - monotonic()
        if wait <= 0:
            self.now()
        else:
            self._timer = self._owner.set_timer(wait, self.now)

    def now(self) -> None:
        """Draw at once: a key was pressed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._last = monotonic()
        self._draw()


def unwritten(app: App[str]) -> int:
    """Frames that were sent to the terminal and that it has not taken yet; 0 where Textual does not say."""
    writer = getattr(app._driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue.qsize() if queue is not None else 0
