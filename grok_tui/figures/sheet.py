"""A figure on its page, and the page in a file that says how it was made."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grok_tui import __version__, comparing, ways
from grok_tui.errors import ConfigError, ExchangeError
from grok_tui.export import made
from grok_tui.figures import drawing, gallery, style
from grok_tui.figures.drawing import Subject
from grok_tui.figures.gallery import Panel, Recipe

ENDINGS = (".svg", ".png", ".pdf")

WIDE, HIGH, SQUARE = 3.5, 2.6, 2.6
"""Inches of a panel: two side by side fill the width of a page."""

ALONE = 6.4
"""Of a panel that has the page for itself."""

ROOM = 13
"""Points between a chart and its title, where the names of the phases stand."""

LETTERS = 27
"""Of the caption to an inch."""

LEGEND = 110
"""Letters of a line in the legend of several runs."""

COMPARED = (
    ("test_accuracy", "Test accuracy", "accuracy"),
    ("test_loss", "Test loss", "loss (nats)"),
    ("excluded_loss_key_free", "Excluded loss (key-free)", "loss (nats)"),
    ("sum_of_squares", "Sum of squared weights", "sum of squares"),
)
"""Of series that depend on no choice of keys: those of several runs would not be the same thing."""


def draw(recipe: Recipe, subject: Subject) -> Figure:
    """The figure of one run.

    Raises:
        ConfigError: the run has not recorded what it needs.
    """
    if missing := gallery.lacking(recipe, subject):
        when = f" up to epoch {subject.until:,}" if subject.epoch is not None else " yet"
        raise ConfigError(f"{subject.whole.run.name} has not recorded {' and '.join(missing)}{when}")
    with matplotlib.rc_context(_settings()):
        figure, axes = _page(recipe.panels, recipe.columns)
        subject = replace(subject, alone=recipe.columns == 1)
        room = ROOM + drawing.ROW * drawing.rows(subject)
        for panel, ax in zip(recipe.panels, axes, strict=True):
            panel.draw(ax, subject)
            if panel.title:
                ax.set_title(panel.title, pad=room)
        for nth, (panel, ax) in enumerate(zip(recipe.panels, axes, strict=True)):
            _letter(ax, nth, len(axes), room if panel.title else None)
        _caption(figure, caption(subject))
    return figure


def compare(subjects: Sequence[Subject]) -> Figure:
    """Several runs in the same axes, told apart by what differs in how they were made."""
    with matplotlib.rc_context(_settings()):
        figure, axes = _page(tuple(Panel(lambda *_: None) for _ in COMPARED), 2)
        names = labels(subjects)
        until = max(subject.until for subject in subjects)
        widest = max(subjects, key=lambda subject: subject.until)
        for nth_panel, (ax, (name, title, label)) in enumerate(zip(axes, COMPARED, strict=True)):
            for nth, (subject, said) in enumerate(zip(subjects, names, strict=True)):
                if (points := subject.series(name)) is not None:
                    drawing.line(ax, *points, style.track(nth, said), log_x=subject.log_x)
            ax.set_title(title)
            _scale(ax, name, label, subjects)
            drawing.over_epochs(ax, widest, phases=False, marks=False)
            ax.set_xlim(right=until)
            _letter(ax, nth_panel, len(COMPARED), None)
        handles, told = axes[1].get_legend_handles_labels()
        figure.legend(handles, told, loc="outside upper left", ncols=1 if max(map(len, told), default=0) > 50 else 2)
        _caption(figure, f"{', '.join(s.whole.run.name for s in subjects)}  ·  {_tool()}")
    return figure


def labels(subjects: Sequence[Subject]) -> list[str]:
    """Each run's name with what of its making is not the same in all."""
    differing = comparing.differences([subject.whole.state for subject in subjects])
    found = []
    for nth, subject in enumerate(subjects):
        words = [f"{each.name} {each.values[nth]}" for each in differing]
        found.append(textwrap.fill(", ".join([subject.whole.run.name, *words[:3]]), LEGEND))
    return found


def content(figure: Figure, file: Path, title: str, subjects: Sequence[Subject]) -> bytes:
    """The figure as a file of its ending, with how it was made in its metadata.

    Raises:
        ExchangeError: the ending is none of `ENDINGS`.
    """
    if file.suffix not in ENDINGS:
        raise ExchangeError(f"{file}: {' or '.join(ENDINGS)} was expected at its end")
    how = made.text({subject.whole.run.name: made.made(subject.whole) for subject in subjects})
    out = io.BytesIO()
    with matplotlib.rc_context(_settings()):
        figure.savefig(out, format=file.suffix[1:], metadata=_metadata(file.suffix, title, how), bbox_inches="tight")
    return out.getvalue()


def caption(subject: Subject) -> str:
    """One line under the figure: which run, how far, what the readings are about, by what it was drawn."""
    state = subject.whole.state
    seeds = [state.setting(section, "seed") for section in ("data", "model")]
    parts = [
        f"{subject.whole.run.name}, epoch {subject.until:,} of {state.epochs:,}",
        f"p = {subject.p}" if subject.p else "",
        f"{state.setting('data', 'fraction'):.0%} of the pairs" if state.setting("data", "fraction") else "",
        f"weight decay {ways.path(state, 'weight_decay')}" if state.control("weight_decay") else "",
        f"seeds {seeds[0]}, {seeds[1]}" if None not in seeds else "",
        f"hindsight: keys {' '.join(map(str, state.final_keys))}" if state.final_keys else "",
        _tool(),
    ]
    return "  ·  ".join(part for part in parts if part)


def _settings() -> Any:
    """Ours, whatever the reader's own are."""
    return {**matplotlib.rcParamsDefault, **style.RC, "backend": "agg"}


def _tool() -> str:
    return f"grok-tui {__version__}, {datetime.now(UTC):%Y-%m-%d}"


def _page(panels: Sequence[Panel], columns: int) -> tuple[Figure, list[Axes]]:
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    square = all(panel.square for panel in panels)
    width, height = (SQUARE, SQUARE) if square else (ALONE, 2.9) if columns == 1 else (WIDE, HIGH)
    figure = Figure(figsize=(columns * width, rows * height + 0.2), layout="constrained")
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel().tolist()
    for spare in grid[len(panels) :]:
        spare.set_axis_off()
    return figure, grid[: len(panels)]


def _letter(ax: Axes, nth: int, count: int, pad: float | None) -> None:
    """(a), (b), ... before the title, where there are several."""
    if count > 1 and (title := ax.get_title(loc="left")):
        ax.set_title(f"({ascii_lowercase[nth % 26]}) {title}", loc="left", pad=pad)


def _caption(figure: Figure, text: str) -> None:
    lines = textwrap.wrap(text, int(figure.get_figwidth() * LETTERS), break_long_words=False)
    figure.supxlabel("\n".join(lines), fontsize=5.5, color=style.MUTED, x=0.01, ha="left", linespacing=1.3)


def _scale(ax: Axes, name: str, label: str, subjects: Sequence[Subject]) -> None:
    if name.endswith("accuracy"):
        drawing.share_y(ax, label)
    elif "loss" in name:
        drawing.log_y(ax, *subjects)
    else:
        ax.set_ylabel(label)
        ax.set_ylim(bottom=0)
        drawing.thousands(ax)


def _metadata(ending: str, title: str, how: str) -> dict[str, Any]:
    """What each format has a place for."""
    tool, now = f"grok-tui {__version__}", datetime.now(UTC)
    if ending == ".svg":
        return {
            "Title": title,
            "Creator": [tool],
            "Source": made.command(),
            "Description": how,
            "Date": now.isoformat(),
        }
    if ending == ".pdf":
        return {"Title": title, "Creator": tool, "Subject": made.command(), "Keywords": how, "CreationDate": now}
    return {"Title": title, "Software": tool, "Source": made.command(), "Description": how}
