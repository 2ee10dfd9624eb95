"""The ledger: every command that a trainer carried out or refused, one JSON object per line.

It is the truth about what was done to a run: replaying it from a resume point reproduces the run. So each
line is on the disk before its command takes effect, and a line counts only once its newline is there.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grok_tui import facts
from grok_tui.errors import RecordError
from grok_tui.growing import Growing

_FIELDS = ("seq", "time", "epoch", "what", "ok", "text")


@dataclass(frozen=True, slots=True)
class Entry:
    """One command and what became of it."""

    seq: int
    """From 1, without gaps."""
    time: float
    """Seconds since 1970."""
    epoch: int
    """At which it took effect, or was refused."""
    what: str
    """As `protocol.Event.what`, or the name of the order that was refused."""
    ok: bool
    text: str
    """The same for the reader, in a few words; the reason when it was refused."""
    data: dict[str, Any] = field(default_factory=dict)
    """`control`, `value`, `previous` of a change, and the like."""


class Ledger(Growing):
    """The one writer of a ledger. A torn last line is cut off first."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, and make it when it is not there.

        Raises:
            RecordError: it cannot be opened, or a line before the last is not an entry.
        """
        self.entries: list[Entry] = []
        super().__init__(path, self._sound)

    def _sound(self, path: Path) -> int:
        self.entries, end = _parse(path)
        return end

    def append(self, epoch: int, what: str, ok: bool, text: str, **data: Any) -> int:
        """Write one entry through to the disk; returns its number.

        Raises:
            RecordError: the disk is full, or the file cannot be written for another reason. Nothing is left of it.
        """
        seq = self.entries[-1].seq + 1 if self.entries else 1
        entry = Entry(seq, time.time(), epoch, what, ok, text, _plain(data))
        self.extend(_line(entry), sync=True)
        self.entries.append(entry)
        return seq


def read(path: Path) -> list[Entry]:
    """The entries in the ledger at `path`, oldest first; none when there is no such file.

    Raises:
        RecordError: it cannot be read, or a line is not an entry.
    """
    return _parse(path)[0]


def write(path: Path, entries: Iterable[Entry]) -> None:
    """A new ledger of these entries, on the disk itself when this returns.

    Raises:
        OSError: the disk would not take it.
    """
    with path.open("xb") as file:
        file.writelines(map(_line, entries))
        file.flush()
        os.fsync(file.fileno())


def _line(entry: Entry) -> bytes:
    fields = {name: getattr(entry, name) for name in _FIELDS} | entry.data
    return json.dumps(fields, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _parse(path: Path) -> tuple[list[Entry], int]:
    """The entries and the position after the last of them."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    end = data.rfind(b"\n") + 1
    return [_entry(line, number, path) for number, line in enumerate(data[:end].splitlines(), 1)], end


def _entry(line: bytes, number: int, path: Path) -> Entry:
    try:
        fields = json.loads(line)
        known = {name: fields.pop(name) for name in _FIELDS}
        entry = Entry(**known, data=fields)
        kinds = (int, float, int, str, bool, str)
        typed = all(type(value) is kind for value, kind in zip(known.values(), kinds, strict=True))
        if typed and facts.moment(entry.time) and not (entry.ok and facts.wrong(entry.what, entry.data)):
            return entry
    except (ValueError, TypeError, KeyError, AttributeError):
        pass  # said below, as for a value of the wrong type
    raise RecordError(f"{path}: line {number} is not an entry of a ledger")


def _plain(value: Any) -> Any:
    """`value` as JSON has it: NaN, infinities and whatever else a command may carry become their text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)[:80]
