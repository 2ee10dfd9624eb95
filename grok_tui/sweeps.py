"""Sweeps: directories that say which runs make up a grid, and how each stands. The runs themselves are runs.

`sweeps/NAME/sweep.toml` is written by the one who makes the sweep and then only by its runner, beside and
renamed. Each member's run says in a file of its own which sweep it belongs to, before anybody sees the run:
so a runner that is killed between the two never makes a second run of one member.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from grok_tui import config as configs
from grok_tui import files, grids, holding, membership, paths
from grok_tui.config import Config
from grok_tui.errors import ConfigError, RunError
from grok_tui.grids import Axis, Place
from grok_tui.membership import Membership
from grok_tui.runs import Run
from grok_tui.toml_files import read_tables

VERSION = 1

DONE = frozenset({"finished", "ended"})
"""How a member stands that needs nothing more; ended: by the sweep's condition, before its last epoch."""


@dataclass(frozen=True, slots=True)
class Member:
    """One place of the grid, and what became of it."""

    place: Place
    run: str = ""
    """Its run's name; empty before it has one."""
    state: str = "waiting"
    """waiting, running, finished, ended, stopped, cut off, or failed."""
    why: str = ""
    """How it failed, in one line."""

    @property
    def number(self) -> int:
        """From 1."""
        return self.place.number

    @property
    def done(self) -> bool:
        """It needs nothing more."""
        return self.state in DONE

    @property
    def ahead(self) -> bool:
        """Its runner has more to do with it."""
        return self.state in ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Options:
    """How the members are trained; 0 and "" leave it to the machine."""

    device: str = "auto"
    threads: int = 0
    jobs: int = 0
    """Processes at a time."""
    stack: int = 0
    """Models in a process that share each step."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in `sweep.toml`."""

    id: str
    base: Config
    axes: tuple[Axis, ...]
    members: tuple[Member, ...]
    options: Options = field(default_factory=Options)

    @property
    def seed_axis(self) -> int | None:
        """Which axis is the seed."""
        return next((i for i, axis in enumerate(self.axes) if axis.label == grids.SEED), None)

    def config(self, member: Member) -> Config:
        """A member's whole configuration."""
        return configs.override(self.base, member.place.changes)

    def with_member(self, member: Member) -> Contents:
        """The same with one member standing otherwise."""
        members = tuple(member if other.number == member.number else other for other in self.members)
        return replace(self, members=members)


@dataclass(frozen=True)
class Sweep:
    """One sweep's directory."""

    path: Path

    @property
    def name(self) -> str:
        """What users type."""
        return self.path.name

    @property
    def file(self) -> Path:
        """What the sweep is, and how its members stand."""
        return self.path / membership.SWEEP

    @property
    def log(self) -> Path:
        """What the runner printed."""
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        """Held by the living runner; its text is the process's number."""
        return self.path / "lock"

    @property
    def alive(self) -> bool:
        """Its runner is at work."""
        return holding.held(self.lock)

    @property
    def pid(self) -> int:
        """The runner that took the lock last; 0 when none did."""
        try:
            text = self.lock.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):  # no runner has been here
            return 0
        return int(text) if text.isdecimal() else 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be its one runner, for the duration of the block.

        Raises:
            RunError: another is at work, or the directory cannot be written.
        """
        with holding.hold(
            self.lock, f"{os.getpid()}\n", lambda: f"{self.name} is being run already, by process {self.pid}"
        ):
            yield

    def read(self) -> Contents:
        """What it is and how it stands.

        Raises:
            RunError: the file is not a sweep's, or a newer version's.
        """
        found = read_tables(self.file, RunError)
        if not isinstance(version := found.get("version"), int) or version > VERSION:
            raise RunError(f"{self.file}: made by another grok-tui (version {version!r}; this one reads {VERSION})")
        try:
            return _contents(found, str(self.file))
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise RunError(f"{self.file}: not a sweep ({error})") from None

    def write(self, contents: Contents) -> None:
        """Replace the file at once and whole.

        Raises:
            RunError: the disk would not take it.
        """
        import tomli_w

        try:
            files.place(self.file, tomli_w.dumps(_tables(contents)).encode(), sync=True)
        except OSError as error:
            raise RunError(f"{self.file}: cannot be written ({error.strerror})") from None


def create(
    base: Config, axes: Sequence[Axis], places: Sequence[Place], options: Options, name: str | None = None
) -> Sweep:
    """A new sweep's directory, whole or not there at all. Starts nothing.

    Raises:
        RunError: it cannot be made, or there is one of that name.
    """
    parent = _parent()
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", name or f"{base.name}-sweep").strip("-.")[:60] or "sweep"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as hidden:
            beside = Sweep(Path(hidden) / "sweep")
            beside.path.mkdir()
            members = tuple(map(Member, places))
            beside.write(Contents(uuid.uuid4().hex, base, tuple(axes), members, options))
            return Sweep(_named(beside.path, parent, slug, not name))
    except OSError as error:
        raise RunError(f"{parent}: no sweep can be made there ({error.strerror})") from None


def find(name: str | None = None) -> Sweep:
    """The sweep of that name; the newest for None.

    Raises:
        RunError: there is none; names the nearest.
    """
    known = listing()
    if name is None:
        if not known:
            raise RunError("there are no sweeps yet; start one with grok-tui sweep --preset demo --seeds 3")
        return known[0]
    if (found := next((sweep for sweep in known if sweep.name == name), None)) is not None:
        return found
    near = difflib.get_close_matches(name, [sweep.name for sweep in known], 1, 0.5)
    raise RunError(
        f"there is no sweep {name!r}; " + (f"did you mean {near[0]!r}?" if near else "grok-tui sweep --list")
    )


def listing() -> list[Sweep]:
    """Every sweep, the newest first."""
    try:
        found = [Sweep(path) for path in _parent().iterdir() if not path.name.startswith(".")]
    except OSError:  # there are none yet
        return []
    return sorted((s for s in found if s.file.exists()), key=lambda sweep: (_made(sweep), sweep.name), reverse=True)


def mark(run: Run, contents: Contents, sweep: Sweep, member: Member) -> None:
    """Write into a run that nobody has seen yet which member it is."""
    membership.write(run.path, Membership(sweep.name, contents.id, member.number))


def member_of(run: Run) -> tuple[Sweep, Member]:
    """The sweep that a run is a member of, and the member.

    Raises:
        RunError: it is of none, or that is gone or cannot be read.
    """
    if (own := membership.read(run.path)) is None:
        raise RunError(f"{run.name} belongs to no sweep")
    if (path := membership.places([own]).get(own.id)) is None:
        raise RunError(f"{run.name} belongs to the sweep {own.sweep}, which is gone")
    sweep = Sweep(path)
    member = next((member for member in _read(sweep).members if member.number == own.number), None)
    if member is None:
        raise RunError(f"{sweep.name} has no member {own.number}, which {run.name} says that it is")
    return sweep, member


def run_of(contents: Contents, member: Member) -> Run | None:
    """A member's run; None before it has one, or when it was deleted, also if another run has its name now."""
    if not member.run:
        return None
    run = Run(paths.home() / "runs" / member.run)
    own = membership.read(run.path)
    return run if own is not None and (own.id, own.number) == (contents.id, member.number) else None


def _read(sweep: Sweep) -> Contents:
    """As `Sweep.read`, once as long as its file is the same: a listing asks for each of its members.

    Raises:
        RunError: as there.
    """
    try:
        status = sweep.file.stat()
    except OSError:
        return sweep.read()
    found = _written(sweep, (status.st_mtime_ns, status.st_ino, status.st_size))
    if isinstance(found, RunError):
        raise RunError(str(found))
    return found


@lru_cache(maxsize=8)
def _written(sweep: Sweep, _file: tuple[int, int, int]) -> Contents | RunError:
    """What a file says, or why it says nothing: 20 ms for 200 members."""
    try:
        return sweep.read()
    except RunError as error:
        return error


def _parent() -> Path:
    return paths.home() / "sweeps"


def _made(sweep: Sweep) -> float:
    """When the directory was renamed into place: nothing in it is older."""
    try:
        return min(path.stat().st_mtime for path in (sweep.path / "made", sweep.file) if path.exists())
    except (OSError, ValueError):
        return 0.0


def _named(beside: Path, parent: Path, slug: str, numbered: bool) -> Path:
    (beside / "made").write_text(f"{time.time()}\n", encoding="utf-8")
    number = 1
    while True:
        path = parent / (f"{slug}-{number}" if numbered else slug)
        try:
            return beside.rename(path)  # fails on any directory that has something in it
        except OSError:
            if not path.exists():
                raise
            if not numbered:
                raise RunError(f"there is a sweep {slug!r} already; grok-tui sweep {slug} opens it") from None
        number += 1


def _tables(contents: Contents) -> dict[str, Any]:
    return {
        "version": VERSION,
        "id": contents.id,
        "options": asdict(contents.options),
        "axes": [{"label": a.label, "keys": list(a.keys), "values": list(a.values)} for a in contents.axes],
        "members": [
            {
                "number": m.number,
                "at": list(m.place.at),
                "changes": dict(m.place.changes),
                "run": m.run,
                "state": m.state,
                "why": m.why,
            }
            for m in contents.members
        ],
        "config": configs.to_tables(contents.base),
    }


def _contents(tables: Mapping[str, Any], source: str) -> Contents:
    axes = tuple(Axis(str(a["label"]), tuple(a["keys"]), tuple(map(str, a["values"]))) for a in tables["axes"])
    members = tuple(
        Member(
            Place(int(m["number"]), tuple(map(int, m["at"])), tuple((k, str(v)) for k, v in m["changes"].items())),
            str(m["run"]),
            str(m["state"]),
            str(m["why"]),
        )
        for m in tables["members"]
    )
    known = {name: value for name, value in tables["options"].items() if name in Options.__dataclass_fields__}
    base = configs.from_tables(tables["config"], source)
    return Contents(str(tables["id"]), base, axes, members, Options(**known))
