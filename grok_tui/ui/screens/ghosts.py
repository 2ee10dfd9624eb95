"""The part of the run screen that shows the parent of a branch behind it."""

from __future__ import annotations

import asyncio

from textual.message import Message

from grok_tui.errors import GrokTuiError
from grok_tui.sources import Source
from grok_tui.state import Ghost
from grok_tui.ui import link
from grok_tui.ui.ghost import ParentState
from grok_tui.ui.messages import LinkEnded, StateAdvanced
from grok_tui.ui.screens.parts import Part


class Ghosts(Part):
    """Reads the parent as the run itself is read, and follows it while it trains."""

    _looked_for_parent = False
    _forebear: Source | None = None
    _ghost: Ghost | None = None
    """The parent, shown or not; None while nothing is known of it."""
    _ghost_hidden = False

    def look_for_parent(self) -> None:
        """Begin to read the parent, once, where there is one."""
        if not self._looked_for_parent and self.source.place:
            self._looked_for_parent = True
            self.run_worker(self._follow_parent(), name="ghost")

    def leave_parent(self) -> None:
        """Read it no more."""
        if self._forebear is not None:
            self._forebear.close()

    async def _follow_parent(self) -> None:
        try:
            origin = await asyncio.to_thread(self.doors.origin, self.source.place)
        except GrokTuiError as error:
            self.say(str(error), "$warn")
            return
        if origin is not None and self.is_attached:
            self._forebear = self.doors.source(origin.parent)
            state = ParentState()
            self._ghost = Ghost(state, origin.epoch)
            await link.follow(self._forebear, state, self._parent_told)

    def _parent_told(self, message: Message) -> None:
        if isinstance(message, LinkEnded):
            if message.text:
                self.say(f"the parent cannot be followed: {message.text}", "$bad")
        elif self._ghost is not None and self._ghost.state.hello is not None and not self._ghost_hidden:
            self.state.ghost = self._ghost
            self.post_message(StateAdvanced(self.state.epoch))

    def action_ghost(self) -> None:
        """Hide the parent's curves, or show them again."""
        if self._ghost is None or self._ghost.state.hello is None:
            self.say(f"{self.state.run or 'the run'} has no parent to show: it is no branch, or its parent is gone")
            return
        self._ghost_hidden = not self._ghost_hidden
        self.state.ghost = None if self._ghost_hidden else self._ghost
        self.draw_panes()
        parent = self._ghost.state.run
        self.say_beside(f"{parent} is hidden; g shows it again" if self._ghost_hidden else f"┄ {parent}: the parent")
