"""The part of the run screen that goes back: a branch from any recorded epoch, and undo."""

from __future__ import annotations

import asyncio

from grok_tui import undoing
from grok_tui.errors import GrokTuiError
from grok_tui.ui import wishes
from grok_tui.ui.messages import RunWanted
from grok_tui.ui.screens.branch import BranchScreen
from grok_tui.ui.screens.steering import Steering
from grok_tui.ui.screens.undo import FROM_NOW_ON, NEVER, UndoScreen
from grok_tui.ui.wishes import Wish
from grok_tui.undoing import Undo


class Branching(Steering):
    """What has been done, done otherwise: in a new run, while this one goes on."""

    _branching = False

    def action_branch(self) -> None:
        """Ask where to branch, and what to change there."""
        if not self.state.series:
            self.say("nothing is recorded yet that could be branched from", "$warn")
        elif not self._branching:
            self.bring(self._ask_for_branch(), "points")

    async def _ask_for_branch(self) -> None:
        points = await asyncio.to_thread(self.doors.points, self.source.place)
        newest = wishes.recorded(self.state)
        at = newest if self.view.cursor is None else min(self.view.cursor, newest)
        self.app.push_screen(BranchScreen(self.state, at, points), self._make_branch)

    def _make_branch(self, wish: Wish | None) -> None:
        if wish is not None and not self._branching:
            self._branching = True
            self.hints.say(
                f"branching {self.state.run} at epoch {wish.epoch:,} … (importing torch takes a few seconds)"
            )
            self.run_worker(self._branch(wish), name="branch")

    async def _branch(self, wish: Wish) -> None:
        try:
            run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
            child = await asyncio.to_thread(
                self.doors.branch, run, wish.epoch, changes=wish.changes, settings=wish.settings, before=wish.before
            )
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.want(RunWanted(child))
        finally:
            self._branching = False

    def action_undo(self) -> None:
        """Ask how to undo the last change: of those that are in force, or have been and are in the weights."""
        found = undoing.find(self.state)
        if found.never is None:
            self.say(undoing.nothing(self.state), "$warn")
            return

        def undo(choice: str | None) -> None:
            self._undo(found, choice)

        self.app.push_screen(UndoScreen(self.state, found, self.why_not()), undo)

    def _undo(self, found: Undo, choice: str | None) -> None:
        if choice == FROM_NOW_ON and self.why_not():
            self.say(self.why_not(), "$warn")
        elif choice == FROM_NOW_ON and found.back is not None:
            self.send(self.requests.set(str(found.back.data["control"]), float(found.back.data["previous"])))
        elif choice == NEVER and found.never is not None:
            self._make_branch(Wish(found.never.epoch, before=found.never.seq))
