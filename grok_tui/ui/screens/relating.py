"""The part of the run screen that lays the run over its family."""

from __future__ import annotations

import asyncio

from grok_tui.errors import GrokTuiError
from grok_tui.ui.messages import CompareWanted
from grok_tui.ui.screens.parts import Part


class Relating(Part):
    """Its parent, its parent's other branches, and its own."""

    def action_compare(self) -> None:
        """Compare the run with its family."""
        if self.source.place:
            self.bring(self._compare(), "family")

    async def _compare(self) -> None:
        from grok_tui import comparing  # not at the start of each viewer

        try:
            found = await asyncio.to_thread(self.doors.family, self.source.place)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
            return
        if len(found) < comparing.LEAST:
            name = self.state.run or "the run"
            self.say(
                f"{name} has neither parent nor branches; grok-tui compare {name} OTHER compares any runs", "$warn"
            )
            return
        left_out = len(found) - comparing.MOST
        note = f"a family of {len(found)}: the nearest {comparing.MOST} are compared" if left_out > 0 else ""
        self.want(CompareWanted(tuple(found[: comparing.MOST]), note))
