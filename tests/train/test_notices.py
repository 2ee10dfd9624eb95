"""Phases in the recording of a real run, and the command that is told of them."""

from __future__ import annotations

from grok_tui import config as configs
from grok_tui import launch, record
from grok_tui.config import Config
from grok_tui.protocol import Event, Order
from grok_tui.runs import Run
from grok_tui.science.phases import RULES
from grok_tui.sources import ask
from tests.waiting import until

SMALL = {"task.p": 23, "model.d_model": 32, "model.d_mlp": 64, "data.fraction": 0.4, "measure.every": 20}
HOOK = 'echo "$GROK_TUI_PHASE $GROK_TUI_PLACED" >> told'


def phases(run: Run) -> list[Event]:
    return [f for f in record.read(run.frames)[0] if isinstance(f, Event) and f.what == "phase"]


def told(run: Run) -> list[str]:
    path = run.path / "told"
    return path.read_text().splitlines() if path.exists() else []


def test_each_phase_is_recorded_and_the_hook_hears_of_it() -> None:
    config = configs.override(Config(), [*SMALL.items(), ("training.epochs", 600), ("notify.hook", HOOK)])
    run = launch.start(config, device="cpu", threads=1)
    until(lambda: not run.alive)
    found = phases(run)
    assert found[0].data["phase"] == "memorization"
    assert all(event.data["rules"] == RULES for event in found)
    assert all(event.data["placed"] <= event.data["confirmed"] <= event.epoch for event in found)
    expected = [f"{event.data['phase']} {event.data['placed']}" for event in found]
    until(lambda: sorted(told(run)) == sorted(expected))


def test_the_hook_of_a_directory_that_may_be_anybodys_is_not_run_on_resume() -> None:
    config = configs.override(Config(), [*SMALL.items(), ("training.epochs", 3_000_000), ("notify.hook", HOOK)])
    run = launch.start(config, device="cpu", threads=1)
    until(lambda: len(told(run)) == 1)
    ask(run, Order(1, "stop"))
    until(lambda: not run.alive)
    (run.path / "told").unlink()
    recorded = len(phases(run))
    launch.resume(run, device="cpu", threads=1)
    until(lambda: len(phases(run)) > recorded)
    ask(run, Order(1, "stop"))
    until(lambda: not run.alive)
    assert told(run) == []
