from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgpack
import numpy as np
import pytest

from grok_tui import codec, record
from grok_tui.errors import RecordError
from grok_tui.protocol import Array, Stored
from grok_tui.record import Recorder
from tests.wire.wiring import event, hello, points, same

ROOT = Path(__file__).parent.parent.parent
STORY: list[Stored] = [hello(), event(0, "started"), points(0), Array(5, "alpha", np.arange(4.0)), points(13, 3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frames.bin"


def write(path: Path, frames: list[Stored]) -> list[int]:
    """Record `frames`; returns the position after each."""
    recorder = Recorder(path)
    ends = [recorder.append(frame).end for frame in frames]
    recorder.close()
    return ends


def raw_record(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload


def test_what_was_recorded_is_read_back(path: Path) -> None:
    ends = write(path, STORY)
    frames, position = record.read(path)
    assert same(frames, STORY)
    assert position == ends[-1] == path.stat().st_size


def test_a_record_is_its_length_its_checksum_and_its_payload(path: Path) -> None:
    write(path, STORY)
    assert path.read_bytes() == b"".join(raw_record(codec.pack(frame)) for frame in STORY)


def test_reading_goes_on_from_any_record_and_stops_at_a_limit(path: Path) -> None:
    ends = [0, *write(path, STORY)]
    for i, start in enumerate(ends):
        for limit in (1, 2, 100):
            frames, position = record.read(path, start, limit)
            assert same(frames, STORY[i : i + limit])
            assert position == ends[min(i + limit, len(STORY))]


def test_each_record_knows_its_place(path: Path) -> None:
    recorder = Recorder(path)
    first, second = recorder.append(STORY[0]), recorder.append(STORY[1])
    recorder.close()
    assert (first.start, first.end) == (0, second.start)
    assert path.read_bytes()[second.start + 8 : second.end] == second.frame == codec.pack(STORY[1])


def test_a_tail_torn_at_any_byte_is_left_out_and_then_cut_off(path: Path) -> None:
    *_, before, end = write(path, STORY)
    whole = path.read_bytes()
    for size in range(before, end):
        path.write_bytes(whole[:size])
        frames, position = record.read(path)
        assert same(frames, STORY[:-1])
        assert position == before
        assert record.damage(path) is None
        recorder = Recorder(path)
        assert (recorder.position, recorder.torn) == (before, size - before)
        recorder.append(STORY[-1])
        recorder.close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "tail",
    [bytes(8), bytes(5000), b"\xff" * 20, b"\x00\x00\x00\x05\x00\x00\x00\x00hello", Random(0).randbytes(300)],
    ids=["zeros", "many zeros", "ones", "a wrong checksum", "garbage"],
)
def test_a_tail_of_garbage_or_zeros_is_a_torn_tail(path: Path, tail: bytes) -> None:
    end = write(path, STORY)[-1]
    with path.open("ab") as file:
        file.write(tail)
    assert same(record.read(path), (STORY, end))
    assert record.damage(path) is None
    recorder = Recorder(path)
    assert (recorder.position, recorder.torn) == (end, len(tail))
    recorder.close()
    assert path.stat().st_size == end


def test_damage_before_the_end_is_said_and_not_written_over(path: Path) -> None:
    ends = write(path, STORY)
    data = bytearray(path.read_bytes())
    for spoilt in (ends[1], ends[1] + 5, ends[1] + 20):  # in the length, the checksum, the payload
        changed = bytearray(data)
        changed[spoilt] ^= 0x40
        path.write_bytes(changed)
        assert same(record.read(path), (STORY[:2], ends[1]))
        said = record.damage(path)
        assert said is not None
        assert f"damaged at byte {ends[1]:,}" in said
        assert record.damage(path, ends[1]) == said
        with pytest.raises(RecordError, match="damaged at byte"):
            Recorder(path)
        assert path.read_bytes() == changed


def test_a_newer_kind_of_frame_is_passed_over(path: Path) -> None:
    write(path, STORY[:2])
    with path.open("ab") as file:
        file.write(raw_record(msgpack.packb({"kind": "hologram", "depth": 3})))
    write(path, STORY[2:])
    frames, position = record.read(path)
    assert same(frames, STORY)
    assert position == path.stat().st_size


def test_a_whole_record_that_is_no_frame_is_an_error_of_one_line(path: Path) -> None:
    end = write(path, STORY)[-1]
    with path.open("ab") as file:
        file.write(raw_record(b"\x93\x01\x02\x03"))
    with pytest.raises(RecordError, match=f"the record at byte {end:,} is not a frame"):
        record.read(path)


def test_a_recording_that_is_not_there_yet_is_empty(path: Path) -> None:
    assert record.read(path) == ([], 0)
    assert record.read(path, 40) == ([], 40)
    assert record.damage(path) is None


def test_a_recording_that_cannot_be_opened_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        record.read(tmp_path)
    with pytest.raises(RecordError, match="cannot be written"):
        Recorder(tmp_path)


def test_a_frame_too_large_for_the_link_is_not_recorded(path: Path) -> None:
    recorder = Recorder(path)
    with pytest.raises(RecordError, match="is over"):
        recorder.append(Array(1, "huge", np.zeros(codec.MAX_FRAME // 8)))
    largest = Array(1, "large", np.zeros(codec.MAX_FRAME // 8 - 64))
    codec.whole_frames(codec.framed(codec.pack(recorder.append(largest))))
    recorder.close()


FILL = """
import resource, sys
from pathlib import Path
from random import Random
from grok_tui.errors import RecordError
from grok_tui.record import Recorder
from tests.wire.wiring import hello, points
recorder = Recorder(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
recorder.append(hello())
for epoch in range(0, 1000, 13):
    try:
        recorder.append(points(epoch))
    except RecordError as error:
        print(recorder.position, error)
        break
"""


def test_a_write_that_the_kernel_cuts_short_leaves_no_half_record(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    position, said = done.stdout.strip().split(" ", 1)
    assert said == f"{path}: cannot be written (File too large)"
    assert 2000 < path.stat().st_size == int(position) < 3000
    assert record.read(path)[1] == path.stat().st_size


def full_after(count: int) -> Callable[[int, bytes, int], int]:
    """A `pwrite` onto a disk with room for `count` more bytes."""
    room = count
    pwrite = os.pwrite

    def short(fd: int, data: bytes, offset: int) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = pwrite(fd, data[:room], offset)
        room -= done
        return done

    return short


def test_a_full_disk_leaves_whole_records_and_recording_goes_on_when_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(path)
    for frame in STORY[:3]:
        recorder.append(frame)
    before = recorder.position
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_after(20))
        with pytest.raises(RecordError, match="No space left on device"):
            recorder.append(STORY[3])
    assert path.stat().st_size == recorder.position == before
    for frame in STORY[3:]:
        recorder.append(frame)
    recorder.close()
    assert same(record.read(path)[0], STORY)


def test_a_disk_that_takes_little_at_a_time_gets_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:7], at))
    write(path, STORY)
    assert same(record.read(path)[0], STORY)


def test_a_finished_run_is_read_in_a_fraction_of_a_second(path: Path) -> None:
    recorder = Recorder(path)
    for epoch in range(0, 40_000, 13):
        recorder.append(points(epoch))
    recorder.close()
    took = []
    for _ in range(3):
        begun = time.process_time()
        frames, _ = record.read(path)
        took.append(time.process_time() - begun)
    assert len(frames) == 3077
    assert min(took) < 0.25, "60 ms on an idle core"
