"""Deleting and pruning, from the command line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from grok_tui import branches, locks, pruning, removal, runs, wording
from tests.cli.families import KB, Say, aged, content, recorded, refused, stored
from tests.sweep import planted, tiny

pytestmark = pytest.mark.usefixtures("home")


def test_a_run_is_deleted_when_that_is_confirmed(say: Say, home: Path) -> None:
    run, other = recorded(), recorded()
    assert "--yes does it without a terminal" in refused(say("delete", run.name))
    assert say("delete", run.name, answer="n").returncode == 130
    assert run.path.is_dir()
    assert say("delete", run.name, answer="y").returncode == 0
    assert [path.name for path in home.iterdir()] == [other.name]
    done = say("delete", other.name, other.name, "--yes")
    assert done.stdout.startswith("deleted demo-2: ")
    assert list(home.iterdir()) == []


def test_before_a_member_of_a_sweep_is_deleted_its_sweep_is_named(say: Say) -> None:
    sweep = tiny.made(training__epochs=planted.EPOCHS)
    run = planted.member(sweep, 2, None)
    said = f"{run.name} is member 2 of the sweep {sweep.name}: its cell there will be empty."
    assert refused(say("delete", run.name)).endswith(f"--yes does it without a terminal; {said}\n")
    assert say("delete", run.name, answer="n").stdout.startswith(f"{said}\n")
    assert run.path.is_dir()


def test_a_run_that_somebody_needs_is_not_deleted(say: Say) -> None:
    run = recorded()
    child = branches.create(run, 40)
    grandchild = branches.create(child, 20)
    said = refused(say("delete", run.name, "--yes"))
    assert "demo-1 is needed by its branches: demo-1.1, demo-1.1.1" in said
    assert "grok-tui delete demo-1 demo-1.1 demo-1.1.1" in said
    assert "demo-1.1.1" in refused(say("delete", run.name, child.name, "--yes"))
    locks.lock(grandchild)
    assert "grok-tui unlock demo-1.1.1" in refused(say("delete", grandchild.name, "--yes"))
    other = recorded()
    assert "demo-1.1.1 is locked" in refused(say("delete", other.name, grandchild.name, "--yes"))
    assert other.path.is_dir(), "all of them or none"
    locks.unlock(grandchild)
    with child.hold():
        assert "grok-tui stop demo-1.1" in refused(say("delete", run.name, child.name, grandchild.name, "--yes"))
    assert all(found.path.is_dir() for found in (run, child, grandchild))
    assert say("delete", grandchild.name, run.name, child.name, "--yes").returncode == 0
    assert runs.listing() == [other]


def test_nothing_half_deleted_is_seen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded()

    def killed(path: Path) -> None:
        (path / "VERSION").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(removal, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        removal.delete([run])
    assert runs.listing() == []
    (left,) = home.iterdir()
    assert left.name.startswith(".gone-demo-1-")
    monkeypatch.undo()


def test_pruning_lists_first_and_deletes_with_yes(say: Say, home: Path) -> None:
    run = recorded()
    branches.create(run, 22)
    aged(run.path)
    begun = home / ".new-abc"
    begun.mkdir()
    (begun / "frames.bin").write_bytes(b"x" * 5 * KB)
    aged(begun)
    fresh = home / ".new-def"
    fresh.mkdir()
    before = content(run)
    done = say("prune")
    assert done.returncode == 0, done
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["run", "rule", "deletes", "frees", "keeps"],
        ["(hidden)", "leftovers", "1", "5.0", "kB"],
        ["demo-1", "resume", "points", "4", "4.0", "kB", "17", "of", "21"],
        f"{wording.size(9 * KB)} would be freed; with --yes it is done".split(),
    ]
    assert content(run) == before
    assert "9.0 kB freed" in say("prune", "--yes").stdout
    left = stored(run.resume_points)
    assert {0, 20, 95, 100} <= set(left)
    assert max(b - a for a, b in pairwise(left)) <= 15, left
    assert sum(epoch > 22 for epoch in range(0, 101, 5) if epoch not in left) == 21 - len(left), (
        "the branch has the others too"
    )
    assert (begun.exists(), fresh.exists()) == (False, True)
    unchanged = {name: data for name, data in before.items() if not name.startswith("resume/")}
    assert {name: data for name, data in content(run).items() if not name.startswith(("resume/", "lock"))} == unchanged
    assert "nothing to delete" in say("prune").stdout


def test_pruning_spares_what_is_trained_or_locked(say: Say) -> None:
    living, locked = recorded(), recorded()
    locks.lock(locked)
    before = content(living), content(locked)
    with living.hold():
        done = say("prune", "--keep-mb", "0", "--yes")
        assert "demo-1: nothing, it is being trained" in done.stdout
    assert "demo-2: nothing, it is locked" in done.stdout
    assert "nothing to delete" in done.stdout
    assert content(locked) == before[1]
    assert {k: v for k, v in content(living).items() if k != "lock"} == before[0]
    pieces = pruning.find([living])
    locks.lock(living)
    with pytest.raises(Exception, match="demo-1 is locked"):
        pruning.carry_out(pieces)
    assert len(stored(living.resume_points)) == 21


def test_weights_are_thinned_to_what_was_asked_for(say: Say) -> None:
    run, other = recorded(), recorded()
    assert say("prune", run.name, "--keep-mb", str(16 / KB), "--yes").returncode == 0
    assert len(stored(run.weights)) + len(stored(run.resume_points)) == 16
    assert {0, 100} <= set(stored(run.weights))
    assert len(stored(other.resume_points)) == 21, "only the runs that were named"


def test_what_a_branch_keeps_too_is_deleted_with_the_branchs_alone(say: Say) -> None:
    run = recorded()
    child = branches.create(run, 100)
    assert "nothing to delete" in say("prune", run.name, "--keep-mb", str(8 / KB), "--yes").stdout
    assert len(stored(run.weights)) == 11
    assert f"{(11 + 21 - 8)}.0 kB freed" in say("prune", "--keep-mb", str(8 / KB), "--yes").stdout
    for found in (run, child):
        assert len(stored(found.weights)) + len(stored(found.resume_points)) == 8


def test_of_recomputed_measures_the_newest_stay(say: Say) -> None:
    run = recorded(10)
    place = run.path / "hindsight"
    place.mkdir()
    for age, name in enumerate(("newest", "older", "oldest")):
        aged((place / f"{name}.bin"), age) if (place / f"{name}.bin").write_bytes(b"x") else None
    assert "hindsight" in say("prune", "--yes").stdout
    assert [path.name for path in place.glob("*.bin")] == ["newest.bin"]


def test_half_written_files_go_after_a_day(say: Say) -> None:
    run = recorded(10)
    old, new = run.weights / "00000020.part", run.weights / "00000030.part"
    for path in (old, new):
        path.write_bytes(b"x")
    aged(old)
    say("prune", "--yes")
    assert (old.exists(), new.exists()) == (False, True)


def test_pruning_does_not_make_a_run_look_started_again(say: Say) -> None:
    run = recorded()
    aged(run.path / "config.toml")
    before = run.started
    say("prune", "--yes")
    assert run.started == pytest.approx(before, abs=0.01)


def test_the_help_of_prune_states_its_rules(say: Say) -> None:
    said = " ".join(say("prune", "--help").stdout.split())
    for rule, about in pruning.RULES.items():
        assert rule in said
        assert about in said
    assert pruning.NEVER in said
