"""What the screens do to the world outside: list, start, resume, recompute, open. Tests put others in their place.

A viewer that only looks (`--read-only`) has `only_looking(Doors())`: every door that is not in `LOOKING` is shut, and
no source takes a command. So a new door is shut to it unless it says that it changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from grok_tui import config, launch, notes, removal, runs
from grok_tui.config import Config
from grok_tui.errors import RefusedError
from grok_tui.launch import Recomputing
from grok_tui.notes import Note
from grok_tui.protocol import Command, Frame, Reply
from grok_tui.runs import Run
from grok_tui.sources import PATIENCE, Link, RunSource, Source
from grok_tui.ui import ghost
from grok_tui.ui.ghost import Origin

if TYPE_CHECKING:
    from grok_tui.sweep_state import SweepState
    from grok_tui.sweeps import Sweep
    from grok_tui.tempo import Playback, Speed

LOOKING = frozenset(
    {"presets", "listing", "find", "source", "replay", "origin", "family", "points", "deletable", "aftermath", "sweep"}
    | {"read_only"}
)
"""Doors that change nothing in any run."""

READ_ONLY = "this viewer only looks (--read-only): it changes nothing"


def removable(chosen: Sequence[Run]) -> int:
    """The bytes that are free once these runs are deleted.

    Raises:
        RunError: one is being trained, is locked, or has branches that are not among them.
    """
    removal.check(chosen)
    return removal.freed(run.path for run in chosen)


# What few viewers do is loaded when they do it: with the screens for it, a twentieth of the start.


def _family(place: str) -> list[Run]:
    from grok_tui import comparing

    return comparing.family(place)


def _replay(run: Run, speed: Speed | None, since: int) -> Source:
    from grok_tui.replay import ReplaySource

    return ReplaySource(run, speed, since)


def _sweep(run: Run) -> tuple[SweepState, int]:
    """The sweep that a run is a member of, and which member.

    Raises:
        RunError: it is of none, or that is gone or cannot be read.
    """
    from grok_tui import sweeps
    from grok_tui.sweep_state import SweepState

    sweep, member = sweeps.member_of(run)
    return SweepState(sweep), member.number


def _resume_sweep(sweep: Sweep) -> None:
    from grok_tui import sweep_launch

    sweep_launch.start(sweep)


def _stop_sweep(sweep: Sweep) -> str:
    from grok_tui import sweep_launch

    return sweep_launch.stop(sweep)


@dataclass(frozen=True, slots=True)
class Doors:
    """Each blocks, but for `source`: the screens call them in threads."""

    presets: Callable[[], dict[str, Config]] = config.presets
    listing: Callable[[], list[Run]] = runs.listing
    find: Callable[[str], Run] = runs.find
    start: Callable[[Config], Run] = launch.start
    resume: Callable[[Run], None] = launch.resume
    hindsight: Callable[[Run], Recomputing] = launch.hindsight
    note: Callable[[Run, int, str], Note] = notes.add
    edit_note: Callable[[Run, str, str], Note] = notes.edit
    remove_note: Callable[[Run, str], Note] = notes.remove
    source: Callable[[Run], Source] = RunSource
    origin: Callable[[str], Origin | None] = ghost.origin
    branch: Callable[..., Run] = launch.branch
    family: Callable[[str], list[Run]] = _family
    deletable: Callable[[Sequence[Run]], int] = removable
    aftermath: Callable[[Sequence[Run]], list[str]] = removal.aftermath
    delete: Callable[[Sequence[Run]], None] = removal.delete
    points: Callable[[str], tuple[int, ...]] = ghost.points
    replay: Callable[[Run, Speed | None, int], Source] = _replay
    sweep: Callable[[Run], tuple[SweepState, int]] = _sweep
    resume_sweep: Callable[[Sweep], None] = _resume_sweep
    stop_sweep: Callable[[Sweep], str] = _stop_sweep
    read_only: bool = False
    """This viewer only looks."""

    def refusal(self, needs: str) -> str:
        """Why whoever needs to change something may not; empty when he may, or `needs` nothing."""
        return READ_ONLY if needs and self.read_only else ""


def only_looking(doors: Doors) -> Doors:
    """The doors of a viewer that only looks: the others are shut."""
    shut = {field.name: _refuse for field in fields(doors) if field.name not in LOOKING}

    def source(run: Run) -> Source:
        return OnlyLooking(doors.source(run))

    def replay(run: Run, speed: Speed | None, since: int) -> Source:
        return OnlyLooking(doors.replay(run, speed, since))

    return replace(doors, **shut, source=source, replay=replay, read_only=True)  # type: ignore[arg-type]


def _refuse(*_: object, **__: object) -> None:
    raise RefusedError(READ_ONLY)


class OnlyLooking:
    """A source that takes no commands."""

    can_steer = False

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def link(self) -> Link:
        """See `Source`, as for the others."""
        return self._source.link

    @property
    def note(self) -> str:
        return self._source.note

    @property
    def place(self) -> str:
        return self._source.place

    @property
    def replay(self) -> Playback | None:
        return self._source.replay

    @property
    def locked(self) -> bool:
        return self._source.locked

    def frames(self) -> AsyncIterator[list[Frame]]:
        return self._source.frames()

    async def send(self, command: Command, timeout: float = PATIENCE) -> Reply:  # noqa: ARG002 - none is sent
        raise RefusedError(READ_ONLY)

    def close(self) -> None:
        self._source.close()
