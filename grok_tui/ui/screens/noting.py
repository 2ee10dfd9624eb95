"""The part of the run screen that goes from mark to mark, and makes marks of one's own: notes."""

from __future__ import annotations

import asyncio
from functools import partial

from grok_tui import notes
from grok_tui.errors import GrokTuiError
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
        """Ask for a note at the cursor, or at the epoch that the run has come to."""
        if self.state.hello is None:
            return
        epoch = self.view.cursor if self.view.cursor is not None else self.state.epoch
        label, then = f"Note at {epoch:,}", partial(self._write_down, epoch)
        self.prompt.open_text(label, "Enter keeps it · Esc leaves", then, wrong=notes.wrong)

    def _write_down(self, epoch: int, text: str) -> None:
        self.run_worker(self._noted(epoch, text), name="note")

    async def _noted(self, epoch: int, text: str) -> None:
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            note = await asyncio.to_thread(self.doors.note, run, epoch, text)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.state.apply(note.event)  # as the source will tell it, too
            self.post_message(StateAdvanced(self.state.epoch))
            self.say_beside(f"noted at {epoch:,}: {note.text}", f"noted at {epoch:,}")
