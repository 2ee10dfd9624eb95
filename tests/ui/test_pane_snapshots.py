"""Pictures of all panes at the stages of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import textual

from grok_tui.state import RunState
from grok_tui.ui.view import View
from tests.ui.gallery import Gallery, state_of
from tests.ui.story import frames

pytestmark = pytest.mark.skipif(
    textual.__version__ != "8.2.8",
    reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
)

NARROW, WIDE = (80, 22), (120, 38)
Compare = Callable[..., bool]


def test_waiting_at_80x24(snap_compare: Compare) -> None:
    assert snap_compare(Gallery(RunState()), terminal_size=NARROW)


def test_memorising_at_80x24(snap_compare: Compare) -> None:
    assert snap_compare(Gallery(state_of(frames(until=1200))), terminal_size=NARROW)


def test_grokked_at_80x24(snap_compare: Compare) -> None:
    assert snap_compare(Gallery(state_of(frames(until=9000))), terminal_size=NARROW)


def test_steered_and_read_at_an_epoch_at_120x40(snap_compare: Compare) -> None:
    state = state_of(frames(until=9000, changes=[(5000, "weight_decay", 3.0), (6500, "weight_decay", 1.0)]))
    app = Gallery(state, View(log_x=True, cursor=3000), pending=(2.0,))
    assert snap_compare(app, terminal_size=WIDE)


def test_finished_on_a_light_screen_at_120x40(snap_compare: Compare) -> None:
    assert snap_compare(Gallery(state_of(frames()), dark=False), terminal_size=WIDE)
