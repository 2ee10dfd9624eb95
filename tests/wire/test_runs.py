from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grok_tui import config, holding, paths, runs
from grok_tui.config import Config
from grok_tui.errors import RunError
from grok_tui.runs import Run
from tests.waiting import until
from tests.wire.wiring import make_run


def test_runs_are_numbered_and_hold_their_configuration(home: Path) -> None:
    changed = config.override(Config(name="demo"), [("optimizer.weight_decay", 0.3)])
    first, second = runs.create(changed), runs.create(Config(name="demo"))
    assert (first.name, second.name) == ("demo-1", "demo-2")
    assert first.path == home / "runs" / "demo-1"
    assert first.config == Run(first.path).config == changed
    assert (first.path / "VERSION").read_text() == "1\n"
    assert {path.name for path in first.path.iterdir()} == {"VERSION", "config.toml"}
    assert "beta2 = 0.98" in (first.path / "config.toml").read_text(), "every default is spelled out"


def test_a_number_is_not_used_again_while_a_higher_one_exists() -> None:
    first, second = make_run(), make_run()
    (first.path / "config.toml").unlink()
    (first.path / "VERSION").unlink()
    first.path.rmdir()
    assert (make_run().name, second.name) == ("demo-3", "demo-2")


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("my setup/α", "my-setup-1"),
        ("../../etc", "etc-1"),
        ("...", "custom-1"),
        ("", "custom-1"),
        ("x" * 300, "x" * 40 + "-1"),
    ],
)
def test_a_name_from_a_preset_becomes_one_that_can_be_typed(name: str, directory: str) -> None:
    run = runs.create(Config(name=name))
    assert run.name == directory
    assert run.path.parent == paths.runs_dir()


def test_many_made_at_once_get_a_directory_each() -> None:
    made: list[Run] = []
    threads = [threading.Thread(target=lambda: made.append(make_run())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.name for run in made) == sorted(f"demo-{n}" for n in range(1, 13))
    assert all(run.problem is None for run in made)


def test_nothing_is_left_of_a_run_that_could_not_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Config) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(config, "dump", full)
    with pytest.raises(RunError, match=r"no run can be made there \(No space left on device\)"):
        make_run()
    assert list((home / "runs").iterdir()) == []


def test_a_home_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path / "file"))
    with pytest.raises(RunError, match="set GROK_TUI_HOME to a writable directory"):
        make_run()


def test_looking_makes_nothing(home: Path) -> None:
    assert runs.listing() == []
    with pytest.raises(RunError, match="there are no runs yet"):
        runs.find()
    assert not home.exists()


def test_a_run_is_found_by_name_by_path_or_as_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, other = make_run(), make_run(), make_run("nanda113")
    for age, run in enumerate((second, other, first)):
        os.utime(run.path / "config.toml", (1000 - age, 1000 - age))
    assert runs.find("demo-1") == first
    assert runs.find(str(first.path)) == first
    assert runs.find(str(first.path) + "/") == first
    monkeypatch.chdir(first.path.parent)
    assert runs.find("./demo-2") == second
    assert runs.find() == second
    assert runs.listing() == [second, other, first]


def test_starting_makes_a_run_the_newest_again() -> None:
    first, second = make_run(), make_run()
    for run in (first, second):
        os.utime(run.path / "config.toml", (1000, 1000))
    with first.hold():
        pass
    assert runs.find() == first


@pytest.mark.parametrize("name", ["dmo-1", "demo1", "Demo-1"])
def test_an_unknown_name_brings_the_nearest(name: str) -> None:
    make_run()
    with pytest.raises(RunError, match="did you mean 'demo-1'"):
        runs.find(name)


@pytest.mark.parametrize("name", ["", "zzzzzz", "./nowhere", "/", "a\0b"])
def test_a_name_like_no_other_is_an_error_of_one_line(name: str) -> None:
    make_run()
    with pytest.raises(RunError) as caught:
        runs.find(name)
    assert "\n" not in str(caught.value)


def test_broken_directories_are_listed_with_what_is_wrong(home: Path) -> None:
    sound = make_run()
    parent = home / "runs"
    broken: dict[str, tuple[str, dict[str, str | bytes]]] = {
        "empty": ("not a run directory", {}),
        "newer": ("made by a newer grok-tui", {"VERSION": "2\n", "config.toml": ""}),
        "odd": ("not a run directory", {"VERSION": "one"}),
        "bare": ("config.toml", {"VERSION": "1\n"}),
        "torn": ("not TOML", {"VERSION": "1\n", "config.toml": "[task"}),
        "wrong": ("optimizer.weight_decay", {"VERSION": "1\n", "config.toml": "[optimizer]\nweight_decay = -1\n"}),
        "noise": ("not a run directory", {"VERSION": b"\xff\xfe"}),
    }
    for name, (_, files) in broken.items():
        (parent / name).mkdir()
        for file, content in files.items():
            (parent / name / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    (parent / "a file").write_text("")
    (parent / ".hidden").mkdir()
    found = {run.name: run.problem for run in runs.listing()}
    assert found.keys() == {"demo-1", *broken}
    assert found.pop("demo-1") is None
    for name, problem in found.items():
        assert problem is not None
        assert broken[name][0] in problem
        assert "\n" not in problem
    assert runs.find() == sound


def test_a_newer_layout_is_refused_in_one_line() -> None:
    run = make_run()
    (run.path / "VERSION").write_text("2\n")
    with pytest.raises(RunError, match=r"demo-1: made by a newer grok-tui \(layout 2; this one reads up to 1\)"):
        runs.find("demo-1")


def test_only_one_trainer_holds_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "PATIENCE", 0.05)
    run = make_run()
    assert not run.alive
    with run.hold():
        assert run.alive
        assert run.pid == os.getpid()
        with pytest.raises(RunError, match=f"demo-1 is being trained already, by process {os.getpid()}"), run.hold():
            pass
        assert run.alive
    assert not run.alive
    with run.hold():
        assert run.alive


def test_looking_whether_a_run_is_alive_never_keeps_a_trainer_out() -> None:
    run = make_run()
    with run.hold():
        pass
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            _ = run.alive

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            with run.hold():
                pass
    finally:
        over.set()
        for looker in lookers:
            looker.join()


HOLD = """
import sys
from pathlib import Path
from grok_tui.runs import Run
with Run(Path(sys.argv[1])).hold():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_trainer_is_not_alive() -> None:
    run = make_run()
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert run.alive
        assert run.pid == holder.pid
        holder.kill()
    until(lambda: not run.alive, "the death of the trainer")


def test_the_socket_is_where_the_trainer_says_whatever_the_viewers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    with run.hold():
        told = run.socket
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert run.socket == told != paths.socket_path(run.path)
    assert len(os.fsencode(told)) <= paths.SOCKET_LIMIT


def test_the_state_is_replaced_whole_and_is_plain_json(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    assert run.state == {}
    run.write_state({"epoch": 7, "rate": math.nan, "values": {"test_loss": math.inf, "train_loss": 0.5}})
    told = {"epoch": 7, "rate": None, "values": {"test_loss": None, "train_loss": 0.5}}
    assert run.state == told == json.loads((run.path / "state.json").read_text())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(RunError, match=r"state.json: cannot be written \(No space left on device\)"):
            run.write_state({"epoch": 8})
    assert run.state == told
    assert not (run.path / "state.json.new").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_a_state_that_cannot_be_read_is_no_state(content: bytes) -> None:
    run = make_run()
    (run.path / "state.json").write_bytes(content)
    assert run.state == {}
