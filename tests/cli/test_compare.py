"""`grok-tui compare --once`: the table, what differs and what a change did, as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grok_tui import config, lineage, runs
from grok_tui.cli import cli
from grok_tui.errors import GrokTuiError
from grok_tui.lineage import Lineage
from grok_tui.protocol import Event, Stored
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.compare.made import branched, changed, greeting, grokked, learned, measures

SINCE = 6000
RAISED = (branched(SINCE, "custom-1"), changed(SINCE, 3.0))


def recorded(*frames: Stored) -> Run:
    run = runs.create(config.Config())
    recorder = Recorder(run.frames)
    for frame in frames:
        recorder.append(frame)
    recorder.close()
    return run


def began(time: float) -> Event:
    return Event(0, "started", "started", time)


@pytest.fixture
def family(own_home: Path) -> list[Run]:
    """A parent past chance at 9,100, and its branch at 6,000, past it at 7,000."""
    assert own_home
    parent, child = (
        recorded(
            greeting(name), began(1.5e9), *events, *measures({"test_loss": grokked(at), "train_accuracy": learned()})
        )
        for name, events, at in (("custom-1", (), 9100), ("custom-2", RAISED, 7000))
    )
    return [parent, child]


def printed(*words: str) -> str:
    result = CliRunner().invoke(cli, ["compare", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_table_names_each_run_and_when_it_got_where(family: list[Run]) -> None:
    rows = printed(*(run.name for run in family), "--once").splitlines()
    when = rows.index(next(row for row in rows if row.startswith("epoch ")))
    assert rows[when + 1].split()[-2:] == ["9,064", "10,005"]
    assert rows[when + 2].split()[-2:] == ["6,964", "7,905"]
    assert any(row.split() == ["weight", "decay", "1", "1,", "3", "from", "6,000"] for row in rows)


def test_the_effect_of_the_branch_is_a_sentence(family: list[Run]) -> None:
    page = printed(*(run.name for run in family), "--once")
    assert "custom-2 against its parent custom-1" in page
    assert "test loss fell below chance 2,100 epochs earlier than in the parent (at 6,964, there at 9,064" in page


def test_a_renamed_parent_is_still_the_parent_and_a_run_of_its_old_name_is_not(family: list[Run]) -> None:
    parent, child = family
    lineage.write(child.path, Lineage(parent.name, SINCE, 1.5e9, born=1.6e9))
    parent.path.rename(parent.path.with_name("base"))
    page = printed("base", child.name, "--once")
    assert "custom-2 against its parent base" in page
    assert "2,100 epochs earlier than in the parent" in page
    losses = {epoch: 1.05 * loss for epoch, loss in grokked(9100).items()}
    stranger = recorded(greeting("custom-3"), began(1.7e9), *measures({"test_loss": losses}))
    stranger.path.rename(parent.path)
    page = printed(parent.name, child.name, "--once")
    assert "against its parent" not in page
    assert "before and after, not an effect" in page


def test_without_its_parent_a_change_is_told_before_and_after(family: list[Run]) -> None:
    other = recorded(greeting("custom-3"), *measures({"test_loss": grokked(500)}))
    page = printed(family[1].name, other.name, "--once")
    assert "than in the parent" not in page
    assert "before and after, not an effect" in page


def test_aligned_by_the_branch(family: list[Run]) -> None:
    page = printed(*(run.name for run in family), "--once", "--align", "branch")
    assert "custom-2 (0 is 6,000)" in page
    assert "964" in page
    assert "not aligned: custom-1 is no branch" in page


def test_a_run_that_cannot_be_read_is_named_and_the_rest_is_told(family: list[Run]) -> None:
    empty = runs.create(config.Config())
    page = printed(empty.name, *(run.name for run in family), "--once")
    assert f"{empty.name} is left out: {empty.name}: nothing is recorded yet" in page
    assert "9,064" in page


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["custom-1", "--once"], "takes two runs"),
        (["custom-1", "custom-1", "--once"], "takes two runs"),
        (["custom-1", "custom-7", "--once"], "there is no run 'custom-7'"),
        (["custom-1", "custom-2", "--once", "--align", "cleanip"], "did you mean 'cleanup'"),
    ],
)
def test_what_cannot_be_compared_is_refused(family: list[Run], words: list[str], reason: str) -> None:
    assert family
    with pytest.raises(GrokTuiError, match=reason):
        CliRunner().invoke(cli, ["compare", *words], catch_exceptions=False, standalone_mode=False)
