"""The part of the run screen that goes about its panes: which one has the keyboard, which is large, which layout."""

from __future__ import annotations

from textual.widgets import Input

from grok_tui.errors import ConfigError
from grok_tui.ui import layouts
from grok_tui.ui.board import Board
from grok_tui.ui.panes import EventsPane, Pane
from grok_tui.ui.screens.parts import Part


class Arranging(Part):
    """The board of panes, and who of them has the keyboard."""

    @property
    def _board(self) -> Board:
        return self.query_one(Board)

    @property
    def large(self) -> Pane | None:
        """The pane that fills the screen."""
        return self._board.large

    @property
    def _pane(self) -> Pane | None:
        """The pane that has the keyboard."""
        return self.focused if isinstance(self.focused, Pane) else None

    def _enlarge(self, pane: Pane | None) -> None:
        self._board.enlarge(pane)
        self.call_after_refresh(self.draw_panes)

    def action_pane(self, number: int) -> None:
        """Go to a pane; when there already, or where it has no room, make it large."""
        if number > len(self._board.panes):
            return
        pane = self._board.panes[number - 1]
        if self.large is not None or not pane.size.area or self.focused is pane:
            self._enlarge(None if self.large is pane else pane)
        self.set_focus(pane)

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane; what is large follows."""
        if isinstance(self.focused, Input):
            return
        shown = self._board.panes if self.large else self._board.shown
        here = next((i for i, pane in enumerate(shown) if pane is self.focused), -1 if step > 0 else 0)
        if shown:
            pane = shown[(here + step) % len(shown)]
            if self.large:
                self._enlarge(pane)
            self.set_focus(pane)

    def action_scroll_pane(self, rows: int) -> None:
        """Scroll the pane that has the keyboard, or else the events."""
        panes = ([self._pane] if self._pane else []) + self._board.shown
        if (log := next((pane for pane in panes if isinstance(pane, EventsPane)), None)) is not None:
            log.scroll_by(rows)

    def action_maximise(self) -> None:
        """Make the pane large, or small again."""
        pane = self._pane or self._board.panes[min(1, len(self._board.panes) - 1)]
        self._enlarge(None if self.large else pane)
        self.set_focus(pane if pane.id else None)

    async def action_show_pane(self, name: str) -> None:
        """Show a pane by its short name: in the place of the one that has the keyboard, else large."""
        await self._bring(name, self._pane)

    async def action_other_pane(self, step: int) -> None:
        """Put the next kind of pane in the place of the one that has the keyboard."""
        if (pane := self._pane) is None:
            self.say("go to a pane first, with its number or tab", "$warn")
        else:
            await self._bring(self._board.next_to(pane, step), pane)

    async def _bring(self, name: str, instead_of: Pane | None) -> None:
        pane = await self._board.bring(name, instead_of)
        self.set_focus(pane)
        self.call_after_refresh(self.draw_panes)
        self.say_beside(f"{pane.title}: {pane.look_for}", pane.title)

    async def action_next_layout(self, step: int) -> None:
        """Show the next layout's panes."""
        found, bad = layouts.every()
        names = [layout.name for layout in found]
        here = self._board.arrangement.name
        at = names.index(here) if here in names else 0
        await self.action_layout(names[(at + step) % len(names)])
        for line in bad:
            self.say(line, "$bad")

    async def action_layout(self, name: str) -> None:
        """Show the panes of the layout of that name."""
        try:
            layout = layouts.find(name)
        except ConfigError as error:
            self.say(str(error), "$bad")
            return
        self.set_focus(None)
        await self._board.lay(layout)
        self.call_after_refresh(self.draw_panes)
        name = f"layout {layout.name}"
        self.say_beside(*(f"{name}: {about}" for about in (layout.about, layout.short) if about), name, layout.name)

    def action_save_layout(self) -> None:
        """Ask for a name to save the present panes under."""
        self.prompt.open_text("Save layout as", "Enter saves · Esc leaves", self._save_layout)

    def _save_layout(self, name: str) -> None:
        try:
            self._board.arrangement = layouts.save(self._board.arrangement, name)
        except ConfigError as error:
            self.say(str(error), "$bad")
        else:
            name = self._board.arrangement.name
            start = f'[view] layout = "{name}" in a preset starts with it'
            self.say(f"saved: layout {name}; v comes to it, {start}", "$good")
