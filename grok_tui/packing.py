"""One file with a run in it: `pack` writes it, `unpack` makes a run of it that can be replayed, branched and compared.

A pack is checked whole before anything of it becomes a run: what it may hold (`manifest`), every checksum,
and the content of each file (`inspection`). Nothing in it is executed, and what is refused leaves nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from grok_tui import __version__, files, inspection, manifest, paths, record, runs
from grok_tui import lineage as lineages
from grok_tui.errors import PackError, RecordError, RunError
from grok_tui.manifest import Manifest, Member
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run

Family = Literal["ancestors", "all", "none"]
"""Who comes along: ancestors with their recordings, so that ghosts are drawn; everybody whole; nobody."""

CHUNK = 1 << 20
HEAVY = ("weights", "resume")
"""Directories without which a run can be looked at and compared, and is computed again from epoch 0 when branched."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What `pack` has written."""

    file: Path
    size: int
    runs: tuple[str, ...]
    count: int
    """Files in it."""
    epoch: int
    """The last one that the run's recording has in it."""


def pack(
    run: Run, file: Path | None = None, *, weights: bool = True, family: Family = "ancestors", force: bool = False
) -> Packed:
    """Write a run into one file: a living one as it stands, consistently.

    Raises:
        ExchangeError: the file is there, or cannot be written; nothing is left of it.
        PackError, RecordError, RunError: the run cannot be packed.
    """
    file = file or Path(f"{run.name}{manifest.SUFFIX}")
    files.check({file: b""}, force=force)
    chosen = [run, *_family(run, family)]
    for each in chosen:
        if not manifest.proper(each.name):
            raise PackError(f"{each.name!r} has letters that not every machine has in names; rename its directory")
    members: list[Member] = []
    moments = {each.name: Moment(each) for each in chosen}

    def write(path: Path) -> None:
        members.clear()
        with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for each in chosen:
                whole = weights and (each is run or family == "all")
                members.extend(_put(archive, moments[each.name], whole))
            made = datetime.now(UTC).isoformat(timespec="seconds")
            listed = manifest.dump([each.name for each in chosen], members, __version__, made)
            archive.writestr(manifest.info(manifest.NAME), listed)

    files.write({file: write}, force=force)
    names = tuple(each.name for each in chosen)
    return Packed(file, file.stat().st_size, names, len(members), moments[run.name].epoch)


class Moment:
    """A run as it stands at one moment: a recording cut at a whole record, and nothing that is ahead of it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        _ = run.config  # not a run, or from a newer version
        alive = run.alive
        state = run.path / "state.json"
        self.state = state.read_bytes() if state.exists() else None  # first: it is not to be ahead either
        if not alive and (harm := record.damage(run.frames)):
            raise RecordError(harm)
        self.end = record.end_of_records(run.frames) if run.frames.exists() else 0
        if not self.end:
            raise RunError(f"{run.name} has recorded nothing yet")
        told, self.epoch = self._known()
        self.ledger = run.ledger.read_bytes() if run.ledger.exists() else b""
        self.ledger = self.ledger[: self.ledger.rfind(b"\n") + 1]
        if alive:  # its line is written before the record of what it did
            self.ledger = _upto(self.ledger, told)
        self._alive = alive

    def stored(self, folder: str) -> list[Path]:
        """The weights or resume points that are not ahead of the recording."""
        found = sorted((self.run.path / folder).glob("*.safetensors"))
        named = [path for path in found if manifest.allowed(f"{folder}/{path.name}", 0)]
        return [path for path in named if not self._alive or int(path.stem) <= self.epoch]

    def _known(self) -> tuple[int, int]:
        """The number of the last intervention that is recorded, and the epoch up to which there are losses."""
        told = epoch = position = 0
        while position < self.end:
            frames, position = record.read(self.run.frames, position, 4096)
            for frame in frames:
                if isinstance(frame, Event):
                    told, epoch = max(told, frame.seq), max(epoch, frame.epoch)
                elif isinstance(frame, Points) and len(frame.epochs):
                    epoch = max(epoch, int(frame.epochs[-1]) + ("train_loss" in frame.values))
        self.end = position  # a living run has grown meanwhile
        return told, epoch


def unpack(file: Path, name: str | None = None) -> list[Run]:
    """The runs that are in a pack, as runs of this machine: the one that was packed first, then its family.

    A name that is taken gets the next free number. Ancestors that are here already are not taken in again.

    Raises:
        PackError: the file is not whole, not what it says, hostile, or from a newer version; nothing is left.
        RunError: there is no place for it.
    """
    if name is not None and not manifest.proper(name):
        raise RunError(f"{name!r} is no name for a run: letters, digits, dots, dashes and underscores")
    place = paths.runs_dir()
    try:
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place) as hidden, ZipFile(file) as archive:
            found = manifest.load(archive)
            _room(place, found.size)
            _extract(archive, found, Path(hidden))
            for run in found.runs:
                _inspect(Run(Path(hidden) / run))
            return _settle(found, Path(hidden), name)
    except PackError as error:
        raise PackError(f"{file}: {error}") from None
    except OSError as error:
        raise RunError(f"{error.filename or place}: {error.strerror or error}; nothing was unpacked") from None
    except _BROKEN as error:
        raise PackError(f"{file}: not a whole pack ({error or type(error).__name__})") from None


_BROKEN = (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
"""What a zip that was cut short or changed may raise when it is read."""


def _family(run: Run, wanted: Family) -> list[Run]:
    """The ancestors, nearest first; and with all, every branch of any of them."""
    if wanted == "none":
        return []
    line: list[Run] = []
    above = runs.parent(run)
    while above is not None and above not in (run, *line):
        line.append(above)
        above = runs.parent(above)
    if wanted == "all":
        todo = [run, *line]
        while todo:
            fresh = [child for child in runs.children(todo.pop()) if child not in (run, *line)]
            line += fresh
            todo += fresh
    return line


def _born(run: Run) -> float:
    return lineages.born(run.path, run.frames)


def _put(archive: ZipFile, moment: Moment, whole: bool) -> Iterator[Member]:
    """Put the files of a run into the pack; yields them as they are there."""
    run = moment.run
    yield _bytes(archive, run, "ledger.jsonl", moment.ledger)
    if moment.state is not None:
        yield _bytes(archive, run, "state.json", moment.state)
    for name in ("VERSION", "config.toml", lineages.FILE, "notes.jsonl"):
        if (path := run.path / name).exists():
            data = _lineage(run) if name == lineages.FILE else path.read_bytes()
            yield _bytes(archive, run, name, data[: data.rfind(b"\n") + 1] if name == "notes.jsonl" else data)
    yield _copied(archive, run, "frames.bin", run.frames, moment.end)
    for path in sorted((run.path / "hindsight").glob("*.bin")):
        data = path.read_bytes()
        yield _bytes(archive, run, f"hindsight/{path.name}", data[: record.whole(data)])
    for folder in HEAVY if whole else ():
        for path in moment.stored(folder):
            with suppress(FileNotFoundError):  # thinned out at this moment
                yield _copied(archive, run, f"{folder}/{path.name}", path, path.stat().st_size)


def _lineage(run: Run) -> bytes:
    """With what the parent is called now: by that it is found in the pack."""
    own, above = run.lineage, runs.parent(run)
    if own is None or above is None or above.name == own.parent:
        return (run.path / lineages.FILE).read_bytes()
    return lineages.text(replace(own, parent=above.name)).encode()


def _bytes(archive: ZipFile, run: Run, name: str, data: bytes) -> Member:
    archive.writestr(manifest.info(f"{run.name}/{name}"), data, compresslevel=1)
    return Member(run.name, name, len(data), hashlib.sha256(data).hexdigest())


def _copied(archive: ZipFile, run: Run, name: str, path: Path, size: int) -> Member:
    """The first `size` bytes of a file."""
    digest, left = hashlib.sha256(), size
    member = f"{run.name}/{name}"
    info = manifest.info(member) if member.endswith(".safetensors") else member  # a name: packed as the archive is
    with path.open("rb") as source, archive.open(info, "w", force_zip64=size > 1 << 30) as target:
        while left and (data := source.read(min(CHUNK, left))):
            digest.update(data)
            target.write(data)
            left -= len(data)
    if left:
        raise RecordError(f"{path}: has become shorter while it was packed")
    return Member(run.name, name, size, digest.hexdigest())


def _upto(ledger: bytes, told: int) -> bytes:
    """The ledger without what the recording does not know of yet."""
    kept = []
    for line in ledger.splitlines(keepends=True):
        entry = json.loads(line)
        if entry["ok"] and entry["seq"] > told:
            break
        kept.append(line)
    return b"".join(kept)


def _room(place: Path, size: int) -> None:
    free = shutil.disk_usage(place).free
    if size > free:
        raise PackError(f"it takes {size / 1e6:,.0f} MB, and {place} has {free / 1e6:,.0f} left")


def _extract(archive: ZipFile, found: Manifest, hidden: Path) -> None:
    """Write each file that the manifest names, no longer than it says, and compare its checksum."""
    for member in found.members:
        path = hidden / member.run / member.file
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, left = hashlib.sha256(), member.size
        with archive.open(f"{member.run}/{member.file}") as source, path.open("xb") as target:
            while data := source.read(CHUNK):
                left -= len(data)
                if left < 0:
                    break
                digest.update(data)
                target.write(data)
        if left or digest.hexdigest() != member.sha256:
            raise PackError(f"{member.run}/{member.file} is not what its checksum says")


def _inspect(run: Run) -> None:
    try:
        inspection.inspect(run)
    except PackError as error:
        raise PackError(f"{run.name}: {error}") from None


def _settle(found: Manifest, hidden: Path, name: str | None) -> list[Run]:
    """Give each run its place, ancestors first, so that each child knows what its parent is called here."""
    called: dict[str, str] = {}
    placed: list[Run] = []
    main = found.runs[0]
    try:
        for packed in _elders_first(found, hidden):
            run = Run(hidden / packed)
            own = run.lineage
            wanted = name if name and packed == main else packed
            if own and (now := called.get(own.parent)) and now != own.parent:
                lineages.write(run.path, replace(own, parent=now))
                wanted = wanted.replace(f"{own.parent}.", f"{now}.", 1) if wanted == packed else wanted
            if packed != main and (here := _here(run)):
                called[packed] = here.name
                continue
            run = runs.adopt(run.path, wanted)
            called[packed] = run.name
            placed.append(run)
    except BaseException:
        for run in placed:
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    return sorted(placed, key=lambda run: run.name != called[main])


def _elders_first(found: Manifest, hidden: Path) -> list[str]:
    """Parents before their children."""
    order: list[str] = []

    def visit(run: str, above: tuple[str, ...]) -> None:
        own = Run(hidden / run).lineage
        if own and own.parent in found.runs and own.parent not in (run, *above):
            visit(own.parent, (run, *above))
        if run not in order:
            order.append(run)

    for run in found.runs:
        visit(run, ())
    return order


def _here(run: Run) -> Run | None:
    """The same run, where this machine has it already."""
    born = _born(run)
    return next((each for each in runs.listing() if born and abs(_born(each) - born) < 1e-5), None)
