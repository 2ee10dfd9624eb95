"""A file that only grows: whole lines or nothing, whatever the disk says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grok_tui.errors import RecordError
from grok_tui.growing import Growing


def lines(path: Path) -> int:
    """The bytes up to the last newline."""
    return path.read_bytes().rfind(b"\n") + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "grown"


def test_what_is_torn_is_cut_off_and_what_comes_stands_behind_what_is_whole(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr")
    file = Growing(path, lines)
    assert (file.position, file.torn) == (8, 3)
    file.extend(b"three\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


@pytest.mark.parametrize("refusing", ["pwrite", "fsync"])
def test_what_the_disk_does_not_take_is_not_there_and_the_next_stands_in_its_place(
    path: Path, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, pwrite = Growing(path, lines), os.pwrite
    file.extend(b"one\n", sync=True)
    room = [2, 0]

    def full(fd: int, data: bytes = b"", at: int = 0) -> int:
        if data and room[0]:
            return pwrite(fd, data[: room.pop(0)], at)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, refusing, full)
        with pytest.raises(RecordError, match="grown: cannot be written \\(No space left on device\\)"):
            file.extend(b"two\n", sync=True)
    assert path.read_bytes() == b"one\n"
    file.extend(b"three\n", sync=True)
    assert (path.read_bytes(), file.position) == (b"one\nthree\n", 10)
    file.close()


def test_a_file_that_cannot_be_opened_or_is_not_sound_is_named(path: Path) -> None:
    def damaged(path: Path) -> int:
        raise RecordError(f"{path}: damaged")

    with pytest.raises(RecordError, match="grown: damaged"):
        Growing(path, damaged)
    with pytest.raises(RecordError, match="cannot be written"):
        Growing(path / "no folder", lines)
