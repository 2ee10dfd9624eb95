"""What to delete of a run's weights and resume points so that they fit their part of the disk.

Hindsight wants weights spread over the whole run, on a linear and on a logarithmic axis; branching wants
resume points. So weights go first, each time the one whose neighbours are closest together; those at
epochs that matter go after the others, and resume points last of all.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from grok_tui.errors import RecordError
from grok_tui.runs import Run

NEWEST = 2
"""Resume points that are never deleted: should the last one be broken, there is another."""

EARLY = 0.5
"""What a gap over the whole of the logarithmic axis counts, where one over the whole linear axis counts 1: a third
of what is left then serves the run's early part."""


@dataclass(frozen=True, slots=True)
class Drops:
    """What to delete, by epoch, in this order."""

    weights: tuple[int, ...] = ()
    resume: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """What of weights and resume points somebody else needs, by epoch."""

    weights: Collection[int] = ()
    resume: Collection[int] = ()


NONE = Bound()


def choose(
    weights: Mapping[int, int],
    resume: Mapping[int, int],
    budget: int,
    matter: Collection[int] = (),
    foreign: Bound = NONE,
    needed: Bound = NONE,
) -> Drops:
    """What to delete so that at most `budget` bytes are left.

    The first and the last weights and the two newest resume points stay, whatever they take.

    Args:
        weights: epoch -> bytes of the snapshots.
        resume: epoch -> bytes of the resume points.
        budget: bytes.
        matter: epochs of changes and of phase boundaries. The snapshots nearest to them, and to the resume
            points, are deleted only when no others are left.
        foreign: what is there and cannot be deleted. It counts in how evenly the run is covered, and not in its bytes.
        needed: what counts in both, and stays.
    """
    excess = _bytes(weights, foreign.weights) + _bytes(resume, foreign.resume) - budget
    if excess <= 0:
        return Drops()
    times = sorted(weights)
    ends = {*times[:1], *times[-1:], *foreign.weights, *needed.weights}
    wanted = ends | wanted_by(times, (*matter, *resume))
    dropped: list[int] = []
    for spared in (wanted, ends):
        before = set(dropped)
        left = [epoch for epoch in times if epoch not in before]
        for epoch in crowded(left, spared):
            if excess <= 0:
                return Drops(tuple(dropped))
            dropped.append(epoch)
            excess -= weights[epoch]
    points = sorted(resume)
    gone: list[int] = []
    for epoch in crowded(points, {*points[-NEWEST:], *foreign.resume, *needed.resume}):
        if excess <= 0:
            break
        gone.append(epoch)
        excess -= resume[epoch]
    return Drops(tuple(dropped), tuple(gone))


def wanted_by(times: list[int], matter: Iterable[int]) -> set[int]:
    """The snapshots nearest to the epochs that matter, of those at `times`, which are in order."""
    return {_nearest(times, epoch) for epoch in matter if times}


def crowded(epochs: list[int], spared: Collection[int]) -> Iterable[int]:
    """All but the spared ones, each time the one whose neighbours are closest, the oldest of equals.

    Closeness is judged on a linear and on a logarithmic axis over the whole run, by the wider of the two gaps.
    """
    if not epochs:
        return
    last, whole = epochs[-1], math.log1p(epochs[-1]) or 1.0
    before = {right: left for left, right in pairwise(epochs)}
    after = dict(pairwise(epochs))

    def gap(epoch: int) -> float:
        left, right = before.get(epoch, 0), after.get(epoch, last)
        return max((right - left) / max(last, 1), EARLY * (math.log1p(right) - math.log1p(left)) / whole)

    waiting = [(gap(epoch), epoch) for epoch in epochs if epoch not in spared]
    heapq.heapify(waiting)
    while waiting:
        width, epoch = heapq.heappop(waiting)
        if (now := gap(epoch)) > width:  # a neighbour has gone since
            heapq.heappush(waiting, (now, epoch))
            continue
        yield epoch
        left, right = before.pop(epoch, None), after.pop(epoch, None)
        if left is not None:
            after.pop(left) if right is None else after.update({left: right})
        if right is not None:
            before.pop(right) if left is None else before.update({right: left})


def _bytes(sizes: Mapping[int, int], but: Collection[int]) -> int:
    return sum(size for epoch, size in sizes.items() if epoch not in but)


def thin(run: Run, disk_mb: float, matter: Collection[int] = ()) -> Drops:
    """Delete what `choose` says of the run's directory; returns what was deleted.

    Raises:
        RecordError: a file cannot be deleted.
    """
    drops = choose(sizes(run.weights), sizes(run.resume_points), int(disk_mb * (1 << 20)), matter)
    for place, epochs in ((run.weights, drops.weights), (run.resume_points, drops.resume)):
        for epoch in epochs:
            path = file(place, epoch)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise RecordError(f"{path}: cannot be deleted ({error.strerror})") from None
    return drops


def sizes(place: Path) -> dict[int, int]:
    """Epoch -> bytes of the weights or resume points in a directory."""
    found = {}
    for path in place.glob("*.safetensors"):
        if path.stem.isdecimal():
            with suppress(FileNotFoundError):  # gone since it was listed: it takes no room
                found[int(path.stem)] = path.stat().st_size
    return found


def file(place: Path, epoch: int) -> Path:
    """The weights or the resume point of an epoch."""
    return place / f"{epoch:08d}.safetensors"


def _nearest(times: list[int], epoch: int) -> int:
    at = bisect_left(times, epoch)
    around = times[max(at - 1, 0) : at + 1]
    return min(around, key=lambda found: (abs(found - epoch), found))
