"""Keys that come in a burst are carried out one after the other, and those behind one that opens a screen go to that.

Bursts come of fast typing, a paste, a slow line. Textual hands a key to the queue of the widget that has the
keyboard, from where it travels up to the app, which does what it is bound to: what comes behind it overtakes it. So
here each key is carried out in the app's own turn, and the next one is not looked at before that has an end: before
a screen that it opens has the keyboard, or it is known that none comes.

What waited for a screen that does not come is dropped, and that is said: it was typed for that screen, and `0.3` or
`y` are other keys below. Where a key is refused at once, nothing waits and nothing is dropped.

Whoever wants to leave need not wait: what opens may never come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from textual import events
from textual.app import App
from textual.command import CommandPalette
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.worker import Worker

from grok_tui.ui.field import Field, carry_out

PATIENCE = 5.0
"""Seconds for which keys wait, whatever they wait for."""

LOOK = 0.01
"""Seconds between looks whether they may go on; only while some wait."""

MOMENT = 0.3
"""Seconds in which a letter that leaves may still be for what opens."""

AT_ONCE = frozenset({"ctrl+c", "ctrl+q"})
"""Keys that wait for nothing that is to open, where they leave: they are no answer and no text."""

Over = Callable[[], bool]


class InOrder(App[str]):
    """An app that carries out each key before it looks at the next, which may be for what this one opens."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: deque[events.Key | events.Paste] = deque()
        """What was typed and is not carried out yet, the oldest first."""
        self._since = 0.0
        """When the first of them came."""
        self._settling: list[Over] = []
        self._opening: list[Over] = []
        self._below: Screen[object] | None = None
        """What was shown when the first of `_opening` was begun."""
        self._timer: Timer | None = None

    def opening(self, over: Over) -> None:
        """Keys wait until it is `over`: by then a screen is opened, or it is known that none comes."""
        if not self._opening:
            self._below = self.screen
        self._opening.append(over)

    def asked(self, *asked: MessagePump) -> None:
        """Keys wait until these have heard what they were told so far, and then the app: it may open a screen."""
        self.opening(asyncio.create_task(_heard((*asked, self))).done)

    def dropped(self, late: bool) -> None:
        """Told when keys were dropped, since nothing has opened; `late` when it may come yet."""

    def leaves(self, key: str) -> bool:  # noqa: ARG002 - for those who know of keys
        """Whether a key leaves the app from what is shown now."""
        return False

    async def on_event(self, event: events.Event) -> None:
        """Every event comes by here first, in the order in which they were posted."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._wait()
        if not self._keys:
            self._since = monotonic()
        self._keys.append(event)
        await self._go_on()

    async def _go_on(self) -> None:
        while not self._wait() and self._keys:
            before = self.screen
            await self._carry_out(self._keys.popleft())
            if self.screen is not before:  # a dialog's answer is told to whoever asked
                self._settling.append(asyncio.create_task(_heard((self.screen, self))).done)
        if (leave := self._leave()) is not None:
            self._keys.clear()
            await self._carry_out(leave)
        elif self._keys and self._timer is None:
            self._timer = self.set_timer(LOOK, self._look_again)

    async def _look_again(self) -> None:
        self._timer = None
        await self._go_on()

    def _leave(self) -> events.Key | None:
        """The key that leaves before there is what is to open, if one of those that wait does."""
        if not (self._opening and self.screen_stack and self.screen.is_mounted):
            return None
        leave = [key for key in self._keys if isinstance(key, events.Key) and self.leaves(key.key)]
        if len(leave) == len(self._keys) and monotonic() - self._since > MOMENT:
            return next(iter(leave), None)
        return next((key for key in leave if key.key in AT_ONCE), None)

    def _wait(self) -> bool:
        """Whether keys have to wait. Drops those that have waited for nothing, or for too long."""
        if not self.screen_stack:  # the app is closing
            return True
        expected = bool(self._opening)
        self._settling = [over for over in self._settling if not over()]
        self._opening = [over for over in self._opening if not over()]
        waits = bool(self._settling or self._opening) or not self.screen.is_mounted
        late = waits and bool(self._keys) and monotonic() - self._since > PATIENCE
        if late:
            self._settling, self._opening = [], []
        if late or (self._keys and expected and not self._opening and self.screen is self._below):
            self._keys.clear()
            self.dropped(late)
        return waits and not late

    async def _carry_out(self, event: events.Key | events.Paste) -> None:
        if isinstance(self.focused, Field):
            await self.focused.take(event)
        elif isinstance(event, events.Key) and isinstance(self.screen, CommandPalette):
            await self._find(self.screen, event)
        elif isinstance(event, events.Key) and self.app_focus and not isinstance(self.focused, Input):
            await self._press(event)
        else:
            await super().on_event(event)

    async def _press(self, event: events.Key) -> None:
        """A key that is no text: the screen hears of it, then it does what it is bound to."""
        focused = self.focused
        event.stop()  # from travelling on by itself
        await self.screen.on_event(event)
        await carry_out(self, event.key)
        if (
            focused is not None and event.key in focused._bindings.key_to_bindings
        ):  # a button or a list tells the screen
            self._settle([focused])

    async def _find(self, palette: CommandPalette, event: events.Key) -> None:
        """A key in the palette: letters look for something in a worker, Enter chooses what was found."""
        if event.is_printable:
            await super().on_event(event)
        elif searching := [worker for worker in self.workers if worker.node is palette and not worker.is_finished]:
            self._keys.appendleft(event)
            self._settling.append(lambda: all(worker.is_finished for worker in searching))
            return
        else:
            await carry_out(self, event.key)
        self._settle([*palette.query(Input), *palette.query(OptionList)])

    def _settle(self, told: Sequence[Widget]) -> None:
        """Keys wait until what these tell the widgets around them has been heard, and what those tell the app."""
        around = [pump for widget in told for pump in (widget, *widget.ancestors) if isinstance(pump, Widget)]
        self._settling.append(asyncio.create_task(_heard((*around, *around, self))).done)


def finished(worker: Worker[Any]) -> Over:
    """Whether a worker has come to an end, be it a bad one."""
    return lambda: worker.is_finished


async def _heard(pumps: Sequence[MessagePump]) -> None:
    """Wait until each of these has dealt with all that it was told before, one after the other."""
    with suppress(TimeoutError):  # one that is being removed may not come to it
        async with asyncio.timeout(PATIENCE):
            for pump in pumps:
                heard = asyncio.Event()
                if pump.call_later(heard.set):
                    await heard.wait()
