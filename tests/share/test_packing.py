"""One file with a run in it: what arrives is what was packed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from grok_tui import branches, config, ledger, locks, packing, paths, runs
from grok_tui.cli import cli
from grok_tui.errors import ExchangeError, RecordError, RunError
from grok_tui.export import whole
from grok_tui.protocol import Event
from grok_tui.runs import Run
from tests.share import planted
from tests.share.planted import nothing_left
from tests.ui import story

pytestmark = pytest.mark.usefixtures("own_home")


KEPT = ("VERSION", "config.toml", "frames.bin", "ledger.jsonl", "state.json", "weights/00001000.safetensors")


def content(run: Run) -> dict[str, bytes]:
    """Every file of a run, by its path."""
    return {str(p.relative_to(run.path)): p.read_bytes() for p in sorted(run.path.rglob("*")) if p.is_file()}


def test_what_arrives_is_what_was_packed_byte_for_byte(run: Run, file: Path) -> None:
    (here,) = packing.unpack(file)
    assert here.name == "nanda113-2"
    left_behind = {"log.txt", "lock", "LOCKED", "hindsight/lock"}
    assert content(here) == {name: data for name, data in content(run).items() if name not in left_behind}
    assert set(KEPT) < set(content(here))
    before, after = (whole.read(each) for each in (run, here))
    assert [c.values.tobytes() for c in after.columns] == [c.values.tobytes() for c in before.columns]
    assert after.state.final_keys == before.state.final_keys != ()


def test_what_arrives_can_be_branched(file: Path) -> None:
    (here,) = packing.unpack(file)
    child = branches.create(here, 2500, {"weight_decay": 0.3})
    assert child.name == f"{here.name}.1"
    assert branches.start(child) == 2000
    assert runs.parent(child) == here


def test_a_name_that_is_free_is_kept_and_one_that_is_taken_gets_the_next_number(run: Run, file: Path) -> None:
    runs_dir = paths.runs_dir()
    assert [packing.unpack(file)[0].name for _ in range(2)] == ["nanda113-2", "nanda113-3"]
    assert [packing.unpack(file, "theirs")[0].name for _ in range(2)] == ["theirs", "theirs-1"]
    run.path.rename(runs_dir / "elsewhere")
    assert packing.unpack(file)[0].name == "nanda113-1"
    for name in ("../up", "", ".hidden", "a/b", "x\n"):
        with pytest.raises(RunError, match="no name for a run"):
            packing.unpack(file, name)


def test_without_weights_the_pack_has_everything_else(run: Run, tmp_path: Path) -> None:
    packing.pack(run, tmp_path / "small.grok", weights=False)
    (here,) = packing.unpack(tmp_path / "small.grok")
    assert {name for name in content(run) if name.startswith(("weights", "resume"))}.isdisjoint(content(here))
    assert whole.read(here).state.epoch == planted.UNTIL


def test_lock_log_and_whatever_else_lies_there_stay_here(run: Run, tmp_path: Path) -> None:
    for name in ("lock", "log.txt", "LOCKED", "weights/00000500.part", "resume/00000500.broken", "own notes.doc"):
        (run.path / name).write_text("mine")
    (run.path / "weights" / "99.safetensors").symlink_to("/etc/passwd")
    packing.pack(run, tmp_path / "b.grok")
    (here,) = packing.unpack(tmp_path / "b.grok")
    assert not [name for name in content(here) if b"mine" in content(here)[name] or "99" in name]


def test_a_living_run_is_packed_as_it_stands_with_nothing_ahead_of_its_recording(run: Run, tmp_path: Path) -> None:
    book = ledger.Ledger(run.ledger)
    book.append(planted.UNTIL, "changed", True, "told", control="lr", value=2e-3, previous=5e-4)
    seq = book.entries[-1].seq
    planted.record(run, [Event(planted.UNTIL, "changed", "told", 1.8e9, seq, dict(book.entries[-1].data))])
    book.append(planted.UNTIL, "set", False, "a refusal")
    book.append(planted.UNTIL, "changed", True, "not recorded yet", control="lr", value=1e-3, previous=2e-3)
    book.append(planted.UNTIL, "set", False, "after it")
    book.close()
    whole_size = run.frames.stat().st_size
    with run.frames.open("ab") as recording:
        recording.write(b"\0\0\1\0 half a record")
    planted.tensors(run, "resume", 4000)
    planted.tensors(run, "weights", 4000)
    with run.hold():
        done = packing.pack(run, tmp_path / "live.grok")
    assert done.epoch == planted.UNTIL + 1
    (here,) = packing.unpack(tmp_path / "live.grok")
    assert here.frames.stat().st_size == whole_size
    assert [entry.text for entry in ledger.read(here.ledger)][-2:] == ["told", "a refusal"]
    assert not list(here.path.glob("*/00004000.safetensors"))
    assert not here.alive


def test_the_ledger_of_a_run_that_nobody_trains_is_packed_whole(run: Run, tmp_path: Path) -> None:
    book = ledger.Ledger(run.ledger)
    book.append(planted.UNTIL, "changed", True, "a kill kept it out", control="lr", value=1e-3, previous=5e-4)
    book.close()
    packing.pack(run, tmp_path / "b.grok")
    assert packing.unpack(tmp_path / "b.grok")[0].ledger.read_bytes() == run.ledger.read_bytes()


def test_a_branch_brings_its_ancestors_recordings_and_knows_them_by_their_names_here(run: Run, tmp_path: Path) -> None:
    child = branches.create(run, 2500, {"lr": 2e-3})
    grandchild = branches.create(child, 2400)
    packing.pack(grandchild, tmp_path / "c.grok")
    for each in (grandchild, child, run):
        each.path.rename(tmp_path / each.name)
    stranger = runs.create(config.preset("nanda113"))  # of the parent's name
    planted.record(stranger, [story.hello(), Event(0, "started", "started", 1.7e9)])
    assert stranger.name == run.name
    found = packing.unpack(tmp_path / "c.grok")
    assert [each.name for each in found] == ["nanda113-2.1.1", "nanda113-2", "nanda113-2.1"]
    assert runs.parent(found[0]) == found[2]
    assert runs.parent(found[2]) == found[1]
    assert (found[0].path / "weights").is_dir()
    assert not (found[1].path / "weights").exists()
    assert found[1].frames.read_bytes() == (tmp_path / "nanda113-1" / "frames.bin").read_bytes()


def test_a_parent_that_was_renamed_is_packed_with_its_branch_and_is_its_parent_there(run: Run, tmp_path: Path) -> None:
    child = branches.create(run, 2500, {"lr": 2e-3})
    base = Run(run.path.rename(run.path.with_name("base")))
    packed = packing.pack(child, tmp_path / "c.grok")
    assert packed.runs == (child.name, base.name)
    for each in (child, base):
        each.path.rename(tmp_path / each.name)
    there, above = packing.unpack(tmp_path / "c.grok")
    assert (there.name, above.name) == (child.name, "base")
    assert runs.parent(there) == above
    assert there.lineage is not None
    assert there.lineage.parent == "base"


def test_an_ancestor_that_is_here_is_not_taken_in_again(run: Run, tmp_path: Path) -> None:
    child = branches.create(run, 2500)
    packing.pack(child, tmp_path / "c.grok")
    child.path.rename(tmp_path / "away")
    run.path.rename(run.path.with_name("mother"))
    (here,) = packing.unpack(tmp_path / "c.grok")
    assert here.lineage is not None
    assert (here.name, here.lineage.parent) == ("mother.1", "mother")


def test_alone_brings_nobody_and_family_everybody_whole(run: Run, tmp_path: Path) -> None:
    child, other = branches.create(run, 2500), branches.create(run, 1500)
    assert packing.pack(child, tmp_path / "1.grok", family="none").runs == (child.name,)
    done = packing.pack(child, tmp_path / "2.grok", family="all")
    assert (done.runs[0], set(done.runs)) == (child.name, {child.name, run.name, other.name})
    for each in (child, other, run):
        each.path.rename(tmp_path / each.name)
    found = {each.name: each for each in packing.unpack(tmp_path / "2.grok")}
    assert set(found) == set(done.runs)
    assert all((each.path / "weights" / "00001000.safetensors").exists() for each in found.values())


def test_what_cannot_be_packed_says_why_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.grok").write_text("mine")
    with pytest.raises(ExchangeError, match="--force"):
        packing.pack(run, tmp_path / "a.grok")
    assert (tmp_path / "a.grok").read_text() == "mine"
    packing.pack(run, tmp_path / "a.grok", force=True)
    middle = run.frames.read_bytes()
    run.frames.write_bytes(middle[:5000] + b"\xff\xff" + middle[5002:])
    with pytest.raises(RecordError, match="damaged at byte"):
        packing.pack(run, tmp_path / "b.grok")
    run.frames.write_bytes(b"")
    with pytest.raises(RunError, match="recorded nothing"):
        packing.pack(run, tmp_path / "b.grok")
    assert not (tmp_path / "b.grok").exists()


def test_a_full_disk_leaves_neither_a_pack_nor_a_run(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExchangeError, match="No space left"):
        packing.pack(run, tmp_path / "b.grok")
    assert [path.name for path in tmp_path.glob("*.grok*")] == ["a.grok"]
    monkeypatch.setattr(packing, "_inspect", full)
    with pytest.raises(RunError, match="No space left on device; nothing was unpacked"):
        packing.unpack(file)
    assert nothing_left(1)


def test_a_locked_run_is_packed_and_arrives_unlocked(run: Run, tmp_path: Path) -> None:
    locks.lock(run)
    packing.pack(run, tmp_path / "b.grok")
    assert not packing.unpack(tmp_path / "b.grok")[0].locked


def test_the_commands_say_where_the_file_is_and_what_the_run_is_called(run: Run, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["pack", run.name, str(tmp_path / "b.grok")])
    assert done.exit_code == 0, done.output
    assert f"{run.name}, epoch {planted.UNTIL + 1:,}: " in done.output
    assert "grok-tui unpack b.grok" in done.output
    done = CliRunner().invoke(cli, ["unpack", str(tmp_path / "b.grok"), "--name", "theirs"])
    assert done.output.startswith("theirs is here\n")
    assert "grok-tui attach theirs" in done.output
