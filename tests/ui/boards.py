"""What the tests of layouts share."""

from __future__ import annotations

from grok_tui.ui.board import Board
from grok_tui.ui.screens.run import RunScreen
from tests.ui.measures import frames

SIZES = [(80, 24), (120, 40), (200, 60)]
LIVE = frames(until=3000)
"""A run with every measure, under way."""


def shown(screen: RunScreen) -> list[str]:
    """The panes that have room, in their order."""
    return [str(pane.name) for pane in screen.query_one(Board).panes if pane.display]


def everything(screen: RunScreen) -> list[str]:
    """All panes of the layout, in their order."""
    return [str(pane.name) for pane in screen.query_one(Board).panes]
