"""Which runs hold a stored file: a branch has its parent's weights and resume points, as hard links."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grok_tui import lineage, removal, runs, thinning
from grok_tui.runs import Run

Key = tuple[int, int]
"""What tells a file from all others, whatever it is called: device and number there."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The weights, or the resume points, of one run."""

    place: Path
    keys: dict[int, Key] = field(default_factory=dict)
    """By epoch."""
    sizes: dict[int, int] = field(default_factory=dict)


class Holders:
    """The stored files of all runs, and to which of those that may be thinned each of them is counted.

    A file that several of them hold is counted once: in the youngest. One that any other run holds too, or
    something else on the disk, is counted in none: to delete it would free no space.
    """

    def __init__(self, all_runs: Iterable[Run], may: Collection[Run], doomed: Iterable[Path] = ()) -> None:
        """Look at them. `may`: which runs something may be deleted of; `doomed`: what goes in any case."""
        self._runs = {run.path: run for run in (*all_runs, *may)}
        self._names: Counter[Key] = Counter()
        """Names that a file has besides those in runs that something may be deleted of."""
        self.by: dict[Key, list[Run]] = defaultdict(list)
        """The runs that hold a file."""
        self._stored: dict[tuple[Path, str], Stored] = {}
        age = {run.path: (lineage.born(run.path, run.frames), runs.by_number(run)) for run in may}
        self._age = age
        for run in self._runs.values():
            for folder in (run.weights, run.resume_points):
                self._stored[run.path, folder.name] = self._look(run, folder, counts=run.path in age)
        for file in (file for path in doomed for file in removal.files(path)):
            if (status := _status(file)) is not None:
                self._names[status[0]] -= 1

    def _look(self, run: Run, folder: Path, *, counts: bool) -> Stored:
        found = Stored(folder)
        for epoch in thinning.sizes(folder):
            if (status := _status(thinning.file(folder, epoch))) is not None:
                key, size, names = status
                found.keys[epoch], found.sizes[epoch] = key, size
                if key not in self.by:
                    self._names[key] += names
                self._names[key] -= counts
                self.by[key].append(run)
        return found

    def of(self, run: Run, folder: str) -> Stored:
        """What a run has in `weights` or `resume`."""
        return self._stored[run.path, folder]

    def counted(self, run: Run, folder: str) -> set[int]:
        """The epochs of the files that are counted in a run."""
        return {epoch for epoch, key in self.of(run, folder).keys.items() if self._counted(key) == run}

    def with_it(self, run: Run, folder: str, epochs: Iterable[int]) -> list[Run]:
        """The other runs that hold some of a run's files, in the order of their numbers."""
        keys = self.of(run, folder).keys
        found = {other.path: other for epoch in epochs for other in self.by[keys[epoch]] if other != run}
        return sorted(found.values(), key=runs.by_number)

    def elsewhere(self, run: Run, folder: str, epochs: Iterable[int]) -> bool:
        """Whether some of a run's files have names on the disk that are no run's."""
        keys = self.of(run, folder).keys
        return any(self._names[keys[e]] > sum(r.path not in self._age for r in self.by[keys[e]]) for e in epochs)

    def _counted(self, key: Key) -> Run | None:
        """The run in which a file is counted; None where it could not be deleted."""
        if self._names[key] > 0:
            return None
        return max(self.by[key], key=lambda run: self._age[run.path])


def _status(path: Path) -> tuple[Key, int, int] | None:
    """What tells a file from others, its bytes, and how many names it has."""
    try:
        status = path.lstat()
    except OSError:  # gone since it was listed
        return None
    return (status.st_dev, status.st_ino), status.st_size, status.st_nlink
