"""What the figures are drawn with: lines that name their reading, phases, interventions, levels."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, MaxNLocator

from grok_tui import notes, wording
from grok_tui.course import STEERED
from grok_tui.export.whole import Whole
from grok_tui.figures import style
from grok_tui.figures.style import Look
from grok_tui.hindsight import SUFFIX
from grok_tui.protocol import Array, Event
from grok_tui.series import Floats, Ints

MARKERS = 12
"""On a line: they tell it from others, and are no points."""

NOTED = 24
"""Letters of a note beside its flag."""

LETTER = 0.052
"""Inches of one in the names of the phases."""

ROWS, ROW = 2, 8
"""Lines for changes above the names of the phases, and the points of each."""

SHORT = {"weight_decay": "wd", "lr": "lr"}


@dataclass(frozen=True)
class Subject:
    """What is drawn: a run, up to an epoch, on which axis."""

    whole: Whole
    epoch: int | None = None
    """Of the arrays, and to which the series are drawn; None for the newest."""
    log_x: bool = False
    alone: bool = False
    """There is room beside the picture."""

    @property
    def until(self) -> int:
        """The last epoch that is shown."""
        return self.whole.state.epoch if self.epoch is None else self.epoch

    @property
    def p(self) -> int:
        """The modulus."""
        return self.whole.state.modulus

    def series(self, name: str) -> tuple[Ints, Floats] | None:
        """The points of a series that are shown; None when there are none."""
        found = self.whole.state.series.get(name)
        if found is None:
            return None
        end = int(np.searchsorted(found.epochs, self.until, side="right"))
        return (found.epochs[:end], found.values[:end]) if np.isfinite(found.values[:end]).any() else None

    def array(self, name: str) -> Array | None:
        """The newest array of that name that is shown."""
        found = self.whole.arrays.get(name, [])
        i = bisect_right(found, self.until, key=lambda array: array.epoch)
        return found[i - 1] if i else None

    def key_frequencies(self) -> tuple[int, ...]:
        """The key frequencies at that epoch; provisional before the run has settled."""
        found = self.array("key_frequencies")
        return tuple(sorted(int(k) for k in found.values.ravel())) if found is not None else ()


def lines(ax: Axes, subject: Subject, names: Iterable[str]) -> None:
    """Draw series; a provisional one gives way to hindsight where that is known, and each names its reading."""
    for name in names:
        final = subject.series(f"{name}{SUFFIX}")
        points = subject.series(name)
        info = subject.whole.state.info(name)
        look = style.LOOKS.get(name) or Look(info.label if info else name, style.OTHER, "-.")
        reading = info.reading if info else ""
        if points is not None:
            epochs, values = points
            if final is not None and reading == "provisional":
                values = np.where((epochs >= final[0][0]) & (epochs <= final[0][-1]), np.nan, values)
            if np.isfinite(values).any():
                line(ax, epochs, values, look, reading, weak=reading == "provisional", log_x=subject.log_x)
        if final is not None:
            line(ax, *final, replace(look, line="-"), "hindsight", filled=True, log_x=subject.log_x)


def line(
    ax: Axes,
    epochs: Ints,
    values: Floats,
    look: Look,
    reading: str = "",
    *,
    weak: bool = False,
    filled: bool = False,
    log_x: bool = False,
) -> None:
    """One line; its markers are hollow, filled for hindsight."""
    ax.plot(
        epochs,
        values,
        color=look.colour,
        linestyle=look.line,
        linewidth=look.width * (0.8 if weak else 1),
        alpha=0.7 if weak else 1,
        marker=look.marker or None,
        markevery=spread(epochs, log_x),
        markerfacecolor=look.colour if filled else "white",
        markeredgewidth=0.8,
        label=f"{look.label} ({reading})" if reading else look.label,
    )


def spread(epochs: Ints, log_x: bool) -> list[int]:
    """The points that get a marker: evenly over the axis."""
    if len(epochs) < 2:
        return [0]
    first = max(int(epochs[0]), 1) if log_x else int(epochs[0])
    at = np.geomspace(first, max(int(epochs[-1]), first + 1), MARKERS) if log_x else None
    at = np.linspace(first, int(epochs[-1]), MARKERS) if at is None else at
    found = np.searchsorted(epochs, at[1:-1].astype(np.int64))
    return sorted({int(min(i, len(epochs) - 1)) for i in found})


def over_epochs(ax: Axes, subject: Subject, *, phases: bool = True, marks: bool = True) -> None:
    """The horizontal axis: epochs, with phases shaded and interventions marked."""
    end = max(subject.until, 1)
    if subject.log_x:
        ax.set_xscale("log", nonpositive="mask")
        ax.set_xlim(0.9, end)
    else:
        ax.set_xlim(0, end)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xlabel("epoch")
    if phases:
        _phases(ax, subject)
    if marks:
        _marks(ax, subject)


def legend(ax: Axes, subject: Subject) -> None:
    """Beside or below the chart, where it hides nothing."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    if subject.alone:
        ax.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    else:
        columns = 2 if len(labels) in (2, 4) or max(map(len, labels)) > 20 else 3
        ax.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.45, -0.2), ncols=columns, columnspacing=1.2)


def log_y(ax: Axes, *subjects: Subject) -> None:
    """A logarithmic axis of losses, with the loss of a guess: of runs with several moduli, one line for each."""
    decades(ax)
    ax.grid(axis="y", color=style.GRID, linewidth=0.4)
    ax.set_axisbelow(True)
    ax.set_ylabel("loss (nats)")
    chances = {subject.p: subject.whole.state.chance for subject in subjects if subject.p}
    for nth, (p, chance) in enumerate(sorted(chances.items())):
        dots = (0, (1, 2 + 3 * nth))
        ax.axhline(chance, color=style.MUTED, linewidth=0.8, linestyle=dots, label=f"chance, ln {p}")
        if len(chances) > 1:
            at, side = ax.get_yaxis_transform(), "top" if not nth else "bottom" if nth + 1 == len(chances) else "center"
            ax.text(1.01, chance, f"ln {p}", transform=at, va=side, fontsize=6, color=style.MUTED)


class Decades(LogLocator):
    """A tick at each decade; at 2 and 5 too where there are fewer than two, or nothing could be read."""

    def tick_values(self, vmin: float, vmax: float) -> Any:  # noqa: D102 - matplotlib's own
        self.set_params(subs=(1.0, 2.0, 5.0) if vmin > 0 and vmax < 100 * vmin else (1.0,))
        return super().tick_values(vmin, vmax)


def decades(ax: Axes) -> None:
    """A logarithmic axis of values."""
    ax.set_yscale("log", nonpositive="mask")
    ax.yaxis.set_major_locator(Decades())
    ax.yaxis.set_major_formatter(LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(np.inf, np.inf)))
    ax.minorticks_off()


def share_y(ax: Axes, label: str) -> None:
    """An axis from 0 to 1."""
    ax.set_ylim(-0.02, 1.04)
    ax.set_ylabel(label)
    ax.grid(axis="y", color=style.GRID, linewidth=0.4)
    ax.set_axisbelow(True)


def empty(ax: Axes, what: str) -> None:
    """Say what is missing, where a picture would be."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, what, ha="center", va="center", color=style.MUTED, transform=ax.transAxes, wrap=True)


def thousands(ax: Axes) -> None:
    """Group the digits of the vertical axis."""
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}")
    )


def at(array: Array) -> str:
    """The epoch of an array, for a title."""
    return f"epoch {array.epoch:,}"


def _phases(ax: Axes, subject: Subject) -> None:
    boundaries = [b for b in subject.whole.state.phases.boundaries if b.epoch <= subject.until]
    ends = [b.epoch for b in boundaries[1:]] + [subject.until]
    low = 0.9 if subject.log_x else 0.0
    for boundary, end in zip(boundaries, ends, strict=True):
        start = max(float(boundary.epoch), low)
        shade, *names = style.PHASES.get(str(boundary.phase), ("#ffffff", str(boundary.phase)))
        ax.axvspan(start, end, color=shade, linewidth=0, zorder=0)
        if boundary is not boundaries[0]:
            ax.axvline(start, color=style.MUTED, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        room = _wide(start, end, subject) * (4.2 if subject.alone else 2.9) / LETTER
        if name := next((name for name in names if len(name) <= room), ""):
            middle = np.sqrt(start * end) if subject.log_x else (start + end) / 2
            ax.annotate(
                name,
                (middle, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=6,
                color=style.MUTED,
            )


def _wide(start: float, end: float, subject: Subject) -> float:
    """The share of the axis between two epochs."""
    if subject.log_x:
        return float(np.log(max(end, 1) / max(start, 0.9)) / np.log(max(subject.until, 2) / 0.9))
    return (end - start) / max(subject.until, 1)


def _marks(ax: Axes, subject: Subject) -> None:
    """A line at each intervention and where the run left its parent; a flag at each note."""
    for nth, (epoch, text, row) in enumerate(_headings(subject)):
        ax.axvline(epoch, color=style.KEY, linewidth=0.9, zorder=1.5)
        if row:
            _above(ax, epoch, row, text, right=_over(text, epoch, subject))
        else:
            _beside(ax, epoch, 0.02 + 0.16 * (nth % 3), text, style.KEY)
    for event in _told(subject):
        if event.what == notes.WHAT:
            ax.plot(
                [event.epoch], [0.985], transform=ax.get_xaxis_transform(), marker=7, color=style.OTHER, clip_on=False
            )
            _beside(ax, event.epoch, 0.6, _cut(event.text), style.OTHER)


def rows(subject: Subject) -> int:
    """How many lines stand above the phases' names: what was changed."""
    return max((row for _, _, row in _headings(subject)), default=0)


def _told(subject: Subject) -> list[Event]:
    return [event for event in subject.whole.state.events if event.epoch <= subject.until]


def _headings(subject: Subject) -> list[tuple[int, str, int]]:
    """What was done at each epoch, and in which line above the axes there is room for it; 0 where there is in none."""
    marked: dict[int, list[str]] = {}
    for event in _told(subject):
        if event.what in STEERED or event.what == "branched":
            marked.setdefault(event.epoch, []).append(_said(event))
    taken: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    found = []
    for epoch, texts in marked.items():
        text = ", ".join(texts)
        width, at = _width(text, subject), _wide(0.9 if subject.log_x else 0, epoch, subject)
        start = at - width if _over(text, epoch, subject) else at
        free = (nth for nth, row in enumerate(taken, 1) if all(start + width < a or start > b for a, b in row))
        if row := next(free, 0):
            taken[row - 1].append((start, start + width))
        found.append((epoch, text, row))
    return found


def _width(text: str, subject: Subject) -> float:
    """The share of the axis that a text above it takes."""
    return (len(text) + 1) * LETTER / (4.2 if subject.alone else 2.9)


def _over(text: str, epoch: int, subject: Subject) -> bool:
    """A text that begins at that epoch would go beyond the axis."""
    return _wide(0.9 if subject.log_x else 0, epoch, subject) + _width(text, subject) > 1.02


def _above(ax: Axes, epoch: int, row: int, text: str, *, right: bool) -> None:
    ax.annotate(
        text.replace("$", r"\$"),
        (max(epoch, ax.get_xlim()[0]), 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2 + ROW * row),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom",
        fontsize=6,
        color=style.KEY,
    )


def _said(event: Event) -> str:
    """An intervention in a few letters."""
    if event.what == "branched":
        return event.what
    control, sloped = str(event.data.get("control")), "↝ " if event.what == "scheduled" else ""
    return f"{SHORT.get(control, control)} {sloped}{wording.number(float(event.data['value']))}"


def _cut(text: str) -> str:
    """A note, as far as there is room; the file's metadata has the rest."""
    return text if len(text) <= NOTED else text[: NOTED - 1] + "…"


def _beside(ax: Axes, epoch: int, height: float, text: str, colour: str) -> None:
    ax.annotate(
        text.replace("$", r"\$"),
        (epoch, height),
        xycoords=("data", "axes fraction"),
        xytext=(2, 0),
        textcoords="offset points",
        rotation=90,
        va="bottom",
        fontsize=6,
        color=colour,
        zorder=1.6,  # under the curves: what happens just after a change is what one looks at
    )
