"""Follow a run without a screen: a progress bar on a terminal, one plain line per report otherwise."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import click

from grok_tui import wording
from grok_tui.protocol import Event, Frame
from grok_tui.runs import Run
from grok_tui.sources import RunSource, Source
from grok_tui.state import RunState

REPORTS = 40
"""Lines in a whole run, beside those for what happened."""

LEAST_BAR = 16
"""Columns for the bar itself, with its brackets and spaces."""

UNTOLD = frozenset({"checkpoint"})
"""Events of which there are many and that change nothing."""


class Display(Protocol):
    """What a run is shown on."""

    def show(self, state: RunState, events: list[Event]) -> None:
        """Take in how the run stands, and what has happened since the last time."""


class Lines:
    """A line for each event, and for one measured epoch in every fortieth part of the run.

    Of a branch's past, which its parent has told, nothing: `since` is where it was branched off, -1 where it was not.
    """

    def __init__(self, write: Callable[[str], None] = click.echo, since: int = -1) -> None:
        self._write = write
        self._since = since
        self._part = -1
        self._phase = ""

    def show(self, state: RunState, events: list[Event]) -> None:
        """See `Display`."""
        for event in events:
            if event.epoch > self._since or (event.epoch == self._since and event.what == "branched"):
                self._since = -1
            if self._since < 0 and event.what not in UNTOLD and event.text:  # a note that is taken back has none
                self._write(f"epoch {event.epoch:,}: {event.text}")
        sample = state.phases.last
        if sample is None:
            return
        phase = state.phases.phase.value
        part = sample.epoch * REPORTS // max(state.epochs, 1)
        if part > self._part or phase != self._phase:
            self._part, self._phase = part, phase
            if sample.epoch > self._since:
                self._write(report(state))


class Bar:
    """A progress bar over the epochs, and beside it where the run stands: as much of it as fits in the line."""

    def __init__(self, epochs: int, label: str) -> None:
        self._beside = ""
        self._label = label
        self._stack = ExitStack()
        bar = click.progressbar(
            length=epochs,
            label=label,
            item_show_func=self._say,
            width=0,
            show_eta=False,  # click's counts what was done before it looked, and nothing says what it is
            show_percent=False,
        )
        self._bar = self._stack.enter_context(bar)

    def _say(self, _epoch: int | None) -> str:
        return self._beside

    def show(self, state: RunState, events: list[Event]) -> None:  # noqa: ARG002 - the bar shows the present only
        """See `Display`."""
        room = shutil.get_terminal_size().columns - len(self._label) - LEAST_BAR
        told = beside(state, room)
        if state.epoch > self._bar.pos:
            self._beside = told
            self._bar.update(state.epoch - self._bar.pos)
        elif told != self._beside:
            self._beside = told
            self._bar.render_progress()

    def close(self) -> None:
        """End the line."""
        self._stack.close()


def beside(state: RunState, room: int) -> str:
    """Epoch, rate, time left, phase and test accuracy: as many of them as `room` columns hold."""
    parts = [f"epoch {state.epoch:,} of {state.epochs:,}"]
    if state.status is not None and state.status.rate > 0:
        parts.append(f"{wording.rate(state.status.rate)} epochs/s")
        if left := wording.left(state.epoch, state.epochs, state.status.rate):
            parts.append(f"{left} left")
    elif state.state == "paused":
        parts.append("paused")
    if state.phases.last is not None:
        parts.append(state.phases.phase.value)
        parts.append(f"test accuracy {wording.percent(state.phases.last.test_accuracy)}")
    while len(parts) > 1 and len(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def follow(run: Run) -> int:
    """Follow `run` until it ends; returns the exit code: 0 when it finished, 130 when it was left with ctrl+c."""
    import sys

    state = RunState()
    bar = Bar(run.config.training.epochs, run.name) if sys.stdout.isatty() else None
    since = run.lineage.epoch if run.lineage else -1
    try:
        link = asyncio.run(watch(RunSource(run, follow=False), state, bar or Lines(since=since)))
    except KeyboardInterrupt:
        _close(bar)
        click.echo(f"\n{run.name} goes on training; look: grok-tui attach {run.name}; stop: grok-tui stop {run.name}")
        return 130
    _close(bar)
    standing = wording.standing(state.state, link)
    if bar is not None and state.phases.last is not None:
        click.echo(report(state))
    if standing == "finished":
        return 0
    click.echo("grok-tui: " + wording.farewell(run.name, standing, state.epoch), err=True)
    return 1


async def watch(source: Source, state: RunState, display: Display) -> str:
    """Fold a source into `state` until it ends, showing each batch; returns the link at the end."""
    async for batch in source.frames():
        for events in _fold(state, batch):
            display.show(state, events)
    return source.link


def report(state: RunState) -> str:
    """How the run stood at its last measures, in one line."""
    sample = state.phases.last
    assert sample is not None
    parts = [
        f"epoch {sample.epoch:,}/{state.epochs:,}",
        state.phases.phase.value,
        f"train loss {wording.number(sample.train_loss)}",
        f"test loss {wording.number(sample.test_loss)}",
        f"test accuracy {wording.percent(sample.test_accuracy)}",
    ]
    if state.status and state.status.rate > 0:
        parts.append(f"{wording.rate(state.status.rate)} epochs/s")
    return ", ".join(parts)


def _fold(state: RunState, batch: list[Frame]) -> Iterator[list[Event]]:
    """Apply a batch frame by frame, so that no report is skipped; yields the events of each."""
    for frame in batch:
        state.apply(frame)
        yield [frame] if isinstance(frame, Event) else []


def _close(bar: Bar | None) -> None:
    if bar is not None:
        bar.close()
