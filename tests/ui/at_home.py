"""What the tests of the home screen share: runs and families on the disk, and the bar on one of them."""

from __future__ import annotations

from typing import Any

from textual.message import Message
from textual.pilot import Pilot

from grok_tui import codec, config, lineage, record, runs
from grok_tui.lineage import Lineage
from grok_tui.protocol import Event
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui.messages import CompareWanted
from grok_tui.ui.runs_table import RunsTable
from tests.ui.story import frames, hello


def make(name: str, state: str, epoch: int = 1200) -> Run:
    """A run of a preset that stands like this."""
    run = runs.create(config.preset(name))
    values = {"test_accuracy": 0.25}
    run.write_state(
        {"epoch": epoch, "state": state, "time": 1.7e9, "controls": {"weight_decay": 3.0}, "values": values}
    )
    return run


def scripted(_run: Run) -> Scripted:
    """What a run's screen reads, whichever run it is."""
    return Scripted(frames(until=100))


def family() -> list[Run]:
    """A run, its branch, and the branch's; another run beside them."""
    parent = make("nanda113", "finished", 40_000)
    begin(parent, 1000.0)
    child = branch_of(parent, 1000.0, 2000.0, changes={"weight_decay": 0.3})
    return [parent, child, branch_of(child, 2000.0, 3000.0), make("demo", "stopped")]


def begin(run: Run, started: float) -> None:
    """A recording that says when the run started."""
    told = (hello(run.name), Event(0, "started", "started", started))
    record.write(run.frames, [codec.pack(frame) for frame in told])


def branch_of(run: Run, parents: float, born: float, **more: Any) -> Run:
    """A finished branch that left `run`, started at `parents`, at epoch 6,000."""

    def fill(made: Run) -> None:
        lineage.write(made.path, Lineage(run.name, 6000, parents, born, **more))

    child = runs.create(config.preset("nanda113"), fill, run)
    values = {"controls": {"weight_decay": 0.125}, "values": {"test_accuracy": 0.9991}, "time": 1.7e9}
    child.write_state({"epoch": 38_950, "state": "finished", **values})
    return child


async def under(pilot: Pilot[str], name: str) -> None:
    """Bring the bar to a run."""
    table = pilot.app.screen.query_one(RunsTable)
    table.focus()
    table.move_cursor(row=[run.name for run in table.runs].index(name))
    await pilot.pause()


class Wanted(list[tuple[str, ...]]):
    """The comparisons that were asked for."""

    def __call__(self, message: Message) -> None:
        if isinstance(message, CompareWanted):
            self.append(tuple(run.name for run in message.runs))
