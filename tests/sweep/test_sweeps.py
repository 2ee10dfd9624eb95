"""A sweep's directory: whole or not there, and what it says of its members."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from grok_tui import membership, runs, sweeps
from grok_tui.errors import RunError
from tests.sweep import tiny

pytestmark = pytest.mark.usefixtures("own_home")


def test_what_is_written_is_what_is_read() -> None:
    sweep = tiny.made(seeds=2, training__epochs=300)
    contents = sweep.read()
    assert contents.base == tiny.config(training__epochs=300)
    assert [member.place.said for member in contents.members] == [
        f"weight decay {decay}, seed {seed}" for decay in (1, 5) for seed in (0, 1)
    ]
    changed = replace(contents.members[2], run="tiny-4", state="failed", why="the disk ö is full")
    sweep.write(contents.with_member(changed))
    assert sweep.read() == contents.with_member(changed)
    assert sorted(path.name for path in sweep.path.iterdir()) == ["made", "sweep.toml"]


def test_sweeps_are_numbered_and_the_newest_is_the_one_that_is_meant() -> None:
    first, second = tiny.made(), tiny.made()
    assert [first.name, second.name] == ["tiny-sweep-1", "tiny-sweep-2"]
    os.utime(first.path / "made", (1, 1))
    os.utime(first.file, (2e9, 2e9))  # its runner has just written
    assert sweeps.find() == second
    assert sweeps.find("tiny-sweep-1") == first
    with pytest.raises(RunError, match="did you mean 'tiny-sweep-"):
        sweeps.find("tiny-swep-1")


def test_an_empty_name_is_none() -> None:
    made = [sweeps.create(tiny.config(), [], [], sweeps.Options(), "").name for _ in range(2)]
    assert made == ["tiny-sweep-1", "tiny-sweep-2"]


def test_a_name_that_is_taken_is_refused(own_home: Path) -> None:
    base = tiny.config()
    sweeps.create(base, [], [], sweeps.Options(), "mine")
    with pytest.raises(RunError, match="there is a sweep 'mine' already"):
        sweeps.create(base, [], [], sweeps.Options(), "mine")
    assert [path.name for path in (own_home / "sweeps").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("not toml", "not TOML"), ("version = 99", "another grok-tui"), ("version = 1", "not a sweep"), (None, "cannot")],
)
def test_a_file_that_is_no_sweeps_is_said_in_a_line(text: str | None, words: str) -> None:
    sweep = tiny.made()
    sweep.file.unlink()
    if text is not None:
        sweep.file.write_text(text)
    with pytest.raises(RunError, match=words):
        sweep.read()


def test_a_run_knows_which_member_of_which_sweep_it_is() -> None:
    sweep = tiny.made()
    contents = sweep.read()
    run = runs.create(tiny.config(), lambda new: sweeps.mark(new, contents, sweep, contents.members[1]))
    assert membership.read(run.path) == (sweep.name, contents.id, 2)
    assert membership.read(runs.create(tiny.config()).path) is None


def test_a_members_run_is_the_one_that_says_so_and_no_other_of_its_name() -> None:
    sweep, twin = tiny.made(), tiny.made()
    contents = sweep.read()
    first, second = contents.members
    run = runs.create(tiny.config(), lambda new: sweeps.mark(new, contents, sweep, first))
    assert sweeps.run_of(contents, replace(first, run=run.name)) == run
    assert sweeps.run_of(contents, first) is None
    assert sweeps.run_of(contents, replace(second, run=run.name)) is None
    assert sweeps.run_of(twin.read(), replace(first, run=run.name)) is None
    assert sweeps.run_of(contents, replace(first, run=runs.create(tiny.config()).name)) is None


def test_only_one_runner_works_at_a_sweep() -> None:
    sweep = tiny.made()
    assert not sweep.alive
    with sweep.hold():
        assert sweep.alive
        assert sweep.pid == os.getpid()
        with pytest.raises(RunError, match="being run already"), sweep.hold():
            pass
    assert not sweep.alive
