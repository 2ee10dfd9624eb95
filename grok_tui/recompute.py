"""`grok-tui hindsight`: has a run recomputed with its final keys, and shows how far that is and what came out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import click
import numpy as np

from grok_tui import hindsight, launch, wording
from grok_tui.errors import RunError
from grok_tui.hindsight import Result
from grok_tui.protocol import Points
from grok_tui.runs import Run

LOOK = 0.1
"""Seconds between two looks at how far it is."""

LINES = 10
"""Lines of progress where there is no terminal."""

ROWS = 8
"""Epochs in the table at the end."""

COLUMNS = (
    ("restricted (test)", "restricted_loss_hindsight"),
    ("excluded (train)", "excluded_loss_hindsight"),
    ("restricted accuracy", "restricted_accuracy_hindsight"),
)


def command(run: Run, typed: str | None) -> int:
    """Recompute `run` with the keys as typed, or the newest recorded; returns the exit code.

    Raises:
        GrokTuiError: it cannot be done; the text says why.
    """
    wanted = None if typed is None else hindsight.parse(typed, run.config.task.p)
    log = hindsight.log(run)
    before = log.stat().st_size if log.exists() else 0
    started = launch.hindsight(run, wanted)
    found = Result(hindsight.path(run, started.keys))
    click.echo(f"{run.name}: {started.text}", err=True)

    def going_on() -> bool:
        if started.process is not None:
            return started.process.poll() is None
        return hindsight.going_on(run) == started.keys

    try:
        if started.process is not None or going_on():
            show(found, going_on)
        else:  # what it says above is all there is to say
            found.read()
    except KeyboardInterrupt:
        if started.process is not None:
            started.process.terminate()
        click.echo(f"\nstopped; the same command goes on from epoch {len(found.epochs):,} of {total(found):,}")
        return 130
    if started.process is not None and (code := started.process.wait()):
        reason = launch.reason(log, before, code, "the process that recomputes")
        raise RunError(f"{run.name}: {reason}")
    for line in report(run, found):
        click.echo(line)
    return 0


def total(found: Result) -> int:
    """How many epochs there will be in the end; 0 before that is known."""
    table = found.hello.config.get(hindsight.READING) if found.hello else None
    return int(table.get("total", 0)) if isinstance(table, dict) else 0


def show(found: Result, going_on: Callable[[], bool]) -> None:
    """Follow the result until nobody works on it: a bar on a terminal, a line now and then otherwise."""
    told = -1
    bar = None
    while True:
        last = not going_on()
        while found.read(hindsight.RECORDS):
            pass
        done, whole = len(found.epochs), total(found)
        if sys.stdout.isatty():
            if bar is None and whole and not last:
                bar = click.progressbar(length=whole, label=found.path.parent.parent.name, width=0, show_pos=True)
                bar.__enter__()
            if bar is not None and done > bar.pos:
                bar.length = max(whole, done)
                bar.update(done - bar.pos)
        elif whole and done * LINES // whole > told:
            told = done * LINES // whole
            click.echo(f"{done:,} of {whole:,} epochs")
        if last:
            break
        time.sleep(LOOK)
    if bar is not None:
        bar.__exit__(None, None, None)


def report(run: Run, found: Result) -> Iterator[str]:
    """What came out: which keys, when they took over, a few epochs as a table, and where all of it is kept."""
    points = found.points()
    if not len(points.epochs):
        yield f"{run.name}: none of the stored weights could be read; see {hindsight.log(run)}"
        return
    first, last = int(points.epochs[0]), int(points.epochs[-1])
    yield f"{run.name}, {hindsight.said(found.keys)}: {len(points.epochs):,} epochs from {first:,} to {last:,}"
    if run.alive:
        yield "  the run is being trained: its keys are provisional still, and these may not be its final ones"
    chance = float(np.log(run.config.task.p))
    yield from _since(points, "restricted_loss_hindsight", 0.1, "restricted loss below 0.1", below=True)
    yield from _since(
        points, "excluded_loss_hindsight", chance, f"excluded loss above chance, {chance:.2f}", below=False
    )
    yield ""
    rows = [("epoch", *(head for head, _ in COLUMNS))]
    for i in np.unique(np.linspace(0, len(points.epochs) - 1, ROWS).round().astype(int)).tolist():
        values = [float(points.values[name][i]) if name in points.values else float("nan") for _, name in COLUMNS]
        cells = [wording.number(value) for value in values[:-1]] + [wording.percent(values[-1])]
        rows.append((f"{points.epochs[i]:,}", *cells))
    yield from wording.columns(rows, right=frozenset(range(4)))
    yield ""
    yield f"kept in {found.path}; the screen shows it: grok-tui attach {run.name}"


def _since(points: Points, name: str, level: float, words: str, *, below: bool) -> Iterator[str]:
    """From which recomputed epoch on the series is on that side of `level` for good, or where it was for a while."""
    values = points.values.get(name, np.array([]))
    with np.errstate(invalid="ignore"):
        holds = values < level if below else values > level
    if not holds.any():
        return
    epochs = points.epochs.tolist()
    if holds[-1]:
        first = len(holds) - int(np.argmin(np.append(holds[::-1], False)))
        yield f"  {words}: from epoch {epochs[first]:,} on"
    else:
        at = np.flatnonzero(holds)
        yield f"  {words}: between epochs {epochs[at[0]]:,} and {epochs[at[-1]]:,}, not at the end"
