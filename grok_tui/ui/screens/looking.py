"""The part of the run screen that looks: axes, zoom and cursor."""

from __future__ import annotations

from grok_tui.ui.screens.parts import Part
from grok_tui.ui.view import View

PAN = 5
"""Hundredths of what is shown, by which an arrow moves a zoom; the cursor moves by one."""


class Looking(Part):
    """What part of the run is shown, and how. Each key's effect is a new view."""

    def look(self, view: View) -> None:
        self.view = view
        self.draw_panes()

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
        self.look(self.view.pan(newest, steps * PAN) if pan else self.view.move_cursor(newest, steps))

    def action_zoom_in(self) -> None:
        """Show half of the epochs."""
        self.look(self.view.zoom_in(self.state.epoch))

    def action_zoom_out(self) -> None:
        """Show twice the epochs."""
        self.look(self.view.zoom_out(self.state.epoch))

    def action_reset_view(self) -> None:
        """Show the whole run."""
        self.look(self.view.reset())
