"""The command from outside: what it prints, where, and its exit code."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from grok_tui import cli, config, launch, runs
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.ui.story import frames

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def grok_tui(*arguments: str) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "grok_tui", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def recorded(until: int = 3000, state: str = "stopped") -> Run:
    """A run with a recording and nobody who trains it."""
    run = runs.create(config.preset("nanda113"))
    recorder = Recorder(run.frames)
    for frame in frames(until=until, state=state, run=run.name):
        if frame.kind != "status":
            recorder.append(frame)  # type: ignore[arg-type]
    values = {"test_accuracy": 0.07}
    run.write_state(
        {"epoch": until, "state": state, "time": 1.7e9, "controls": {"weight_decay": 1.0}, "values": values}
    )
    return run


def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """The same as `grok_tui`, in this process: ten times as fast, and enough where only words matter."""
    monkeypatch.setattr(sys, "argv", ["grok-tui", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    printed = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return subprocess.CompletedProcess(arguments, left.value.code, printed.out, printed.err)


def refused(done: Done, code: int) -> str:
    """The one line on stderr of a command that failed with `code`."""
    assert done.returncode == code, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("grok-tui: ")
    return lines[0]


def test_help_says_first_what_it_is_and_what_it_is_not() -> None:
    done = grok_tui("--help")
    assert done.returncode == 0
    head = " ".join(done.stdout.split("\n\n")[1].split())
    assert head.startswith("A lab bench for grokking")
    assert "Not xAI's Grok" in head
    for word in ("attach", "runs", "presets", "set", "pause", "resume", "stop", "bench", "--headless", "--once"):
        assert word in done.stdout


@pytest.mark.parametrize(("command", "example"), [("plan", "plan demo-1 unplan 2"), ("until", "until demo-1 cleanup")])
def test_the_examples_of_a_command_stand_on_lines_of_their_own(command: str, example: str) -> None:
    lines = [line.strip() for line in grok_tui(command, "--help").stdout.splitlines()]
    assert f"grok-tui {example}" in lines
    assert not any("\\b" in line or "\b" in line for line in lines)


def test_help_takes_less_than_a_quarter_of_a_second() -> None:
    """Of the processor: the clock of a machine that is busy tells of the others."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        grok_tui("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert 0 < best < 0.25


@pytest.mark.parametrize(
    "module",
    [
        "grok_tui.cli",
        "grok_tui.ui.app",
        "grok_tui.ui.once",
        "grok_tui.headless",
        "grok_tui.state",
        "grok_tui.science.phases",
    ],
)
def test_the_viewer_never_loads_torch(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'einops', 'safetensors') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_alone_loads_no_textual_and_no_numpy() -> None:
    code = "import sys, grok_tui.cli; print([m for m in ('textual', 'numpy', 'rich', 'msgpack') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [(), ("--preset", "demo")])
def test_without_a_terminal_it_says_so_and_starts_nothing(home: Path, arguments: tuple[str, ...]) -> None:
    assert "needs a terminal; use --headless" in refused(grok_tui(*arguments), 2)
    assert not home.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--preset", "nanda114", "--once"), 2, "did you mean 'nanda113'?"),
        (("--preset", "/nowhere/x.toml", "--once"), 2, "no such preset file"),
        (("--preset", "demo", "--weight-decay", "-1", "--once"), 2, "optimizer.weight_decay"),
        (("--preset", "demo", "--lr", "fast", "--once"), 2, "'fast'"),
        (("--preset", "demo", "--epochs", "0", "--once"), 2, "training.epochs"),
        (("--preset", "demo", "--seed", "1.5", "--once"), 2, "data.seed"),
        (("--preset", "demo", "--measure-every", "0", "--once"), 2, "measure.every"),
        (("--preset", "demo", "--set", "data.fractoin=0.4", "--once"), 2, "did you mean 'data.fraction'?"),
        (("--preset", "demo", "--set", "nonsense", "--once"), 2, "KEY=VALUE"),
        (("--preset", "demo", "--set", "view.layout=cheks", "--detach"), 2, "did you mean 'checks'?"),
        (("--preset", "demo", "--set", "view.layout=x", "--detach"), 2, "view.layout: layout 'x' is not known; known:"),
        (("--preset", "demo", "--set", "task.p=60", "--once"), 2, "even"),
        (("--preset", "demo", "--threads", "0", "--once"), 2, "--threads"),
        (("--preset", "demo", "--device", "tpu", "--once"), 2, "--device"),
        (("--preset", "demo", "--headless", "--once"), 2, "do not go together"),
        (("--preset", "demo", "runs"), 2, "does not go with the command"),
        (("--weight-decay", "1"), 2, "needs --preset"),
        (("--once",), 1, "there are no runs yet"),
        (("attach", "demo-7", "--once"), 1, "there is no run 'demo-7'"),
        (("demo",), 2, "grok-tui --preset demo"),
        (("attahc",), 2, "No such command"),
        (("--nonsense",), 2, "--nonsense"),
        (("set", "demo-1", "weight_decay"), 2, "VALUE"),
        (("set", "demo-1", "weight_decay", "much"), 2, "'much' is not a number"),
        (("set", "demo-1", "weight_decay", "-3"), 1, "there is no run 'demo-1'"),
        (("pause", "demo-1"), 1, "there is no run 'demo-1'"),
        (("stop",), 1, "there are no runs yet"),
        (("resume", "demo-1", "--headless"), 1, "there is no run 'demo-1'"),
    ],
)
@pytest.mark.usefixtures("home")
def test_every_error_is_one_line_with_an_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    assert said in refused(here(monkeypatch, capsys, *arguments), code)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("given", "silent"), [((), False), (("--hook", "true"), True)])
def test_a_resume_without_the_hook_of_before_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], silent: bool
) -> None:
    settings = config.override(config.preset("demo"), [("notify.hook", "echo grokked")])
    run = runs.create(settings)
    monkeypatch.setattr(launch, "resume", lambda *_, **__: None)
    printed = here(monkeypatch, capsys, "resume", run.name, "--detach", *given)
    assert printed.returncode == 0
    assert ("without its hook" in printed.stderr) is not silent
    assert (f"grok-tui resume {run.name} --hook COMMAND" in printed.stderr) is not silent


@pytest.mark.usefixtures("home")
def test_a_run_that_nobody_trains_takes_no_commands() -> None:
    run = recorded()
    for arguments in (("set", run.name, "weight_decay", "3"), ("pause", run.name), ("stop", run.name)):
        assert f"grok-tui resume {run.name}" in refused(grok_tui(*arguments), 1)


@pytest.mark.usefixtures("home")
def test_a_finished_run_that_is_given_a_command_says_that_it_has_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded(40_000, "finished")
    for arguments in (("set", run.name, "weight_decay", "3"), ("pause", run.name), ("stop", run.name)):
        said = refused(here(monkeypatch, capsys, *arguments), 1)
        assert said == f"grok-tui: {run.name} has finished its 40,000 epochs"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "dmeo"), "demo"),
        (("--preset", "demo", "--set", "data.fractoin=0.4"), "data.fractoin"),
        (("attach", "demo-7"), "there is no run 'demo-7'"),
        (("attach",), "needs a terminal"),
    ],
)
@pytest.mark.usefixtures("home")
def test_without_a_terminal_what_is_misspelled_is_said_before_that_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    recorded()
    done = here(monkeypatch, capsys, *arguments)
    line = refused(done, done.returncode)
    assert done.returncode in (1, 2)
    assert said in line
    assert ("needs a terminal" in line) == (said == "needs a terminal")


@pytest.mark.usefixtures("home")
def test_a_run_from_a_newer_version_is_left_alone() -> None:
    run = recorded()
    (run.path / "VERSION").write_text("99\n")
    assert "made by a newer grok-tui" in refused(grok_tui("attach", run.name, "--once"), 1)
    assert "✗ unreadable" in grok_tui("runs").stdout


def test_an_unwritable_home_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path / "file" / "home"))
    assert "GROK_TUI_HOME" in refused(grok_tui("--preset", "demo", "--detach"), 1)


def test_presets_are_listed_with_a_sentence_each() -> None:
    done = grok_tui("presets")
    for name, preset in config.presets().items():
        assert any(line.startswith(name) and preset.about in line for line in done.stdout.splitlines())


@pytest.mark.usefixtures("home")
def test_runs_are_listed_newest_first() -> None:
    assert "no runs yet" in grok_tui("runs").stdout
    run = recorded()
    done = grok_tui("runs")
    assert done.returncode == 0
    head, line = done.stdout.splitlines()
    assert head.split()[0] == "run"
    assert run.name in line
    assert "■ stopped" in line
    assert "3,000/40,000" in line
    assert "7.0%" in line


@pytest.mark.usefixtures("home")
def test_once_prints_the_run_with_its_evidence() -> None:
    run = recorded(until=8000)
    done = grok_tui("--once")
    assert done.returncode == 0, done.stderr
    for said in (
        f"{run.name}   ■ stopped   on cpu   epoch 8,000 of 40,000",
        "phase: cleanup since epoch",
        "weight decay   1      0.001 per epoch, half-life 693 epochs",
        "restricted_loss",
        "provisional",
        "key-free",
        "key frequencies",
        "1 4 7 13 28",
        "epoch 8,000: stopped at epoch 8,000",
        "\naccuracy\n",
        "\nlosses\n",
        "└┬─ epoch",
    ):
        assert said in done.stdout
    assert grok_tui("attach", run.name, "--once").stdout == done.stdout


@pytest.mark.usefixtures("home")
def test_a_closed_pipe_is_no_traceback() -> None:
    recorded()
    command = f"{sys.executable} -m grok_tui --once | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""


@pytest.mark.usefixtures("home")
def test_completion_knows_presets_and_runs() -> None:
    run = recorded()

    def complete(words: str) -> str:
        asked = {"_GROK_TUI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()))}
        command = [sys.executable, "-m", "grok_tui"]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | asked).stdout

    assert "plain,demo" in complete("grok-tui --preset")
    assert f"plain,{run.name}" in complete("grok-tui attach")
    assert "plain,optimizer.lr=" in complete("grok-tui --set")


def test_lock_and_unlock_say_what_they_did(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded()
    assert home in run.path.parents

    def said(*words: str) -> str:
        return here(monkeypatch, capsys, *words).stdout.strip()

    assert said("lock", run.name) == f"{run.name} is locked; to change it: grok-tui unlock {run.name}"
    assert said("lock", run.name).startswith(f"{run.name} is locked already")
    assert "is locked; to change it" in refused(here(monkeypatch, capsys, "resume", run.name, "--detach"), 1)
    assert said("unlock", run.name) == f"{run.name} is unlocked"
    assert said("unlock", run.name) == f"{run.name} is not locked"


def test_a_viewer_that_only_looks_starts_no_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(here(monkeypatch, capsys, "--preset", "demo", "--read-only", "--detach"), 2)
    assert "--read-only does not start a run" in said
    assert not (home / "runs").exists()
