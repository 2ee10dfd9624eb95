"""The panes of the run screen by their short names; one file each. Only those that a run opens with are loaded now."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from grok_tui.ui.panes.accuracy import AccuracyPane
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.decay import DecayPane
from grok_tui.ui.panes.events import EventsPane
from grok_tui.ui.panes.fourier import FourierPane
from grok_tui.ui.panes.losses import LossesPane
from grok_tui.ui.panes.phase import PhasePane

PANES: tuple[type[Pane], ...] = (AccuracyPane, LossesPane, FourierPane, PhasePane, DecayPane, EventsPane)
"""Those of the layout that a run opens with, in their order."""

NAMES: dict[str, tuple[str, str]] = {
    "accuracy": ("accuracy", "AccuracyPane"),
    "losses": ("losses", "LossesPane"),
    "fourier": ("fourier", "FourierPane"),
    "phase": ("phase", "PhasePane"),
    "decay": ("decay", "DecayPane"),
    "events": ("events", "EventsPane"),
    "progress": ("progress", "ProgressPane"),
    "output": ("output", "OutputPane"),
    "alpha": ("alpha", "AlphaPane"),
    "ablation": ("ablation", "AblationPane"),
    "excluded": ("excluded", "ExcludedPane"),
    "interference": ("interference", "InterferencePane"),
    "restricted": ("restricted", "RestrictedPane"),
    "margins": ("margins", "MarginsPane"),
    "weights": ("weights", "WeightsPane"),
    "attention": ("attention", "AttentionPane"),
    "neurons": ("neurons", "NeuronsPane"),
    "logits": ("logits", "LogitsPane"),
    "clusters": ("clusters", "ClustersPane"),
    "embedding": ("embedding", "EmbeddingPane"),
    "structure": ("structure", "StructurePane"),
    "effect": ("effect", "EffectPane"),
    "plan": ("plan", "PlanPane"),
}
"""Every pane: its short name, by which layouts and presets know it, with its module here and its class."""

STYLES = Path(__file__).with_name("panes.tcss")
"""Their style sheet; an app that shows panes lists it in its CSS_PATH and registers `theme.THEMES`."""

__all__ = [
    "NAMES",
    "PANES",
    "STYLES",
    "AccuracyPane",
    "DecayPane",
    "EventsPane",
    "FourierPane",
    "LossesPane",
    "Pane",
    "PhasePane",
    "every",
    "find",
]


def find(name: str) -> type[Pane]:
    """The pane of that short name, loaded when it is first asked for."""
    module, cls = NAMES[name]
    found: type[Pane] = getattr(import_module(f"{__name__}.{module}"), cls)
    return found


def every() -> dict[str, type[Pane]]:
    """All panes by their short names."""
    return {name: find(name) for name in NAMES}
