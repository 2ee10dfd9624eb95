"""When the terminal's bell is rung: the phase has changed while the run was watched, and that is wanted."""

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
