"""Branching, listing families, deleting and pruning, from the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from grok_tui import branches, cli, codec, comparing, launch, locks, pruning, record, removal, runs, sweeps, wording
from grok_tui.commands import common
from grok_tui.config import to_tables
from grok_tui.export import again as made_again
from grok_tui.ledger import Ledger
from grok_tui.ledger import read as read_ledger
from grok_tui.protocol import Event, Reply, SetControl
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.science.phases import Phase
from tests.sweep import planted, tiny
from tests.ui import story
from tests.wire.wiring import event, hello, make_run, points

Done = subprocess.CompletedProcess[str]
KB = 1 << 10


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "runs"


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    return Say(monkeypatch, capsys)


class Say:
    """Says a command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str, answer: str | None = None) -> Done:
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["grok-tui", *arguments])
            patch.setattr(common, "on_terminal", lambda: answer is not None)
            patch.setattr("click.termui.visible_prompt_func", lambda _: answer or "")
            with pytest.raises(SystemExit) as left:
                cli.main()
        printed = self._capsys.readouterr()
        assert isinstance(left.value.code, int)
        return subprocess.CompletedProcess(arguments, left.value.code, printed.out, printed.err)


def recorded(epochs: int = 100, **machine: object) -> Run:
    """A run that has ended, with a kilobyte of weights each 10 epochs and a resume point each 5."""
    run = make_run()
    recorder = Recorder(run.frames)
    for frame in (
        replace(greeting := hello(run.name), machine=greeting.machine | machine),
        event(0, "started"),
        points(0, epochs),
        event(epochs, "stopped"),
    ):
        recorder.append(frame)
    recorder.close()
    Ledger(run.ledger).close()
    for place, every in ((run.weights, 10), (run.resume_points, 5)):
        place.mkdir()
        for epoch in range(0, epochs + 1, every):
            (place / f"{epoch:08d}.safetensors").write_bytes(b"x" * KB)
    run.write_state({"epoch": epochs, "state": "stopped"})
    return run


def stored(place: Path) -> list[int]:
    return sorted(int(path.stem) for path in place.glob("*.safetensors"))


def content(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def aged(path: Path, days: float = 2) -> Path:
    then = time.time() - days * pruning.DAY
    os.utime(path, (then, then))
    return path


def refused(done: Done) -> str:
    assert done.returncode in (1, 2), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_branch_says_what_it_made_and_from_where_it_begins(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(launch, "_launch", lambda run, *how: asked.append((run.name, *how)))
    run = recorded()
    words = ["branch", run.name, "--epoch", "42", "--weight-decay", "0.3", "--lr", "0.01", "--epochs", "500"]
    done = say(*words, "--set", "measure.every=10", "--threads", "3", "--hook", "true", "--detach")
    assert done.returncode == 0, done
    said = "at 42: weight decay 0.3, learning rate 0.01, epochs 500, measure.every 10"
    assert done.stderr == f"demo-1.1: demo-1 {said}; computed again from epoch 40\n"
    assert done.stdout.startswith("demo-1.1 is training; ")
    assert asked == [("demo-1.1", "auto", 3, "true", None, 0)]
    child = runs.find("demo-1.1")
    assert (child.config.training.epochs, child.config.measure.every) == (500, 10)
    assert say("branch", run.name).returncode == 0
    own = runs.find("demo-1.2").lineage
    assert own is not None
    assert (own.parent, own.epoch, own.changes) == ("demo-1", 100, {})


def test_a_branch_of_a_member_of_a_stack_says_what_repeating_it_costs_and_the_choice(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(launch, "_launch", lambda _run, *how: asked.append(how[-1]))
    run = recorded(stack=4)
    told = say("branch", run.name, "--epoch", "42").stderr
    assert "demo-1.1: trained as in a stack of 4, like its past, to repeat it bit for bit; on a CPU about" in told
    assert "--alone does without" in told
    assert say("branch", run.name, "--alone").returncode == 0
    assert "trained as in a stack of 4" in say("resume", run.name, "--detach").stderr
    assert say("resume", run.name, "--detach", "--alone").returncode == 0
    assert asked == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--epoch", "101"), "there is no epoch 101"),
        (("--epoch", "-5"), "epoch -5: 0 or more was expected"),
        (("--epoch", "clenup"), "--epoch 'clenup': 'clenup' is no phase; did you mean 'cleanup'?"),
        (("--epoch", "cleanup 500"), "--epoch 'cleanup 500': 'cleanup 500' is no phase"),
        (("--epoch", "cleanup"), "demo-1 has not been measured, and no phase of it is known"),
        (("--epoch", "test_loss < 1"), "'test_loss < 1': an epoch or a phase was expected"),
        (("--epoch", "in 5"), "'in 5': an epoch or a phase was expected"),
        (("--epoch", "5", "--weight-decay", "much"), "--weight-decay: 'much' is not a number"),
        (("--epoch", "5", "--weight-decay", "-1"), "weight_decay = -1.0 is out of bounds"),
        (("--epoch", "5", "--set", "task.p=7"), "task.p cannot be set in a branch"),
        (("--epoch", "5", "--set", "task"), "KEY=VALUE"),
        (("--epoch", "5", "--epochs", "5"), "is the end of 5 epochs"),
        (("--epoch", "5", "--before", "1"), "no intervention 1"),
        (("--epoch", "5", "--once", "--detach"), "do not go together"),
    ],
)
def test_a_branch_that_cannot_be_is_one_line_and_nothing_is_left(
    say: Say, home: Path, arguments: tuple[str, ...], said: str
) -> None:
    run = recorded()
    assert said in refused(say("branch", run.name, *arguments))
    assert [path.name for path in home.iterdir()] == [run.name]


def grokking(until: int) -> Run:
    """The scripted run of the screens, recorded up to an epoch."""
    run = make_run()
    record.write(run.frames, map(codec.pack, story.frames(until=until)))
    return run


def test_a_branch_begins_where_a_phase_began_as_viewers_place_it(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = grokking(9000)
    began = {b.phase: b.epoch for b in comparing.read(run).phases.boundaries}
    assert 6000 < began[Phase.CLEANUP] < 7500
    assert began[Phase.CIRCUIT_FORMATION] < began[Phase.CLEANUP]
    words = ("cleanup", "cleanup+500", "Circuit formation + 1,000", "circuit", "7,000", "at 7000")
    said = [say("branch", run.name, "--epoch", word) for word in words]
    assert [done.returncode for done in said] == [0] * len(words)
    assert f"demo-1.1: demo-1 at {began[Phase.CLEANUP]:,}" in said[0].stderr
    known = next(b.confirmed for b in comparing.read(run).phases.boundaries if b.phase is Phase.CLEANUP)
    assert known > began[Phase.CLEANUP]
    both = f"demo-1: cleanup began at {began[Phase.CLEANUP]:,} (known at {known:,})\n"
    assert [both in done.stderr for done in said] == [True, True] + [False] * 4
    assert [" began at " in done.stderr for done in said] == [True] * 4 + [False] * 2
    at = [child.lineage.epoch for child in runs.children(run) if child.lineage]
    cleanup, circuit = began[Phase.CLEANUP], began[Phase.CIRCUIT_FORMATION]
    assert at == [cleanup, cleanup + 500, circuit + 1000, circuit, 7000, 7000]


def test_the_list_of_rules_says_where_the_phase_began_that_one_acted_at(say: Say) -> None:
    run = grokking(9000)
    cleanup = next(b for b in comparing.read(run).phases.boundaries if b.phase is Phase.CLEANUP)
    fired = cleanup.confirmed
    ledger = Ledger(run.ledger)
    for number, line in enumerate(("when cleanup: checkpoint", "at 9: pause", "when cleanup + 10: pause"), 1):
        ledger.append(0, "planned", True, line, id=number, line=line)
    ledger.append(fired, "planned", True, "3 later", id=3, line=f"at {fired + 10}: pause")
    for number, epoch in ((1, fired), (2, fired + 5), (3, fired + 10)):
        ledger.append(epoch, "fired", True, "done", id=number)
    ledger.close()
    both = f"; cleanup began at {cleanup.epoch:,} (known at {fired:,})"
    told = [line.partition(" done at ")[2] for line in say("plan", run.name).stdout.splitlines()]
    assert told == [f"{fired:,}{both}", f"{fired + 5:,}", f"{fired + 10:,}{both}"]
    run.frames.unlink()
    done = say("plan", run.name)
    assert f"done at {fired:,}\n" in done.stdout
    assert done.stderr.startswith("where phases began is unknown: ")


def test_a_run_that_has_not_come_to_a_phase_says_in_one_line_where_it_is(say: Say, home: Path) -> None:
    run = grokking(5000)
    told = refused(say("branch", run.name, "--epoch", "cleanup"))
    assert (
        told == "grok-tui: demo-1 has not come to cleanup: it is now circuit formation, as measured up to epoch 5,000\n"
    )
    told = refused(say("branch", run.name, "--epoch", "circuit + 9000"))
    assert "there is no epoch 10,300 to branch at" in told
    assert [path.name for path in home.iterdir()] == [run.name]


def test_runs_are_listed_as_families(say: Say) -> None:
    run = recorded()
    child = branches.create(run, 40, {"weight_decay": 0.3})
    branches.create(child, 20)
    assert "no runs yet" not in say("runs").stdout
    head, *lines = say("runs", "--tree").stdout.splitlines()
    assert head.split()[-1] == "branched"
    assert [re.split("  [✂■]", line)[0].rstrip() for line in lines] == ["demo-1", "└ demo-1.1", "  └ demo-1.1.1"]
    assert lines[1].endswith("at 40: weight decay 0.3")


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


def pulsed(run: Run) -> Run:
    """A run whose weight decay was 3 from epoch 20 on, then 9 for 24 epochs, and 3 again, with a refusal in between."""
    changes = ((20, 1.0, 3.0), (40, 3.0, 9.0), (64, 9.0, 3.0))
    recorder, ledger = Recorder(run.frames), Ledger(run.ledger)
    for frame in (hello(run.name), event(0, "started"), points(0, 20)):
        recorder.append(frame)
    ledger.append(10, "set", False, "there is no control 'momentum'")
    for (epoch, previous, value), end in zip(changes, (40, 64, 100), strict=True):
        data = {"control": "weight_decay", "value": value, "previous": previous}
        text = f"weight_decay {previous:g} → {value:g}"
        seq = ledger.append(epoch, "changed", True, text, **data)
        recorder.append(Event(epoch, "changed", text, 0.0, seq, data))
        recorder.append(points(epoch, end - epoch))
    recorder.close()
    ledger.close()
    run.write_state({"epoch": 100, "state": "stopped"})
    return run


def test_undo_lists_what_can_be_left_out_by_the_numbers_that_branch_takes(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = pulsed(make_run())
    listed = [line.split(maxsplit=2) for line in say("undo", run.name, "--list").stdout.splitlines()]
    assert listed == [
        ["entry", "epoch", "done"],
        ["2", "20", "weight_decay 1 → 3"],
        ["3", "40", "weight_decay 3 → 9"],
        ["4", "64", "weight_decay 9 → 3"],
    ]
    for number, *_ in listed[1:]:
        assert say("branch", run.name, "--before", number).returncode == 0
    begun = [child.lineage.epoch for child in runs.children(run) if child.lineage]
    assert begun == [20, 40, 64]
    assert say("undo", recorded().name, "--list").stdout == "demo-2: nothing was done to it\n"


def test_undo_as_if_never_begins_before_the_last_change_that_the_weights_felt(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = pulsed(make_run())
    done = say("undo", run.name, "--as-if-never", "--detach")
    assert done.stderr == "demo-1.1: demo-1 without weight decay 3 → 9 at epoch 40\n"
    assert done.stdout.startswith("demo-1.1 is training; ")
    child = runs.find("demo-1.1")
    assert child.lineage is not None
    assert (child.lineage.epoch, child.lineage.without) == (40, "weight_decay 3 → 9")
    assert [entry.text for entry in read_ledger(child.ledger) if entry.what == "changed"] == ["weight_decay 1 → 3"]


def test_undo_sets_back_what_is_in_force(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = pulsed(make_run()), []

    def ask(_run: Run, command: SetControl) -> Reply:
        asked.append((command.name, command.value))
        return Reply(1, True, 100, "weight_decay 3 → 1")

    monkeypatch.setattr(common, "ask", ask)
    assert say("undo", run.name).stdout == "demo-1: weight_decay 3 → 1 (epoch 100)\n"
    assert asked == [("weight_decay", 1.0)]


def test_that_a_branch_learns_nothing_at_a_learning_rate_of_0_is_said(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = recorded()
    warning = "learning rate: nothing is learnt at 0: no weight moves"
    assert warning in say("branch", run.name, "--lr", "0").stderr
    for control in ("--lr", "--weight-decay"):
        assert warning not in say("branch", run.name, control, "0" if "decay" in control else "0.1").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "demo-1", "lr", "0"), True),
        (("set", "demo-1", "weight_decay", "0"), False),
        (("plan", "demo-1", "at 6000: pause; set lr 0"), True),
        (("plan", "demo-1", "at 6000: branch lr 0"), True),
        (("plan", "demo-1", "at 6000: branch; set lr linear 0 over 100"), False),
    ],
)
def test_that_nothing_is_learnt_at_a_learning_rate_of_0_is_said_where_it_is_set(
    say: Say, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: bool
) -> None:
    recorded()
    monkeypatch.setattr(common, "ask", lambda *_: Reply(1, True, 100, "done"))
    done = say(*words)
    assert done.stdout == "demo-1: done (epoch 100)\n"
    assert done.stderr == ("demo-1: learning rate: nothing is learnt at 0: no weight moves\n" if said else "")


@pytest.mark.parametrize("word", ["wd", "weight_decay"])
def test_weight_decay_is_set_by_either_of_its_names(say: Say, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    asked: list[SetControl] = []

    def ask(_run: Run, command: SetControl) -> Reply:
        asked.append(command)
        return Reply(1, True, 100, "done")

    monkeypatch.setattr(common, "ask", ask)
    assert say("set", recorded().name, word, "3").returncode == 0
    assert [(command.name, command.value) for command in asked] == [("weight_decay", 3.0)]


def test_of_a_finished_run_undo_names_what_there_is_instead(say: Say) -> None:
    run = pulsed(make_run())
    run.write_state({"epoch": 100, "state": "finished"})
    said = "grok-tui: demo-1 has finished; --as-if-never makes a branch without weight decay 3 → 9 at epoch 40\n"
    assert refused(say("undo", run.name)) == said


@pytest.mark.parametrize("seeds", [2, 6])
@pytest.mark.parametrize("words", [("plan", "compared"), ("export", "compared", "s.csv"), ("compare", "compared", "a")])
def test_where_a_run_is_meant_a_sweep_says_that_it_is_one_and_names_its_runs(
    say: Say, words: tuple[str, ...], seeds: int
) -> None:
    sweep = tiny.made(decays=None, seeds=seeds)
    words = tuple(word.replace("compared", sweep.name) for word in words)
    opens = f"grok-tui: {sweep.name!r} is a sweep and no run; grok-tui sweep {sweep.name} opens it; "
    assert refused(say(*words)) == opens + "it has no runs\n"
    contents = sweep.read()
    made = []
    for member in contents.members:
        run = runs.create(contents.config(member))
        sweeps.mark(run, contents, sweep, member)
        contents = contents.with_member(replace(member, run=run.name))
        made.append(run.name)
    sweep.write(contents)
    named = (
        f"its runs are {made[0]}, {made[1]}" if seeds == 2 else f"its 6 runs are {', '.join(made[:3])}, … {made[-1]}"
    )
    assert refused(say(*words)) == opens + named + "\n"


def test_undo_says_why_there_is_nothing_to_undo(say: Say) -> None:
    assert refused(say("undo", recorded().name)) == "grok-tui: demo-1: nothing to undo: no control has been changed\n"
    assert "is not being trained now" in refused(say("undo", pulsed(make_run()).name))
    for words in (("--list", "--as-if-never"), ("--detach",)):
        assert "go" in refused(say("undo", "demo-1", *words))


def test_a_branch_that_does_not_repeat_what_was_done_by_hand_later_says_so(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    run = pulsed(make_run())
    done = say("branch", run.name, "--epoch", "30")
    assert (
        "demo-1.1: as demo-1 until 40, then without its weight decay 3 → 9, and 1 more that came later" in done.stderr
    )
    assert "until" not in say("branch", run.name, "--epoch", "64").stderr
    assert "until" not in say("branch", run.name, "--epoch", "30", "--weight-decay", "2").stderr
    assert "until" not in say("branch", run.name, "--before", "3").stderr


def test_a_run_of_a_stack_is_made_again_by_a_command_that_names_the_stack(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = recorded(stack=4), list[object]()

    def start(_config: object, *, stack: int, **_: object) -> Run:
        asked.append(stack)
        return run

    monkeypatch.setattr(launch, "start", start)
    assert made_again.command(run, to_tables(run.config), []).endswith(" --stack 4")
    assert "--stack 4 --recipe FILE" in say("recipe", run.name).stdout
    assert say("--preset", "demo", "--stack", "4", "--detach").returncode == 0
    assert say("--preset", "demo", "--detach").returncode == 0
    assert asked == [4, 0]
    assert "--stack" in refused(say("--preset", "demo", "--stack", "0", "--detach"))


def test_undo_of_a_schedule_that_was_ended_where_it_stood_says_what_takes_it_up_again(say: Say) -> None:
    run = make_run()
    recorder = Recorder(run.frames)
    schedule = {
        "control": "weight_decay",
        "value": 1.5,
        "previous": 1.5,
        "schedule": "set weight_decay step *0.5 every 40",
    }
    end = {"control": "weight_decay", "value": 0.75, "previous": 0.75}
    for frame in (
        *(hello(run.name), event(0, "started"), points(0, 50), Event(50, "scheduled", "as planned", 0.0, 1, schedule)),
        *(points(50, 50), Event(100, "changed", "weight_decay 0.75 → 0.75, its schedule ends", 0.0, 2, end)),
    ):
        recorder.append(frame)
    recorder.close()
    run.write_state({"epoch": 100, "state": "stopped"})
    assert refused(say("undo", run.name)) == (
        "grok-tui: demo-1: weight decay was scheduled until epoch 100, and no value takes that up again; "
        "--as-if-never makes a branch in which it goes on\n"
    )
