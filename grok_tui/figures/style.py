"""How figures look: colours that the colour-blind tell apart, and never colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TRAIN, TEST, RESTRICTED, EXCLUDED = "#0067a5", "#c65102", "#007a3a", "#a02a90"
OTHER, MUTED, GRID, INK = "#6b5f00", "#5d6570", "#d9dce0", "#1d2127"
COS, SIN, KEY = "#3b73b9", "#8e6fc4", "#c24a00"
HEAT, SIGNED = "cividis", "RdBu_r"

PHASES = {
    "fitting": ("#eceef0", "fitting", "fit"),
    "memorization": ("#fbe9d7", "memorization", "memor.", "mem"),
    "circuit formation": ("#dcecf7", "circuit formation", "circuit"),
    "cleanup": ("#f3dff0", "cleanup"),
    "generalized": ("#dff1e5", "generalized", "gen."),
    "direct generalization": ("#eff4d6", "direct generalization", "direct"),
    "stalled": ("#e4e6e9", "stalled"),
    "degraded": ("#fadcd8", "degraded"),
}
"""The shade behind each phase, and its name, from long to short."""

RC: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.borderpad": 0.3,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.6,
    "pdf.fonttype": 42,
    "svg.hashsalt": "grok-tui",
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "path.simplify_threshold": 0.05,
}
"""matplotlib's settings for all figures; a reader's own matplotlibrc is left alone."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a series is drawn: line and marker tell it as its colour does."""

    label: str
    colour: str
    line: str = "-"
    width: float = 1.2
    marker: str = ""


LOOKS = {
    "train_accuracy": Look("train", TRAIN),
    "test_accuracy": Look("test", TEST, width=1.7, marker="o"),
    "train_loss": Look("train", TRAIN),
    "test_loss": Look("test", TEST, width=1.7, marker="o"),
    "restricted_loss": Look("restricted", RESTRICTED, "--", marker="^"),
    "restricted_accuracy": Look("restricted", RESTRICTED, "--", marker="^"),
    "excluded_loss": Look("excluded", EXCLUDED, ":", 1.4, "s"),
    "excluded_loss_key_free": Look("excluded", EXCLUDED, (0, (5, 1, 1, 1)), marker="D"),  # type: ignore[arg-type]
    "excluded_loss_max": Look("largest of all k", MUTED, ":"),
    "test_fve": Look("test logits explained by cosines", OTHER, "-."),
    "gini_W_E": Look("$W_E$", TRAIN),
    "gini_W_L": Look("$W_L$", TEST, width=1.7, marker="o"),
    "sum_of_squares": Look("all weights", INK, width=1.7),
}
"""Of the series that the field knows."""

TRACKS = (
    (TRAIN, "-", ""),
    (TEST, "-", "o"),
    (EXCLUDED, "--", "^"),
    (RESTRICTED, "-", "s"),
    (OTHER, "--", "D"),
    (SIN, ":", "v"),
    ("#8c5a2b", "-.", "P"),
    (MUTED, "-", "X"),
    ("#1b8f8f", "--", "*"),
)
"""For frequencies, matrices and runs, which have no look of their own."""


def track(nth: int, label: str) -> Look:
    """The look of one of several alike."""
    colour, line, marker = TRACKS[nth % len(TRACKS)]
    return Look(label, colour, line, 1.2, marker)
