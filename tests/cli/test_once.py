"""The state of a run as text."""

from __future__ import annotations

from grok_tui.ui import once
from tests.ui.gallery import state_of
from tests.ui.story import frames


def test_every_change_is_printed_and_resume_points_are_counted() -> None:
    changes = [(500 * n, "weight_decay", 1.0 + n) for n in range(1, 9)]
    lines = list(once.lines(state_of(frames(until=9000, changes=changes)), "recording"))
    events = lines[lines.index("events") + 1 :]
    assert "  epoch 0: started on cpu, 1 thread" in events
    assert [line for line in events if "weight_decay" in line] == [
        f"  epoch {500 * n:,}: weight_decay {n} → {n + 1}" for n in range(1, 9)
    ]
    assert [line for line in events if "resume point" in line] == ["  epoch 8,000: resume point 8,000 (and 3 earlier)"]
