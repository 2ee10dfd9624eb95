"""How a session stands, told to viewers and listings as often as that is worth it."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grok_tui.train.session import Session

STATUS = 0.5
"""Seconds between statuses while running; state.json follows every second one."""

RATE_WINDOW = 5.0
"""Seconds over which the epochs per second are averaged."""


class Teller:
    """Tells how one session stands."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told = self._noted = 0.0
        self._pace: deque[tuple[float, int]] = deque()

    def forget_pace(self) -> None:
        """What was slow or fast until now says nothing of what comes."""
        self._pace.clear()

    def tell(self, force: bool = False) -> None:
        """Tell how the session stands, if it is time or something has changed."""
        now, session = time.monotonic(), self._session
        if not force and now - self._told < STATUS:
            return
        self._told = now
        self._pace.append((now, session.epoch))
        while len(self._pace) > 2 and now - self._pace[0][0] > RATE_WINDOW:
            self._pace.popleft()
        (then, from_), running = self._pace[0], not session.paused
        self.say(session.state, (session.epoch - from_) / (now - then) if running and now > then else 0.0)

    def say(self, state: str, rate: float = 0.0) -> None:
        """Tell this, and note it in the run's directory."""
        session = self._session
        session.journal.status(session.epoch, state, rate, dict(session.controls.values), session.throttle.limit)
        now = time.monotonic()
        if now - self._noted < 2 * STATUS and state == "running":
            return
        self._noted = now
        session.run.write_state(
            {
                "epoch": session.epoch,
                "epochs": session.config.training.epochs,
                "state": state,
                "rate": rate,
                "device": session.device,
                "time": time.time(),
                "controls": session.controls.values,
                "values": session.latest,
            }
        )
