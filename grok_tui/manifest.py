"""What a packed run may hold: a zip of the files of one or more run directories, listed in its `manifest.json`.

Weights are stored as they are: deflate takes 7 % off them at 20 MB/s. Everything else is deflated. A zip can
be opened by hand on any machine, and a single member is read without the others.
"""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from grok_tui.errors import PackError
from grok_tui.protocol import RECORDING

FORMAT = "grok-tui pack"
PACK = 1
"""Raised when an older grok-tui could misread a pack."""

SUFFIX = ".grok"
NAME = "manifest.json"
MOST = 1 << 24
"""Bytes of a manifest: some 150 a file."""

FOLD = 200
"""How many times its packed size a file may have; real ones have 1 to 20, bombs 1,000."""

SLACK = 1 << 20
"""Bytes that may be packed more tightly than that."""

_RUN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_EPOCH = r"[0-9]{8,9}\.safetensors"
LIMITS = {
    "VERSION": 16,
    r"config\.toml": 1 << 16,
    r"lineage\.json": 1 << 16,
    r"state\.json": 1 << 20,
    r"ledger\.jsonl": 1 << 28,
    r"notes\.jsonl": 1 << 26,
    r"frames\.bin": None,
    r"hindsight/[0-9a-z-]{1,120}\.bin": None,
    rf"weights/{_EPOCH}": None,
    rf"resume/{_EPOCH}": None,
}
"""What a run in a pack may consist of, and bytes that each may have at most. Nothing else is written to disk."""

NEEDED = ("VERSION", "config.toml", "frames.bin")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a run."""

    run: str
    file: str
    """Its path in the run's directory."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says that it holds."""

    runs: tuple[str, ...]
    """By name: the one that was asked for first, then its family."""
    members: tuple[Member, ...]
    version: str
    """Of the grok-tui that packed it."""

    @property
    def size(self) -> int:
        """Bytes on disk when unpacked."""
        return sum(member.size for member in self.members)

    def of(self, run: str) -> list[Member]:
        """The files of one run."""
        return [member for member in self.members if member.run == run]


def dump(runs: list[str], members: list[Member], version: str, made: str) -> bytes:
    """The manifest as it stands in a pack."""
    files = {f"{member.run}/{member.file}": {"size": member.size, "sha256": member.sha256} for member in members}
    head = {"format": FORMAT, "pack": PACK, "layout": RECORDING, "grok_tui": version, "made": made}
    return json.dumps(head | {"runs": runs, "files": files}, indent=1).encode() + b"\n"


def load(archive: ZipFile) -> Manifest:
    """The manifest of a pack, found to be of this version, and to name just the files that the pack has.

    Raises:
        PackError: it is not; says what is wrong.
    """
    try:
        info = archive.getinfo(NAME)
        if info.file_size > MOST:
            raise PackError("its manifest is too large")
        with archive.open(info) as file:
            text = file.read(MOST + 1)
        found = json.loads(text)
    except KeyError:
        raise PackError("it has no manifest") from None
    except (ValueError, RecursionError):
        raise PackError("its manifest is not JSON") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise PackError("its manifest is not one of a packed run")
    _check_version(found)
    manifest = Manifest(_runs(found.get("runs")), tuple(_members(found.get("files"))), str(found.get("grok_tui"))[:40])
    _check_runs(manifest)
    _check_archive(archive, manifest)
    return manifest


def allowed(file: str, size: int) -> bool:
    """Whether a run may have such a file, of such a size."""
    for pattern, most in LIMITS.items():
        if re.fullmatch(pattern, file, re.ASCII):
            return most is None or size <= most
    return False


def proper(name: object) -> bool:
    """Whether a run may be called so."""
    return isinstance(name, str) and re.fullmatch(_RUN, name, re.ASCII) is not None


def info(member: str) -> ZipInfo:
    """How a file is put into the pack."""
    found = ZipInfo(member)
    found.compress_type = ZIP_STORED if member.endswith(".safetensors") else ZIP_DEFLATED
    found.external_attr = (stat.S_IFREG | 0o644) << 16
    return found


def _check_version(found: dict[str, Any]) -> None:
    for what, newest in (("pack", PACK), ("layout", RECORDING)):
        number = found.get(what)
        if type(number) is not int or number < 1:
            raise PackError(f"its manifest does not say which {what} it is")
        if number > newest:
            made = str(found.get("grok_tui"))[:20]
            raise PackError(f"made by a newer grok-tui {made} ({what} {number}; this one reads up to {newest})")


def _runs(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or len(found) > 1000 or len(set(map(str, found))) != len(found):
        raise PackError("its manifest names no runs")
    for name in found:
        if not proper(name):
            raise PackError(f"it names a run {str(name)[:40]!r}, which is no name of one")
    return tuple(found)


def _members(found: object) -> list[Member]:
    if not isinstance(found, dict):
        raise PackError("its manifest lists no files")
    members = []
    for name, known in found.items():
        run, _, file = name.partition("/")
        size, digest = (known.get("size"), known.get("sha256")) if isinstance(known, dict) else (None, None)
        if type(size) is not int or size < 0 or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise PackError(f"its manifest does not say how large {name[:60]!r} is, or its checksum")
        if not proper(run) or not allowed(file, size):
            raise PackError(f"{name[:60]!r} of {size:,} bytes is no file of a run")
        members.append(Member(run, file, size, digest))
    return members


def _check_runs(manifest: Manifest) -> None:
    for run in manifest.runs:
        lacking = [file for file in NEEDED if file not in {member.file for member in manifest.of(run)}]
        if lacking:
            raise PackError(f"{run} has no {lacking[0]}")
    strange = {member.run for member in manifest.members} - set(manifest.runs)
    if strange:
        raise PackError(f"it has files of {min(strange)}, which its manifest does not name")


def _check_archive(archive: ZipFile, manifest: Manifest) -> None:
    """Pass if the zip has the files of the manifest, plain ones of those sizes, and no others."""
    listed = {f"{member.run}/{member.file}": member.size for member in manifest.members}
    entries = [entry for entry in archive.infolist() if entry.filename != NAME]
    if len(archive.infolist()) != len(entries) + 1 or len({entry.filename for entry in entries}) != len(entries):
        raise PackError("a file is in it twice")
    for entry in entries:
        name = entry.filename
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if name != entry.orig_filename or name not in listed:
            raise PackError(f"it holds {name[:60]!r}, which its manifest does not name")
        if kind not in (0, stat.S_IFREG) or entry.is_dir():
            raise PackError(f"{name[:60]!r} is not a plain file")
        if entry.flag_bits & 1 or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise PackError(f"{name[:60]!r} is encrypted, or compressed in another way than packs are")
        if entry.file_size != listed[name]:
            raise PackError(f"{name[:60]!r} has another size than its manifest says")
        if entry.file_size > FOLD * entry.compress_size + SLACK:
            raise PackError(
                f"{name[:60]!r} would unpack to {entry.file_size // max(entry.compress_size, 1):,} times its size"
            )
    if lacking := set(listed) - {entry.filename for entry in entries}:
        raise PackError(f"it lacks {min(lacking)}")
