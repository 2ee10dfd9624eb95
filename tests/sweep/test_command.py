"""`grok-tui sweep` without a terminal: what it starts, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grok_tui import membership, runs, sweeps

pytestmark = pytest.mark.usefixtures("own_home")

TINY = [
    f"--set={key}"
    for key in ("task.p=11", "model.d_model=16", "model.d_mlp=32", "model.n_heads=2", "data.fraction=0.5")
]


def sweep(*words: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "grok_tui", "sweep", *words]
    env = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=root, env=env)


def test_two_by_two_members_are_run_to_their_ends_and_told_in_a_table() -> None:
    grid = ["--weight-decay", "1,1000", "--lr", "1e-3,1", "--set", "optimizer.warmup=0"]
    done = sweep("--preset", "demo", *TINY, *grid, "--epochs", "60", "--jobs", "2", "--name", "four", "--headless")
    assert done.returncode == 1, done.stderr
    assert "3 of 4 done, 1 failed" in done.stdout
    assert "train loss is not finite" in done.stdout
    assert {membership.read(run.path) for run in runs.listing()} == {
        ("four", sweeps.find("four").read().id, number) for number in (1, 2, 3, 4)
    }
    once = sweep("four", "--once")
    assert once.returncode == 0
    assert once.stdout.count("✓ finished") == 3
    assert "four   ✗ ended with failures" in once.stdout
    assert "four" in sweep("--list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "demo", "--weight-decay", "1,x", "--detach"], "member 2 (weight decay x)"),
        (["--preset", "demo", "--weight-decay", "1,2000", "--seeds", "2", "--detach"], "member 3 (weight decay 2000"),
        (["--preset", "demo", "--seeds", "2", "--plan", "when grokked: stop", "--detach"], "grokked"),
        (["--preset", "demo", "--detach"], "a sweep varies something"),
        (["--preset", "demmo", "--seeds", "2", "--detach"], "did you mean 'demo'"),
        (["--seeds", "2", "--detach"], "--seeds needs --preset"),
        (["nothing", "--preset", "demo", "--detach"], "keeps its grid"),
        (["nothing", "--once"], "there is no sweep 'nothing'"),
        (["--once", "--detach"], "do not go together"),
        (["--preset", "demo", "--seeds", "2"], "needs a terminal"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_line_and_leaves_nothing(words: list[str], said: str) -> None:
    done = sweep(*words)
    assert done.returncode != 0
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sweeps.listing() == []
    assert runs.listing() == []


def test_members_may_end_once_they_have_generalized() -> None:
    done = sweep(
        "--preset", "demo", *TINY, "--seeds", "1", "--epochs", "20", "--stop-when-grokked", "500", "--headless"
    )
    assert done.returncode == 0, done.stderr
    lines = sweeps.find().read().base.plan.lines
    assert [line.partition(":")[0] for line in lines] == ["when generalized + 500", "when direct generalization + 500"]
