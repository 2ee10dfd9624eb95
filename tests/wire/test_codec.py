from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grok_tui import codec, facts
from grok_tui.errors import ProtocolError
from grok_tui.protocol import (
    Array,
    ArrayInfo,
    Catalogue,
    ControlInfo,
    Event,
    Frame,
    Hello,
    Order,
    Points,
    Recorded,
    Reply,
    SeriesInfo,
    SetControl,
    Status,
    Unknown,
)
from tests.wire.wiring import hello, points, same

whole = st.integers(-(2**63), 2**63 - 1)
number = st.floats(width=64)
text = st.text(max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | whole | number | text | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
table = st.dictionaries(text, plain, max_size=4)
arrays = hnp.arrays(
    st.sampled_from(["<f4", "<f8", "<i4", "<i8", "|u1", "|b1"]), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)
)


@st.composite
def columns(draw: st.DrawFn) -> Points:
    n = draw(st.integers(0, 9))
    values = st.dictionaries(text, hnp.arrays(np.float64, n), max_size=4)
    epochs = sorted(draw(st.sets(st.integers(0, 1 << 62), min_size=n, max_size=n)))
    return Points(np.array(epochs, np.int64), draw(values))


catalogues = st.builds(
    Catalogue,
    st.lists(st.builds(SeriesInfo, text, text, text, st.booleans(), text, text), max_size=3).map(tuple),
    st.lists(st.builds(ArrayInfo, text, text, text, text), max_size=3).map(tuple),
    st.lists(st.builds(ControlInfo, text, text, number, number, number, text), max_size=3).map(tuple),
)
frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Hello, whole, text, text, table, table, whole, catalogues),
    columns(),
    st.builds(Array, whole, text, arrays),
    st.builds(Event, whole, text, text, st.floats(0, facts.LATEST), whole, table),
    st.builds(Status, whole, text, number, st.dictionaries(text, number, max_size=3), whole),
    st.builds(Recorded, whole, whole, st.binary(max_size=50)),
    st.builds(Reply, whole, st.booleans(), whole, text),
    st.builds(SetControl, whole, text, plain),
    st.builds(Order, whole, text),
)


def raw(**fields: Any) -> bytes:
    packed: bytes = msgpack.packb(fields)
    return packed


@given(frames)
@settings(max_examples=200, deadline=None)
def test_every_frame_comes_back_as_it_was(frame: Frame) -> None:
    assert same(codec.unpack(codec.pack(frame)), frame)


@given(frames)
@settings(max_examples=50, deadline=None)
def test_every_payload_carries_the_sign_by_which_records_are_found_again(frame: Frame) -> None:
    assert codec.pack(frame)[codec.SIGN_AT :].startswith(codec.SIGN)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    with suppress(ProtocolError):
        codec.unpack(data)


@given(frames, st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_frames_are_frames_or_protocol_errors(frame: Frame, data: st.DataObject) -> None:
    payload = bytearray(codec.pack(frame))
    for _ in range(data.draw(st.integers(1, 4))):
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip":
                payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
            case "cut" if len(payload) > 1:
                del payload[data.draw(st.integers(1, len(payload) - 1)) :]
            case _:
                at = data.draw(st.integers(0, len(payload)))
                payload[at:at] = data.draw(st.binary(max_size=6))
    with suppress(ProtocolError):
        codec.unpack(bytes(payload))


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
@settings(max_examples=100, deadline=None)
def test_a_stream_cut_anywhere_gives_the_same_payloads(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(codec.framed, payloads))
    cut = data.draw(st.integers(0, len(stream)))
    before, taken = codec.whole_frames(stream[:cut])
    after, rest = codec.whole_frames(stream[taken:])
    assert before + after == payloads
    assert taken + rest == len(stream)


def test_an_announced_length_over_the_limit_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(ProtocolError, match="over the limit of 4,096"):
        codec.whole_frames((4097).to_bytes(4, "big"), codec.MAX_COMMAND)
    assert codec.whole_frames((4096).to_bytes(4, "big"), codec.MAX_COMMAND) == ([], 0)


def test_a_newer_peers_kind_is_unknown_and_its_new_fields_are_skipped() -> None:
    assert codec.unpack(raw(kind="hologram", depth=3)) == Unknown("hologram")
    assert codec.unpack(raw(kind="order", id=1, name="pause", urgency=9)) == Order(1, "pause")


def test_a_field_that_an_older_peer_lacks_has_its_default() -> None:
    assert codec.unpack(raw(kind="event", epoch=1, what="x", text="y", time=2)) == Event(1, "x", "y", 2.0, 0, {})


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        raw(),
        raw(kind=7),
        raw(kind="order", id=1),
        raw(kind="order", id="1", name="pause"),
        raw(kind="order", id=True, name="pause"),
        raw(kind="order", id=1, name="pause") + b"\x00",
        raw(kind="status", epoch=1, state="running", rate="fast", controls={}, position=0),
        raw(kind="status", epoch=1, state="running", rate=1.0, controls={"lr": None}, position=0),
        raw(kind="status", epoch=1, state="running", rate=10**19, controls=[], position=0),
        raw(kind="hello", protocol=1, run="r", version="0", config=3, machine={}, epochs=1, catalogue={}),
        raw(kind="hello", protocol=1, run="r", version="0", config={}, machine={}, epochs=1, catalogue={"series": [1]}),
        raw(kind="points", epochs=[1, 2], values={}),
        raw(kind="array", epoch=1, name="a", values=b"bytes"),
        msgpack.packb([["kind", "order"]]),
        b"\x91" * 5000,
    ],
)
def test_what_is_not_of_the_announced_type_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        codec.unpack(payload)


@pytest.mark.parametrize(
    "head",
    [
        ("<f8", [3]),
        ("<f8", [-1]),
        ("<f8", [True]),
        ("<f8", [2**62, 2**62]),
        ("<f8", [0, 2**62]),
        ("<f8", [1] * 5),
        ("O", [1]),
        ("|V8", [1]),
        ([], [1]),
        ("<f8", 1),
        (1, 2, 3),
        None,
    ],
)
def test_an_array_that_lies_about_itself_is_refused(head: Any) -> None:
    values = msgpack.ExtType(1, msgpack.packb(head) + bytes(8))
    with pytest.raises(ProtocolError):
        codec.unpack(raw(kind="array", epoch=1, name="a", values=values))


@pytest.mark.parametrize(
    ("epochs", "column"),
    [
        (np.arange(3), np.zeros(2)),
        (np.arange(3), np.zeros(3, np.float32)),
        (np.arange(3, dtype=np.int32), np.zeros(3)),
        (np.arange(4).reshape(2, 2), np.zeros((2, 2))),
        (np.array([5, 5, 6]), np.zeros(3)),
        (np.array([7, 6]), np.zeros(2)),
        (np.array([-1, 0]), np.zeros(2)),
    ],
)
def test_columns_that_do_not_fit_each_other_are_neither_written_nor_read(epochs: Any, column: Any) -> None:
    with pytest.raises(ProtocolError):
        codec.pack(Points(epochs, {"x": column}))
    array = codec._default
    packed = msgpack.packb({"kind": "points", "epochs": epochs, "values": {"x": column}}, default=array)
    with pytest.raises(ProtocolError):
        codec.unpack(packed)


def test_an_array_is_not_taken_where_a_table_or_a_list_belongs() -> None:
    values = msgpack.ExtType(1, msgpack.packb(("<f8", [1])) + bytes(8))
    catalogue = {"series": values}
    for payload in (
        raw(kind="status", epoch=1, state="running", rate=1.0, controls=values, position=0),
        raw(kind="hello", protocol=1, run="r", version="0", config={}, machine={}, epochs=1, catalogue=catalogue),
    ):
        with pytest.raises(ProtocolError):
            codec.unpack(payload)


def test_arrays_of_any_layout_arrive_little_endian_and_contiguous() -> None:
    big = np.arange(12, dtype=">f8").reshape(3, 4).T[::2]
    arrived = codec.unpack(codec.pack(Array(1, "a", big)))
    assert isinstance(arrived, Array)
    assert arrived.values.dtype.str == "<f8"
    np.testing.assert_array_equal(arrived.values, big)


def test_arrays_that_nobody_could_read_are_not_written() -> None:
    with pytest.raises(TypeError, match="complex128 do not travel"):
        codec.pack(Array(1, "a", np.zeros(2, np.complex128)))


def test_a_frame_of_thirty_series_is_as_compact_as_its_numbers() -> None:
    columns = {f"s{i:02}": np.random.default_rng(i).random(13) for i in range(30)}
    numbers = 31 * 13 * 8
    assert len(codec.pack(Points(np.arange(13), columns))) < 1.2 * numbers


def test_a_recorded_frame_is_carried_unopened() -> None:
    inner = codec.pack(points(0))
    carried = codec.unpack(codec.pack(Recorded(10, 20, inner)))
    assert isinstance(carried, Recorded)
    assert carried.frame == inner


def test_a_hello_with_its_catalogue_is_small() -> None:
    assert len(codec.pack(hello())) < 500


@pytest.mark.parametrize(
    ("what", "data", "said"),
    [
        ("changed", {"control": "lr"}, "changed without value"),
        ("changed", {"control": "lr", "value": "high"}, "changed with 'high' for value"),
        ("changed", {"control": "lr", "value": math.nan}, "changed with nan for value"),
        ("scheduled", {"control": "lr", "value": 1.0}, "scheduled without schedule"),
        ("fired", {"id": -1}, "fired with -1 for id"),
        ("planned", {"id": 1, "line": "\x1b[2J"}, "planned with .* for line"),
        ("branch", {"changes": {"lr": None}}, "branch with .* for changes"),
        ("branch", {"part": "../x"}, "branch with '../x' for part"),
    ],
)
def test_an_event_that_could_not_be_acted_on_is_not_read(what: str, data: dict[str, Any], said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        codec.unpack(codec.pack(Event(3, what, "", 1.0, 0, data)))
    assert codec.unpack(codec.pack(Event(3, "somebody's own", "", 1.0, 0, data)))


@pytest.mark.parametrize("time", [-1.0, math.nan, math.inf, 1e300])
def test_an_event_at_no_time_is_not_read(time: float) -> None:
    with pytest.raises(ProtocolError, match="at a time that there is not"):
        codec.unpack(codec.pack(Event(3, "started", "", time)))
