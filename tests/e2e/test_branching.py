"""A branch and an undo as a user makes them, with real trainers."""

from __future__ import annotations

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from grok_tui import config as configs
from grok_tui import launch, ledger, record, runs
from grok_tui.config import Config
from grok_tui.protocol import Points
from grok_tui.runs import Run
from grok_tui.ui.app import GrokApp
from grok_tui.ui.screens.branch import BranchScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.undo import UndoScreen
from tests.ui.stage import done, text, until

pytestmark = pytest.mark.usefixtures("own_home")

SMALL = {
    "task.p": "17", "model.d_model": "16", "model.d_mlp": "32", "model.n_heads": "2", "data.fraction": "0.5",
    "training.epochs": "240", "measure.every": "30", "record.resume_every": "100", "record.weights_every": "60",
}  # fmt: skip


def losses(run: Run) -> dict[int, float]:
    """The train loss of each epoch, as it is recorded."""
    frames, _ = record.read(run.frames)
    found = [frame for frame in frames if isinstance(frame, Points) and "train_loss" in frame.values]
    return {
        epoch: loss
        for frame in found
        for epoch, loss in zip(frame.epochs.tolist(), frame.values["train_loss"].tolist(), strict=True)
    }


async def shown(pilot: Pilot[str], name: str) -> RunScreen:
    """The screen of the run of that name, once it has finished and its parent has been read."""

    def is_there() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, RunScreen) and screen.state.run == name and screen.standing == "finished"

    await until(pilot, is_there, 60)
    assert isinstance(pilot.app.screen, RunScreen)
    return pilot.app.screen


async def test_a_branch_at_the_cursor_and_then_as_if_it_had_never_been() -> None:
    parent = launch.start(configs.override(Config(name="small"), SMALL.items()), device="cpu", threads=1)
    async with GrokApp.on(parent).run_test(size=(120, 40)) as pilot:
        screen = await shown(pilot, "small-1")
        screen.look(screen.view.place_cursor(240, 150))
        await pilot.press("b")
        await done(pilot, "points")
        assert isinstance(pilot.app.screen, BranchScreen)
        assert "resume point 100: 50 epochs computed again" in "\n".join(text(pilot))
        pilot.app.screen.query_one("#control-weight_decay", Input).value = "20"
        await pilot.press("enter")
        child = await shown(pilot, "small-1.1")
        await until(pilot, lambda: child.state.ghost is not None and child.state.ghost.state.epoch == 240)
        await until(pilot, lambda: "parent small-1" in "\n".join(text(pilot)))
        assert child.state.ghost is not None
        assert child.state.ghost.since == 150
        await pilot.press("u")
        await pilot.pause()
        assert isinstance(pilot.app.screen, UndoScreen)
        await pilot.press("b")
        never = await shown(pilot, "small-1.1.1")
        await until(pilot, lambda: never.state.ghost is not None and never.state.ghost.state.epoch == 240)
    parents, childs, nevers = (losses(runs.find(name)) for name in ("small-1", "small-1.1", "small-1.1.1"))
    assert nevers == parents
    same = [epoch for epoch in parents if parents[epoch] == childs[epoch]]
    assert set(range(151)) <= set(same)
    assert childs[200] != parents[200]
    assert np.isfinite(list(childs.values())).all()
    changes = [entry.data["value"] for entry in ledger.read(runs.find("small-1.1").ledger) if entry.what == "changed"]
    assert changes == [20.0]
