"""Notes: kept beside the recording by viewers, whoever trains the run and however many look."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from grok_tui import config, notes, runs
from grok_tui.errors import NoteError
from grok_tui.notes import Watch
from grok_tui.protocol import Event
from grok_tui.runs import Run
from grok_tui.state import RunState
from tests.ui import story


@pytest.fixture
def run() -> Run:
    return runs.create(config.preset("demo"))


def test_a_note_is_read_back_as_it_was_written(run: Run) -> None:
    late, early = notes.add(run, 6000, " the circuit is there — Δ = 3 "), notes.add(run, 200, "memorised")
    assert late.text == "the circuit is there — Δ = 3"
    assert notes.read(run) == [early, late]


def test_a_run_without_notes_has_none_and_no_file(run: Run) -> None:
    assert notes.read(run) == []
    assert not notes.path(run).exists()


def test_a_removal_is_a_line_and_the_note_is_gone(run: Run) -> None:
    first, second = notes.add(run, 1, "one"), notes.add(run, 2, "two")
    assert notes.remove(run, first.id[:5]) == first
    assert notes.read(run) == [second]
    assert len(notes.path(run).read_text().splitlines()) == 3
    with pytest.raises(NoteError, match="there is no note"):
        notes.remove(run, first.id)
    with pytest.raises(NoteError, match="there is no note ''"):
        notes.remove(run, "")


def test_another_text_is_a_line_and_the_note_stays_at_its_epoch(run: Run) -> None:
    first, second = notes.add(run, 1, "one"), notes.add(run, 2, "two")
    begun = notes.path(run).read_bytes()
    changed = notes.edit(run, first.id, " uno ")
    assert (changed.id, changed.epoch, changed.text) == (first.id, 1, "uno")
    assert notes.read(run) == [changed, second]
    assert notes.path(run).read_bytes().startswith(begun)
    with pytest.raises(NoteError, match="needs a text"):
        notes.edit(run, first.id, " ")
    notes.remove(run, first.id)
    with pytest.raises(NoteError, match="there no more"):
        notes.edit(run, first.id, "uno")
    assert notes.read(run) == [second]


def test_another_viewer_s_change_of_a_note_is_told_once(run: Run) -> None:
    watch, note = Watch(run), notes.add(run, 7, "seen")
    watch.look()
    changed = notes.edit(run, note.id, "seen again")
    assert watch.look() == [changed.event]
    assert watch.look() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs a text"),
        ("  \t ", "needs a text"),
        ("two\nlines", "one line without control characters"),
        ("\x1b[2Jgone", "one line without control characters"),
        ("\u202eesrever", "one line without control characters"),
        ("x" * 201, "200 letters at most; this one has 201"),
    ],
)
def test_what_cannot_be_a_note_is_refused_and_leaves_no_file(run: Run, text: str, why: str) -> None:
    with pytest.raises(NoteError, match=why):
        notes.add(run, 1, text)
    assert not notes.path(run).exists()


def test_a_torn_last_line_is_no_note_and_harms_no_other(run: Run) -> None:
    first = notes.add(run, 1, "one")
    with notes.path(run).open("ab") as file:
        file.write(b'{"id": "0badcafe", "epoch": 7, "te')
    assert notes.read(run) == [first]
    second = notes.add(run, 2, "two")
    assert notes.read(run) == [first, second]


def test_lines_that_say_nothing_are_skipped_and_counted(run: Run) -> None:
    first = notes.add(run, 1, "one")
    good = {"id": "abcd", "time": 1.0, "epoch": 3, "text": "fine"}
    bad: list[Any] = [
        [],
        "x",
        good | {"id": 7},
        good | {"epoch": "3"},
        good | {"epoch": -1},
        good | {"epoch": True},
        good | {"text": "\x1b[2J"},
        good | {"id": "no/path"},
    ]
    with notes.path(run).open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in [*bad, good | {"later": "field"}])
        file.write("not json\n\n")
    assert [note.text for note in notes.read(run)] == [first.text, "fine"]
    watch = Watch(run)
    watch.look()
    assert watch.note == f"notes.jsonl: {len(bad) + 1} lines cannot be read"


def _write_many(path: Path, name: str) -> None:
    for number in range(50):
        notes.add(Run(path), number, f"{name} {number} " + "x" * 150)


def test_two_viewers_write_at_once_and_nothing_is_lost(run: Run) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(run.path, name)) for name in ("one", "other")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(notes.read(run)) == 100
    assert len({note.id for note in notes.read(run)}) == 100


@pytest.mark.parametrize("how", ["half a line", "nothing at all", "not to the disk"])
def test_a_full_disk_leaves_the_notes_as_they_were(run: Run, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    first = notes.add(run, 1, "one")
    before = notes.path(run).read_bytes()
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if how == "half a line":
            return write(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    def unsafe(_fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        if how == "not to the disk":
            patch.setattr(os, "fsync", unsafe)
        else:
            patch.setattr(os, "write", full)
        with pytest.raises(NoteError, match="cannot be written"):
            notes.add(run, 2, "two")
    assert notes.path(run).read_bytes() == before
    assert notes.read(run) == [first]


def test_a_place_that_cannot_be_written_says_so_in_a_line(run: Run) -> None:
    notes.path(run).mkdir()  # as root, a directory without the right to write is no obstacle
    with pytest.raises(NoteError, match=r"notes\.jsonl: cannot be written \(Is a directory\)"):
        notes.add(run, 1, "one")
    watch = Watch(run)
    assert watch.look() == []
    assert "cannot be read" in watch.note


def test_another_viewer_s_notes_come_and_go_once(run: Run) -> None:
    watch = Watch(run)
    assert watch.look() == []
    note = notes.add(run, 7, "seen")
    assert watch.look() == [note.event]
    assert watch.look() == []
    notes.remove(run, note.id)
    (gone,) = watch.look()
    assert gone.data == {"id": note.id, "removed": True}
    assert watch.look() == []


def test_a_file_that_is_put_in_the_place_of_another_is_read_anew(run: Run) -> None:
    watch, note = Watch(run), notes.add(run, 7, "seen")
    watch.look()
    notes.path(run).unlink()
    (gone,) = watch.look()
    assert gone.data["id"] == note.id


def note_of(id: str, epoch: int, text: str, **more: object) -> Event:
    return Event(epoch, "note", text, 0.0, data={"id": id, **more})


def test_a_note_that_is_told_twice_is_one_and_one_that_is_gone_is_none() -> None:
    state = RunState()
    for frame in (*story.frames(1000), note_of("a", 100, "one"), note_of("b", 90, "two"), note_of("a", 100, "one")):
        state.apply(frame)
    assert [event.text for event in state.events if event.what == "note"] == ["two", "one"]
    before = state.happened
    state.apply(note_of("a", 100, "", removed=True))
    assert [event.text for event in state.events if event.what == "note"] == ["two"]
    assert state.happened != before


def test_a_note_takes_no_run_further() -> None:
    state = RunState()
    state.apply(note_of("a", 100, "one"))
    assert (state.epoch, state.state) == (0, "")


def test_the_moment_of_a_note_is_now_unless_it_is_said(run: Run) -> None:
    assert notes.moment(run, None) == 0
    assert notes.moment(run, 50) == 50, "nothing is known of how far it has come"
    run.write_state({"epoch": 300})
    assert notes.moment(run, None) == 300
    assert notes.moment(run, 120) == 120
    with pytest.raises(NoteError, match="has come to epoch 300: there is no epoch 301 yet"):
        notes.moment(run, 301)


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"id": "a", "epoch": 1, "text": "x", "time": 1' + b"0" * 400 + b"}"]
)
def test_a_line_that_no_viewer_wrote_ends_none(run: Run, line: bytes) -> None:
    notes.add(run, 6, "mine")
    with notes.path(run).open("ab") as file:
        file.write(line + b"\n")
    assert [note.text for note in notes.read(run) if note.text != "x"] == ["mine"]
