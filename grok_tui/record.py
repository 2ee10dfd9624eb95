"""The recording: an append-only log of frames that survives whatever ends its writer.

Each record is a 4-byte big-endian length, the 4-byte CRC-32 of the payload, and the payload. A record that
was cut short by a kill or a full disk is a *torn tail*: normal, left out by readers and cut off by the next
writer. A bad record with whole ones after it is *damage*: readers stop there, and `damage` says so.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from grok_tui import codec
from grok_tui.errors import ProtocolError, RecordError
from grok_tui.growing import Growing
from grok_tui.protocol import Recorded, Stored, Unknown

MAX_PAYLOAD = codec.MAX_FRAME - 256
"""Bytes of a recorded frame: it must still fit into a frame when a `Recorded` is wrapped around it."""

_HEAD = 8
_KIND = 32
"""Bytes at a payload's start that name its kind."""


class Recorder(Growing):
    """The one writer of a recording. Whatever is torn at the end of the file is cut off first."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, and make it when it is not there.

        Raises:
            RecordError: it cannot be opened or is damaged before its end.
        """
        super().__init__(path, _sound)

    def append(self, frame: Stored) -> Recorded:
        """Write one record whole, or leave the file as it was.

        Raises:
            RecordError: the disk is full, or the file cannot be written for another reason.
        """
        payload = codec.pack(frame)
        if len(payload) > MAX_PAYLOAD:
            raise RecordError(f"{self.path}: a {frame.kind} of {len(payload):,} bytes is over {MAX_PAYLOAD:,}")
        start = self.position
        self.extend(_head(payload) + payload)
        return Recorded(start, self.position, payload)


def _sound(path: Path) -> int:
    """The bytes of the whole records; there is nothing else but a torn tail."""
    if harm := damage(path):
        raise RecordError(harm)
    return end_of_records(path)


def read(path: Path, start: int = 0, limit: int | None = None) -> tuple[list[Stored], int]:
    """The frames recorded from byte `start` on, at most `limit`, and the position after them.

    Stops before a torn record. Kinds that this build does not know count towards `limit` but are left out.

    Raises:
        RecordError: the file cannot be read, or holds a whole record that is no frame of this protocol.
    """
    frames: list[Stored] = []
    position = start
    records = 0
    try:
        with path.open("rb", buffering=1 << 18) as file:
            file.seek(start)
            while (limit is None or records < limit) and (payload := _next(file)) is not None:
                frame = codec.unpack(payload)
                if not isinstance(frame, Unknown):
                    frames.append(cast(Stored, frame))
                position += _HEAD + len(payload)
                records += 1
    except FileNotFoundError:
        return [], start
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    except ProtocolError as error:
        raise RecordError(f"{path}: the record at byte {position:,} is {error}") from None
    return frames, position


def each(path: Path) -> Iterator[tuple[bytes, Stored]]:
    """Each frame of a recording with its payload, so that it can stand in another one as it is.

    Stops before a torn record, and leaves out kinds that this build does not know.

    Raises:
        RecordError: as `read`.
    """
    try:
        with path.open("rb", buffering=1 << 18) as file:
            while (payload := _next(file)) is not None:
                frame = codec.unpack(payload)
                if not isinstance(frame, Unknown):
                    yield payload, cast(Stored, frame)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    except ProtocolError as error:
        raise RecordError(f"{path}: a record is {error}") from None


def write(path: Path, payloads: Iterable[bytes]) -> None:
    """A new recording of these payloads, on the disk itself when this returns.

    Raises:
        OSError: the disk would not take it.
    """
    with path.open("xb", buffering=1 << 20) as file:
        for payload in payloads:
            file.write(_head(payload))
            file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def skim(path: Path, kinds: Collection[str]) -> list[Stored]:
    """The frames of these kinds; the others are passed over unread, in a hundredth of the time.

    Raises:
        RecordError: as `read`.
    """
    frames: list[Stored] = []
    starts = tuple(bytes([0xA0 + len(kind)]) + kind.encode() for kind in kinds)
    try:
        with path.open("rb", buffering=1 << 18) as file:
            while (
                len(head := file.read(_HEAD)) == _HEAD
                and 0 < (length := int.from_bytes(head[:4], "big")) <= MAX_PAYLOAD
            ):
                start = file.read(min(length, _KIND))
                if not start[codec.SIGN_AT + len(codec.SIGN) :].startswith(starts):
                    file.seek(length - len(start), os.SEEK_CUR)
                    continue
                payload = start + file.read(length - len(start))
                if len(payload) < length or _head(payload) != head:
                    break
                frames.append(cast(Stored, codec.unpack(payload)))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from None
    except ProtocolError as error:
        raise RecordError(f"{path}: a record is {error}") from None
    return frames


def end_of_records(path: Path, start: int = 0) -> int:
    """The position after the last whole record that can be reached from `start`, a record's beginning."""
    with path.open("rb", buffering=1 << 18) as file:
        file.seek(start)
        while (payload := _next(file)) is not None:
            start += _HEAD + len(payload)
    return start


def whole(data: bytes) -> int:
    """How many bytes of a recording its whole records take, up to the first that is not."""
    at = 0
    while _whole(data, at):
        at += _HEAD + int.from_bytes(data[at : at + 4], "big")
    return at


def damage(path: Path, start: int = 0) -> str | None:
    """One line on what is wrong when whole records follow a bad one; None for a sound or merely torn file.

    `start` may be any position that `read` has returned.
    """
    try:
        end = end_of_records(path, start)
        with path.open("rb") as file:
            file.seek(end)
            rest = file.read()
    except OSError:
        return None
    at = rest.find(codec.SIGN)
    while at >= 0:
        begin = at - codec.SIGN_AT - _HEAD
        if begin > 0 and _whole(rest, begin):
            return f"{path}: damaged at byte {end:,}; the {len(rest):,} bytes from there on are not shown"
        at = rest.find(codec.SIGN, at + 1)
    return None


def _head(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big")


def _next(file: IO[bytes]) -> bytes | None:
    """The next whole payload; None at the end or before a bad record."""
    head = file.read(_HEAD)
    length = int.from_bytes(head[:4], "big")
    if len(head) < _HEAD or not 0 < length <= MAX_PAYLOAD:  # a hole of zeros has a matching checksum
        return None
    payload = file.read(length)
    return payload if len(payload) == length and _head(payload) == head else None


def _whole(data: bytes, at: int) -> bool:
    length = int.from_bytes(data[at : at + 4], "big")
    payload = data[at + _HEAD : at + _HEAD + length]
    return 0 < length == len(payload) and _head(payload) == data[at : at + _HEAD]
