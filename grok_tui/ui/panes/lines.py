"""What the panes with charts share: the marks, and the looks of the series that the field knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grok_tui import wording
from grok_tui.hindsight import SUFFIX
from grok_tui.series import Series
from grok_tui.state import RunState
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.plot import Line, Mark
from grok_tui.ui.widgets.strokes import Stroke

SHORT = {"weight_decay": "wd", "lr": "lr"}
"""Names of controls where a chart has room for a few letters only."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a series is drawn wherever it appears."""

    name: str
    short: str
    token: Token
    stroke: Stroke = Stroke.SOLID
    marker: str = ""


LOOKS = {
    "train_accuracy": Look("train", "train", Token.TRAIN),
    "test_accuracy": Look("test", "test", Token.TEST, Stroke.THICK, "○"),
    "train_loss": Look("train", "train", Token.TRAIN),
    "test_loss": Look("test", "test", Token.TEST, Stroke.THICK, "○"),
    "restricted_loss": Look("restricted", "restr.", Token.RESTRICTED, Stroke.DASHED, "△"),
    "excluded_loss": Look("excluded", "excl.", Token.EXCLUDED, Stroke.DOTTED),
    "excluded_loss_key_free": Look("excluded", "excl.", Token.EXCLUDED, Stroke.DASHED, "□"),
}
LOOKS |= {
    f"{name}{SUFFIX}": look
    for name, look in LOOKS.items()
    if name.startswith(("restricted", "excluded")) and "key_free" not in name
}
"""Train is thin and bare, test thick with circles; whatever leaves frequencies in or out is broken."""

MOST_KEYS = 8
"""Key frequencies that are named where there is a line for them."""

NOTES = {
    "provisional": ("provisional keys", "prov."),
    "key-free": ("key-free", "key-free"),
    "hindsight": ("final keys", "final"),
}
"""Readings as a legend writes them, long and short."""


def epochs(state: RunState, view: View) -> Epochs:
    """The horizontal axis of every pane."""
    return view.epochs(state.epoch, state.epochs or float("inf"))


def marks(state: RunState) -> tuple[Mark, ...]:
    """Every confirmed change of a control."""
    found = []
    for event in state.changes():
        name = str(event.data.get("control", ""))
        found.append(Mark(event.epoch, f"{SHORT.get(name, name)} {wording.number(float(event.data['value']))}"))
    return tuple(found)


def line(state: RunState, name: str, digits: int = 0) -> Line | None:
    """A series as a line; None while it has no points, or only such as hindsight has replaced."""
    series = state.series.get(name)
    if series is None or not len(series):
        return None
    info = state.info(name)
    reading = info.reading if info else ""
    final = state.series.get(f"{name}{SUFFIX}")
    if reading == "provisional" and final is not None and len(final):
        series = beside(series, final)
        if not np.isfinite(series.values).any():
            return None
    label = info.label if info else name.replace("_", " ")
    look = LOOKS.get(name) or Look(label, label, Token.OTHER, Stroke.DOTTED)
    return Line(
        look.name,
        look.short,
        series,
        look.token,
        look.stroke,
        look.marker,
        NOTES.get(reading, (reading, reading)),
        weak=reading == "provisional",
        digits=digits,
    )


def beside(series: Series, final: Series) -> Series:
    """The provisional points before and after those that were recomputed; a gap in their place."""
    first, last = final.epochs[[0, -1]]
    rest = Series()
    for part, gap in ((series.epochs < first, [first]), (series.epochs > last, [])):
        rest.add(
            np.append(series.epochs[part], gap).astype(np.int64), np.append(series.values[part], [np.nan] * len(gap))
        )
    return rest


def reading(state: RunState, *, weak: bool) -> str:
    """Which keys the curves are about, for a pane's lower border; `weak` when some are drawn so."""
    parts = []
    if state.final_keys:
        done, total = state.recomputed
        keys = [str(k) for k in state.final_keys]
        shown = " ".join(keys if len(keys) <= MOST_KEYS else [*keys[:MOST_KEYS], "…"])
        parts.append(f"final keys: {shown}" + (f" ({done:,} of {total:,} epochs)" if done < total else ""))
    if weak:
        parts.append("dim: keys are provisional")
    return ", ".join(parts)
