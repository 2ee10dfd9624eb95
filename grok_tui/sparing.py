"""Which weights and resume points of several runs go together, so that none of them loses what it needs.

Each file is counted in one run (see `holders`), which says whether it goes; it goes from all that hold it. Done
once more afterwards, the same rules find nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from grok_tui import ledger, record, runs, thinning, wording
from grok_tui.course import STEERED
from grok_tui.holders import Holders
from grok_tui.protocol import Event
from grok_tui.runs import Run
from grok_tui.thinning import Bound

POINTS = 10
"""Resume points that are kept besides the first, the last and those before branches."""

FEW = 4
"""Runs that are named in a line."""

FOLDERS = ("weights", "resume")


class Thinned:
    """What is to go of some runs, by the rule that says so."""

    def __init__(
        self, may: Sequence[Run], all_runs: Sequence[Run], keep_mb: float | None, doomed: Iterable[Path]
    ) -> None:
        """Decide. `doomed` goes in any case."""
        self._holders = Holders(all_runs, may, doomed)
        self._may = {run.path for run in may}
        self._branches = {
            run.path: [child.lineage.epoch for child in runs.children(run, all_runs) if child.lineage] for run in may
        }
        self._budget = None if keep_mb is None else int(keep_mb * (1 << 20))
        self.points: dict[Path, set[int]] = defaultdict(set)
        """Run's directory -> epochs of its resume points that go by their own rule."""
        self.thinned: dict[tuple[Path, str], set[int]] = defaultdict(set)
        """Run's directory and weights or resume -> epochs that go for the run to take so many megabytes."""
        self.told = cache(_told)
        for run in may:
            for epoch in self._excess_points(run):
                self._drop(run, "resume", epoch, lambda path, _: self.points[path])
        for run in may if self._budget is not None else ():
            self._thin(run, self._budget or 0)

    def count(self, run: Run, folder: str) -> int:
        """How many a run has."""
        return len(self._holders.of(run, folder).keys)

    def files(self, run: Run, folder: str, epochs: Iterable[int]) -> tuple[Path, ...]:
        """Where they are."""
        return tuple(thinning.file(self._holders.of(run, folder).place, epoch) for epoch in sorted(epochs))

    def stays(self, run: Run) -> str:
        """Why a run would take more than it should; empty when it would not."""
        if self._budget is None:
            return ""
        own = shared = 0
        strangers: list[Run] = []
        elsewhere = False
        for folder in FOLDERS:
            left = self._left(run, folder)
            counted = self._holders.counted(run, folder)
            own += sum(size for epoch, size in left.items() if epoch in counted)
            shared += sum(size for epoch, size in left.items() if epoch not in counted)
            others = [epoch for epoch in left if epoch not in counted]
            strangers += [each for each in self._holders.with_it(run, folder, others) if each not in strangers]
            elsewhere = elsewhere or self._holders.elsewhere(run, folder, others)
        if own + shared <= self._budget:
            return ""
        names = [each.name for each in sorted(strangers, key=runs.by_number)] + ["something else"] * elsewhere
        why = [f"{wording.size(shared)} that {_few(names)} too"] if shared else []
        if own > self._budget:
            why.append(f"{wording.size(own)} that never go: the first and last weights, the last two resume points")
        return f"{run.name}: {wording.size(own + shared)} stay, {' and '.join(why)}"

    def _left(self, run: Run, folder: str) -> dict[int, int]:
        """The sizes of what stays so far."""
        gone = self.thinned[run.path, folder] | (self.points[run.path] if folder == "resume" else set())
        return {e: size for e, size in self._holders.of(run, folder).sizes.items() if e not in gone}

    def _drop(self, run: Run, folder: str, epoch: int, of: Callable[[Path, str], set[int]]) -> None:
        """Let a file go from all that hold it."""
        for other in (run, *self._sharing(run, folder, [epoch])):
            of(other.path, folder).add(epoch)

    def _sharing(self, run: Run, folder: str, epochs: Iterable[int]) -> list[Run]:
        return [other for other in self._holders.with_it(run, folder, epochs) if other.path in self._may]

    def _excess_points(self, run: Run) -> list[int]:
        """The resume points that are more than enough."""
        counted = self._holders.counted(run, "resume")
        epochs = sorted(self._holders.of(run, "resume").keys)
        kept = self._kept_points(run) | self._needed(run, "resume", counted, self._kept_points)
        excess = len(counted - kept) - POINTS
        spared = kept | {epoch for epoch in epochs if epoch not in counted}
        return [epoch for epoch, _ in zip(thinning.crowded(epochs, spared), range(excess), strict=False)]

    def _kept_points(self, run: Run) -> set[int]:
        epochs = sorted(self._holders.of(run, "resume").keys)
        kept = {*epochs[:1], *epochs[-thinning.NEWEST :]}
        for at in self._branches[run.path]:
            kept |= set([epoch for epoch in epochs if epoch <= at][-1:])
        return kept

    def _thin(self, run: Run, budget: int) -> None:
        """What else must go for what is counted in a run to take so many bytes."""
        left = {folder: self._left(run, folder) for folder in FOLDERS}
        counted = {folder: self._holders.counted(run, folder) for folder in FOLDERS}
        if sum(left[f][epoch] for f in FOLDERS for epoch in counted[f] & left[f].keys()) <= budget:
            return
        matter = {*self._branches[run.path], *self.told(run)}
        matter |= self._needed(run, "weights", counted["weights"], self._near)
        drops = thinning.choose(
            left["weights"],
            left["resume"],
            budget,
            matter,
            Bound(left["weights"].keys() - counted["weights"], left["resume"].keys() - counted["resume"]),
            Bound(
                self._needed(run, "weights", counted["weights"], self._ends),
                self._needed(run, "resume", counted["resume"], self._newest),
            ),
        )
        for folder, epochs in zip(FOLDERS, (drops.weights, drops.resume), strict=True):
            for epoch in epochs:
                self._drop(run, folder, epoch, lambda path, folder: self.thinned[path, folder])

    def _needed(self, run: Run, folder: str, counted: set[int], of: Callable[[Run], set[int]]) -> set[int]:
        """What is counted in a run and is `of` another one that holds it too."""
        found: set[int] = set()
        for other in self._sharing(run, folder, counted):
            both = self._holders.of(run, folder).keys.items() & self._holders.of(other, folder).keys.items()
            found |= of(other) & counted & {epoch for epoch, _ in both}
        return found

    def _near(self, run: Run) -> set[int]:
        """The weights of a run that are nearest to what matters in it."""
        times = sorted(self._holders.of(run, "weights").keys)
        points = self._holders.of(run, "resume").keys
        return thinning.wanted_by(times, (*self._branches[run.path], *self.told(run), *points))

    def _ends(self, run: Run) -> set[int]:
        times = sorted(self._holders.of(run, "weights").keys)
        return {*times[:1], *times[-1:]}

    def _newest(self, run: Run) -> set[int]:
        return {*sorted(self._holders.of(run, "resume").keys)[-thinning.NEWEST :]}


def _few(names: list[str]) -> str:
    """Who has something."""
    if len(names) > FEW:
        names = [*names[: FEW - 1], f"{len(names) - FEW + 1} others"]
    return f"{', '.join(names[:-1])} and {names[-1]} have" if names[1:] else f"{names[0]} has"


def _told(run: Run) -> frozenset[int]:
    """The epochs of changes, and of phases as they were told."""
    found = {entry.epoch for entry in ledger.read(run.ledger) if entry.ok and entry.what in STEERED}
    for _, frame in record.each(run.frames):
        if isinstance(frame, Event) and frame.what == "phase" and isinstance(frame.data.get("placed"), int):
            found.add(frame.data["placed"])
    return frozenset(found)
