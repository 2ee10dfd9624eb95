"""Frames to bytes and back. The only module that knows msgpack.

On a stream each frame is a 4-byte big-endian length and its payload. A payload is a msgpack map of the
frame's fields with its kind under "kind"; arrays travel as raw little-endian bytes with dtype and shape.
Nothing is ever executed: what is not a known kind becomes `Unknown`, what is not well-formed raises
`ProtocolError`.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from functools import cache, lru_cache
from typing import Any

import msgpack
import numpy as np

from grok_tui import facts, protocol
from grok_tui.errors import ProtocolError
from grok_tui.protocol import Frame

MAX_FRAME = 16 << 20
"""Bytes a viewer accepts in one frame: a p=499 heat map in float64 is 2 MB."""

MAX_COMMAND = 4 << 10
"""Bytes the trainer accepts in one command."""

SIGN, SIGN_AT = b"\xa4kind", 1
"""Every payload has these bytes at this place: its first key."""

_ARRAY = 1
_DTYPES = frozenset({"<f2", "<f4", "<f8", "<i2", "<i4", "<i8", "|u1", "|b1"})
_Head = tuple[np.dtype[Any], tuple[int, ...], int]
_SHORT = 7
_KINDS: dict[str, type[Any]] = {
    cls.kind: cls
    for cls in (
        protocol.Hello,
        protocol.Points,
        protocol.Array,
        protocol.Event,
        protocol.Status,
        protocol.Recorded,
        protocol.Reply,
        protocol.SetControl,
        protocol.Order,
        protocol.Plan,
    )
}


def pack(frame: Frame) -> bytes:
    """The payload of `frame`, without its length.

    Raises:
        ProtocolError: its columns do not fit each other: what is written must be readable.
    """
    if isinstance(frame, protocol.Points):
        _check_columns(frame)
    fields = {"kind": frame.kind} | {f.name: getattr(frame, f.name) for f in dataclasses.fields(frame)}
    packed: bytes = msgpack.packb(fields, default=_default)
    return packed


def unpack(payload: bytes | memoryview) -> Frame:
    """The frame in `payload`.

    Raises:
        ProtocolError: it is not a frame.
    """
    try:
        raw = msgpack.unpackb(payload, ext_hook=_ext_hook, strict_map_key=True, raw=False)
    except ProtocolError:
        raise
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise ProtocolError(f"not a frame: {type(error).__name__}: {error}") from None
    if not isinstance(raw, dict) or not isinstance(name := raw.get("kind"), str):
        raise ProtocolError("not a frame: a map with a kind was expected")
    if (cls := _KINDS.get(name)) is None:
        return protocol.Unknown(name[:40])
    frame: Frame = _build(cls, raw)
    if isinstance(frame, protocol.Points):
        _check_columns(frame)
    elif isinstance(frame, protocol.Event):
        _check_event(frame)
    return frame


def framed(payload: bytes) -> bytes:
    """`payload` as it goes on a stream: its length first."""
    return len(payload).to_bytes(4, "big") + payload


def whole_frames(data: bytes | bytearray, limit: int = MAX_FRAME) -> tuple[list[bytes], int]:
    """Split a stream into the payloads it holds; returns them and how many bytes they took.

    Raises:
        ProtocolError: a frame announces more than `limit` bytes.
    """
    payloads: list[bytes] = []
    at = 0
    while len(data) - at >= 4:
        length = int.from_bytes(data[at : at + 4], "big")
        if length > limit:
            raise ProtocolError(f"a frame of {length:,} bytes is over the limit of {limit:,}")
        if len(data) - at - 4 < length:
            break
        payloads.append(bytes(data[at + 4 : at + 4 + length]))
        at += 4 + length
    return payloads, at


def _default(value: object) -> object:
    if isinstance(value, np.ndarray):
        array = np.asarray(value, dtype=value.dtype.newbyteorder("<"), order="C")
        if array.dtype.str not in _DTYPES:
            raise TypeError(f"arrays of {value.dtype} do not travel in frames")
        head: bytes = msgpack.packb((array.dtype.str, array.shape))
        return msgpack.ExtType(_ARRAY, head + array.tobytes())
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} does not travel in frames")


def _ext_hook(code: int, data: bytes) -> object:
    if code != _ARRAY:
        return None
    dtype, shape, start = _short_head(data[:_SHORT]) or _head(data)
    if len(data) - start != math.prod(shape) * dtype.itemsize:
        raise ProtocolError("an array whose bytes do not fill its shape")
    flat = np.frombuffer(data, dtype, offset=start)
    return flat if len(shape) == 1 else flat.reshape(shape)


def _head(data: bytes) -> _Head:
    """The dtype and shape of a packed array, and where its values begin."""
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    unpacker.feed(data)
    head = unpacker.unpack()
    if not (isinstance(head, list) and len(head) == 2 and isinstance(head[1], list)):
        raise ProtocolError("an array without its dtype and shape")
    dtype, shape = head
    if dtype not in _DTYPES or len(shape) > 4 or not all(type(n) is int and n >= 0 for n in shape):
        raise ProtocolError("an array of an unknown dtype or shape")
    return np.dtype(dtype), tuple(shape), unpacker.tell()


@lru_cache(1024)
def _short_head(start: bytes) -> _Head | None:
    """The head of a column of fewer than 128 values: nearly all are, and reading it again takes most of the time."""
    column = len(start) == _SHORT and start[:2] == b"\x92\xa3" and start[5] == 0x91 and start[6] < 0x80
    return _head(start) if column else None


@cache
def _fields(cls: type[Any]) -> tuple[tuple[str, Any, bool, str], ...]:
    """(name, type, required, what errors call it) of each field of `cls`."""
    hints = typing.get_type_hints(cls)
    return tuple(
        (
            f.name,
            hints[f.name],
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
            f"{cls.__name__}.{f.name}",
        )
        for f in dataclasses.fields(cls)
    )


@cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a generic annotation is of: (tuple, (SeriesInfo, ...))."""
    return typing.get_origin(hint), typing.get_args(hint)


def _build(cls: Any, raw: object) -> Any:
    """A `cls` from a map; fields that it does not have are skipped, those that it lacks keep their defaults."""
    if not isinstance(raw, dict):
        raise ProtocolError(f"{cls.__name__}: a map was expected")
    values = {}
    for name, hint, required, where in _fields(cls):
        if name in raw:
            values[name] = _checked(hint, raw[name], where)
        elif required:
            raise ProtocolError(f"{where} is missing")
    return cls(**values)


def _checked(hint: Any, value: Any, where: str) -> Any:
    """`value`, if it is of the annotated type."""
    if hint is Any or type(value) is hint:
        return value
    if hint is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise ProtocolError(f"{where}: too large for a float") from None
    origin, args = _parts(hint)
    if origin is np.ndarray:
        if isinstance(value, np.ndarray):
            return value
    elif origin is tuple and isinstance(value, list):
        return tuple(_checked(args[0], item, where) for item in value)
    elif origin is dict and isinstance(value, dict):
        return {_checked(args[0], key, where): _checked(args[1], item, where) for key, item in value.items()}
    elif dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value)
    raise ProtocolError(f"{where}: {type(value).__name__} where {getattr(hint, '__name__', hint)} was expected")


def _check_columns(points: protocol.Points) -> None:
    epochs = points.epochs
    if epochs.dtype != np.int64 or epochs.ndim != 1:
        raise ProtocolError("Points.epochs: one column of int64 was expected")
    if len(epochs) and (epochs[0] < 0 or (len(epochs) > 1 and (epochs[1:] <= epochs[:-1]).any())):
        raise ProtocolError("Points.epochs: 0 or more, and increasing, was expected")
    for name, column in points.values.items():
        if column.dtype != np.float64 or column.shape != epochs.shape:
            raise ProtocolError(f"Points.{name[:40]}: {len(epochs)} float64 values were expected")


def _check_event(event: protocol.Event) -> None:
    if not facts.moment(event.time):
        raise ProtocolError(f"an event at a time that there is not: {event.time!r:.40}")
    if reason := facts.wrong(event.what, event.data):
        raise ProtocolError(f"an event that cannot be acted on: {reason}")
