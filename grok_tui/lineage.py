"""Of which run a run is a branch: `lineage.json` in its directory."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from grok_tui import config as configs
from grok_tui import facts
from grok_tui.config import CONTROLS
from grok_tui.errors import ConfigError

FILE = "lineage.json"

MOST = 1 << 62
"""Whole numbers beyond it are nobody's epoch or time, and no float."""

LAST = int(configs.limits("training.epochs")["high"])
"""No run has an epoch after it."""

LONGEST = 4096
"""Letters of a text."""


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
    """The lineage in a run's directory; None where there is none, or none that can be one: see `broken`."""
    try:
        found = json.loads((run_dir / FILE).read_text(encoding="utf-8"))
        return _parse(found) if isinstance(found, dict) else None
    except (OSError, ValueError, TypeError, RecursionError):  # no branch, or a file that lacks something
        return None


def broken(run_dir: Path) -> str:
    """Why nobody knows of which run the one in a directory is a branch; empty where that is known, or it is none."""
    if read(run_dir) is not None or not (run_dir / FILE).exists():
        return ""
    return f"{run_dir.name}: its {FILE} cannot be read; of which run it is a branch is not known"


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


def _parse(found: dict[str, Any]) -> Lineage | None:
    """What a file says, if each field is one that a branch may have: the file may be somebody else's."""
    own = Lineage(**{each.name: found[each.name] for each in fields(Lineage) if each.name in found})
    whole = (
        proper(own.parent)
        and _whole(own.epoch, LAST)
        and all(map(facts.moment, (own.started, own.born)))
        and isinstance(own.changes, dict)
        and all(name in CONTROLS and _value(name, value) for name, value in own.changes.items())
        and isinstance(own.settings, dict)
        and all(_line(key) and _line(value) for key, value in own.settings.items())
        and _line(own.without)
        and _whole(own.asked, MOST)
    )
    return own if whole else None


def proper(text: object) -> bool:
    """Whether a run or a sweep may be called so: it is looked for where those are, and nowhere else."""
    if not isinstance(text, str) or not _line(text):
        return False
    return text != "" and text == Path(text).name and not text.startswith(".") and len(os.fsencode(text)) < 256


def _line(text: object) -> bool:
    """A text that can be shown: a terminal would obey others."""
    return isinstance(text, str) and text.isprintable() and len(text) <= LONGEST


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _value(control: str, value: object) -> bool:
    """Whether a control may have it."""
    try:
        configs.check(f"optimizer.{control}", value, control)
    except ConfigError:
        return False
    return True
