"""What may be deleted to free space without losing anything that was found out, by rules that are stated here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grok_tui import hindsight, locks, paths, removal, runs
from grok_tui.runs import Run
from grok_tui.sparing import POINTS, Thinned

DAY = 24 * 3600.0
"""Seconds after which what was begun is given up."""

HALF = ("*.new", "*.part", ".LOCKED-*", "*.broken")
"""Files in a run's directory that were begun and not brought to an end, or that a trainer could not read."""

RULES = {
    "leftovers": "what was begun or deleted and not brought to an end, once it is a day old",
    "hindsight": "recomputed measures, but for the newest result",
    "resume points": f"but for the first, the last two, those that branches begin at, and {POINTS} spread over the run",
    "weights": "only with --keep-mb N: weights, then resume points, thinned out evenly until they take N MB in a run; "
    "those nearest to changes, to phases and to branches go last; the first and the last weights and the last two "
    "resume points never",
    "shared files": "weights and resume points that runs have in common count once, in the youngest of those that are "
    "pruned, and go from all of them; where a run has them that is not pruned they stay, and count in none",
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
    frees: int = 0
    """Bytes; of a file with several names, with the first piece that one of them is in."""
    again: int = 0
    """Files whose bytes are in another piece."""

    @property
    def left(self) -> str:
        """What stays of the same kind."""
        return f"{self.of - len(self.paths):,} of {self.of:,}" if self.of else ""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What pruning would do, and what it would not."""

    pieces: list[Piece]
    stays: list[str]
    """A sentence for each run that would still take more than was asked for: how much, and why."""


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
    return look(chosen, keep_mb, beside=beside).pieces


def look(chosen: Sequence[Run], keep_mb: float | None = None, *, beside: bool = True) -> Prospect:
    """The same, with what stays in spite of `keep_mb`.

    Raises:
        RecordError: a recording or a ledger cannot be read.
    """
    hidden = list(_beside()) if beside else []
    all_runs = runs.listing()
    may = [run for run in chosen if not spared(run)]
    plain = [piece for run in may for piece in (_leftovers(run), _results(run))]
    doomed = [path for piece in (*hidden, *plain) for path in piece.paths]
    thinned = Thinned(may, all_runs, keep_mb, doomed)
    found = [*hidden]
    for run in may:
        found += [piece for piece in plain if piece.run == run] + _thinned(run, thinned)
    worth = [piece for piece in _worth_it(found) if piece.paths]
    return Prospect(list(_counted(worth)), [line for run in may if (line := thinned.stays(run))])


def frees(pieces: Sequence[Piece]) -> int:
    """The bytes that all of them free together."""
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
    known = {path: _identity(path)[:2] for piece in pieces for path in piece.paths}
    going = Counter(identity for identity, _ in known.values())
    for piece in pieces:
        kept = (path for path in piece.paths if path.is_dir() or going[known[path][0]] == known[path][1])
        yield replace(piece, paths=tuple(kept))


def _identity(path: Path) -> tuple[tuple[int, int], int, int]:
    """What tells a file from all others, how many names it has, and its bytes."""
    try:
        status = path.lstat()
    except OSError:  # gone since it was listed
        return (0, 0), 0, 0
    return (status.st_dev, status.st_ino), status.st_nlink, status.st_size


def _counted(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces with the bytes that each frees, so that all of them together free the sum."""
    freed: set[tuple[int, int]] = set()
    going: Counter[tuple[int, int]] = Counter()
    files = [[_identity(file) for path in piece.paths for file in removal.files(path)] for piece in pieces]
    going.update(identity for each in files for identity, _, _ in each)
    for piece, each in zip(pieces, files, strict=True):
        bytes_ = again = 0
        for identity, names, size in each:
            again += identity in freed
            if identity not in freed and going[identity] == names:
                freed.add(identity)
                bytes_ += size
        yield replace(piece, frees=bytes_, again=again)


def _thinned(run: Run, thinned: Thinned) -> list[Piece]:
    """What goes of a run's resume points by their own rule, and of both for the run to become small."""
    points = thinned.points[run.path]
    count = thinned.count(run, "resume")
    files = [
        path
        for folder in ("weights", "resume")
        for path in thinned.files(run, folder, thinned.thinned[run.path, folder])
    ]
    return [
        Piece(run, "resume points", thinned.files(run, "resume", points), count),
        Piece(run, "weights", tuple(files), thinned.count(run, "weights") + count - len(points)),
    ]


def _leftovers(run: Run) -> Piece:
    now = time.time()
    places = (run.path, run.weights, run.resume_points)
    begun = [file for place in places for mark in HALF for file in place.glob(mark)]
    return Piece(run, "leftovers", tuple(sorted(file for file in begun if _age(file, now) > DAY)))


def _results(run: Run) -> Piece:
    """All recomputed measures but the newest, where nobody is recomputing."""
    found = sorted(hindsight.directory(run).glob("*.bin"), key=lambda file: file.stat().st_mtime_ns)
    old = () if hindsight.going_on(run) is not None else tuple(found[:-1])
    return Piece(run, "hindsight", old, len(found))


def _beside() -> Iterator[Piece]:
    """Hidden directories: of runs that were being made or deleted when their process was killed."""
    place, now = paths.runs_dir(), time.time()
    found = [path for mark in (".new-*", f"{removal.GONE}*") for path in place.glob(mark)]
    yield Piece(None, "leftovers", tuple(sorted(path for path in found if _age(path, now) > DAY)))


def _age(path: Path, now: float) -> float:
    try:
        return now - path.lstat().st_mtime
    except OSError:  # gone since it was listed
        return 0.0
