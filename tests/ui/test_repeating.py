"""How far a branch with nothing changed repeats its parent is said where one is made, and is true."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from textual.widgets import Input

from grok_tui.protocol import Hello
from grok_tui.repeating import until as repeats
from tests.ui.kin import changed, scripted, steered, world
from tests.ui.stage import done, on_stage, text

END = 5000


@dataclass(frozen=True)
class Deed:
    epoch: int
    what: str
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def set_(epoch: int, previous: float, value: float, **data: Any) -> Deed:
    return Deed(epoch, "changed", "", {"control": "weight_decay", "previous": previous, "value": value} | data)


@pytest.mark.parametrize(
    ("deeds", "said"),
    [
        ([], ""),
        ([set_(1000, 1, 3)], ""),  # of the past that they share
        ([set_(3956, 1.5, 3)], "as P until 3,956, then without its weight decay 1.5 → 3"),
        ([set_(3956, 1.5, 1.5)], ""),
        ([set_(END, 1.5, 3)], ""),  # where the branch has ended
        ([set_(2000, 1, 3), set_(3000, 3, 1)], "until 2,000, then without its weight decay 1 → 3, and 1 more that"),
        ([Deed(500, "planned", "", {"id": 1}), set_(2000, 1, 3, by=1)], ""),  # the branch has the rule too
        ([Deed(1500, "planned", "", {"id": 2}), set_(2000, 1, 3, by=2)], "without its weight decay 1 → 3"),
        ([Deed(500, "planned", "", {"id": 1}), Deed(1500, "unplanned", "", {"id": 1})], "with its plan 1, which was"),
        ([Deed(1200, "planned", "", {"id": 1}), Deed(1500, "unplanned", "", {"id": 1})], ""),
        ([set_(3000, 1, 99), set_(900, 1, 3)], ""),  # epochs that were given up
        (
            [Deed(2000, "scheduled", "weight_decay linear 3 → 0.1 over 300", {"control": "weight_decay"})],
            "until 2,000, then without its weight decay linear 3 → 0.1 over 300",
        ),
        ([Deed(2000, "paused"), Deed(2000, "checkpoint"), set_(2300, 3, 0.1, ended=True)], ""),
    ],
)
def test_what_was_done_by_hand_after_the_branch_ends_the_likeness(deeds: list[Deed], said: str) -> None:
    found = repeats("P", deeds, 1000, END)
    assert said in found
    assert bool(said) == bool(found)


async def test_the_branch_dialog_promises_no_more_than_is_so() -> None:
    source = scripted(steered(changed(7000, 9, 1.0, 3.0)))
    async with on_stage(source, doors=world().doors()) as (pilot, screen):
        screen.look(screen.view.place_cursor(9000, 6000))
        await pilot.press("b")
        await done(pilot, "points")
        page = "\n".join(text(pilot))
        assert "until 7,000, then without its weight decay 1 → 3" in page
        assert "bit for bit" not in page
        pilot.app.screen.query_one("#at-epoch", Input).value = "7000"
        await pilot.pause()
        assert "no change: a control, which repeats its parent bit for bit" in "\n".join(text(pilot))


async def test_the_branch_dialog_says_that_a_member_of_a_stack_is_repeated_as_in_one() -> None:
    frames = steered()
    stacked = [replace(f, machine=f.machine | {"stack": 4}) if isinstance(f, Hello) else f for f in frames]
    for told, said in ((frames, False), (stacked, True)):
        async with on_stage(scripted(told), doors=world().doors()) as (pilot, _):
            await pilot.press("b")
            await done(pilot, "points")
            assert ("as in a stack of 4, like it." in "\n".join(text(pilot))) == said
