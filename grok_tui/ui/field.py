"""The one input for a line of text. `in_order` gives it each key in its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input


class Field(Input):
    """A line of text. Its text is selected when it comes to have the keyboard, at once."""

    def __init__(self, value: str = "", *, id: str, entered: Callable[[str], None]) -> None:
        """`entered` is called with the text when it is entered: at once, so that the next key is not for here."""
        super().__init__(value, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
        self._entered = entered
        self._away = False
        """The whole terminal has lost the keyboard, and not this among the inputs."""

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._focus_moved)

    def _focus_moved(self, before: Widget | None, now: Widget | None) -> None:
        if now is self and not self._away:
            self.action_select_all()
        self._away = before is self and now is None and not self.app.app_focus

    async def action_submit(self) -> None:
        self._entered(self.value)

    async def take(self, event: events.Key | events.Paste) -> None:
        """Do what a key or a paste says, before the next one is looked at."""
        if isinstance(event, events.Paste):
            self._put(next(iter(event.text.splitlines()), ""))
        elif event.is_printable and event.character is not None:
            self._put(event.character)
        else:
            await carry_out(self.app, event.key)

    def _put(self, text: str) -> None:
        self.replace(text, *self.selection)


async def carry_out(app: App[Any], key: str) -> None:
    """Do what a key is bound to: from the widget that has the keyboard up, the first that does something with it."""
    if not await app._check_bindings(key, priority=True):
        await app._check_bindings(key)
