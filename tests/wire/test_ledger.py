from __future__ import annotations

import errno
import json
import math
import os
import time
from pathlib import Path

import pytest

from grok_tui import ledger
from grok_tui.errors import RecordError
from grok_tui.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def three(path: Path) -> list[ledger.Entry]:
    book = Ledger(path)
    assert book.append(10, "changed", True, "weight_decay 1 → 3", control="weight_decay", value=3.0, previous=1.0) == 1
    assert book.append(12, "set lr", False, "not finite", control="lr", value=math.nan) == 2
    assert book.append(40, "paused", True, "paused") == 3
    book.close()
    return book.entries


def test_entries_are_read_back_as_they_were_written(path: Path) -> None:
    written = three(path)
    assert ledger.read(path) == written
    assert written[0].data == {"control": "weight_decay", "value": 3.0, "previous": 1.0}
    assert abs(written[0].time - time.time()) < 60


def test_each_line_is_plain_json_even_for_values_that_json_lacks(path: Path) -> None:
    three(path)
    book = Ledger(path)
    book.append(41, "set lr", False, "no", value=b"\xff", other=[math.inf, {"deep": -math.inf}], fine=[1, None, "ü"])
    book.close()

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert lines[1]["value"] == "nan"
    assert (lines[3]["other"], lines[3]["fine"]) == (["inf", {"deep": "-inf"}], [1, None, "ü"])
    assert ledger.read(path)[3].data["value"] == "b'\\xff'"


def test_numbers_go_on_after_reopening(path: Path) -> None:
    three(path)
    book = Ledger(path)
    assert book.append(50, "continued", True, "continued") == 4
    book.close()
    assert [entry.seq for entry in ledger.read(path)] == [1, 2, 3, 4]


def test_a_last_line_torn_at_any_byte_is_left_out_and_then_cut_off(path: Path) -> None:
    written = three(path)
    whole = path.read_bytes()
    before = whole.rfind(b"\n", 0, -1) + 1
    for size in range(before, len(whole)):
        path.write_bytes(whole[:size])
        assert ledger.read(path) == written[:2]
        book = Ledger(path)
        assert book.entries == written[:2]
        book.close()
        assert path.read_bytes() == whole[:before]


@pytest.mark.parametrize(
    "line", ["{}", "nonsense", "[1]", "", '{"seq": "1", "time": 1.0, "epoch": 0, "what": "", "ok": true, "text": ""}']
)
def test_a_line_that_is_no_entry_is_an_error_that_names_it(path: Path, line: str) -> None:
    three(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, lines[2], ""]))
    before = path.read_bytes()
    with pytest.raises(RecordError, match="line 2 is not an entry"):
        ledger.read(path)
    with pytest.raises(RecordError, match="line 2 is not an entry"):
        Ledger(path)
    assert path.read_bytes() == before


def test_an_entry_is_on_the_disk_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    three(path)
    assert len(synced) == 3
    assert synced[-1] == path.stat().st_size


def test_a_full_disk_leaves_the_ledger_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three(path)
    before = path.read_bytes()
    book = Ledger(path)
    pwrite = os.pwrite

    def short(fd: int, data: bytes, at: int) -> int:
        if len(data) < 30:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return pwrite(fd, data[:20], at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", short)
        with pytest.raises(RecordError, match="No space left on device"):
            book.append(50, "paused", True, "paused")
    assert path.read_bytes() == before
    assert book.append(51, "paused", True, "paused") == 4
    book.close()
    assert [entry.epoch for entry in ledger.read(path)] == [10, 12, 40, 51]


def test_no_ledger_is_an_empty_one(path: Path) -> None:
    assert ledger.read(path) == []
