"""A run as TensorBoard's event file, written here: the format is two frozen structures, the packages are heavy.

A file is a row of TFRecords, each a length, the bytes of an `Event` protobuf, and a masked CRC-32C of both.
Numbers are rounded to float32: TensorBoard 2.21's data server shows no doubles. The other formats have all digits.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from grok_tui.errors import ExchangeError
from grok_tui.export import made
from grok_tui.export.whole import Column, Whole

SUFFIX = ".grok-tui"
"""What the names of our event files end in."""

SCALAR, TENSOR, STRING = 1, 2, 7
"""TensorBoard's numbers for kinds of data."""

_FLOAT = bytes([2 << 3 | 5])
_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8


def place(whole: Whole, folder: Path, *, force: bool = False) -> Path:
    """The event file to write in `folder`, which is made when it is not there.

    Raises:
        ExchangeError: the folder has one already, or cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise ExchangeError(f"{folder} is a file; the name of a folder was expected")
    there = list(folder.glob(f"events.out.tfevents.*{SUFFIX}"))
    if there and not force:
        raise ExchangeError(f"{folder} has a run in it already; give another name, or --force to replace it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExchangeError(f"{folder}: cannot be made ({error.strerror})") from None
    begun = int(whole.state.events[0].time) if whole.state.events else 0
    return there[0] if there else folder / f"events.out.tfevents.{begun:010d}.{whole.run.name}{SUFFIX}"


def as_tensorboard(whole: Whole) -> bytes:
    """The content of the event file: every series, the events and how it was made as texts."""
    clock = Clock(whole)
    start = clock.at(0)
    version = record(_double(1, start) + _field(3, b"brain.Event:2"))
    how = "\n".join("    " + line for line in made.text(made.made(whole), indent=2).splitlines())
    return b"".join([version, _text(start, 0, "how/made", how), *_events(whole), *_points(whole, clock)])


class Clock:
    """When epochs were trained: the recording knows it of its events, and of others by what is between them."""

    def __init__(self, whole: Whole) -> None:
        found: list[tuple[int, float]] = []
        for event in whole.state.events:
            while found and found[-1][0] >= event.epoch:  # paused and trained on, or given up and trained again
                found.pop()
            if not found or event.time >= found[-1][1]:
                found.append((event.epoch, event.time))
        last = whole.state.epoch
        if found and found[-1][0] < last:
            found.append((last, max(found[-1][1], whole.run.frames.stat().st_mtime)))
        self._epochs, self._times = [epoch for epoch, _ in found], [time for _, time in found]

    def at(self, epoch: int) -> float:
        """Seconds since 1970; 0 where nothing is known."""
        if not self._epochs:
            return 0.0
        i = bisect_left(self._epochs, epoch)
        if i == 0 or i == len(self._epochs):
            return self._times[min(i, len(self._times) - 1)]
        (e0, e1), (t0, t1) = self._epochs[i - 1 : i + 1], self._times[i - 1 : i + 1]
        return t0 + (t1 - t0) * (epoch - e0) / (e1 - e0)


def tag(column: Column) -> str:
    """The name of a series there: grouped by reading, so that no two readings share a chart."""
    return f"{column.reading}/{column.info.name}"


def record(data: bytes) -> bytes:
    """`data` as a TFRecord."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def masked(data: bytes) -> int:
    """The CRC-32C of `data`, as TFRecords have it."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        found.append(byte)
    return tuple(found)


def _points(whole: Whole, clock: Clock) -> Iterator[bytes]:
    """An event for each epoch, with all that is known of it; in the order of the epochs."""
    values: dict[int, list[bytes]] = defaultdict(list)
    for column in whole.columns:
        keys = made.described(whole, column).get("keys", ())
        about = f"{column.reading}{''.join(f' {k}' for k in keys)}. {column.info.about}"
        name = _field(1, tag(column).encode())
        first = name + _field(9, _metadata("scalars", SCALAR, about))
        with np.errstate(over="ignore"):
            rounded = column.values.astype("<f4")
        for epoch, number in zip(column.epochs.tolist(), rounded, strict=True):
            values[epoch].append(_field(1, first + _FLOAT + number.tobytes()))
            first = name
    for epoch in sorted(values):
        yield _event(clock.at(epoch), epoch, b"".join(values[epoch]))


def _events(whole: Whole) -> Iterator[bytes]:
    """What happened, as texts in the order of the epochs."""
    for event in sorted(whole.state.events, key=lambda event: event.epoch):
        yield _text(event.time, event.epoch, f"events/{event.what}", event.text)


def _text(time: float, epoch: int, name: str, text: str) -> bytes:
    tensor = _int(1, STRING) + _field(2, b"") + _field(8, text.encode())
    value = _field(1, name.encode()) + _field(9, _metadata("text", TENSOR, "")) + _field(8, tensor)
    return _event(time, epoch, _field(1, value))


def _event(time: float, epoch: int, values: bytes) -> bytes:
    return record(_double(1, time) + _int(2, epoch) + _field(5, values))


def _metadata(plugin: str, kind: int, about: str) -> bytes:
    described = _field(3, about.encode()) if about else b""
    return _field(1, _field(1, plugin.encode())) + described + _int(4, kind)


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes, text, or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
