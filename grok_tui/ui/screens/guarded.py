"""Screens whose keys may be refused: asked in one place, before a key's action runs.

A key that changes something says so in its row of the table: `needs="steer"` (a living run that takes commands),
`needs="resume"` (a run that has ended early) or `needs="write"` (anything else that changes a run or makes one:
recompute, note, branch, delete). What is refused now is not offered, neither in the bottom line nor in the palette,
and says why when its key is pressed; the action itself need not ask. `Doors.refusal` knows of viewers that only
look; a screen adds what else stands against a key.

A key that opens another screen does so by `want`, or by `bring` where something must be found out first: what is
typed behind it then waits for that screen.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, ClassVar

from textual import events
from textual.await_remove import AwaitRemove
from textual.message import Message
from textual.screen import Screen

from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors
from grok_tui.ui.in_order import InOrder, finished
from grok_tui.ui.keys import Key


class Guarded(Screen[None]):
    """A screen that asks before the actions of its keys."""

    KEYS: ClassVar[tuple[Key, ...]] = ()
    """Its rows of the table."""

    doors: Doors

    left = False
    """It is going, or gone."""

    def remove(self) -> AwaitRemove:
        """Before its widgets go, what it is doing ends: done a moment later, that would look for them."""
        self.left = True
        self.workers.cancel_node(self)
        return super().remove()

    def refusal(self, needs: str) -> str:
        """Why a key that needs this would do nothing now; empty when it would do something."""
        return self.doors.refusal(needs)

    def say(self, text: str, style: str = "") -> None:
        """Tell the user something."""
        self.query_one(Hints).say(text, style)

    @property
    def whole(self) -> str:
        """What was said last, where it did not fit into its line."""
        return self.query_one(Hints).whole

    def want(self, message: Message) -> None:
        """Ask the app for another screen; keys wait for it."""
        self.post_message(message)
        if isinstance(self.app, InOrder):
            self.app.asked(self)

    def bring(self, coming: Coroutine[Any, Any, None], name: str, *, alone: bool = False) -> None:
        """Open a screen once something is known, by a worker; keys wait for it. `alone` ends one that looks still."""
        worker = self.run_worker(coming, name=name, group=name, exclusive=alone)
        if isinstance(self.app, InOrder):
            self.app.opening(finished(worker))

    def tell_dropped(self, late: bool) -> None:
        """Say that what was typed for a screen did not get there, beside why that screen has not come."""
        why = "what was to open takes long" if late else self.query_one(Hints).notice
        self.say(" · ".join(filter(None, (why, "what was typed behind it is dropped"))), "$warn")

    def leaves(self, key: str) -> bool:
        """Whether a key leaves the viewer."""
        return any(dict(row.does).get(key) == "leave" for row in self.KEYS)

    def action_leave(self) -> None:
        """Leave the viewer; what trains goes on."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's own
        """Asked by Textual before each action."""
        return not self.refusal(_needs(self.KEYS, action))

    def on_key(self, event: events.Key) -> None:
        """Before its action: say why this key does nothing."""
        needs = next((row.needs for row in self.KEYS if event.key in dict(row.does)), "")
        if reason := self.refusal(needs):
            self.say(reason, "$warn")


def _needs(rows: tuple[Key, ...], action: str) -> str:
    """What the keys of an action need; the same for all of them."""
    names = (row.needs for row in rows for _, called in row.does if called.partition("(")[0] == action)
    return next(names, "")
