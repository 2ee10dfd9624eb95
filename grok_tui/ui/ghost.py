"""The run that another one branched from: found, known again, and kept as far as charts draw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grok_tui import lineage, runs
from grok_tui.errors import RunError
from grok_tui.protocol import Array, Frame
from grok_tui.runs import Run
from grok_tui.state import SMALL, RunState


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from."""

    parent: Run
    epoch: int
    """Up to which the parent's past is the run's own."""


def origin(place: str) -> Origin | None:
    """The parent of the run in a directory, which stands beside it; None for a run that is no branch. Blocks.

    Raises:
        RunError: the parent is gone, cannot be read or is not known, or another run has its name now.
    """
    path = Path(place)
    if (own := lineage.read(path)) is None:
        if trouble := lineage.broken(path):
            raise RunError(trouble)
        return None
    if (parent := runs.parent(Run(path))) is not None:
        runs.check(parent.path)
        return Origin(parent, own.epoch)
    if not (named := path.with_name(own.parent)).is_dir():
        raise RunError(f"{own.parent}, which {path.name} branched from, is gone: its curves cannot be shown")
    runs.check(named)
    raise RunError(f"{own.parent} is not the run that {path.name} branched from any more: it is not shown")


def points(place: str) -> tuple[int, ...]:
    """The epochs of the resume points that the run in a directory has now. Blocks."""
    stems = (path.stem for path in Run(Path(place)).resume_points.glob("*.safetensors"))
    return tuple(sorted(int(stem) for stem in stems if stem.isdecimal()))


class ParentState(RunState):
    """What is drawn behind its child: all but the maps, which have no curves and are most of a recording's size."""

    def apply(self, frame: Frame) -> None:
        if not (isinstance(frame, Array) and frame.values.size > SMALL):
            super().apply(frame)
