"""What the panes with charts share: the marks, and the looks of the series that the field knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grok_tui import notes, wording
from grok_tui.course import STEERED
from grok_tui.hindsight import SUFFIX
from grok_tui.protocol import Array
from grok_tui.series import Series
from grok_tui.state import Ghost, RunState
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import Token, cut
from grok_tui.ui.widgets.plot import Line, Mark, Shade
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


FILLED = {"△": "▲", "□": "■", "○": "●"}
"""Markers of recomputed series; a diamond for others and for none."""


def filled(look: Look) -> Look:
    """The same for what hindsight made of the series: unlike the provisional one without colour too."""
    return replace(look, marker=FILLED.get(look.marker, "◆"))


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
    f"{name}{SUFFIX}": filled(look)
    for name, look in LOOKS.items()
    if name.startswith(("restricted", "excluded")) and "key_free" not in name
}
"""Train is thin and bare, test thick with circles; whatever leaves frequencies in or out is broken, and what was
recomputed with fixed keys has filled markers."""

NOTED = 14
"""Letters of a note beside its mark; all of it stands among the events."""

MOST_KEYS = 8
"""Key frequencies that are named where there is a line for them."""

NOTES = {
    "provisional": ("provisional keys", "prov.", "ᵖ"),
    "key-free": ("key-free", "free", "°"),
    "hindsight": ("final keys", "final", "ᶠ"),
}
"""Readings as a legend writes them: long, in a word, and as a sign where there is no room for a word."""

PAST = "ʰ"
"""The sign of hindsight with keys that are not the run's newest."""

SIGNS_BELOW = 50
"""Cells of a pane below which its legend may have room for signs only: its border then says what they mean."""


def epochs(state: RunState, view: View) -> Epochs:
    """The horizontal axis of every pane."""
    return view.epochs(state.epoch, state.epochs or float("inf"), ahead(state))


def ahead(state: RunState) -> float:
    """The epoch up to which the parent's curves show what the run has yet to come to; 0 where they do not."""
    return min(state.ghost.state.epoch, state.epochs or state.epoch) if state.ghost else 0.0


def marks(state: RunState) -> tuple[Mark, ...]:
    """Every confirmed change of a control, every note, and where the run left its parent."""
    return state.derived("marks", lambda: _marks(state))


def _marks(state: RunState) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for event in state.events:
        if event.what == "branched":
            found.append(Mark(event.epoch, event.what))
        elif event.what in STEERED:
            name, sloped = str(event.data.get("control", "")), "↝ " if event.what == "scheduled" else ""
            text = f"{SHORT.get(name, name)} {sloped}{wording.number(float(event.data['value']))}"
            if found and found[-1].epoch == event.epoch and found[-1].label.startswith("branched"):
                text = f"{found.pop().label}, {text}"
            found.append(Mark(event.epoch, text))
        elif event.what == notes.WHAT:
            found.append(Mark(event.epoch, cut(event.text, NOTED), Token.NOTE, flag=True))
    return tuple(found)


def line(state: RunState, name: str, digits: int = 0) -> Line | None:
    """A series as a line; None while it has no points, or only such as hindsight has replaced."""
    return state.derived(("line", name, digits), lambda: _line(state, name, digits))


def _line(state: RunState, name: str, digits: int) -> Line | None:
    series = state.series.get(name)
    if series is None or not len(series):
        return None
    info = state.info(name)
    reading = info.reading if info else ""
    final = state.series.get(f"{name}{SUFFIX}")
    replaced = reading == "provisional" and final is not None and len(final) > 0
    if replaced:
        series = _left(state, name)
        if series is None:
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
        note(state, reading),
        weak=reading == "provisional",
        digits=digits,
        ghost=ghost(state, name, left=replaced),
    )


def ghost(state: RunState, name: str, left: bool = False) -> Shade | None:
    """The parent's series of that name, or what its own hindsight has `left` of it; None where it has none."""
    if state.ghost is None:
        return None
    parent = state.ghost.state
    series = parent.derived(("left", name), lambda: _left(parent, name)) if left else parent.series.get(name)
    return shade(state.ghost, series) if series is not None and len(series) else None


def shade(ghost: Ghost, series: Series) -> Shade:
    """A series of the parent as charts draw it."""
    run = ghost.state.run
    return Shade(series, ghost.since, (f"parent {run}", run, "parent"))


def _left(state: RunState, name: str) -> Series | None:
    """What hindsight has not replaced of a provisional series; None where that is nothing."""
    series, final = state.series.get(name), state.series.get(f"{name}{SUFFIX}")
    if series is not None and final is not None and len(series) and len(final):
        series = beside(series, final)
        return series if np.isfinite(series.values).any() else None
    return series


def beside(series: Series, final: Series) -> Series:
    """The provisional points before and after those that were recomputed; a gap in their place."""
    first, last = final.epochs[[0, -1]]
    rest = Series()
    for part, gap in ((series.epochs < first, [first]), (series.epochs > last, [])):
        rest.add(
            np.append(series.epochs[part], gap).astype(np.int64), np.append(series.values[part], [np.nan] * len(gap))
        )
    return rest


def note(state: RunState, reading: str) -> tuple[str, str, str]:
    """How a legend writes a reading: long, in a word, as a sign."""
    if reading == "hindsight" and state.final_keys and not state.keys_are_final:
        since = _since(state)
        return (f"keys of epoch {since:,}", "old", PAST) if since is not None else ("other keys", "other", PAST)
    return NOTES.get(reading, (reading, reading, reading[:1]))


def reading(state: RunState, drawn: Sequence[Line] = (), width: int = SIGNS_BELOW) -> str:
    """Which keys the curves are about, for the lower border of a pane so wide."""
    parts = []
    if width < SIGNS_BELOW and any(line.notes == NOTES["key-free"] for line in drawn):
        parts.append(NOTES["key-free"][2] + " key-free")
    if state.final_keys:
        done, total = state.recomputed
        sign = note(state, "hindsight")[2] + " " if width < SIGNS_BELOW else ""
        parts.append(sign + _told(state) + (f" ({done:,} of {total:,} epochs)" if done < total else ""))
        theirs = state.ghost.state.final_keys if state.ghost else ()
        if theirs and theirs != state.final_keys and any(line.ghost and _has_keys(line) for line in drawn):
            parts.append(f"┄ its keys: {_listed(theirs)}")
    if any(line.weak for line in drawn):
        sign = NOTES["provisional"][2] + " " if width < SIGNS_BELOW else ""
        parts.append(
            sign
            + ("dim: " if any(not line.weak and _has_keys(line) for line in drawn) else "")
            + "keys are provisional"
        )
    return ", ".join(parts)


def _has_keys(line: Line) -> bool:
    """Whether it is a reading that a dim line could be taken for."""
    return bool(line.notes[0]) and line.notes != NOTES["key-free"]


def _told(state: RunState) -> str:
    """The keys of hindsight, and those of now when they are others."""
    if state.keys_are_final:
        return f"final keys: {_listed(state.final_keys)}"
    since, now = _since(state), _newest_keys(state)
    whose = "other keys" if since is None else f"keys of epoch {since:,}"
    return f"hindsight, {whose}: {_listed(state.final_keys)} (now {_listed(now or ()) or 'none'})"


def _listed(keys: Sequence[int]) -> str:
    words = [str(k) for k in keys]
    return " ".join(words if len(words) <= MOST_KEYS else [*words[:MOST_KEYS], "…"])


def _newest_keys(state: RunState) -> tuple[int, ...] | None:
    """The key frequencies that the run has recorded last; None before the first."""
    found = state.arrays.get("key_frequencies")
    return _sorted(found[-1]) if found else None


def _since(state: RunState) -> int | None:
    """The epoch at which the keys of hindsight were last found; None when they never were."""
    told = reversed(state.arrays.get("key_frequencies", []))
    return next((array.epoch for array in told if _sorted(array) == state.final_keys), None)


def _sorted(array: Array) -> tuple[int, ...]:
    return tuple(sorted(int(k) for k in array.values.ravel()))
