"""Families: how branches are called, whose they are, and how they are listed."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from grok_tui import branches, comparing, launch, lineage, listing, removal, runs
from grok_tui.errors import RunError
from grok_tui.protocol import Event
from grok_tui.runs import Run
from grok_tui.ui import ghost
from tests.wire.grown import parent
from tests.wire.wiring import hello, make_run


def test_branches_are_numbered_after_their_parent_and_rivals_get_a_number_each() -> None:
    run = parent()
    made: list[Run] = []
    threads = [threading.Thread(target=lambda: made.append(branches.create(run, 40))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(child.name for child in made) == [f"demo-1.{n}" for n in range(1, 7)]
    grandchild = branches.create(runs.find("demo-1.3"), 20)
    assert grandchild.name == "demo-1.3.1"
    assert branches.create(run, 10).name == "demo-1.7"
    assert [child.name for child in runs.children(run)] == [f"demo-1.{n}" for n in range(1, 8)]
    assert runs.children(runs.find("demo-1.3")) == [grandchild]
    assert runs.children(grandchild) == []
    assert make_run().name == "demo-2"


def test_a_new_run_of_a_parents_name_does_not_inherit_its_branches() -> None:
    run = parent()
    child = branches.create(run, 40)
    shutil.rmtree(run.path)
    again = parent((hello(), Event(0, "started", "started", 1.6e9)))
    assert again.name == run.name
    assert runs.children(again) == []
    assert [lines for lines, _ in listing.tree([again, child])] == ["", ""]


def renamed(run: Run, name: str) -> Run:
    return Run(run.path.rename(run.path.with_name(name)))


def test_a_renamed_parent_is_known_again_and_another_run_of_its_old_name_is_not_taken_for_it() -> None:
    run = parent((hello(), Event(0, "started", "started", 1.5e9)))
    child = branches.create(run, 0)
    deeper = branches.create(child, 0)
    base = renamed(run, "base")
    stranger = parent((hello(), Event(0, "started", "started", 1.6e9)))
    assert (stranger.name, runs.parent(child)) == ("demo-1", base)
    assert runs.children(base) == [child]
    assert comparing.family(str(child.path)) == [child, base, deeper]
    assert runs.children(stranger) == []
    found = [stranger, deeper, child, base]
    assert [lines + each.name for lines, each in listing.tree(found)] == [
        "demo-1", "base", "└ demo-1.1", "  └ demo-1.1.1",
    ]  # fmt: skip
    other = renamed(child, "other")
    assert runs.parent(deeper) == other
    with pytest.raises(RunError, match=r"base is needed by its branches: other, demo-1\.1\.1;"):
        removal.check([base])
    removal.check([stranger])


def test_of_a_run_and_its_copy_that_of_the_recorded_name_is_the_parent() -> None:
    run = parent((hello(), Event(0, "started", "started", 1.5e9)))
    child = branches.create(run, 0)
    for name in ("a-copy", "z-copy"):
        shutil.copytree(run.path, run.path.with_name(name))
    copies = [Run(run.path.with_name(name)) for name in ("z-copy", "a-copy")]
    assert runs.parent(child) == runs.parent(child, [*copies, run]) == run
    assert [runs.children(each) for each in copies] == [[], []]
    shutil.rmtree(run.path)
    assert runs.parent(child) == copies[1]
    assert [runs.children(each) for each in copies] == [[], [child]]


def test_a_run_that_began_nobody_knows_when_is_the_parent_of_none_but_those_that_name_it() -> None:
    run = parent((hello(),))
    child = branches.create(run, 0)
    assert child.lineage is not None
    assert child.lineage.started == 0
    assert runs.parent(child) == run
    renamed(run, "base")
    assert runs.parent(child) is None


def test_a_new_run_in_the_place_of_another_has_a_beginning_of_its_own() -> None:
    run = parent((hello(), Event(0, "started", "started", 1.5e9)))
    assert lineage.born(run.path, run.frames) == 1.5e9
    shutil.rmtree(run.path)
    again = parent((hello(), Event(0, "started", "started", 1.6e9)))
    assert lineage.born(again.path, again.frames) == 1.6e9


def test_a_branch_of_a_branch_is_of_the_branch_alone() -> None:
    """All of a family have the same first event."""
    run = parent()
    first = branches.create(run, 60)
    grandchild = branches.create(first, 40)
    shutil.rmtree(first.path)
    branches.create(run, 60).path.rename(first.path)
    assert runs.children(Run(first.path)) == []
    assert grandchild.lineage is not None
    assert grandchild.lineage.parent == first.name


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "null", '{"parent": "demo-1"}'])
def test_a_lineage_that_cannot_be_read_is_none_and_a_viewer_is_told_so(text: str) -> None:
    run = make_run()
    assert run.lineage is None
    (run.path / "lineage.json").write_text(text)
    assert Run(run.path).lineage is None
    with pytest.raises(RunError, match=r"^demo-1: its lineage\.json cannot be read"):
        ghost.origin(str(run.path))


ODD: dict[str, Sequence[object]] = {
    "parent": (None, 3, "", ".", "..", "../../../etc", "a/b", "/etc", ".hidden", "x\n", "\ud800", "x" * 300, "x\0"),
    "epoch": (None, "40", -1, 0.5, True, 10**12, 10**400, math.nan, []),
    "started": (None, "now", -1.0, math.nan, math.inf, 1e300, 10**400, True, {}),
    "born": (None, "now", -1.0, math.nan, math.inf, 1e300, 10**400, True, {}),
    "changes": (
        None, [], "lr", {"weight_decay": "x"}, {"weight_decay": None}, {"weight_decay": -1}, {"lr": math.nan},
        {"lr": 1e300}, {"lr": 10**400}, {"lr": True}, {"lr": [1]}, {"momentum": 1.0}, {"lr\x07": 0.1}, {"": 0.1},
    ),
    "settings": (None, [], {"training.epochs": 5}, {"training.epochs": "\x1b[2J"}, {"\x07": "5"}, {"x": "x" * 5000}),
    "without": (None, 3, [], "\x1b]0;owned\x07", "x" * 5000),
    "asked": (None, "1", -1, 0.5, True, 10**400, math.nan),
}  # fmt: skip


@pytest.mark.parametrize("field", ODD)
def test_a_lineage_with_a_field_that_no_branch_has_is_not_believed(field: str) -> None:
    run = branches.create(parent(), 40, {"weight_decay": 0.3})
    good = json.loads((run.path / "lineage.json").read_text())
    assert Run(run.path).lineage == lineage.Lineage(**good)
    for odd in ODD[field]:
        (run.path / "lineage.json").write_text(json.dumps(good | {field: odd}))
        assert Run(run.path).lineage is None, odd
        with pytest.raises(RunError, match="of which run it is a branch is not known"):
            ghost.origin(str(run.path))


def test_a_family_is_listed_as_a_tree() -> None:
    run, other = parent(), make_run("nanda113")
    one = branches.create(run, 40, {"weight_decay": 0.3})
    two = branches.create(run, 60, settings=[("training.epochs", "300")])
    deeper = branches.create(one, 30, before=1)
    shown = [(lines, found.name) for lines, found in listing.tree([other, deeper, two, run, one])]
    assert shown == [
        ("", "nanda113-1"), ("", "demo-1"), ("├ ", "demo-1.1"), ("│ └ ", "demo-1.1.1"), ("└ ", "demo-1.2"),
    ]  # fmt: skip
    told = {
        row[0]: row[-1] for row in (listing.tree_row(*each) for each in listing.tree([other, deeper, two, run, one]))
    }
    assert told == {
        "nanda113-1": "",
        "demo-1": "",
        "├ demo-1.1": "at 40: weight decay 0.3",
        "│ └ demo-1.1.1": "at 30: without changed",
        "└ demo-1.2": "at 60: epochs 300",
    }
    assert [listing.tree_row(*each)[-1] for each in listing.tree([one])] == [
        "of demo-1, which is gone, at 40: weight decay 0.3"
    ]


def test_runs_that_claim_to_descend_from_each_other_are_all_listed() -> None:
    one, two = parent(), parent()
    for run, of in ((one, two), (two, one)):
        (run.path / "lineage.json").write_text(f'{{"parent": "{of.name}", "epoch": 1, "started": 7, "born": 7}}')
    found = [Run(one.path), Run(two.path)]
    assert {run.name for _, run in listing.tree(found)} == {one.name, two.name}


def test_what_somebody_else_wrote_into_a_directory_neither_ends_a_listing_nor_reaches_the_terminal() -> None:
    run = branches.create(parent(), 40)
    own = json.loads((run.path / "lineage.json").read_text())
    own |= {"without": "\x1b]0;owned\x07", "settings": {"training.epochs": "\x1b[2J"}, "changes": {"lr\x07": 1}}
    (run.path / "lineage.json").write_text(json.dumps(own))
    (run.path / "state.json").write_text('{"epoch": NaN, "time": 1e300, "values": {"test_accuracy": 1e999}}')
    (row,) = (listing.tree_row(*each) for each in listing.tree([Run(run.path)]))
    assert row[2] == "0/200"
    assert "".join(row).isprintable()


@pytest.mark.parametrize("places", ["", "{here}:", ":{here}", ".:{here}"])
def test_another_python_loads_nothing_from_the_directory_that_it_stands_in(
    places: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign, here = tmp_path / "run", tmp_path / "here"
    foreign.mkdir()
    here.mkdir()
    (foreign / "msgpack.py").write_text("print('loaded')")
    (here / "mine.py").write_text("print('mine')")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", places.format(here=here))
    code = "import grok_tui.codec" + ("; import mine" if places else "")
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=foreign, env=launch.environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "mine" if places else ""), done.stderr
