"""Plans on the screen: typed as a line, checked while they are typed, shown with how far the run is from them."""

from __future__ import annotations

import pytest

from grok_tui.protocol import Event, Order, Plan, Reply, Status
from grok_tui.science.phases import Phase
from grok_tui.sources import Scripted
from grok_tui.ui.field import Field
from grok_tui.ui.panes import plan as plan_pane
from grok_tui.ui.panes.decay import history
from grok_tui.ui.panes.events import entries
from grok_tui.ui.panes.lines import marks
from grok_tui.ui.status import _plan
from tests.ui.gallery import state_of
from tests.ui.stage import bottom, burst, on_stage, settled, status, text
from tests.ui.story import RATE, frames

LIVE = frames(until=5000)
NOW = {"weight_decay": 1.0, "lr": 1e-3}
LINE = "set weight_decay linear 1 -> 0 over 1000"


def event(epoch: int, what: str, text: str = "", **data: object) -> Event:
    return Event(epoch, what, text or what, 0.0, 0, data)


PLANNED = (
    event(10, "planned", id=1, line="at 6000: set weight_decay 0.3"),
    event(10, "planned", id=2, line="when cleanup: checkpoint"),
    event(10, "planned", id=3, line="when test_accuracy > 0.5: pause"),
    event(10, "planned", id=4, line="at 4000: set lr 0.01"),
    event(4000, "fired", id=4),
)
SCHEDULED = event(4600, "scheduled", control="weight_decay", value=1.0, previous=1.0, schedule=LINE)


async def test_a_rule_is_typed_and_sent_as_a_line() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("a")
        assert "when cleanup: set weight_decay 0" in bottom(pilot)
        await pilot.press(*"at 6000: pause", "enter")
        await settled(pilot, source)
        assert source.sent == [Plan(1, "at 6000: pause")]


async def test_a_line_is_checked_while_it_is_typed_and_is_not_sent_wrong() -> None:
    source = Scripted(LIVE)
    async with on_stage(source, size=(160, 40)) as (pilot, screen):
        await pilot.press("a", *"when test_los < 1: pause")
        await pilot.pause()
        assert "'test_los' is no series; did you mean 'test_loss'?" in bottom(pilot)
        await pilot.press("enter")
        await settled(pilot, source)
        assert source.sent == []
        assert screen.prompt.is_open


@pytest.mark.parametrize("width", [80, 120])
async def test_what_is_wrong_with_a_line_is_told_whole_in_as_many_rows_as_it_needs(width: int) -> None:
    async with on_stage(Scripted(LIVE), size=(width, 30)) as (pilot, screen):
        await pilot.press("a", *"when zzz: pause")
        await pilot.pause()
        note = screen.prompt.query_one("#prompt-note").region
        shown = " ".join(
            " ".join(row[note.x : note.right].strip() for row in text(pilot)[note.y : note.bottom]).split()
        )
        assert shown == f"'zzz' is no phase; known: {', '.join(Phase)}"
        await pilot.press("ctrl+u", *"pause")
        await pilot.pause()
        assert screen.prompt.region.height == 1


async def test_a_line_that_the_trainer_refuses_is_there_again_to_be_corrected() -> None:
    answers = iter((False, True))
    source = Scripted(LIVE, reply=lambda asked: Reply(asked.id, next(answers), 5000, "epoch 60 is past"))
    async with on_stage(source, size=(160, 40)) as (pilot, screen):
        await pilot.press("a", *"at 60: pause", "enter")
        await settled(pilot, source)
        assert screen.prompt.query_one(Field).value == "at 60: pause"
        assert "epoch 60 is past" in bottom(pilot)
        await pilot.press("ctrl+u", *"at 6000: pause", "enter")
        await settled(pilot, source)
        assert source.sent == [Plan(1, "at 60: pause"), Plan(2, "at 6000: pause")]
        assert not screen.prompt.is_open


async def test_s_pauses_and_then_goes_one_epoch_at_a_time() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("s")
        await settled(pilot, source)
        source.push(Status(5000, "paused", 0.0, NOW, 1))
        await settled(pilot, source)
        await pilot.press("s")
        await settled(pilot, source)
        assert source.sent == [Order(1, "pause"), Plan(2, "run 1")]


async def test_each_press_of_s_is_a_step_however_fast_they_come() -> None:
    source = Scripted([*LIVE, Status(5000, "paused", 0.0, NOW, 1)], reply=lambda asked: Reply(asked.id, True, 5000, ""))
    async with on_stage(source) as (pilot, _):
        burst(pilot, *"sssss")
        await settled(pilot, source)
        await settled(pilot, source)
        assert source.sent == [Plan(1, "run 1"), Plan(2, "until 5005")]
        await pilot.press("s")  # answered, and not there yet
        await settled(pilot, source)
        source.push(Status(5006, "paused", 0.0, NOW, 1))
        await settled(pilot, source)
        await pilot.press("s")
        await settled(pilot, source)
        assert source.sent[2:] == [Plan(3, "until 5006"), Plan(4, "run 1")]


async def test_presses_of_s_behind_the_one_that_pauses_are_steps() -> None:
    source = Scripted(LIVE, reply=lambda asked: Reply(asked.id, True, 5000, ""))
    async with on_stage(source) as (pilot, _):
        burst(pilot, *"sss")
        await settled(pilot, source)
        await settled(pilot, source)
        assert source.sent == [Order(1, "pause"), Plan(2, "run 2")]


async def test_the_palette_runs_until_the_next_phase() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        assert screen.state.phases.phase == "circuit formation"
        await screen.run_action("until('next')")
        await settled(pilot, source)
        assert source.sent == [Plan(1, "until cleanup")]


async def test_the_status_line_says_what_is_planned_and_where_the_run_will_pause() -> None:
    source = Scripted([*LIVE, *PLANNED])
    async with on_stage(source, size=(160, 40)) as (pilot, _):
        assert "3 planned" in status(pilot)
        source.push(event(5000, "continued", until="when cleanup"), Status(5000, "running", RATE, NOW, 1, 50.0))
        await settled(pilot, source)
        assert "until cleanup" in status(pilot)
        assert "≤ 50/s" in status(pilot)


async def test_the_plan_pane_says_how_far_the_run_is_from_each_rule() -> None:
    source = Scripted([*LIVE, *PLANNED])
    async with on_stage(source) as (pilot, screen):
        await screen.run_action("show_pane('plan')")
        await settled(pilot, source)
        shown = "\n".join(text(pilot))
        assert "1 at 6000: set weight_decay 0.3" in shown
        assert "in 1,000" in shown
        assert "now circuit formation" in shown
        assert "✓ at 4000: set lr 0.01" in shown


def test_rows_are_what_goes_on_then_what_waits_then_what_is_done() -> None:
    state = state_of([*LIVE, *PLANNED, SCHEDULED, event(4900, "continued", until="at 5500")])
    assert [(row.sign, row.text, row.beside) for row in plan_pane.rows(state)] == [
        ("◇", "weight_decay linear 1 -> 0 over 1000", "now 0.6, 40%"),
        ("‖", "pause at 5500", "in 500"),
        ("1", "at 6000: set weight_decay 0.3", "in 1,000"),
        ("2", "when cleanup: checkpoint", "now circuit formation"),
        ("3", "when test_accuracy > 0.5: pause", "now 0.128"),
        ("✓", "at 4000: set lr 0.01", "at 4,000"),
    ]


def test_a_schedule_is_drawn_as_a_slope_with_a_mark_at_either_end() -> None:
    end = event(5000, "changed", control="weight_decay", value=0.5, previous=0.6)
    state = state_of([*LIVE, SCHEDULED, end])
    drawn = history(state, "weight_decay")
    assert drawn.at(4850) == (4850, 0.75)
    assert [(mark.epoch, mark.label) for mark in marks(state)][-2:] == [(4600, "wd ↝ 1"), (5000, "wd 0.5")]
    assert state.control_at("weight_decay", 4700) == 0.9
    assert state.control_at("weight_decay", 4599) == 1.0


def test_single_steps_in_a_row_are_one_line_of_the_events() -> None:
    steps = []
    for epoch in (10, 11, 12):
        steps += [
            event(epoch, "continued", f"on until epoch {epoch + 1}", until=f"at {epoch + 1}"),
            event(epoch + 1, "paused", f"paused, as asked: epoch {epoch + 1}", reached=f"at {epoch + 1}"),
        ]
    found = entries([event(10, "paused"), *steps, event(13, "continued")])
    assert [text for _, _, text in found] == ["paused", "paused, as asked: epoch 13 (3 times)", "continued"]


FAILED = event(4100, "fired", id=3, failed="no hook was given")
FINISHED = event(5000, "finished", "finished at epoch 5,000")


def test_a_rule_that_failed_says_so_and_why_where_another_says_that_it_is_done() -> None:
    rows = plan_pane.rows(state_of([*LIVE, *PLANNED, FAILED]))
    assert [(row.sign, row.text, row.beside) for row in rows[-2:]] == [
        ("✗", "when test_accuracy > 0.5: pause: no hook was given", "at 4,100"),
        ("✓", "at 4000: set lr 0.01", "at 4,000"),
    ]


def test_a_finished_run_does_not_say_that_something_is_still_to_come() -> None:
    over = state_of([*LIVE, *PLANNED, FINISHED])
    assert [row.beside for row in plan_pane.open_rows(over)] == ["never came"] * 3
    assert _plan(over)[0] == "3 never came"
    assert _plan(state_of([*LIVE, *PLANNED]))[0] == "3 planned"
