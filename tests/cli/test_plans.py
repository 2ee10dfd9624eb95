"""Plans on the command line: refused before there is a run, and listed as they went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from grok_tui import config, launch, paths, runs
from grok_tui.cli import cli
from grok_tui.errors import GrokTuiError, PlanError
from grok_tui.ledger import Ledger
from grok_tui.runs import Run

pytestmark = pytest.mark.usefixtures("own_home")

SHORT = ("--preset", "demo", "--epochs", "300", "--detach")
NO_HOOK = "no hook was given; --set notify.hook=COMMAND gives one"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs whose trainers would have been started."""
    found: list[Run] = []
    monkeypatch.setattr(launch, "_launch", lambda run, *_: found.append(run))
    return found


@pytest.fixture
def say() -> Callable[..., str]:
    """What a command prints, or the line with which it fails."""

    def say(*words: str) -> str:
        done = CliRunner().invoke(cli, words)
        if isinstance(done.exception, GrokTuiError):
            return str(done.exception)
        assert done.exit_code == 0, done.output
        return done.output

    return say


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("at 3956: pause", "the run ends at epoch 300 and never comes to 3,956; --epochs 3956 or more would"),
        ("in 301: pause", "the run ends at epoch 300 and never comes to 301"),
        ("at 300: checkpoint; branch", "ends at epoch 300, where no branch can begin; --epochs 301 or more would"),
        ("in 300: branch lr 0.1", "the run ends at epoch 300, where no branch can begin"),
        ("when test_los < 1: pause", "'test_los' is no series; did you mean 'test_loss'"),
        ("when sum_of_squares_W_F < 1: pause", "did you mean 'sum_of_squares_W_"),
        ("when mlp_fve > 0.9: hook", NO_HOOK),
        ("when cleanup: set lr 0.1; hook; stop", NO_HOOK),
    ],
)
@pytest.mark.parametrize("way", ["--plan", "--recipe", "preset", "home", "sweep"])
def test_a_plan_that_cannot_be_kept_is_refused_before_there_is_a_run(
    way: str, line: str, why: str, tmp_path: Path, say: Callable[..., str], started: list[Run]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"""plan = ["at 5: checkpoint", {line!r}]\n""")
    mine = config.planning(config.override(config.preset("demo"), [("training.epochs", 300)]), [line])
    named = "mine.toml"
    if way == "--plan":
        text, named = say(*SHORT, "--plan", "at 5: checkpoint", "--plan", line), "--plan"
    elif way == "--recipe":
        text = say(*SHORT, "--recipe", str(file))
    elif way == "sweep":
        text, named = say("sweep", *SHORT, "--weight-decay", "1,2", "--plan", line), "member 1 (weight decay 1)"
    elif way == "preset":
        (tmp_path / "mine.toml").write_text(config.dump(mine).replace('name = "demo"\n', ""))
        text, named = say("--preset", str(file), "--detach"), "mine"
    else:
        with pytest.raises(PlanError) as error:
            launch.start(mine)
        text, named = str(error.value), "demo"
    assert why in text
    assert repr(line) in text
    assert text.startswith(named if way != "--recipe" else str(file))
    assert "\n" not in text
    assert started == []
    assert not paths.runs_dir().exists() or not list(paths.runs_dir().iterdir())
    assert not list((paths.home() / "sweeps").glob("*"))


def test_a_plan_that_can_be_kept_starts_a_run(say: Callable[..., str], started: list[Run]) -> None:
    say(*SHORT, "--set", "notify.hook=true", "--plan", "at 300: hook", "--plan", "when sum_of_squares_W_E < 1: pause")
    say(*SHORT, "--set", "measure.neuron_level=true", "--plan", "when excluded_loss_neurons > 1: pause")
    assert [run.config.plan.lines[0] for run in started] == ["at 300: hook", "when excluded_loss_neurons > 1: pause"]
    assert "is no series" in say(*SHORT, "--plan", "when excluded_loss_neurons > 1: pause")


def test_a_sweep_asks_of_each_member_whether_it_comes_to_an_epoch(say: Callable[..., str]) -> None:
    words = ("sweep", "--preset", "demo", "--vary", "training.epochs=7000,8000", "--detach", "--plan")
    assert say(*words, "at 7500: stop").startswith(
        "member 1 (training.epochs 7000): plan: 'at 7500: stop': the run ends"
    )


def test_the_list_says_what_failed_and_of_a_finished_run_what_never_came(say: Callable[..., str]) -> None:
    run = runs.create(config.preset("demo"))
    ledger = Ledger(run.ledger)
    for number, line in enumerate(("at 5: hook", "at 6: checkpoint", "when generalized: pause"), 1):
        ledger.append(0, "planned", True, f"plan {number}", id=number, line=line)
    ledger.append(5, "fired", True, "plan 1 failed", id=1, failed="no hook was given")
    ledger.append(6, "fired", True, "plan 2 done", id=2)
    ledger.close()
    run.write_state({"epoch": 6000, "state": "stopped"})
    assert [" ".join(line.split()) for line in say("plan", run.name).splitlines()] == [
        "3 when generalized: pause since 0",
        "1 at 5: hook failed at 5: no hook was given",
        "2 at 6: checkpoint done at 6",
    ]
    run.write_state({"epoch": 6000, "state": "finished"})
    assert "since 0, never came" in say("plan", run.name)
