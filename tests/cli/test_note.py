"""`grok-tui note`: written, listed, taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grok_tui import notes
from tests.cli.test_cli import here, home, recorded

__all__ = ["home"]

Printed = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("home")


def test_a_note_is_written_listed_printed_and_taken_back(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    run = recorded(until=3000)
    first = here(monkeypatch, capsys, "note", run.name, "the weights begin to fall", "--epoch", "1200")
    assert first.returncode == 0
    id = re.fullmatch(rf"{run.name}: note (\w+) at epoch 1,200\n", first.stdout)
    assert id
    here(monkeypatch, capsys, "note", run.name, "now")
    listed = here(monkeypatch, capsys, "note", run.name).stdout.splitlines()
    assert listed[0].split() == ["id", "epoch", "written", "note"]
    assert listed[1].split()[:2] == [id[1], "1,200"]
    assert listed[1].endswith("the weights begin to fall")
    assert listed[2].split()[1] == "3,000"
    assert (
        "  epoch 1,200: ⚑ note: the weights begin to fall"
        in here(monkeypatch, capsys, "attach", run.name, "--once").stdout
    )
    gone = here(monkeypatch, capsys, "note", run.name, "--remove", id[1][:4])
    assert gone.stdout == f"{run.name}: note {id[1]} at epoch 1,200 is gone: the weights begin to fall\n"
    assert [note.text for note in notes.read(run)] == ["now"]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["a\x07b"], 1, "a note is one line without control characters"),
        (["late", "--epoch", "3001"], 1, "has come to epoch 3,000: there is no epoch 3,001 yet"),
        (["--epoch", "5"], 2, "it needs a text"),
        (["text", "--remove", "abc"], 2, "it goes with no text"),
        (["--remove", "abc"], 1, "there is no note 'abc'"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, arguments: list[str], code: int, why: str
) -> None:
    run = recorded(until=3000)
    done = here(monkeypatch, capsys, "note", run.name, *arguments)
    assert done.returncode == code
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert not notes.path(run).exists()


def test_a_run_without_notes_says_how_to_write_one(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    run = recorded()
    assert here(monkeypatch, capsys, "note", run.name).stdout.startswith(f"{run.name} has no notes; write one with")


def test_a_place_that_cannot_be_written_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, home: Path
) -> None:
    run = recorded()
    notes.path(run).mkdir()
    done = here(monkeypatch, capsys, "note", run.name, "x")
    assert done.returncode == 1
    assert "notes.jsonl: cannot be written" in done.stderr
    assert str(home) in done.stderr
