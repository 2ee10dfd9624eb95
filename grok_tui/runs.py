"""Run directories: made, found, listed, and whether somebody is training in them."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from grok_tui import config as configs
from grok_tui import files, holding, paths
from grok_tui import lineage as lineages
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.lineage import Lineage
from grok_tui.protocol import RECORDING

NAMED = 4
"""Of a sweep's runs, so many are named at most."""


@dataclass(frozen=True)
class Run:
    """One run directory."""

    path: Path

    @property
    def name(self) -> str:
        """What users type."""
        return self.path.name

    @property
    def frames(self) -> Path:
        """The recording."""
        return self.path / "frames.bin"

    @property
    def ledger(self) -> Path:
        """What was done to the run."""
        return self.path / "ledger.jsonl"

    @property
    def log(self) -> Path:
        """What the trainer printed."""
        return self.path / "log.txt"

    @property
    def weights(self) -> Path:
        """The directory of weight snapshots."""
        return self.path / "weights"

    @property
    def resume_points(self) -> Path:
        """The directory of resume points."""
        return self.path / "resume"

    @property
    def lock(self) -> Path:
        """Held by the living trainer; its text names the process and its socket."""
        return self.path / "lock"

    @property
    def lock_sign(self) -> Path:
        """Stands there while the run is locked; `locks` puts it there."""
        return self.path / "LOCKED"

    @property
    def locked(self) -> bool:
        """Its owner wants nothing about it changed."""
        return self.lock_sign.exists()

    @property
    def socket(self) -> Path:
        """Where the trainer listens: where the one that took the lock last says, for environments differ."""
        return Path(named) if (named := self._lock_line(1)) else paths.socket_path(self.path)

    @property
    def pid(self) -> int:
        """The process that took the lock last; 0 when none did."""
        return int(found) if (found := self._lock_line(0)).isdecimal() else 0

    @property
    def started(self) -> float:
        """When it was last started or resumed, in seconds since 1970."""
        for path in (self.lock, self.path / "config.toml", self.path):
            if path.exists():
                return path.stat().st_mtime
        return 0.0

    @cached_property
    def config(self) -> Config:
        """The frozen configuration.

        Raises:
            RunError: the directory is not a run, or from a newer version.
        """
        check(self.path)
        try:
            return configs.load(self.path / "config.toml")
        except GrokTuiError as error:
            raise RunError(str(error)) from None

    @cached_property
    def lineage(self) -> Lineage | None:
        """Of which run it is a branch; None for one that was started by itself."""
        return lineages.read(self.path)

    @property
    def problem(self) -> str | None:
        """One line on why the directory cannot be used as a run; None when it can."""
        try:
            _ = self.config
        except RunError as error:
            return str(error)
        return None

    @property
    def state(self) -> dict[str, Any]:
        """How the run stood when the trainer last said so; empty when it never did."""
        try:
            found = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # absent, or not ours: then nothing is known
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def alive(self) -> bool:
        """Somebody is training in it now."""
        return holding.held(self.lock)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one trainer of this run, for the duration of the block; says where it will listen.

        Raises:
            RunError: another trainer has it, or the directory cannot be written.
            LinkError: there is no private place for its socket.
        """
        text = f"{os.getpid()}\n{paths.socket_path(self.path)}\n"
        with holding.hold(self.lock, text, lambda: f"{self.name} is being trained already, by process {self.pid}"):
            yield

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Keep every trainer out of a run that has none, for the duration of the block; nothing says so afterwards.

        Raises:
            RunError: somebody is training in it, or the directory cannot be written.
        """
        new, started = not self.lock.exists(), self.started
        try:
            fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if new:  # it is not started by that
                os.utime(fd, (started, started))
        except OSError as error:
            raise RunError(f"{self.lock}: cannot be written ({error.strerror})") from None
        try:
            if not holding.taken(fd):
                raise RunError(f"{self.name} is being trained, by process {self.pid}")
            yield
        finally:
            os.close(fd)

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace what `state` returns, at once and whole. NaN and infinities become null.

        Raises:
            RunError: the disk is full, or the directory cannot be written.
        """
        path = self.path / "state.json"
        try:
            files.place(path, json.dumps(_finite(state), allow_nan=False).encode() + b"\n")
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror})") from None

    def _lock_line(self, number: int) -> str:
        try:
            lines = self.lock.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):  # no trainer has been here
            return ""
        return lines[number] if number < len(lines) else ""


def create(config: Config, fill: Callable[[Run], None] | None = None, parent: Run | None = None) -> Run:
    """A new run directory for `config`, named after its preset or its `parent`: whole, or not there at all.

    `fill` puts things into it before anybody sees it; when it raises, nothing is left.

    Raises:
        RunError: it cannot be made.
    """
    place, stem = paths.runs_dir(), f"{parent.name}." if parent else f"{_slug(config.name)}-"
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place) as hidden:
            beside = Path(hidden) / f"{stem}{_first_free(place, stem)}"
            beside.mkdir()
            (beside / "VERSION").write_text(f"{RECORDING}\n", encoding="utf-8")
            (beside / "config.toml").write_text(configs.dump(config), encoding="utf-8")
            if fill is not None:
                fill(Run(beside))
            return Run(_rename_to_free(beside, place, stem))
    except OSError as error:
        raise RunError(f"{place}: no run can be made there ({error.strerror})") from None


def adopt(beside: Path, wanted: str) -> Run:
    """Move a whole run directory to where runs are, as `wanted`, or with the next free number when that is taken.

    Raises:
        OSError: it cannot be moved.
    """
    place = paths.runs_dir()
    path = place / wanted
    if not path.exists():
        try:
            beside.rename(path)
            return Run(path)
        except OSError:
            if not path.exists():
                raise
    numbered = re.fullmatch(r"(.+[-.])\d{1,9}", wanted)
    return Run(_rename_to_free(beside, place, numbered[1] if numbered else f"{wanted}-"))


def find(name: str | None = None) -> Run:
    """The run of that name, or in the directory at that path; the newest one for None.

    Raises:
        RunError: there is none (names the nearest), or it cannot be used.
    """
    if name is None:
        if (newest := next((run for run in listing() if run.problem is None), None)) is None:
            raise RunError("there are no runs yet; start one with grok-tui --preset demo")
        return newest
    path = Path(name).expanduser().absolute() if "/" in name or name in (".", "..") else _parent() / name
    path = Path(os.path.normpath(path))
    if not name or not path.is_dir():
        if told := _sweep(name):
            raise RunError(told)
        near = difflib.get_close_matches(name, [run.name for run in listing()], 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else "grok-tui runs lists them"
        raise RunError(f"there is no run {name!r}; {hint}")
    run = Run(path)
    check(run.path)
    return run


def _sweep(name: str) -> str:
    """Where a name is that of a sweep, that it is, and what its runs are called; else empty."""
    from grok_tui import sweeps  # which imports this module

    if (sweep := next((each for each in sweeps.listing() if each.name == name), None)) is None:
        return ""
    told = f"{name!r} is a sweep and no run; grok-tui sweep {name} opens it"
    try:
        contents = sweep.read()
    except RunError:  # opening it says why
        return told
    members = [run.name for member in contents.members if (run := sweeps.run_of(contents, member)) is not None]
    if len(members) > NAMED:
        return f"{told}; its {len(members)} runs are {', '.join(members[: NAMED - 1])}, … {members[-1]}"
    return f"{told}; its runs are {', '.join(members)}" if members else f"{told}; it has no runs"


def listing() -> list[Run]:
    """Every run directory, the last started first. Those that cannot be used say so in `problem`."""
    return sorted(_listed(_parent()), key=lambda run: (run.started, run.name), reverse=True)


def children(run: Run, among: Iterable[Run] | None = None) -> list[Run]:
    """The branches of a run, of all runs or of those `among` which to look, in the order of their numbers."""
    others = listing() if among is None else list(among)
    branches = [(other, other.lineage) for other in others if other.lineage]
    began = lineages.born(run.path, run.frames) if branches else 0.0
    found = [(other, own) for other, own in branches if own.is_of(began)]
    mine = [other for other, own in found if own.parent == run.name or parent(other, [run, *others]) == run]
    return sorted(mine, key=by_number)


def parent(run: Run, among: Sequence[Run] | None = None) -> Run | None:
    """The run that this one is a branch of, whatever it is called now: `among` others, or in the same directory."""
    if (own := run.lineage) is None:
        return None
    if among is None:
        named = Run(run.path.with_name(own.parent))
        if named.path.is_dir() and own.is_of(lineages.born(named.path, named.frames)):
            return named  # as nearly always: then the others need not be looked at
        among = _listed(run.path.parent)
    others = sorted((other for other in among if other.path != run.path), key=by_number)  # of copies, the first
    found = lineages.parent(
        own, [other.name for other in others], lambda i: lineages.born(others[i].path, others[i].frames)
    )
    return None if found is None else others[found]


def by_number(run: Run) -> tuple[list[int], str]:
    """What sorts runs by the numbers in their names: demo-1.9 before demo-1.10."""
    return [int(digits) for digits in re.findall(r"[0-9]{1,9}", run.name)], run.name


def check(path: Path) -> None:
    """Pass if this build can read the run in `path`.

    Raises:
        RunError: it is not a run, or from a newer version.
    """
    try:
        text = (path / "VERSION").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise RunError(f"{path}: not a run directory (it has no readable VERSION)") from None
    if not text.isascii() or not text.isdigit():
        raise RunError(f"{path}: not a run directory (its VERSION is {text[:20]!r})")
    if int(text) > RECORDING:
        raise RunError(f"{path}: made by a newer grok-tui (layout {int(text)}; this one reads up to {RECORDING})")


def _listed(place: Path) -> list[Run]:
    try:
        return [Run(path) for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:  # there are none yet
        return []


def _parent() -> Path:
    """Where runs are, made or not: looking needs no right to write."""
    return paths.home() / "runs"


def _slug(name: str) -> str:
    """`name` as it can be typed and as a directory."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:40] or "custom"


def _first_free(place: Path, stem: str) -> int:
    """The first number above all that `stem` has."""
    taken = [re.fullmatch(rf"{re.escape(stem)}(\d{{1,9}})", path.name) for path in place.iterdir()]
    return 1 + max((int(match[1]) for match in taken if match), default=0)


def _rename_to_free(beside: Path, place: Path, stem: str) -> Path:
    """Move `beside` to the first free number of `stem`; a rival's directory is never replaced."""
    number = _first_free(place, stem)
    while True:
        path = place / f"{stem}{number}"
        try:
            beside.rename(path)  # fails on any directory that has something in it, as every run has
            return path
        except OSError:
            if not path.exists():
                raise
        number += 1


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
