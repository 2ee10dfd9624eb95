"""Notes: what somebody wrote down about a moment of a run. In `notes.jsonl` in its directory, one JSON object per line.

Viewers write it, whether somebody trains the run or not; it is no intervention, and nothing that computes reads it.
The file only grows: each line is one write to its end, so that two viewers may write at once. Another text for a note
is a line with its id, and so is its removal. A line counts only once its newline is there; what is torn is skipped.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grok_tui.errors import NoteError
from grok_tui.protocol import Event
from grok_tui.runs import Run

WHAT = "note"
"""As `Event.what`."""

REMOVED = "removed"
"""In an event's data: the note of that id is gone."""

LONGEST = 200
"""Letters of a note: a line of a wide screen, or a few of a narrow one."""

BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what follows them, on the whole line of a terminal."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note."""

    id: str
    epoch: int
    text: str
    time: float
    """When it was written, in seconds since 1970."""

    @property
    def event(self) -> Event:
        """As a viewer takes it in."""
        return Event(self.epoch, WHAT, self.text, self.time, data={"id": self.id})

    @property
    def gone(self) -> Event:
        """As a viewer takes in that it is there no more."""
        return Event(self.epoch, WHAT, "", self.time, data={"id": self.id, REMOVED: True})


def path(run: Run) -> Path:
    """The file of a run's notes; absent while there are none."""
    return run.path / "notes.jsonl"


def wrong(text: str) -> str:
    """Why this cannot be a note; empty when it can."""
    if not text.strip():
        return "a note needs a text"
    if len(text.strip()) > LONGEST:
        return f"a note has {LONGEST} letters at most; this one has {len(text.strip())}"
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in BIDI for c in text.strip()):
        return "a note is one line without control characters"
    return ""


def moment(run: Run, epoch: int | None) -> int:
    """The epoch of a note: the one that was named, if the run has come so far, or the one that it is at.

    Raises:
        NoteError: the run has not come so far.
    """
    reached = run.state.get("epoch")
    now = reached if isinstance(reached, int) else 0
    if epoch is not None and reached is not None and epoch > now:
        raise NoteError(f"{run.name} has come to epoch {now:,}: there is no epoch {epoch:,} yet")
    return now if epoch is None else epoch


def add(run: Run, epoch: int, text: str) -> Note:
    """Write down `text` at an epoch; on the disk when this returns.

    Raises:
        NoteError: the text cannot be a note, the run has no such epoch, or the file cannot be written. Then there is
            no new note.
    """
    if reason := wrong(text):
        raise NoteError(reason)
    if epoch < 0:
        raise NoteError(f"epoch {epoch}: 0 or more was expected")
    return _write(run, Note(secrets.token_hex(4), epoch, text.strip(), time.time()))


def edit(run: Run, id: str, text: str) -> Note:
    """Give the note of that id another text; on the disk when this returns.

    Raises:
        NoteError: the text cannot be a note, the note is there no more, or the file cannot be written. Then it has
            the text that it had.
    """
    if reason := wrong(text):
        raise NoteError(reason)
    if (before := next((note for note in read(run) if note.id == id), None)) is None:
        raise NoteError(f"{run.name}: this note is there no more; somebody else has removed it")
    return _write(run, Note(id, before.epoch, text.strip(), time.time()))


def remove(run: Run, id: str) -> Note:
    """Take back the note of that id, or of the only one that begins so; returns it.

    Raises:
        NoteError: there is none, or the file cannot be written.
    """
    known = read(run)
    found = [note for note in known if note.id == id] or [note for note in known if id and note.id.startswith(id)]
    if len(found) != 1:
        what = f"{len(found)} notes begin with" if found else "there is no note"
        raise NoteError(f"{run.name}: {what} {id[:40]!r}; grok-tui note {run.name} lists them")
    _append(path(run), {"id": found[0].id, "time": time.time(), REMOVED: True})
    return found[0]


def read(run: Run) -> list[Note]:
    """The notes of a run, by epoch; none when there is no file.

    Raises:
        NoteError: the file cannot be read.
    """
    try:
        data = path(run).read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NoteError(f"{path(run)}: cannot be read ({error.strerror})") from None
    return _parse(data)[0]


def hand_down(run: Run, branch: Run, epoch: int) -> None:
    """Give a branch, which nobody sees yet, its parent's notes up to the epoch at which they part.

    Raises:
        NoteError: they cannot be read.
        OSError: the disk would not take them.
    """
    lines = [
        json.dumps({"id": note.id, "time": note.time, "epoch": note.epoch, "text": note.text}, ensure_ascii=False)
        for note in read(run)
        if note.epoch <= epoch
    ]
    if lines:
        path(branch).write_text("\n".join(lines) + "\n", encoding="utf-8")


class Watch:
    """Looks now and then whether notes have been added or removed, by whomever."""

    def __init__(self, run: Run) -> None:
        self._path = path(run)
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Note] = {}
        self.note = ""
        """One line on what cannot be read; empty when all is well."""

    def look(self) -> list[Event]:
        """What is new since the last look: an event for each note that is new, has another text or is gone."""
        try:
            status = self._path.stat()
            now = status.st_ino, status.st_size, status.st_mtime_ns
            if now == self._seen:
                return []
            found, bad = _parse(self._path.read_bytes())
        except FileNotFoundError:
            now, found, bad = None, [], 0
        except OSError as error:
            self.note = f"{self._path}: cannot be read ({error.strerror})"
            return []
        self._seen = now
        self.note = f"{self._path.name}: {bad} line{'s' * (bad > 1)} cannot be read" if bad else ""
        before, self._known = self._known, {note.id: note for note in found}
        gone = [note.gone for note in before.values() if note.id not in self._known]
        return gone + [note.event for note in found if before.get(note.id) != note]


def _write(run: Run, note: Note) -> Note:
    _append(path(run), {"id": note.id, "time": note.time, "epoch": note.epoch, "text": note.text})
    return note


def _append(path: Path, fields: dict[str, Any]) -> None:
    """One line at the end of the file, in one write, on the disk when this returns; or nothing."""
    line = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise NoteError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        with suppress(OSError):  # a file system without locks: two lines may then be torn together, and are skipped
            fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line  # behind what a crash has torn
        try:
            if os.write(fd, line) < len(line):
                raise OSError(28, "No space left on device")
            os.fsync(fd)
        except OSError:
            with suppress(OSError):  # a torn line is skipped, and the next note begins behind it
                os.ftruncate(fd, size)
            raise
    except OSError as error:
        raise NoteError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        os.close(fd)


def _parse(data: bytes) -> tuple[list[Note], int]:
    """The notes that stand, by epoch; and how many whole lines say nothing."""
    found: dict[str, Note] = {}
    bad = 0
    for line in data[: data.rfind(b"\n") + 1].splitlines():
        if not line.strip():
            continue
        fields = _fields(line)
        id = fields.get("id")
        if isinstance(id, str) and fields.get(REMOVED) is True:
            found.pop(id, None)
        elif (note := _note(fields)) is not None:
            found[note.id] = note
        else:
            bad += 1
    return sorted(found.values(), key=lambda note: (note.epoch, note.time)), bad


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):  # torn, or not ours
        return {}
    return fields if isinstance(fields, dict) else {}


def _note(fields: dict[str, Any]) -> Note | None:
    """The note of a line; None where it is none. The file may come from anywhere."""
    id, epoch, text, moment = (fields.get(name) for name in ("id", "epoch", "text", "time"))
    if not (isinstance(id, str) and isinstance(text, str) and type(epoch) is int and 0 <= epoch < 1 << 62):
        return None
    if not 0 < len(id) <= 40 or not id.isalnum() or wrong(text):
        return None
    if not (isinstance(moment, int | float) and abs(moment) < 1 << 62):  # NaN is not
        moment = 0.0
    return Note(id, epoch, text, float(moment))
