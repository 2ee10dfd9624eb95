"""Following a run without a screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grok_tui import branches, config, headless, runs
from grok_tui.protocol import Points
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.state import RunState
from tests.ui.story import frames


async def followed(*told: object, batches: int = 1) -> list[str]:
    """The lines for these frames, arriving in so many batches."""
    source = Scripted()
    size = -(-len(told) // batches)
    for start in range(0, len(told), size):
        source.push(*told[start : start + size])  # type: ignore[arg-type]
    source.close()
    said: list[str] = []
    await headless.watch(source, RunState(), headless.Lines(said.append))
    return said


def recorded(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    run = runs.create(config.preset("nanda113"))
    recorder = Recorder(run.frames)
    for frame in frames(until=3000, state=state, run=run.name):
        if frame.kind != "status":
            recorder.append(frame)  # type: ignore[arg-type]
    return run


async def test_a_whole_run_is_told_in_about_forty_lines_and_every_phase_is_named() -> None:
    said = await followed(*frames())
    reports = [line for line in said if "test accuracy" in line]
    assert 40 <= len(reports) <= 50
    for phase in ("memorization", "circuit formation", "cleanup", "generalized"):
        assert any(f", {phase}," in line for line in reports)
    assert said[-1] == "epoch 40,000: finished at epoch 40,000"


async def test_the_lines_do_not_depend_on_how_the_frames_arrive() -> None:
    told = frames(until=9000)
    assert await followed(*told) == await followed(*told, batches=50)


async def test_a_change_of_weight_decay_has_its_line() -> None:
    said = await followed(*frames(until=4000, changes=[(3000, "weight_decay", 2.5)]))
    assert "epoch 3,000: weight_decay 1 → 2.5" in said


def test_a_branch_begins_with_its_branching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = recorded("stopped", tmp_path, monkeypatch)
    headless.follow(parent)
    told = capsys.readouterr().out.splitlines()
    child = branches.create(parent, 1999)
    recorder = Recorder(child.frames)
    for frame in frames(until=3000):
        if isinstance(frame, Points) and (new := frame.epochs > 1999).any():
            recorder.append(Points(frame.epochs[new], {name: values[new] for name, values in frame.values.items()}))
    recorder.close()
    headless.follow(child)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"epoch 1,999: branched from {parent.name} at epoch 1,999"
    reports = [line for line in told if "test accuracy" in line and int(line[6:].split("/")[0].replace(",", "")) > 1999]
    assert said[1:] == reports != []


async def test_on_a_terminal_the_bar_names_epoch_rate_and_time_left_by_the_trainers_own_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("click._termui_impl.isatty", lambda _: True)
    monkeypatch.setenv("COLUMNS", "120")
    bar, state = headless.Bar(40_000, "nanda113-1"), RunState()
    source = Scripted([*frames(until=1200), *frames(until=1200, state="paused")[-1:]])
    source.close()
    await headless.watch(source, state, bar)
    bar.close()
    shown = capsys.readouterr().out.split("\r")
    live = [line for line in shown if "epochs/s" in line][-1]
    assert "epoch 1,200 of 40,000 · 45 epochs/s · 14 min left · memorization" in live
    assert "epoch 1,200 of 40,000 · paused · memorization" in shown[-1]
    assert not re.search(r"\d\d:\d\d", "".join(shown)), "click's own guess"


def test_a_narrow_terminal_keeps_the_first_things_beside_the_bar() -> None:
    state = RunState()
    for frame in frames(until=1200):
        state.apply(frame)
    assert headless.beside(state, 50) == "epoch 1,200 of 40,000 · 45 epochs/s · 14 min left"
    assert headless.beside(state, 5) == "epoch 1,200 of 40,000"


@pytest.mark.parametrize(("state", "code"), [("finished", 0), ("stopped", 1), ("failed", 1), ("running", 1)])
def test_the_exit_code_says_whether_it_finished(
    state: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded(state, tmp_path, monkeypatch)
    assert headless.follow(run) == code
    said = capsys.readouterr()
    assert "test accuracy" in said.out
    assert (f"grok-tui resume {run.name}" in said.err) == (code == 1)


def test_ctrl_c_leaves_and_says_that_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded("running", tmp_path, monkeypatch)

    async def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(headless, "watch", interrupted)
    assert headless.follow(run) == 130
    said = capsys.readouterr().out
    assert f"{run.name} goes on training" in said
    assert f"grok-tui stop {run.name}" in said
