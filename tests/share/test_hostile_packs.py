"""Packs that mean harm: nothing is left of them but one line that says what is wrong, and nothing of them is run."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grok_tui import config, manifest, notes, packing, record, runs
from grok_tui.cli import cli
from grok_tui.errors import GrokTuiError, PackError
from grok_tui.export import whole
from grok_tui.protocol import Event
from grok_tui.runs import Run
from tests.share import planted
from tests.share.planted import nothing_left

pytestmark = pytest.mark.usefixtures("own_home")


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


def lineage(**odd: object) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    own = {"parent": "nanda113-7", "epoch": 1000, "started": 1.7e9, "born": 1.8e9, "changes": {}, "settings": {}}
    return put("nanda113-1/lineage.json", json.dumps(own | odd).encode())


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
    "a parent elsewhere": (lineage(parent="../../../etc"), "lineage.json does not say"),
    "a parent without a name": (lineage(parent=""), "lineage.json does not say"),
    "a branch that never was": (lineage(epoch=10**12), "lineage.json does not say"),
    "a branch of what is to come": (
        lineage(epoch=3002),
        "a branch from epoch 3,002 that is recorded up to epoch 3,001",
    ),
    "no change": (lineage(changes={"weight_decay": "x"}), "lineage.json does not say"),
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
    file = packing.pack(run, tmp_path / "b.grok").file
    planted.record(run, [Event(5000, "changed", "x", 1.0, 9, {"control": "lr", "value": "high"})])
    with pytest.raises(PackError, match="an event that cannot be acted on: changed with 'high' for value"):
        packing.unpack(rewritten(file, put("nanda113-1/frames.bin", run.frames.read_bytes())))
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
