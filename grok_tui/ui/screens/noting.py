"""The part of the run screen that goes from mark to mark, and makes marks of one's own: notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from grok_tui import notes
from grok_tui.errors import GrokTuiError
from grok_tui.protocol import Event
from grok_tui.ui import moments
from grok_tui.ui.messages import StateAdvanced
from grok_tui.ui.screens.looking import Looking


class Noting(Looking):
    """Marks: found again by key, and written down."""

    def action_mark(self, step: int) -> None:
        """Put the cursor on the next mark, or on the one before, and say what it is."""
        here = self.view.cursor if self.view.cursor is not None else self.state.epoch + (step < 0)
        if (found := moments.beside(self.state, here, step)) is None:
            none = "no mark after this" if step > 0 else "no mark before this"
            self.say(none if moments.moments(self.state) else "no marks yet: no change, no note, no change of phase")
            return
        epoch, text = found
        self.look(self.view.jump(self.state.epoch, epoch))
        self.say_beside(f"{epoch:,}: {text}")

    def action_note(self) -> None:
        """Ask for a note at the epoch that the run has come to, or at the cursor: for the newest that is there."""
        if self.state.hello is None:
            return
        cursor = self.view.cursor
        here = [] if cursor is None else [e for e in self.state.events if e.what == notes.WHAT and e.epoch == cursor]
        self._ask_for_note(self.state.epoch if cursor is None else cursor, here, max(len(here) - 1, 0))

    def _ask_for_note(self, epoch: int, here: list[Event], at: int) -> None:
        """Ask for another text of one of the notes `here`, or for a new note behind the last of them."""
        other = partial(self._ask_for_other_note, epoch, here, at) if here else None
        self.prompt.set_class(at < len(here), "-line")  # what is there is to be seen
        if at == len(here):
            then, hint = partial(self._begin, self._noted, epoch), "Enter keeps it · Esc leaves"
            label = f"New note at {epoch:,}" if here else f"Note at {epoch:,}"
            self.prompt.open_text(label, hint, then, wrong=notes.wrong, other=other)
            return
        label = f"Note at {epoch:,}" + (f", {at + 1} of {len(here)}" if len(here) > 1 else "")
        beside = "↓ a new one" if len(here) == 1 else "↑ ↓ others"
        hint, then = f"empty removes · {beside} · Enter keeps", partial(self._begin, self._reworded, here[at])
        self.prompt.open_text(label, hint, then, here[at].text, _wrong, other=other)

    def _ask_for_other_note(self, epoch: int, here: list[Event], at: int, step: int) -> None:
        self._ask_for_note(epoch, here, (at + step) % (len(here) + 1))

    def _begin(self, deed: Callable[[Any, str], Coroutine[Any, Any, None]], on: object, text: str) -> None:
        self.run_worker(deed(on, text), name="note")

    async def _noted(self, epoch: int, text: str) -> None:
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            note = await asyncio.to_thread(self.doors.note, run, epoch, text)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self._show(note.event)
            self.say_beside(f"noted at {epoch:,}: {note.text}", f"noted at {epoch:,}")

    async def _reworded(self, old: Event, text: str) -> None:
        """Give a note another text, or remove it."""
        id, at = str(old.data.get("id", "")), f"the note at {old.epoch:,}"
        if text.strip() == old.text:
            return
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            if text.strip():
                note = await asyncio.to_thread(self.doors.edit_note, run, id, text)
            else:
                note = await asyncio.to_thread(self.doors.remove_note, run, id)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self._show(note.event if text.strip() else note.gone)
            done = f"{at}: {note.text}" if text.strip() else f"{at} is removed: {note.text}"
            self.say_beside(done, at + (" is changed" if text.strip() else " is removed"))

    def _show(self, event: Event) -> None:
        """As the source will tell it, too."""
        self.state.apply(event)
        self.post_message(StateAdvanced(self.state.epoch))


def _wrong(text: str) -> str:
    """What is wrong with another text for a note; none is its removal."""
    return notes.wrong(text) if text.strip() else ""
