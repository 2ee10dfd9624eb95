"""What all panes have in common: they are shown a state and a view, and only read both."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize, Show
from textual.widget import Widget

from grok_tui.state import RunState
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

ROOMY = (70, 14)
"""Columns and rows from which a pane has a line to spare for what to look for."""

NOW = "of now, not of the cursor's epoch"


class Pane(Widget, can_focus=True):
    """One look at a run, in a frame with its title."""

    ALLOW_MAXIMIZE = True

    title: ClassVar[str] = ""
    look_for: ClassVar[str] = ""
    """One line: what to look for."""
    figure: ClassVar[str] = ""
    """Where the field knows this picture from."""
    of_now: ClassVar[bool] = False
    """It is about the run as it stands, wherever the cursor is: its border says so while there is one."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.border_title = self.title
        self._shown: tuple[RunState, View] | None = None
        self._drawn: Hashable = None
        self._noted = ""

    def compose(self) -> ComposeResult:
        yield from self.parts()
        yield Hint(classes="hint")

    def parts(self) -> ComposeResult:
        """The widgets that make up the picture."""
        raise NotImplementedError

    def show(self, state: RunState, view: View) -> None:
        """Draw what has changed since the last call; nothing if nothing has, or while the pane is hidden."""
        self._shown = state, view
        self._refresh_picture()

    def on_show(self, _event: Show) -> None:
        self._refresh_picture()

    def on_resize(self, _event: Resize) -> None:
        self.set_class(self.size.width >= ROOMY[0] and self.size.height >= ROOMY[1], "-roomy")
        self._drawn = None
        self._refresh_picture()

    def note(self, text: str) -> None:
        """Write `text` into the lower border; setting it repaints the whole pane, so only when it changes."""
        if text != self._noted:
            self._noted = self.border_subtitle = text

    def present(self, state: RunState, view: View) -> None:
        """Hand the widgets what they draw, and have them draw it."""
        raise NotImplementedError

    def sees(self, state: RunState, view: View) -> Hashable:
        """What the picture depends on; it is drawn again when this changes."""
        return view, fingerprint(state)

    def _refresh_picture(self) -> None:
        if (
            self._shown is None
            or not self.is_mounted
            or not all(w.display for w in self.ancestors_with_self if isinstance(w, Widget))
        ):
            return
        seen = self.sees(*self._shown)
        if seen != self._drawn:
            self._drawn = seen
            self.present(*self._shown)
            if self.of_now and self._shown[1].cursor is not None:
                self.note(NOW)
            elif self._noted == NOW:
                self.note("")


class Hint(CellGrid):
    """What to look for, and where the field knows the picture from."""

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        pane = self.parent
        if isinstance(pane, Pane):
            text = f"look for: {pane.look_for}"
            full = f"{text} ({pane.figure})" if pane.figure else text
            cells.text(0, height - 1, full if len(full) <= width else cut(text, width), Token.MUTED)
        return cells


def fingerprint(state: RunState) -> Hashable:
    """Changes whenever a frame that panes draw has been folded in."""
    return state.derived("fingerprint", lambda: _fingerprint(state))


def _fingerprint(state: RunState) -> Hashable:
    series = tuple((name, len(s), int(s.epochs[-1]), repr(s.last)) for name, s in state.series.items() if len(s))
    arrays = tuple((name, len(found), found[-1].epoch) for name, found in state.arrays.items())
    controls = tuple(state.status.controls.items()) if state.status else ()
    ghost = (state.ghost.since, fingerprint(state.ghost.state)) if state.ghost else None
    return state.run, state.epoch, state.state, series, arrays, state.happened, controls, ghost
