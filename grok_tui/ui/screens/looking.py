"""The part of the run screen that looks: axes, zoom and cursor."""

from __future__ import annotations

from grok_tui.ui import pace
from grok_tui.ui.messages import Pointed, Wheeled
from grok_tui.ui.panes import lines
from grok_tui.ui.screens.parts import Part
from grok_tui.ui.view import View

PAN = 5
"""Hundredths of what is shown, by which an arrow moves a zoom; the cursor moves by one."""


WAIT = 0.01
"""Seconds until the terminal is asked again whether it has taken what it was sent."""


class Looking(Part):
    """What part of the run is shown, and how. Each key's effect is a new view."""

    _moved = False

    def look(self, view: View) -> None:
        """Show the run through another view: once, when every key that was pressed meanwhile has had its effect."""
        self.view = view
        if not self._moved:
            self._moved = True
            self.call_later(self._draw_moved)

    def _draw_moved(self) -> None:
        """Draw the newest view; not before the terminal has taken the one before, or a held key would queue up."""
        if pace.unwritten(self.app):
            self.set_timer(WAIT, self._draw_moved)
            return
        self._moved = False
        self.draw_now()

    def on_pointed(self, message: Pointed) -> None:
        self.look(self.view.place_cursor(self.state.epoch, message.epoch))

    def on_wheeled(self, message: Wheeled) -> None:
        self.look(self.view.zoom_by(self.state.epoch, message.epoch, message.factor, lines.ahead(self.state)))

    def action_log_x(self) -> None:
        """Epochs on the other axis."""
        self.look(self.view.toggle_log_x())

    def action_log_y(self) -> None:
        """Losses on the other axis."""
        self.look(self.view.toggle_log_y())

    def action_cursor(self) -> None:
        """Show or hide the cursor."""
        newest = self.state.epoch
        self.look(self.view.place_cursor(newest) if self.view.cursor is None else self.view.without_cursor())

    def action_move(self, steps: int) -> None:
        """Move the cursor, or what is zoomed."""
        newest = self.state.epoch
        pan = self.view.cursor is None
        self.look(
            self.view.pan(newest, steps * PAN) if pan else self.view.move_cursor(newest, steps, lines.ahead(self.state))
        )

    def action_cursor_to(self, first: bool) -> None:
        """Put the cursor on the first epoch, or on the last."""
        self.look(self.view.jump(self.state.epoch, 0 if first else self.state.epoch))

    def action_zoom_in(self) -> None:
        """Show half of the epochs."""
        self.look(self.view.zoom_in(self.state.epoch, ahead=lines.ahead(self.state)))

    def action_zoom_out(self) -> None:
        """Show twice the epochs."""
        self.look(self.view.zoom_out(self.state.epoch, ahead=lines.ahead(self.state)))

    def action_reset_view(self) -> None:
        """Show the whole run."""
        self.look(self.view.reset())
