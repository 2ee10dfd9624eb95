"""The branches that a run's plan asks for: each is started once, and what becomes of it is said in the run.

The wish stands in the ledger before anything is done for it, and until an answer stands there too it is owed: by
whoever trains the run, also after a kill. Who carries it out (`offshoot`) sees whether it was done already.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from grok_tui import offshoot
from grok_tui.errors import LaunchError
from grok_tui.ledger import Entry
from grok_tui.offshoot import Outcome, Wish

if TYPE_CHECKING:
    from grok_tui.train.session import Session

LINGER, HURRY = 90.0, 5.0
"""Seconds for which the end of a run waits for news of its branches, and at most where somebody waits for that end."""

AT_ONCE = 4
"""Processes that make branches; what more there is to be made waits for them."""


class Offshoots:
    """The branches that one session owes."""

    def __init__(self, session: Session, owed: Iterable[Entry]) -> None:
        self._session = session
        self._waiting = deque(
            Wish(entry.epoch, entry.seq, {name: float(value) for name, value in entry.data["changes"].items()})
            for entry in owed
        )
        self._under_way: list[tuple[Wish, subprocess.Popen[bytes]]] = []
        self._until = self._latest = math.inf
        """When the end of the run waits no longer: since the last news, and since somebody waits for it."""

    def awaited(self) -> bool:
        """Whether the end of the run is to wait: what becomes of some is not known yet. Later on, they stay owed."""
        now = time.monotonic()
        self._until = min(self._until, now + LINGER)
        return bool(self._under_way) and now < min(self._until, self._latest)

    def hurry(self) -> None:
        """The end is near, and somebody waits for it."""
        self._latest = min(self._latest, time.monotonic() + HURRY)

    def give_up(self) -> None:
        """The run is about to have finished, after which nobody looks after its wishes: say so of each that is left."""
        for wish, _ in self._under_way:
            text = f"nothing is heard of the branch at epoch {wish.epoch:,}: the run ends while it is still being made"
            self._session.intervene("amiss", text, wish=wish.seq)
        for wish in self._waiting:
            self._answer(wish, Outcome(failed="the run ends while those before it are still being made"))
        self._under_way.clear()
        self._waiting.clear()

    def add(self, wish: Wish) -> None:
        """One more is owed; `start` sees to it."""
        self._waiting.append(wish)

    def start(self) -> None:
        """Start what is owed, once what follows a branch is done too: what comes after its line is not the branch's."""
        while self._waiting and len(self._under_way) < AT_ONCE:
            wish = self._waiting.popleft()
            try:
                self._under_way.append((wish, offshoot.start(self._session.run, wish)))
            except LaunchError as error:  # no reason to stop training
                self._answer(wish, Outcome(failed=str(error)))

    def hear(self) -> None:
        """Say what became of those whose processes have ended."""
        ended = [(wish, process) for wish, process in self._under_way if process.poll() is not None]
        if not ended:
            return
        self._under_way = [each for each in self._under_way if each not in ended]
        self._until = math.inf  # there is progress
        for wish, process in ended:
            self._answer(wish, offshoot.outcome(self._session.run, wish, process.returncode))
        self.start()

    def _answer(self, wish: Wish, found: Outcome) -> None:
        at = f"at epoch {wish.epoch:,}"
        data = {"wish": wish.seq} | ({"child": found.child} if found.child else {})
        if not found.failed:
            self._session.intervene("offshoot", f"{found.child} was branched off {at}", **data)
        elif found.child:
            text = f"{found.child} was branched off {at} and is not trained: {found.failed}"
            self._session.intervene("amiss", text, **data)
        else:
            self._session.intervene("amiss", f"no branch {at}: {found.failed}", **data)
