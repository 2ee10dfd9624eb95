"""`grok-tui figure` and `grok-tui export --to svg|png|pdf`: read the runs, draw, write, say what was written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from grok_tui import comparing, files
from grok_tui.errors import ConfigError, ExchangeError
from grok_tui.export import whole
from grok_tui.figures import gallery, sheet
from grok_tui.figures.drawing import Subject
from grok_tui.runs import Run

DEFAULT = "nanda-fig7"


def figure(
    chosen: Sequence[Run],
    like: str | None,
    file: Path | None,
    *,
    epoch: int | None = None,
    log_x: bool = False,
    force: bool = False,
) -> str:
    """Write a figure of one run, or of several in the same axes; returns what there is to say.

    Raises:
        ConfigError: there is no such figure, or the run has not recorded what it needs.
        ExchangeError: the file is there already, or cannot be written.
    """
    like = like or (DEFAULT if len(chosen) == 1 else gallery.COMPARE)
    together = like == gallery.COMPARE
    recipe = gallery.COMPARED if together else gallery.find(like)
    if together:
        chosen = comparing.unique(chosen)
        if wrong := comparing.wrong(chosen):
            raise ConfigError(wrong)
    elif len(chosen) != 1:
        raise ConfigError(f"{like} is of one run; --like {gallery.COMPARE} draws several")
    file = file or Path(f"{'-'.join(run.name for run in chosen)}-{like}.svg")
    _check(file, force=force)
    subjects = [_subject(run, epoch, log_x) for run in chosen]
    page = sheet.compare(subjects) if together else sheet.draw(recipe, subjects[0])
    names = ", ".join(run.name for run in chosen)
    files.write({file: sheet.content(page, file, f"{names}: {recipe.about}", subjects)}, force=force)
    after = "" if recipe.source == gallery.SCREEN else f", after {recipe.source}"
    return f"{names}: {recipe.about}{after}: {file}" + ("" if together else _hint(page, subjects[0]))


def charts(run: Run, file: Path, panes: Sequence[str], *, log_x: bool = False, force: bool = False) -> str:
    """Write charts of a run, by the names of panes or series; the overview when none is named.

    Raises:
        ConfigError: there is no such pane or series.
        ExchangeError: the file is there already, or cannot be written.
    """
    _check(file, force=force)
    subject = _subject(run, None, log_x)
    recipe = gallery.of_panes(panes, sorted(subject.whole.state.series)) if panes else gallery.find("overview")
    page = sheet.draw(recipe, subject)
    files.write({file: sheet.content(page, file, f"{run.name}: {recipe.about}", [subject])}, force=force)
    return f"{run.name}, epoch {subject.until:,}: {recipe.about}: {file}" + _hint(page, subject)


def listing(run: Run | None) -> list[tuple[str, str, str]]:
    """Every figure with what it shows and where it is known from; of a run, what it lacks for it."""
    subject = _subject(run, None, False) if run else None
    rows = []
    for recipe in (*gallery.RECIPES, gallery.COMPARED):
        missing = gallery.lacking(recipe, subject) if subject else []
        rows.append((recipe.name, recipe.about, f"not recorded: {', '.join(missing)}" if missing else recipe.source))
    return rows


def _hint(page: Figure, subject: Subject) -> str:
    """How lines with provisional keys become ones with the final keys."""
    labels = [label for ax in page.axes for label in ax.get_legend_handles_labels()[1]]
    if subject.whole.state.final_keys or not any("(provisional)" in label for label in labels):
        return ""
    run = subject.whole.run.name
    return f"\n  its keys are provisional; with the final ones: grok-tui hindsight {run}, then draw it again"


def _subject(run: Run, epoch: int | None, log_x: bool) -> Subject:
    found = whole.read(run)
    if epoch is not None and epoch > found.state.epoch:
        raise ConfigError(f"{run.name} is recorded up to epoch {found.state.epoch:,}; there is no epoch {epoch:,}")
    return Subject(found, epoch, log_x)


def _check(file: Path, *, force: bool) -> None:
    if file.suffix not in sheet.ENDINGS:
        raise ExchangeError(f"{file}: {' or '.join(sheet.ENDINGS)} was expected at its end")
    files.check({file: b""}, force=force)
