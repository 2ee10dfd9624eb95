"""Branching and listing families, from the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from grok_tui import branches, codec, comparing, launch, record, runs, sweeps
from grok_tui.commands import common
from grok_tui.config import to_tables
from grok_tui.export import again as made_again
from grok_tui.ledger import Ledger
from grok_tui.protocol import Reply, SetControl
from grok_tui.runs import Run
from grok_tui.science.phases import Phase
from tests.cli.families import Say, pulsed, recorded, refused
from tests.sweep import tiny
from tests.ui import story
from tests.wire.wiring import make_run

pytestmark = pytest.mark.usefixtures("home")


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
