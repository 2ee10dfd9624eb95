"""Each field of each file of a run with small wrong values: no command ends in a traceback."""

from __future__ import annotations

import dataclasses
import json
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from click import ClickException
from click.testing import CliRunner

from grok_tui import branches, codec, inspection, ledger, membership, notes, paths, record, removal, runs
from grok_tui.cli import cli
from grok_tui.errors import GrokTuiError
from grok_tui.ledger import Ledger
from grok_tui.protocol import Array, Event, Hello, Points, Stored
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.share import planted
from tests.ui import story

pytestmark = pytest.mark.usefixtures("own_home")

ODD: tuple[Any, ...] = (None, "", "../x", -1, 1e300, float("nan"), [], {}, 10**12, 10**400, "x" * 5000, "\x1b[2J\x07")

SOME: tuple[Any, ...] = (None, "../x", -1, 1e300, [], 10**400, "\x1b[2J\x07")

CONFIGURED: tuple[Any, ...] = ("", -1, 10**400, float("nan"), "x" * 5000, [])

NOTHING: tuple[Any, ...] = ({},)

DONE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("planned", {"id": 1, "line": "at 150: set weight_decay 2"}),
    ("changed", {"control": "weight_decay", "value": 3.0, "previous": 1.0, "by": 1, "part": 0}),
    ("scheduled", {"control": "lr", "value": 0.1, "previous": 0.1, "schedule": "set lr linear 0.1 -> 0.2 over 50"}),
    ("branch", {"changes": {"lr": 0.002}, "owed": True, "by": 1, "part": 1}),
    ("fired", {"id": 1}),
    ("amiss", {"wish": 9, "child": "x"}),
    ("continued", {"until": "at 300"}),
)

RUN = "nanda113-1"
CHILD = f"{RUN}.1"


@pytest.fixture
def run() -> Run:
    """A run in which all was done that leaves a trace, with a branch that is a member of a sweep."""
    run = planted.run(60, ((10, "weight_decay", 3.0),), weights=(0, 60), resume=(40,))
    book = Ledger(run.ledger)
    told: list[Stored] = []
    for what, data in DONE:
        told.append(Event(60, what, what, story.BEGIN, book.append(60, what, True, what, **data), data))
    book.close()
    phase = {"phase": "circuit_formation", "placed": 58, "confirmed": 60}
    planted.record(run, [*told, Event(60, "phase", "circuit formation", story.BEGIN, data=phase)])
    notes.add(run, 12, "the loss turns")
    run.write_state(
        {"epoch": 60, "state": "stopped", "time": 1.7e9, "rate": 1.5, "controls": {"lr": 0.1}, "values": {}}
    )
    child = branches.create(run, 50, {"weight_decay": 0.3}, [("training.epochs", "80")])
    child.write_state({"epoch": 50, "state": "stopped"})
    membership.write(child.path, membership.Membership("sweep-1", "abc", 2))
    return run


def commands(name: str) -> list[list[str]]:
    table = str(paths.home() / "table.csv")
    return [
        ["runs", "--tree"],
        ["attach", name, "--once"],
        ["compare", RUN, CHILD, "--once"],
        ["recipe", name],
        ["export", name, table, "--force"],
        ["note", name],
        ["plan", name],
        ["prune", "--keep-mb", "0.0001"],
    ]


def fails(run: Run, only: tuple[str, ...] = ()) -> list[str]:
    """What went wrong when everything was done with a run that there is to do with it; nothing should."""
    trouble = []
    for words in commands(run.name):
        if only and words[0] not in only:
            continue
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        error = done.exception
        text = str(error) if isinstance(error, GrokTuiError | ClickException) else ""
        if (error is not None and not text and not isinstance(error, SystemExit)) or len(text) > 500:
            trouble.append(f"{words[0]}: {error!r:.200}")
        if not all(letter.isprintable() or letter in "\n\t" for letter in done.output + text):
            trouble.append(f"{words[0]} shows {done.output + text!r:.200}")
    for doing in (lambda: branches.create(run, 40), lambda: removal.check([run])) if not only else ():
        try:
            made: object = doing()
            if isinstance(made, Run):
                shutil.rmtree(made.path)
        except GrokTuiError:
            pass  # one line, as above
    return trouble


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a table of tables."""
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*at, key))


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else there."""
    if not at:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[at[0]] = put(value[at[0]], at[1:], new)
    return copied


def accepted(run: Run) -> bool:
    """Whether a pack of it would be unpacked."""
    said = ""
    try:
        inspection.inspect(run)
    except GrokTuiError as error:
        said = str(error)
    assert len(said) < 500
    assert said.isprintable()
    return not said


@pytest.mark.parametrize(
    ("name", "file", "only"),
    [
        (CHILD, "lineage.json", ("runs", "attach", "recipe", "prune")),
        (CHILD, "sweep.json", ("runs",)),
        (RUN, "state.json", ("runs", "attach", "note")),
    ],
)
def test_a_table_with_an_odd_value_ends_no_command(run: Run, name: str, file: str, only: tuple[str, ...]) -> None:
    found = Run(run.path.with_name(name))
    good = json.loads((found.path / file).read_text())
    for at in places(good):
        for odd in ODD:
            (found.path / file).write_text(json.dumps(put(good, at, odd)))
            assert fails(Run(found.path), only) == [], (at, odd)


def test_a_line_of_the_ledger_with_an_odd_value_ends_no_command_and_is_not_unpacked_if_it_is_acted_on(run: Run) -> None:
    lines = run.ledger.read_text().splitlines()
    for number, line in enumerate(lines):
        good = json.loads(line)
        common = ("seq", "time", "epoch", "what", "ok", "text")
        for at in [at for at in places(good) if number == 0 or (at and at[0] not in common)]:
            for odd in SOME:
                changed = json.dumps(put(good, at, odd))
                run.ledger.write_text("\n".join([*lines[:number], changed, *lines[number + 1 :], ""]))
                if accepted(run):
                    assert fails(run, ("recipe", "plan", "export")) == [], (good["what"], at, odd)
                else:
                    assert fails(run, ("recipe", "plan")) == [], (good["what"], at, odd)


def test_a_note_with_an_odd_value_ends_no_command(run: Run) -> None:
    good = json.loads(notes.path(run).read_text())
    for at in places(good):
        for odd in ODD:
            notes.path(run).write_text(json.dumps(put(good, at, odd)) + "\n")
            assert fails(run, ("note", "attach")) == [], (at, odd)


def test_a_configuration_with_an_odd_value_ends_no_command(run: Run) -> None:
    file = run.path / "config.toml"
    good = json.loads(json.dumps(dataclasses.asdict(run.config)))
    for at in places(good):
        for odd in CONFIGURED:
            if at:
                file.write_text(tomli_w.dumps(put(good, at, odd)))
                assert fails(Run(run.path), ("runs", "recipe")) == [], (at, odd)


def rewritten(run: Run, frames: list[Stored]) -> None:
    """Record something else, also what no recorder would take."""
    run.frames.unlink()
    recorder = Recorder(run.frames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_check_columns", lambda _points: None)
        for frame in frames:
            recorder.append(frame)
    recorder.close()


def test_a_recorded_event_with_an_odd_value_ends_no_command(run: Run) -> None:
    frames = record.read(run.frames)[0]
    for number, frame in enumerate(frames):
        if not isinstance(frame, Event):
            continue
        odd: list[Stored] = [dataclasses.replace(frame, time=time) for time in (-1.0, 1e300, float("nan"))]
        for name in frame.data:
            odd += [dataclasses.replace(frame, data=frame.data | {name: new}) for new in SOME[:5]]
            odd.append(dataclasses.replace(frame, data={k: v for k, v in frame.data.items() if k != name}))
        for new in odd:
            rewritten(run, [*frames[:number], new, *frames[number + 1 :]])
            if accepted(run):
                assert fails(run, ("attach", "compare", "export")) == [], new
            else:
                assert fails(run, ("attach",)) == [], new


STRANGE: tuple[Stored, ...] = (
    Points(np.array([], np.int64), {"test_loss": np.array([])}),
    Points(np.array([-5]), {"test_loss": np.array([1.0])}),
    Points(np.array([2**62]), {"train_loss": np.array([1.0])}),
    Points(np.array([5, 5, 4]), {"test_loss": np.array([1.0, 2.0, 3.0])}),
    Points(np.array([61]), {"x" * 5000: np.array([1.0])}),
    Points(np.array([61]), {"\x1b[2J": np.array([1.0])}),
    Points(np.array([61]), {"test_loss": np.array([-1e300]), "test_accuracy": np.array([1e300])}),
    Array(61, "key_frequencies", np.array([1.5, np.nan])),
    Array(61, "key_frequencies", np.array([-1, 10**9])),
    Array(61, "fourier_W_E", np.zeros(())),
    Array(61, "fourier_W_E", np.zeros((2, 0))),
    Array(61, "alpha", np.full(56, np.inf)),
    Array(-1, "alpha", np.zeros((2, 2, 2, 2))),
)


@pytest.mark.parametrize("number", range(len(STRANGE)))
def test_a_recorded_frame_that_no_trainer_writes_ends_no_command(run: Run, number: int) -> None:
    frame = STRANGE[number]
    rewritten(run, [*record.read(run.frames)[0], frame])
    accepted(run)
    assert fails(run) == []


def test_a_greeting_with_an_odd_value_ends_no_command(run: Run) -> None:
    hello, *frames = record.read(run.frames)[0]
    assert isinstance(hello, Hello)
    for name, value in (("config", hello.config), ("machine", hello.machine)):
        for at in places(value):
            for odd in SOME[:3] if at else NOTHING:
                tables: dict[str, Any] = {name: put(value, at, odd)}
                rewritten(run, [dataclasses.replace(hello, **tables), *frames[:40]])
                assert fails(run, ("attach",)) == [], (at, odd)


def test_tensors_that_are_none_and_names_that_no_trainer_gives_end_no_command(run: Run) -> None:
    file = run.weights / "00000060.safetensors"
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    for at in places(header):
        for odd in ODD:
            text = json.dumps(put(header, at, odd)).encode()
            file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
            assert not accepted(run) or odd in ([], {}, 60), (at, odd)
    file.write_bytes(data)
    for stem in ("999999999", "-1", "9" * 30, "²", "٣" * 8):
        shutil.copy(file, copy := run.weights / f"{stem}.safetensors")
        assert fails(run, ("attach", "prune")) == [], stem
        runs.children(branches.create(run, 60))
        copy.unlink()


@pytest.mark.parametrize("damage", [lambda entry: entry | {"time": 1e300}, lambda entry: entry | {"value": None}])
def test_a_ledger_that_cannot_be_read_is_named_with_its_line(
    run: Run, damage: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    first, *others = run.ledger.read_text().splitlines()
    run.ledger.write_text("\n".join([json.dumps(damage(json.loads(first))), *others, ""]))
    with pytest.raises(GrokTuiError, match=r"ledger\.jsonl: line 1 is not an entry of a ledger"):
        ledger.read(run.ledger)
    done = CliRunner().invoke(cli, ["recipe", run.name], standalone_mode=False)
    assert "line 1 is not an entry" in str(done.exception)
    assert Path(run.path).is_dir()
