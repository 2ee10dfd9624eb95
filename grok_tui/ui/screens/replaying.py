"""The part of the run screen that plays a recording: begun, paused, hurried and left. A replay cannot be steered."""

from __future__ import annotations

import asyncio

from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.ui.messages import ReplayWanted, RunWanted
from grok_tui.ui.screens.steering import Steering


class Replaying(Steering):
    """What p, R, < and > do where a recording is played, or could be."""

    def refusal(self, needs: str) -> str:
        """See `Guarded`: whoever only looks may pause a replay."""
        if needs == "replay":
            return "" if self.source.replay else "this is no replay; R plays the run from its start, or from the cursor"
        if needs == "pause":
            return "" if self.source.replay else super().refusal("steer")
        return super().refusal(needs)

    def why_not(self) -> str:
        """Why the run cannot be steered now; empty when it can."""
        return self._is_a_replay() or super().why_not()

    def why_no_resume(self) -> str:
        """Why the run cannot be resumed now; empty when it can."""
        return self._is_a_replay() or super().why_no_resume()

    def _is_a_replay(self) -> str:
        name = self.state.run or "a run"
        return f"a replay of {name} cannot be steered; R shows the run as it is now" if self.source.replay else ""

    @property
    def tempo(self) -> str:
        """How fast the recording is played; empty when it is not."""
        replay = self.source.replay
        return str(replay.speed) if replay and replay.speed else ""

    def action_pause(self) -> None:
        """Pause the replay, or go on with it; the training, where nothing is replayed."""
        if self.source.replay:
            self.source.replay.toggle()
        else:
            super().action_pause()

    def action_tempo(self, faster: bool) -> None:
        """Play the recording faster or slower."""
        if self.source.replay:
            self.source.replay.change(faster)
            self.echo()

    def action_replay(self) -> None:
        """Play the run's recording, from the cursor where there is one; in a replay, show the run as it is."""
        self.bring(self._replay(self.view.cursor or 0, back=self.source.replay is not None), "replay")

    async def _replay(self, since: int, back: bool) -> None:
        try:
            run: Run = await asyncio.to_thread(self.doors.find, self.source.place or self.state.run)
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.want(RunWanted(run) if back else ReplayWanted(run, since))
