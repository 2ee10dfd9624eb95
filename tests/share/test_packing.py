"""One file with a run in it: what arrives is what was packed, and what is not leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grok_tui import branches, config, ledger, locks, manifest, notes, packing, paths, record, runs
from grok_tui.cli import cli
from grok_tui.errors import ExchangeError, GrokTuiError, PackError, RecordError, RunError
from grok_tui.export import whole
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run
from tests.share import planted
from tests.ui import story

pytestmark = pytest.mark.usefixtures("own_home")

KEPT = ("VERSION", "config.toml", "frames.bin", "ledger.jsonl", "state.json", "weights/00001000.safetensors")


def content(run: Run) -> dict[str, bytes]:
    """Every file of a run, by its path."""
    return {str(p.relative_to(run.path)): p.read_bytes() for p in sorted(run.path.rglob("*")) if p.is_file()}


def nothing_left(before: int) -> bool:
    """No run, and nothing hidden, has come into being."""
    return len(list(paths.runs_dir().iterdir())) == before


def rewritten(file: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Path:
    """The pack with its files and its manifest changed, and sizes and checksums made to fit again."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(members.pop(manifest.NAME))
    told = json.dumps(listed)
    change(members, listed)
    if json.dumps(listed) == told:
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
        listed["files"] = {name: {"size": len(members[name]), "sha256": digests[name]} for name in members}
    out = file.with_name("changed.grok")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(manifest.NAME, json.dumps(listed))
    return out


@pytest.fixture
def run() -> Run:
    return planted.run()


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    return packing.pack(run, tmp_path / "a.grok").file


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
    assert packing.parent(child) == here


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
    assert packing.parent(found[0]) == found[2]
    assert packing.parent(found[2]) == found[1]
    assert (found[0].path / "weights").is_dir()
    assert not (found[1].path / "weights").exists()
    assert found[1].frames.read_bytes() == (tmp_path / "nanda113-1" / "frames.bin").read_bytes()


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


def test_a_pack_that_is_larger_than_the_disk_is_refused_before_anything_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: type("Usage", (), {"free": 1000}))
    with pytest.raises(PackError, match=r"MB, and .* has 0 left"):
        packing.unpack(file)
    assert nothing_left(1)


def put(name: str, data: bytes) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return lambda members, _: members.update({name: data})


def say(**changes: object) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return lambda _, listed: listed.update(changes)


def edited(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    def change(members: dict[str, bytes], _: dict[str, Any]) -> None:
        assert old in members[f"nanda113-1/{name}"]
        members[f"nanda113-1/{name}"] = members[f"nanda113-1/{name}"].replace(old, new)

    return change


def made(name: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return lambda members, _: members.update({f"nanda113-1/{name}": change(members[f"nanda113-1/{name}"])})


def lie(name: str) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return lambda _, listed: listed["files"][f"nanda113-1/{name}"].update(sha256="0" * 64)


HOSTILE = {
    "checksum": (lie("weights/00001000.safetensors"), "is not what its checksum says"),
    "checksum of text": (lie("state.json"), "is not what its checksum says"),
    "up and away": (put("nanda113-1/../../evil", b"x"), "is no file of a run"),
    "absolute": (put("/etc/evil", b"x"), "is no file of a run"),
    "another run": (put("other-1/VERSION", b"1"), "its manifest does not name"),
    "a program": (put("nanda113-1/run.sh", b"#!/bin/sh"), "is no file of a run"),
    "a pickle": (put("nanda113-1/weights/00000001.pkl", b"x"), "is no file of a run"),
    "a lock": (put("nanda113-1/LOCKED", b""), "is no file of a run"),
    "deep": (put("nanda113-1/weights/x/00000001.safetensors", b"x"), "is no file of a run"),
    "large text": (put("nanda113-1/config.toml", b"#" * 70_000), "is no file of a run"),
    "bomb": (put("nanda113-1/frames.bin", bytes(300 << 20)), "times its size"),
    "newer pack": (say(pack=9, grok_tui="2.0"), "made by a newer grok-tui 2.0"),
    "newer layout": (say(layout=9), "made by a newer grok-tui"),
    "no format": (say(format="zip"), "not one of a packed run"),
    "no runs": (say(runs=[]), "names no runs"),
    "run twice": (say(runs=["nanda113-1", "nanda113-1"]), "names no runs"),
    "bad run": (say(runs=["../x"]), "no name of one"),
    "no files": (say(files=[]), "lists no files"),
    "no sizes": (say(files={"nanda113-1/VERSION": {}}), "how large"),
    "newer run": (put("nanda113-1/VERSION", b"7\n"), "newer grok-tui"),
    "configuration": (edited("config.toml", b"p = 113", b"p = 114"), "is even"),
    "a key": (edited("config.toml", b"[task]", b"[exec]\nx = 1\n[task]"), "'exec' is not known"),
    "escapes": (edited("config.toml", b'name = "nanda113"', b'name = "\\u001b]0;x\\u0007"'), "control characters"),
    "recording": (put("nanda113-1/frames.bin", b"x" * 1000), "cannot be read from byte 0"),
    "torn": (edited("frames.bin", b"excluded_loss", b"excluded_lost"), "cannot be read from byte"),
    "ledger": (put("nanda113-1/ledger.jsonl", b"{}\n"), "ledger"),
    "control": (edited("ledger.jsonl", b'"weight_decay"', b'"__class__"'), "no control '__class__'"),
    "value": (edited("ledger.jsonl", b'"value": 3.0', b'"value": 1e99'), "out of bounds"),
    "state": (put("nanda113-1/state.json", b"[" * 100_000), "state.json is not JSON"),
    "no number": (put("nanda113-1/state.json", b'{"epoch": NaN}'), "state.json holds nan for a number"),
    "beyond numbers": (put("nanda113-1/state.json", b'{"epoch": 1e999}'), "state.json holds inf for a number"),
    "lineage": (put("nanda113-1/lineage.json", b"{}"), "lineage.json does not say"),
    "escapes of a parent": (put("nanda113-1/lineage.json", b'{"without": "\\u001b]0;x\\u0007"}'), "control characters"),
    "header": (put("nanda113-1/weights/00001000.safetensors", b"\xff" * 80), "no safetensors"),
    "pickled": (put("nanda113-1/weights/00001000.safetensors", b"\x80\x04\x95" + b"." * 90), "no safetensors"),
    "cut tensor": (edited("weights/00001000.safetensors", b"[8, 8]", b"[8, 9]"), "header that can be read"),
    "short tensors": (made("weights/00001000.safetensors", lambda data: data[:-4]), "cut short, or has more"),
    "stowaway": (made("resume/00002000.safetensors", lambda data: data + b"#!/bin/sh"), "cut short, or has more"),
    "epoch": (edited("resume/00002000.safetensors", b'"2000"', b'"3000"'), "weights of epoch 3,000"),
    "hindsight": (put("nanda113-1/hindsight/1-2.bin", b"x" * 99), "cannot be read from byte 0"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_pack_leaves_nothing_and_says_in_one_line_what_is_wrong(file: Path, what: str) -> None:
    change, said = HOSTILE[what]
    with pytest.raises(GrokTuiError, match=said) as error:
        packing.unpack(rewritten(file, change))
    assert "\n" not in str(error.value)
    assert nothing_left(1)


def test_a_link_a_folder_and_a_file_that_is_twice_in_a_pack_are_refused(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, twice := tmp_path / "twice.grok")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("nanda113-1/state.json", "{}")
    with pytest.raises(PackError, match="twice"):
        packing.unpack(twice)
    shutil.copy(file, folder := tmp_path / "folder.grok")
    with zipfile.ZipFile(folder, "a") as archive:
        archive.mkdir("nanda113-1/weights/00000007.safetensors")
    with pytest.raises(PackError, match="does not name"):
        packing.unpack(folder)
    link = rewritten(file, lambda _members, _listed: None)
    with zipfile.ZipFile(link) as archive:
        at = archive.start_dir
    data = bytearray(link.read_bytes())
    first = data.index(b"PK\x01\x02", at)
    data[first + 38 : first + 42] = ((stat.S_IFLNK | 0o777) << 16).to_bytes(4, "little")
    link.write_bytes(bytes(data))
    with pytest.raises(PackError, match="not a plain file"):
        packing.unpack(link)
    assert nothing_left(1)


def test_a_recording_that_would_end_a_viewer_is_refused(run: Run, tmp_path: Path) -> None:
    planted.record(run, [Event(5000, "changed", "x", 1.0, 9, {"control": "lr", "value": "high"})])
    planted.record(run, [Points(np.array([5000]), {"test_loss": np.array([1.0])})])
    packing.pack(run, tmp_path / "b.grok")
    with pytest.raises(PackError, match=r"frames\.bin: lr = 'high': a number"):
        packing.unpack(tmp_path / "b.grok")
    planted.record(planted.run(), [Event(5000, "phase", "\x1b]52;c;evil\x07", 1.0)])
    packing.pack(runs.find("nanda113-2"), tmp_path / "c.grok")
    with pytest.raises(PackError, match="control characters"):
        packing.unpack(tmp_path / "c.grok")


def test_notes_come_along_and_lines_that_are_none_are_no_danger(run: Run, tmp_path: Path) -> None:
    note = notes.add(run, 1200, "the test loss turns")
    with notes.path(run).open("ab") as file:
        file.write(b'import os\n{"id": "x", "epoch": 1, "time": 1, "text": "\\u001b[2J"}\n{"torn')
    packing.pack(run, tmp_path / "b.grok")
    (here,) = packing.unpack(tmp_path / "b.grok")
    assert notes.read(here) == [note]
    assert [(e.epoch, e.text) for e in whole.read(here).state.events if e.what == "note"] == [(1200, note.text)]


def test_a_hook_arrives_as_a_text_and_is_not_run(tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    settings = config.override(config.preset("nanda113"), [("notify.hook", f"touch {evil}")])
    run = runs.create(settings)
    planted.record(run, record.read(planted.run().frames)[0])
    packing.pack(run, tmp_path / "h.grok")
    done = CliRunner().invoke(cli, ["unpack", str(tmp_path / "h.grok"), "--name", "theirs"])
    assert done.exit_code == 0, done.output
    assert "a hook, which is kept as a text and never run" in done.output
    assert not evil.exists()


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


SMALL: dict[str, bytes] = {}


def small() -> bytes:
    """A pack of a short run, made once."""
    if not SMALL:
        run = planted.run(20, (), weights=(0,), resume=(), looked_back=False)
        place = paths.home() / "small.grok"
        packing.pack(run, place)
        SMALL["pack"] = place.read_bytes()
        SMALL["frames"] = run.frames.read_bytes()
    return SMALL["pack"]


def harmless(data: bytes) -> bool:
    """Either refused with nothing left behind, or the very run that was packed."""
    file = paths.runs_dir().parent / "fuzzed.grok"
    file.write_bytes(data)
    before = len(list(paths.runs_dir().iterdir()))
    try:
        (run,) = packing.unpack(file)
    except GrokTuiError as error:
        return nothing_left(before) and "\n" not in str(error)
    same = run.frames.read_bytes() == SMALL["frames"] and not list(run.path.glob("*/*.pkl"))
    for path in sorted(run.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run.path.rmdir()
    return same


@settings(max_examples=150)
@given(st.floats(0, 1, exclude_max=True))
@example(0.0)
@example(0.999999)
def test_a_pack_that_was_cut_short_anywhere_is_refused(at: float) -> None:
    data = small()
    assert harmless(data[: int(at * len(data))])


@settings(max_examples=300)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing(at: float, bit: int) -> None:
    data = bytearray(small())
    data[int(at * len(data))] ^= 1 << bit
    assert harmless(bytes(data))


@settings(max_examples=200)
@given(st.binary(max_size=200), st.floats(0, 1, exclude_max=True), st.integers(0, 200))
def test_bytes_put_in_anywhere_are_refused_or_change_nothing(new: bytes, at: float, over: int) -> None:
    data = small()
    start = int(at * len(data))
    assert harmless(data[:start] + new + data[start + over :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["format", "pack", "layout", "runs", "files", "grok_tui"]), JSON, min_size=1))
def test_any_manifest_is_refused_or_fits(changes: dict[str, Any]) -> None:
    with zipfile.ZipFile(io.BytesIO(small())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(members.pop(manifest.NAME)) | changes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(manifest.NAME, json.dumps(listed))
    assert harmless(out.getvalue())
