"""Which sweep a run belongs to, where runs are listed and deleted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grok_tui import config as configs
from grok_tui import listing, removal, runs, sweeps
from grok_tui.errors import RunError
from grok_tui.runs import Run
from grok_tui.sweeps import Sweep
from grok_tui.toml_files import read_tables
from tests.sweep import planted, tiny

pytestmark = pytest.mark.usefixtures("own_home")


@pytest.fixture
def sweep() -> Sweep:
    """One member finished, one stopped, one that has a run and waits; and a run beside them."""
    made = tiny.made(decays="1,5,9", training__epochs=40_000)
    planted.member(made, 1, 9000)
    planted.member(made, 2, None, upto=300, state="stopped")
    begun(made, 3)
    runs.create(configs.preset("nanda113")).write_state({"epoch": 38_950, "state": "stopped", "time": 1.7e9})
    return made


def begun(sweep: Sweep, number: int) -> Run:
    """A member's run, as it is before its trainer."""
    contents = sweep.read()
    member = contents.members[number - 1]
    run = runs.create(contents.config(member), lambda new: sweeps.mark(new, contents, sweep, member))
    sweep.write(contents.with_member(sweeps.Member(member.place, run.name)))
    return run


def rows(*, families: bool = False, width: int = 0) -> dict[str, str]:
    """Run's name -> its line; the head's under ""."""
    head, *lines = listing.table(runs.listing(), families=families, width=width)
    return {"": head} | {line.split()[0]: line for line in lines}


@pytest.mark.parametrize("families", [False, True])
def test_runs_of_a_sweep_are_listed_with_it_and_the_others_without(sweep: Sweep, families: bool) -> None:
    found = rows(families=families)
    assert "sweep" in found[""].split()
    for name in ("tiny-1", "tiny-2", "tiny-3"):
        assert found[name].endswith(f"  {sweep.name}")
    assert sweep.name not in found["nanda113-1"]


def test_where_no_run_is_of_a_sweep_no_column_is_there_for_it() -> None:
    runs.create(configs.preset("nanda113"))
    assert "sweep" not in rows()[""]


def test_a_sweep_is_read_once_for_all_that_wait_and_again_when_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = tiny.made(decays="1,5,9")
    for number in (1, 2, 3):
        begun(sweep, number)
    reads = list[Path]()

    def counted(path: Path, wrong: type[RunError]) -> dict[str, Any]:
        reads.append(path)
        return read_tables(path, wrong)

    monkeypatch.setattr(sweeps, "read_tables", counted)
    assert all("waiting" in line for name, line in rows().items() if name)
    assert reads == [sweep.file]
    contents = sweep.read()
    sweep.write(contents.with_member(replace(contents.members[1], state="failed")))
    reads.clear()
    assert ["failed" in rows()[name] for name in ("tiny-1", "tiny-2", "tiny-3")] == [False, True, False]
    assert reads == [sweep.file]
    sweep.file.write_text("not toml")
    reads.clear()
    assert all("cut off" in line for name, line in rows().items() if name)
    assert reads == [sweep.file]


@pytest.mark.parametrize("name", ["tiny-sweep-1", "a-sweep-with-a-name-longer-than-anybody-wants-to-read-12"])
def test_in_80_columns_a_line_is_a_line_and_the_sweeps_number_stays(sweep: Sweep, name: str) -> None:
    sweep.path.rename(sweep.path.with_name(name))
    found = rows(width=80)
    assert max(map(len, found.values())) <= 80
    assert found["tiny-1"].endswith(name[-7:])
    assert "38,950/40,000" in found["nanda113-1"]


def test_a_renamed_sweep_is_called_by_its_new_name_and_one_that_is_gone_is_called_gone(sweep: Sweep) -> None:
    sweep.path.rename(sweep.path.with_name("other"))
    assert rows()["tiny-1"].endswith("  other")
    run = runs.find("tiny-1")
    assert sweeps.member_of(run)[0].name == "other"
    shutil.rmtree(sweep.path.with_name("other"))
    tiny.made()  # another sweep gets the name
    assert rows()["tiny-1"].endswith("  tiny-sweep-1, gone")
    with pytest.raises(RunError, match="the sweep tiny-sweep-1, which is gone"):
        sweeps.member_of(run)


@pytest.mark.parametrize("text", ["garbage", "", "version = 7", "\0"])
def test_a_sweep_that_cannot_be_read_is_not_called_gone_and_says_what_is_wrong(sweep: Sweep, text: str) -> None:
    sweep.file.write_text(text)
    found = rows()
    assert found["tiny-1"].endswith("  tiny-sweep-1")
    assert "✂ cut off" in found["tiny-3"]
    with pytest.raises(RunError, match=r"sweep\.toml: (not TOML|made by another)"):
        sweeps.member_of(runs.find("tiny-1"))


def test_a_member_before_its_turn_waits_and_is_not_cut_off(sweep: Sweep) -> None:
    assert "… waiting" in rows()["tiny-3"]
    contents = sweep.read()
    failed = sweeps.Member(contents.members[2].place, "tiny-3", "failed", "its trainer did not start")
    sweep.write(contents.with_member(failed))
    assert "✗ failed" in rows()["tiny-3"]
    shutil.rmtree(sweep.path)
    assert "✂ cut off" in rows()["tiny-3"]


@pytest.mark.parametrize("text", ["", "[]", '{"sweep": "../..", "id": "a", "member": 1}', '{"sweep": "a"}'])
def test_what_is_no_membership_makes_no_run_a_member(text: str) -> None:
    run = runs.create(tiny.config())
    (run.path / "sweep.json").write_text(text)
    assert "sweep" not in rows()[""]


def test_deleting_members_is_said_to_leave_their_sweep_without_them(sweep: Sweep, tmp_path: Path) -> None:
    known = {run.name: run for run in runs.listing()}
    assert removal.aftermath([known["nanda113-1"]]) == []
    assert removal.aftermath(known.values()) == [
        "tiny-2, tiny-3 are the members 2, 3 of the sweep tiny-sweep-1: their cells there will be empty until "
        "grok-tui sweep tiny-sweep-1 --resume trains them anew.",
        "tiny-1 is member 1 of the sweep tiny-sweep-1: its cell there will be empty.",
    ]
    sweep.path.rename(tmp_path / "away")
    assert removal.aftermath(known.values()) == []


def test_a_member_is_not_deleted_while_its_sweep_is_about_to_train_it(sweep: Sweep) -> None:
    waiting, finished = runs.find("tiny-3"), runs.find("tiny-1")
    with sweep.hold():
        with pytest.raises(RunError, match=r"waits for its turn in tiny-sweep-1; .* sweep tiny-sweep-1 --stop"):
            removal.delete([waiting])
        removal.delete([finished])
    removal.delete([waiting])
    assert [run.name for run in runs.listing() if run.name.startswith("tiny")] == ["tiny-2"]
