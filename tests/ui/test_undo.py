"""Undo: from now on, or as if it had never been."""

from __future__ import annotations

from textual.widgets import Static

from grok_tui import undoing
from grok_tui.protocol import Event, SetControl
from grok_tui.state import RunState
from grok_tui.ui import wishes
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.undo import UndoScreen
from grok_tui.ui.wishes import Wish
from tests.ui.family import PARENT, parent
from tests.ui.gallery import state_of
from tests.ui.kin import changed, scripted, steered, world
from tests.ui.stage import bottom, on_stage, settled, text, until


async def test_u_names_the_last_change_and_sets_it_back_from_now_on() -> None:
    source = scripted(steered(changed(6000, 1, 1.0, 0.3)))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        assert "Undo: weight decay 1 → 0.3 at epoch 6,000" in "\n".join(text(pilot))
        await pilot.press("n")
        await settled(pilot, source)
        assert [(each.name, each.value) for each in source.sent if isinstance(each, SetControl)] == [
            ("weight_decay", 1.0)
        ]


async def test_as_if_it_had_never_been_branches_before_the_change_and_opens_the_child() -> None:
    family = world()
    source = scripted(
        steered(changed(6000, 4, 1.0, 0.3), changed(6500, 5, 1e-3, 5e-4, "lr"), changed(6500, 6, 5e-4, 1e-3, "lr"))
    )
    async with on_stage(source, doors=family.doors()) as (pilot, screen):
        await pilot.press("u")
        await pilot.pause()
        told = " ".join(str(each.render()) for each in pilot.app.screen.query(".undo-detail").results(Static))
        assert "a new run from epoch 6,000, without this change and the 2 after it" in told
        await pilot.press("b")
        await until(pilot, lambda: pilot.app.screen is not screen and isinstance(pilot.app.screen, RunScreen))
        assert family.made == [(PARENT, 6000, {"changes": {}, "settings": (), "before": 4})]
    assert source.sent == []


async def test_when_the_run_has_ended_only_the_branch_is_offered() -> None:
    family = world()
    told = [*steered(changed(6000, 1, 1.0, 0.3)), Event(9000, "stopped", "stopped at epoch 9,000", 0.0)]
    source = scripted(told, link="recording")
    async with on_stage(source, doors=family.doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        page = "\n".join(text(pilot))
        assert "(n)" not in page
        assert "nobody is training" in page
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(pilot.app.screen, UndoScreen)
        await pilot.press("enter")
        await until(pilot, lambda: bool(family.made))
    assert source.sent == []


async def test_with_no_change_u_says_so() -> None:
    async with on_stage(scripted(parent(9000)), doors=world().doors()) as (pilot, screen):
        await pilot.press("u")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "nothing to undo: no control has been changed" in bottom(pilot)


def undone(*events: Event) -> int | None:
    """The number of the change that u would set back."""
    found = undoing.find(after(*events)).back
    return found.seq if found else None


def left_out(*events: Event) -> tuple[int | None, int]:
    """The number of the change that u would leave out as if it had never been, and how many with it."""
    found = undoing.find(after(*events))
    return found.never.seq if found.never else None, found.later


def after(*events: Event) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def test_a_second_undo_undoes_the_change_before_and_not_the_undo() -> None:
    first, second = changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 4.0)
    assert undone(first, second) == 2
    assert undone(first, second, changed(300, 3, 4.0, 2.0)) == 1
    assert undone(first, second, changed(300, 3, 4.0, 2.0), changed(400, 4, 2.0, 1.0)) is None


def test_after_an_undo_a_new_change_is_the_one_to_undo() -> None:
    assert undone(changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 1.0), changed(300, 3, 1.0, 2.0)) == 3


def test_each_control_is_taken_back_by_itself() -> None:
    decay, rate = changed(100, 1, 1.0, 2.0), changed(200, 2, 1e-3, 5e-4, "lr")
    assert undone(decay, rate) == 2
    assert undone(decay, rate, changed(300, 3, 2.0, 1.0)) == 2
    assert undone(decay, rate, changed(300, 3, 5e-4, 1e-3, "lr")) == 1


def test_a_change_to_the_same_value_is_none_and_given_up_epochs_have_none() -> None:
    assert undone(changed(100, 1, 1.0, 2.0), changed(200, 2, 2.0, 2.0)) == 1
    assert undone(changed(100, 1, 1.0, 2.0), changed(500, 2, 2.0, 9.0), changed(300, 3, 2.0, 4.0)) == 3
    assert undone(changed(500, 1, 1.0, 9.0), changed(300, 2, 1.0, 1.0)) is None


def test_a_pulse_is_over_and_can_still_be_made_never_to_have_been() -> None:
    pulse = changed(3000, 1, 1.5, 9.0), changed(3024, 2, 9.0, 1.5)
    assert (undone(*pulse), left_out(*pulse)) == (None, (1, 1))
    assert left_out(changed(100, 1, 3.0, 1.5), changed(3000, 2, 1.5, 9.0), changed(3024, 3, 9.0, 1.5)) == (2, 1)
    assert left_out(*pulse, changed(4000, 3, 1.5, 0.3)) == (3, 0)
    assert left_out(*pulse, changed(4000, 3, 1.5, 0.3), changed(4000, 4, 0.3, 1.5)) == (1, 3), (
        "no step was taken with 3"
    )
    assert left_out(changed(3000, 1, 1.5, 9.0), changed(3000, 2, 9.0, 1.5)) == (None, 0)
    assert left_out(scheduled(100, 1, 1.0, 0.1), changed(600, 2, 0.55, 1.0)) == (1, 1)


def test_a_taking_back_that_was_given_up_is_none() -> None:
    first, back = changed(100, 1, 1.0, 9.0), changed(300, 2, 9.0, 1.0)
    assert undone(first, back, changed(200, 3, 1e-3, 5e-4, "lr"), changed(250, 4, 5e-4, 1e-3, "lr")) == 1


async def test_after_a_pulse_u_offers_only_what_would_change_something() -> None:
    family = world()
    source = scripted(steered(changed(6000, 4, 1.0, 9.0), changed(6024, 5, 9.0, 1.0)))
    async with on_stage(source, doors=family.doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        page = " ".join("\n".join(text(pilot)).split())
        assert "Undo: weight decay 1 → 9 at epoch 6,000" in page
        assert "From now on: it has been taken back already" in page
        assert "(n)" not in page
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(pilot.app.screen, UndoScreen)
        await pilot.press("b")
        await until(pilot, lambda: bool(family.made))
    assert family.made == [(PARENT, 6000, {"changes": {}, "settings": (), "before": 4})]
    assert source.sent == []


async def test_before_a_pulse_the_change_that_is_in_force_can_be_set_back() -> None:
    source = scripted(steered(changed(5000, 3, 2.0, 1.0), changed(6000, 4, 1.0, 9.0), changed(6024, 5, 9.0, 1.0)))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        told = " ".join(str(each.render()) for each in pilot.app.screen.query(".undo-detail").results(Static))
        assert "before it came weight decay 2 → 1 at epoch 5,000: weight decay 2 again, from the next step" in told
        await pilot.press("n")
        await settled(pilot, source)
        assert [each.value for each in source.sent if isinstance(each, SetControl)] == [2.0]


def scheduled(epoch: int, seq: int, previous: float, value: float) -> Event:
    line = f"set weight_decay cosine {previous:g} -> {value:g} over 1000"
    data = {"control": "weight_decay", "value": previous, "previous": previous, "schedule": line}
    return Event(epoch, "scheduled", "weight_decay cosine 1 → 0.1 over 1000", 0.0, seq, data)


def test_a_schedule_is_undone_as_a_change_is_and_its_own_end_is_nobodys() -> None:
    ended = changed(1100, 3, 0.1, 0.1)
    ended.data["ended"] = "schedule"
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1)) == 2
    jumps = scheduled(100, 2, 2.0, 0.1)
    jumps.data["value"] = 1.0
    assert undone(changed(50, 1, 1.0, 2.0), jumps) == 2, "it begins where the change came from, and goes on"
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1), ended) == 2
    assert undone(changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1), changed(600, 3, 0.55, 1.0)) == 1


def test_a_schedule_ended_where_it_stood_is_the_last_change_and_no_value_sets_it_back() -> None:
    story = changed(50, 1, 2.0, 1.0), scheduled(100, 2, 1.0, 0.1), changed(600, 3, 0.55, 0.55)
    assert (undone(*story), left_out(*story)) == (None, (3, 0))
    assert undoing.find(after(*story)).why_not == (
        "weight_decay was scheduled until epoch 600, and no value takes that up again"
    )
    assert undone(*story, changed(700, 4, 0.55, 3.0)) == 4
    assert left_out(*story, changed(700, 4, 0.55, 3.0), changed(700, 5, 3.0, 0.55)) == (3, 2)
    assert undone(*story, scheduled(700, 4, 0.55, 0.1)) == 4
    assert undone(*story, changed(700, 4, 0.55, 0.55)) is None


def test_a_value_confirmed_after_the_schedule_came_to_its_end_is_no_change() -> None:
    ended = changed(1100, 2, 0.1, 0.1)
    ended.data["ended"] = "schedule"
    assert undone(scheduled(100, 1, 1.0, 0.1), ended, changed(1200, 3, 0.1, 0.1)) == 1


async def test_u_offers_to_leave_out_the_end_of_a_schedule_and_says_why_only_that() -> None:
    family = world()
    source = scripted(steered(scheduled(6000, 4, 1.0, 0.1), changed(6500, 5, 0.55, 0.55)))
    async with on_stage(source, doors=family.doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        page = " ".join(" ".join(str(each.render()) for each in pilot.app.screen.query(Static)).split())
        assert "Undo: the end of weight decay's schedule at epoch 6,500" in page
        assert "no value takes that up again" in page
        assert "(n)" not in "\n".join(text(pilot))
        await pilot.press("n", "b")
        await until(pilot, lambda: bool(family.made))
    assert family.made == [(PARENT, 6500, {"changes": {}, "settings": (), "before": 5})]
    assert source.sent == []


async def test_u_names_a_schedule_by_its_line() -> None:
    source = scripted(steered(scheduled(6000, 1, 1.0, 0.1)))
    async with on_stage(source, doors=world().doors()) as (pilot, _):
        await pilot.press("u")
        await pilot.pause()
        assert "Undo: weight_decay cosine 1 → 0.1 over 1000 at epoch 6,000" in "\n".join(text(pilot))


def test_a_value_that_is_left_as_it_stands_is_no_change_however_many_digits_it_has() -> None:
    state = state_of(steered(scheduled(6000, 1, 1.0, 0.1)))
    value = state.control_at("weight_decay", 6333)
    typed = wishes.held(state, "weight_decay", 6333)
    assert float(typed) != value
    wish = wishes.wished(state, "6333", {"weight_decay": typed, "lr": "0.001"}, "40000")
    assert wish.changes == {}
    assert wishes.wished(state, "6333", {"weight_decay": "0.5", "lr": "0.001"}, "40000").changes == {
        "weight_decay": 0.5
    }


def test_a_wish_without_more_epochs_has_no_settings() -> None:
    assert Wish(3).settings == ()
    assert Wish(3, epochs=9).settings == (("training.epochs", "9"),)
