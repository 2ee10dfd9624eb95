"""What may be deleted to free space without losing anything that was found out, by rules that are stated here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grok_tui import hindsight, ledger, locks, paths, record, removal, runs, thinning
from grok_tui.protocol import Event
from grok_tui.runs import Run

DAY = 24 * 3600.0
"""Seconds after which what was begun is given up."""

POINTS = 10
"""Resume points that are kept besides the first, the last and those before branches."""

HALF = ("*.new", "*.part", ".LOCKED-*", "*.broken")
"""Files in a run's directory that were begun and not brought to an end, or that a trainer could not read."""

RULES = {
    "leftovers": "what was begun or deleted and not brought to an end, once it is a day old",
    "hindsight": "recomputed measures, but for the newest result",
    "resume points": f"but for the first, the last two, those that branches begin at, and {POINTS} spread over the run",
    "weights": "only with --keep-mb N: weights, then resume points, thinned out evenly until they take N MB in a run; "
    "those nearest to changes, to phases and to branches go last, the first and the last never",
}
"""In the order in which they apply."""

NEVER = (
    "Never a recording, ledger, note or configuration; never anything of a run that is being trained or is locked; "
    "nothing that a parent or a branch keeps too: it would free no space."
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one rule would delete of one run."""

    run: Run | None
    """None for what lies beside the runs."""
    rule: str
    paths: tuple[Path, ...]
    of: int = 0
    """How many there are of the same kind; 0 where that says nothing."""

    @property
    def frees(self) -> int:
        """Bytes; none of a file that a branch shares, also where both names of it go."""
        return removal.freed(self.paths)

    @property
    def left(self) -> str:
        """What stays of the same kind."""
        return f"{self.of - len(self.paths):,} of {self.of:,}" if self.of else ""


def spared(run: Run) -> str:
    """Why nothing of a run is deleted; empty when something may be."""
    if run.problem is not None:
        return "unreadable"
    if run.locked:
        return "locked"
    return "being trained" if run.alive else ""


def find(chosen: Sequence[Run], keep_mb: float | None = None, *, beside: bool = True) -> list[Piece]:
    """What the rules would delete of these runs, and with `beside` of what lies beside all runs.

    Raises:
        RecordError: a recording or a ledger cannot be read.
    """
    found = list(_beside()) if beside else []
    all_runs = runs.listing()
    for run in chosen:
        if not spared(run):
            at = [child.lineage.epoch for child in runs.children(run, all_runs) if child.lineage]
            found += _of(run, keep_mb, at)
    return [piece for piece in _worth_it(found) if piece.paths]


def frees(pieces: Sequence[Piece]) -> int:
    """The bytes that all of them free together: more than each by itself where one file is in several."""
    return removal.freed(path for piece in pieces for path in piece.paths)


def carry_out(pieces: Sequence[Piece]) -> int:
    """Delete them; returns the bytes that are free now.

    Raises:
        RunError: a run is being trained or was locked meanwhile, or something cannot be deleted. What was deleted
            before is gone.
    """
    total = frees(pieces)
    for piece in pieces:
        if piece.run is None:
            for path in piece.paths:
                removal.remove(path)
            continue
        with piece.run.rest():
            locks.check(piece.run)
            for path in piece.paths:
                removal.remove(path)
    return total


def _worth_it(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces without files that a parent or a branch keeps, so that deleting them would free nothing."""
    known = {path: _identity(path) for piece in pieces for path in piece.paths}
    going = Counter(identity for identity, _ in known.values())
    for piece in pieces:
        kept = (path for path in piece.paths if path.is_dir() or going[known[path][0]] == known[path][1])
        yield replace(piece, paths=tuple(kept))


def _identity(path: Path) -> tuple[tuple[int, int], int]:
    """What tells a file from all others, and how many names it has."""
    try:
        status = path.lstat()
    except OSError:  # gone since it was listed
        return (0, 0), 0
    return (status.st_dev, status.st_ino), status.st_nlink


def _of(run: Run, keep_mb: float | None, branches: Sequence[int]) -> Iterator[Piece]:
    """What each rule would delete of a run that has branches at these epochs."""
    now = time.time()
    places = (run.path, run.weights, run.resume_points)
    begun = [file for place in places for mark in HALF for file in place.glob(mark)]
    yield Piece(run, "leftovers", tuple(sorted(file for file in begun if _age(file, now) > DAY)))
    yield _results(run)
    points = thinning.sizes(run.resume_points)
    drops = _points(list(points), branches)
    yield Piece(run, "resume points", _files(run.resume_points, drops), len(points))
    if keep_mb is not None:
        yield _thinned(run, {e: size for e, size in points.items() if e not in drops}, keep_mb, branches)


def _results(run: Run) -> Piece:
    """All recomputed measures but the newest, where nobody is recomputing."""
    found = sorted(hindsight.directory(run).glob("*.bin"), key=lambda file: file.stat().st_mtime_ns)
    old = () if hindsight.going_on(run) is not None else tuple(found[:-1])
    return Piece(run, "hindsight", old, len(found))


def _points(epochs: list[int], branches: Sequence[int]) -> tuple[int, ...]:
    """The resume points that may go."""
    epochs = sorted(epochs)
    kept = {*epochs[:1], *epochs[-thinning.NEWEST :]}
    for at in branches:
        kept |= set([epoch for epoch in epochs if epoch <= at][-1:])
    excess = len(epochs) - len(kept) - POINTS
    return tuple(epoch for epoch, _ in zip(thinning.crowded(epochs, kept), range(excess), strict=False))


def _thinned(run: Run, points: dict[int, int], keep_mb: float, branches: Sequence[int]) -> Piece:
    """What else must go for a run's weights and resume points to take so many megabytes."""
    weights, budget = thinning.sizes(run.weights), int(keep_mb * (1 << 20))
    over = sum(weights.values()) + sum(points.values()) > budget
    matter = {*branches, *_told(run)} if over else set[int]()
    drops = thinning.choose(weights, points, budget, matter)
    gone = _files(run.weights, drops.weights) + _files(run.resume_points, drops.resume)
    return Piece(run, "weights", gone, len(weights) + len(points))


def _told(run: Run) -> set[int]:
    """The epochs of changes, and of phases as they were told."""
    found = {entry.epoch for entry in ledger.read(run.ledger) if entry.ok and entry.what == "changed"}
    for _, frame in record.each(run.frames):
        if isinstance(frame, Event) and frame.what == "phase" and isinstance(frame.data.get("placed"), int):
            found.add(frame.data["placed"])
    return found


def _beside() -> Iterator[Piece]:
    """Hidden directories: of runs that were being made or deleted when their process was killed."""
    place, now = paths.runs_dir(), time.time()
    found = [path for mark in (".new-*", f"{removal.GONE}*") for path in place.glob(mark)]
    yield Piece(None, "leftovers", tuple(sorted(path for path in found if _age(path, now) > DAY)))


def _files(place: Path, epochs: Collection[int]) -> tuple[Path, ...]:
    return tuple(thinning.file(place, epoch) for epoch in sorted(epochs))


def _age(path: Path, now: float) -> float:
    try:
        return now - path.lstat().st_mtime
    except OSError:  # gone since it was listed
        return 0.0
