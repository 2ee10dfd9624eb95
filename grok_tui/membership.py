"""Of which sweep a run is a member: `sweep.json` in its directory. Runs are listed with it; sweeps are in `sweeps`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from grok_tui import lineage, paths

FILE = "sweep.json"

SWEEP = "sweep.toml"
"""What the sweep is, in a directory of its own."""

HEAD = 4096
"""Bytes of a sweep's file in which its id stands: before its tables."""


class Membership(NamedTuple):
    """Which sweep, and which member of it."""

    sweep: str
    """What the sweep was called when the run was made."""
    id: str
    """By which it is known whatever it is called."""
    number: int


def write(run_dir: Path, own: Membership) -> None:
    """Put it into the directory of a run that nobody sees yet.

    Raises:
        OSError: the disk would not take it.
    """
    text = json.dumps({"sweep": own.sweep, "id": own.id, "member": own.number})
    (run_dir / FILE).write_text(text + "\n", encoding="utf-8")


def read(run_dir: Path) -> Membership | None:
    """The membership in a run's directory; None where there is none, or none that this build can read."""
    try:
        found = json.loads((run_dir / FILE).read_text(encoding="utf-8"))
        own = Membership(str(found["sweep"]), str(found["id"]), int(found["member"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):  # most runs are of no sweep
        return None
    return own if lineage.proper(own.sweep) else None


def places(found: Iterable[Membership]) -> dict[str, Path]:
    """Id -> directory of each sweep of these members that there is, also of one that was renamed or is unreadable."""
    above = paths.home() / "sweeps"
    wanted = {own.id: above / own.sweep for own in found}
    there = {id: path for id, path in wanted.items() if (path / SWEEP).exists() and _id(path) in (id, "")}
    if len(there) < len(wanted):
        others = {_id(path): path for path in above.iterdir()} if above.is_dir() else {}
        there |= {id: others[id] for id in wanted if id not in there and id in others}
    return there


def _id(place: Path) -> str:
    """That of the sweep in a directory; empty where none can be read."""
    try:
        with (place / SWEEP).open("rb") as file:
            head = file.read(HEAD).decode(errors="replace")
        return str(tomllib.loads(head.partition("\n[")[0]).get("id", ""))
    except (OSError, ValueError, RecursionError):  # no sweep
        return ""
