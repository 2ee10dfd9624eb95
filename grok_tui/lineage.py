"""Of which run a run is a branch: `lineage.json` in its directory."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

FILE = "lineage.json"

MOST = 1 << 62
"""Whole numbers beyond it are nobody's epoch or time, and no float."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a branch comes from, and what was done to it there."""

    parent: str
    """The parent's name."""
    epoch: int
    """Up to which the parent's past is the branch's own."""
    started: float
    """When the parent began, in seconds since 1970, to know it again: names may be given twice."""
    born: float = 0.0
    """When the branch was made: its own children know it by that."""
    changes: dict[str, float] = field(default_factory=dict)
    """Control -> value that it has from `epoch` on, where that is not the parent's."""
    settings: dict[str, str] = field(default_factory=dict)
    """Dotted key -> value of its configuration, where that is not the parent's."""
    without: str = ""
    """The parent's intervention that is left out, with all after it; empty when none is."""
    asked: int = 0
    """The parent's ledger entry that asked for it; 0 where somebody else made it."""

    def is_of(self, born: float) -> bool:
        """Whether a run of the parent's name that began then is the parent; times are kept to the microsecond."""
        return math.isclose(self.started, born, rel_tol=0, abs_tol=1e-5)


def read(run_dir: Path) -> Lineage | None:
    """The lineage in a run's directory; None where there is none, or none that this build can read."""
    try:
        found = json.loads((run_dir / FILE).read_text(encoding="utf-8"))
        parent, epoch, started = found["parent"], found["epoch"], found["started"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # no branch, or not ours
        return None
    if not (isinstance(parent, str) and parent.isprintable() and _whole(epoch) and _number(started)):
        return None
    born, without, asked = found.get("born"), found.get("without"), found.get("asked")
    changes, settings = (found.get(name) for name in ("changes", "settings"))
    return Lineage(
        parent,
        epoch,
        float(started),
        float(born) if _number(born) else 0.0,
        {_shown(k): float(v) for k, v in changes.items() if _number(v)} if isinstance(changes, dict) else {},
        {_shown(k): _shown(str(v)) for k, v in settings.items()} if isinstance(settings, dict) else {},
        _shown(without) if isinstance(without, str) else "",
        asked if _whole(asked) else 0,
    )


def write(run_dir: Path, lineage: Lineage) -> None:
    """Put it into the directory of a run that nobody sees yet.

    Raises:
        OSError: the disk would not take it.
    """
    (run_dir / FILE).write_text(text(lineage), encoding="utf-8")


def text(lineage: Lineage) -> str:
    """As `read` reads it."""
    return json.dumps(asdict(lineage), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def born(run_dir: Path, frames: Path) -> float:
    """When a run began: when it was branched off, or the time of its first event; 0 when neither is known."""
    if (own := read(run_dir)) is not None:
        return own.born
    try:
        made = (run_dir / "config.toml").stat()  # written once: another run of that name has another
    except OSError:
        return 0.0
    try:
        return _first_event(frames, made.st_ino, made.st_ctime_ns)
    except LookupError:
        return 0.0


@lru_cache(4096)
def _first_event(frames: Path, *_made: int) -> float:
    """The time of a recording's first event, which stays what it is. A millisecond, for each of a home's runs.

    Raises:
        LookupError: there is none yet, or a damaged run, which is nobody's parent that could be known again.
    """
    from grok_tui import record  # listing runs needs none of it
    from grok_tui.errors import RecordError
    from grok_tui.protocol import Event

    try:
        return next(frame.time for _, frame in record.each(frames) if isinstance(frame, Event))
    except (RecordError, StopIteration):
        raise LookupError(frames) from None


def parent(own: Lineage, names: Sequence[str], born: Callable[[int], float]) -> int | None:
    """Which of some runs is the parent: that of its name, if it began then; else, under another name, one that did."""
    named = [i for i, name in enumerate(names) if name == own.parent and own.is_of(born(i))]
    if named or not own.started:  # when the parent began was not known: then its name is all there is
        return named[0] if named else None
    return next((i for i in range(len(names)) if own.is_of(born(i))), None)


def _shown(text: str) -> str:
    """Without what a terminal would obey: the directory may be somebody else's."""
    return "".join(c for c in text if c.isprintable())


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < MOST if isinstance(value, int) else math.isfinite(value)
