"""The panes of the run screen, in their order; one file each."""

from __future__ import annotations

from pathlib import Path

from grok_tui.ui.panes.accuracy import AccuracyPane
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.decay import DecayPane
from grok_tui.ui.panes.events import EventsPane
from grok_tui.ui.panes.fourier import FourierPane
from grok_tui.ui.panes.losses import LossesPane
from grok_tui.ui.panes.phase import PhasePane

PANES: tuple[type[Pane], ...] = (AccuracyPane, LossesPane, FourierPane, PhasePane, DecayPane, EventsPane)

STYLES = Path(__file__).with_name("panes.tcss")
"""Their style sheet; an app that shows panes lists it in its CSS_PATH and registers `theme.THEMES`."""

__all__ = [
    "PANES",
    "STYLES",
    "AccuracyPane",
    "DecayPane",
    "EventsPane",
    "FourierPane",
    "LossesPane",
    "Pane",
    "PhasePane",
]
