"""What is news to who watches a run: what was recorded before is none.

The terminal's bell is rung when the phase has changed and that is wanted; what went amiss is said in any case.
"""

from __future__ import annotations

from grok_tui.state import RunState


class Bell:
    """Remembers which phases were heard of. What was recorded before is no news."""

    def __init__(self) -> None:
        self._heard: int | None = None

    def due(self, state: RunState, link: str) -> bool:
        """Whether to ring now; once for whatever has changed since the last call."""
        known = len(state.phases.boundaries)
        before, self._heard = self._heard, known if link == "live" else None
        wanted = bool(state.setting("notify", "bell"))
        return wanted and before is not None and link == "live" and known > max(before, 1)


class Mishaps:
    """Remembers how much went amiss that the run goes on in spite of, such as a branch that was not made."""

    def __init__(self) -> None:
        self._known: int | None = None

    def news(self, state: RunState, link: str) -> str:
        """What went amiss since the last call, in words; empty when nothing did."""
        found = [event for event in state.events if event.what == "amiss"]
        before, self._known = self._known, len(found) if link == "live" else None
        return found[-1].text if before is not None and link == "live" and len(found) > before else ""
