"""The state of a run as text."""

from __future__ import annotations

import numpy as np
import pytest

from grok_tui import hindsight
from grok_tui.protocol import PROTOCOL, Catalogue, Event, Hello, Points, Status
from grok_tui.ui import once
from grok_tui.ui.panes import events
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


def test_every_change_of_phase_is_among_the_events_at_its_epoch_as_the_pane_has_it() -> None:
    state = state_of(frames(until=20_000))
    lines = list(once.lines(state, "recording"))
    told = lines[lines.index("events") + 1 : lines.index("", lines.index("events") + 1)]
    expected = [f"  epoch {epoch:,}: phase: {said}" for epoch, _, said in events.phases(state)]
    assert len(expected) >= 2
    assert [line for line in told if ": phase: " in line] == expected
    epochs = [int(line.split(":")[0].split()[1].replace(",", "")) for line in told]
    assert epochs == sorted(epochs)


@pytest.mark.parametrize("final", [True, False])
def test_keys_are_final_once_the_measures_were_recomputed_with_them(final: bool) -> None:
    state = state_of(frames(until=20_000))
    found = state.array("key_frequencies")
    assert found is not None
    keys = sorted(found.values.tolist()) if final else [1]
    config = {hindsight.READING: {"keys": keys, "total": 1}}
    state.apply(Hello(PROTOCOL, state.run, "", config, {}, 0, Catalogue(hindsight.SERIES, (), ())))
    state.apply(Points(np.array([20_000]), {"restricted_accuracy_hindsight": np.array([1.0])}))
    lines = list(once.lines(state, "recording"))
    reading = "final" if final else "provisional"
    said = next(line for line in lines if line.startswith("key frequencies"))
    assert said.startswith(f"key frequencies ({reading}, since epoch ")
    row = next(line for line in lines if line.startswith("  restricted_accuracy_hindsight"))
    assert row.split(maxsplit=1)[1].split("  ")[0] == "100.0%"
    assert row.endswith("final keys")


def test_what_the_run_is_to_do_and_where_it_is_to_pause_is_printed() -> None:
    state = state_of(frames(until=5000))
    assert "plan" not in once.lines(state, "live")
    for epoch, what, data in (
        (100, "planned", {"id": 1, "line": "at 200: checkpoint"}),
        (100, "planned", {"id": 2, "line": "when cleanup: set weight_decay 0"}),
        (100, "planned", {"id": 3, "line": "at 9000: branch weight_decay 3; stop"}),
        (200, "fired", {"id": 1}),
        (300, "continued", {"until": "when test_loss < 1"}),
    ):
        state.apply(Event(epoch, what, f"plan {data.get('id')}", 0.0, 1, data))
    state.apply(Status(5000, "running", 45.0, {}, 0, 50.0))
    lines = list(once.lines(state, "live"))
    begin = lines.index("plan")
    assert [" ".join(line.split()) for line in lines[begin + 1 : lines.index("", begin)]] == [
        "≤ 50 epochs per second",
        "‖ pause at test_loss < 1 now 16.2",
        "2 when cleanup: set weight_decay 0 now circuit formation",
        "3 at 9000: branch weight_decay 3; stop in 4,000",
    ]
