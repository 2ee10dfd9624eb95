"""Runs are deleted: whole, out of sight first, and never while somebody needs them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grok_tui import locks, membership, runs
from grok_tui.errors import RunError
from grok_tui.runs import Run

if TYPE_CHECKING:
    from grok_tui.sweeps import Member, Sweep

GONE = ".gone-"
"""What the name of a directory begins with that is being deleted."""


def check(chosen: Collection[Run]) -> None:
    """Pass if these runs may be deleted together.

    Raises:
        RunError: one is being trained or about to be, is locked, or has branches that are not among them.
    """
    names, all_runs = {run.name for run in chosen}, runs.listing()
    for run in chosen:
        locks.check(run)
        if run.alive:
            raise RunError(f"{run.name} is being trained; stop it first: grok-tui stop {run.name}")
        if (found := _member(run)) and found[1].ahead and found[0].alive:
            sweep = found[0].name
            raise RunError(f"{run.name} waits for its turn in {sweep}; stop that first: grok-tui sweep {sweep} --stop")
        if left := [child.name for child in descendants(run, all_runs) if child.name not in names]:
            raise RunError(
                f"{run.name} is needed by its branches: {', '.join(left)}; "
                f"to delete all of them: grok-tui delete {' '.join([run.name, *left])}"
            )


def aftermath(chosen: Iterable[Run]) -> list[str]:
    """What it means to their sweeps that these runs are deleted, a sentence for each sweep's; empty when nothing."""
    there: dict[tuple[str, bool], list[tuple[str, int]]] = {}
    for run in chosen:
        if (found := _member(run)) is not None:
            sweep, member = found
            there.setdefault((sweep.name, member.done), []).append((run.name, member.number))
    return [_aftermath(sweep, done, sorted(members, key=lambda m: m[1])) for (sweep, done), members in there.items()]


def _aftermath(sweep: str, done: bool, members: list[tuple[str, int]]) -> str:
    names, numbers = (", ".join(str(each[i]) for each in members) for i in (0, 1))
    one = len(members) == 1
    who = f"{names} {'is member' if one else 'are the members'} {numbers} of the sweep {sweep}"
    cells = "its cell there" if one else "their cells there"
    if done:
        return f"{who}: {cells} will be empty."
    return f"{who}: {cells} will be empty until grok-tui sweep {sweep} --resume trains {'it' if one else 'them'} anew."


def delete(chosen: Sequence[Run]) -> None:
    """Delete runs, children before their parents; each disappears at once.

    Raises:
        RunError: as `check`, before anything is deleted; or a directory cannot be removed.
    """
    check(chosen)
    all_runs = runs.listing()
    for run in sorted(chosen, key=lambda run: len(descendants(run, all_runs))):
        with run.rest():  # a trainer that begins now is too late
            locks.check(run)
            _say_it_was_there(run)
            hidden = run.path.with_name(f"{GONE}{run.name}-{os.getpid()}")
            try:
                run.path.rename(hidden)
            except OSError as error:
                raise RunError(f"{run.path}: cannot be deleted ({error.strerror})") from None
        remove(hidden)


def _member(run: Run) -> tuple[Sweep, Member] | None:
    """The sweep that needs the run, and as which member; None when there is none that could be read."""
    if membership.read(run.path) is None:
        return None
    from grok_tui import sweeps  # most runs belong to none

    try:
        sweep, member = sweeps.member_of(run)
    except RunError:
        return None
    return (sweep, member) if member.run in ("", run.name) else None


def _say_it_was_there(run: Run) -> None:
    """Have the run whose plan asked for a branch know that it was made, so that it is not made again."""
    own = run.lineage
    if own is None or not own.asked or (above := runs.parent(run)) is None:
        return
    from grok_tui import offshoot  # making branches takes more than deleting runs

    offshoot.remember(above, own.asked, run.name)


def descendants(run: Run, among: Sequence[Run]) -> list[Run]:
    """The branches of a run and theirs, of those `among` which to look."""
    found: list[Run] = []
    waiting = [run]
    while waiting:
        new = [child for child in runs.children(waiting.pop(), among) if child not in found and child != run]
        found += new
        waiting += new
    return sorted(found, key=runs.by_number)


def freed(paths: Iterable[Path]) -> int:
    """The bytes that are free once these files and directories are gone: of a shared file, when all its names are."""
    names: dict[tuple[int, int], int] = {}
    total = 0
    for path in paths:
        for file in files(path):
            try:
                status = file.lstat()
            except FileNotFoundError:  # gone since it was listed
                continue
            key = status.st_dev, status.st_ino
            names[key] = names.get(key, 0) + 1
            if names[key] == status.st_nlink:
                total += status.st_size
    return total


def files(path: Path) -> Iterator[Path]:
    """The file at `path`, or all files in the directory."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            yield from (Path(folder) / name for name in names)
    else:
        yield path


def remove(path: Path) -> None:
    """Remove a file, or a directory with all that is in it; one that is gone already is no error.

    Raises:
        RunError: it cannot be removed, or not whole.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be removed ({error.strerror})") from None
