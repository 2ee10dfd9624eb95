"""Stories of one run on the screen: looking, steering, leaving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grok_tui.protocol import Event, Order, Reply, SetControl, Status
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.state import RunState
from grok_tui.ui.doors import Doors
from grok_tui.ui.panes import DecayPane
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.help import HelpScreen
from grok_tui.ui.screens.run import RunScreen
from tests.ui.stage import bottom, done, on_stage, settled, status, text, viewer
from tests.ui.story import frames, hello

LIVE = frames(until=5000)


def decays(source: Scripted) -> list[float]:
    return [c.value for c in source.sent if isinstance(c, SetControl) and c.name == "weight_decay"]


def confirmed(epoch: int, value: float, previous: float, name: str = "weight_decay") -> Event:
    return Event(epoch, "changed", f"{name} {previous:g} → {value:g}", 0.0, 1, {"control": name, "value": value})


def controls(epoch: int, weight_decay: float, state: str = "running") -> Status:
    return Status(epoch, state, 45.0, {"weight_decay": weight_decay, "lr": 1e-3}, 1)


def agreeing(epoch: int) -> Scripted:
    return Scripted(LIVE, reply=lambda command: Reply(command.id, True, epoch, "done"))


# Steering


async def test_plus_asks_the_trainer_for_more_decay() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("plus")
        await settled(pilot, source)
        assert decays(source) == [2.0]


async def test_fast_presses_accumulate_before_any_is_confirmed() -> None:
    source = agreeing(5001)
    async with on_stage(source) as (pilot, _):
        await pilot.press("plus", "plus", "right_square_bracket", "minus", "equals_sign")
        await settled(pilot, source)
        assert decays(source) == [2.0, 4.0, 8.0, 4.0, 8.0]


async def test_a_change_is_pending_until_the_recording_shows_it() -> None:
    source = agreeing(5001)
    async with on_stage(source) as (pilot, screen):
        await pilot.press("plus")
        await settled(pilot, source)
        assert "1 → 2 asked" in status(pilot)
        assert screen.query_one(DecayPane).pending == (2.0,)
        source.push(confirmed(5001, 2.0, 1.0), controls(5001, 2.0))
        await settled(pilot, source)
        assert "decay 2" in status(pilot)
        assert "asked" not in status(pilot)
        assert not screen.query_one(DecayPane).pending


async def test_changing_back_and_forth_ends_on_the_last_value_with_nothing_pending() -> None:
    source = agreeing(5001)
    async with on_stage(source) as (pilot, screen):
        await pilot.press(*["plus", "minus"] * 10, "plus")
        await settled(pilot, source)
        assert len(decays(source)) == 21
        value = 1.0
        for asked in decays(source):
            source.push(confirmed(5001, asked, value), controls(5001, asked))
            value = asked
        await settled(pilot, source)
        assert "decay 2" in status(pilot)
        assert not screen.requests.pending("weight_decay")


async def test_a_typed_value_is_sent_with_enter() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("w")
        await pilot.press(*"0.3", "enter")
        await settled(pilot, source)
        assert decays(source) == [0.3]


async def test_the_learning_rate_has_a_key_of_its_own() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("l", *"5e-4", "enter")
        await settled(pilot, source)
        assert [(c.name, c.value) for c in source.sent if isinstance(c, SetControl)] == [("lr", 5e-4)]


async def test_escape_leaves_the_input_without_sending() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("w", *"7", "escape", "x")
        await settled(pilot, source)
        assert source.sent == []
        assert "Leave" in bottom(pilot)


async def test_text_is_refused_in_place_and_can_be_corrected() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("w", *"abc", "enter")
        await pilot.pause()
        assert "'abc' is not a number" in bottom(pilot)
        assert source.sent == []
        await pilot.press("ctrl+u", *"3", "enter")
        await settled(pilot, source)
        assert decays(source) == [3.0]


async def test_out_of_bounds_is_the_trainers_to_refuse_and_its_reason_is_shown() -> None:
    source = Scripted(LIVE, reply=lambda command: Reply(command.id, False, 5000, "0 to 1,000 was expected"))
    async with on_stage(source) as (pilot, screen):
        for number, typed in enumerate(("nan", "-1", "inf", "1e9"), 1):
            await pilot.press("w", *typed, "enter")
            await settled(pilot, source)
            assert len(source.sent) == number
            assert "0 to 1,000 was expected" in bottom(pilot)
            assert not screen.requests.pending("weight_decay")
            assert "asked" not in status(pilot)


async def test_the_input_says_what_the_value_would_do() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        await pilot.press("w", *"2")
        await pilot.pause()
        assert "0.002 per epoch, half-life 346 epochs" in bottom(pilot)


async def test_a_recording_cannot_be_steered_and_says_why() -> None:
    source = Scripted(frames(), link="recording")
    async with on_stage(source) as (pilot, _):
        for key in ("plus", "w", "p", "k", "S"):
            await pilot.press(key)
            await settled(pilot, source)
            assert "finished: there is nothing to steer" in bottom(pilot)
        assert source.sent == []


async def test_zero_decay_can_be_left_upwards_and_small_decay_goes_to_zero() -> None:
    source = Scripted([*LIVE, controls(5000, 0.0)])
    async with on_stage(source) as (pilot, _):
        await pilot.press("plus")
        source.push(confirmed(5000, 0.01, 0.0), controls(5000, 0.01))
        await settled(pilot, source)
        await pilot.press("minus")
        await settled(pilot, source)
        assert decays(source) == [0.01, 0.0]


# Orders


async def test_p_pauses_and_then_continues_what_the_trainer_says_is_paused() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("p")
        await settled(pilot, source)
        assert "live" in status(pilot)
        source.push(Event(5000, "paused", "paused", 0.0), controls(5000, 1.0, "paused"))
        await settled(pilot, source)
        assert "paused" in status(pilot)
        await pilot.press("p")
        await settled(pilot, source)
        assert [c.name for c in source.sent if isinstance(c, Order)] == ["pause", "resume"]


async def test_p_pressed_twice_in_a_burst_pauses_and_goes_on() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("p", "p")
        await settled(pilot, source)
        assert [c.name for c in source.sent if isinstance(c, Order)] == ["pause", "resume"]


async def test_stop_asks_first_and_no_is_easy() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        for no in ("escape", "enter", "n", "q"):
            await pilot.press("S")
            await pilot.pause()
            assert isinstance(pilot.app.screen, ConfirmScreen)
            await pilot.press(no)
            await settled(pilot, source)
            assert source.sent == []
        await pilot.press("S")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot, source)
        assert [c.name for c in source.sent if isinstance(c, Order)] == ["stop"]


async def test_k_keeps_a_resume_point() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("k")
        await settled(pilot, source)
        assert [c.name for c in source.sent if isinstance(c, Order)] == ["checkpoint"]


# A trainer that dies


async def test_a_cut_off_run_says_so_drops_what_was_asked_and_offers_resume() -> None:
    source = agreeing(5001)
    resumed: list[Run] = []
    doors = Doors(find=lambda name: Run(Path(name)), resume=resumed.append)
    async with on_stage(source, doors=doors) as (pilot, screen):
        await pilot.press("plus")
        source.become("cut off")
        await settled(pilot, source)
        assert "nobody is training nanda113-1 now; r resumes it" in bottom(pilot)
        await pilot.press("escape")
        assert "✂ cut off" in status(pilot)
        assert not screen.requests.pending("weight_decay")
        assert "r Resume" in bottom(pilot)
        await pilot.press("r")
        await done(pilot, "resume")
        assert [run.name for run in resumed] == ["nanda113-1"]


async def test_a_run_that_is_resumed_without_its_hook_says_so() -> None:
    greeting = hello()
    source = Scripted([replace(greeting, config={**greeting.config, "notify": {"hook": "say grokked"}}), *LIVE[1:]])
    doors = Doors(find=lambda name: Run(Path(name)), resume=lambda _: None)
    async with on_stage(source, doors=doors) as (pilot, _):
        source.become("cut off")
        await settled(pilot, source)
        await pilot.press("r")
        await done(pilot, "resume")
        said = " ".join(" ".join(text(pilot)[-2:]).split())
        assert "nanda113-1 goes on without its hook" in said
        assert "grok-tui resume nanda113-1 --hook COMMAND" in said
        assert "say grokked" not in said


async def test_a_run_that_comes_back_to_life_can_be_steered_again() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        source.become("cut off")
        await settled(pilot, source)
        source.become("live")
        source.push(controls(5000, 1.0))
        await settled(pilot, source)
        await pilot.press("plus")
        await settled(pilot, source)
        assert "live" in status(pilot)
        assert decays(source) == [2.0]


async def test_a_living_run_is_not_resumed() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("r")
        await pilot.pause()
        assert "there is nothing to resume" in bottom(pilot)


async def test_a_note_of_the_source_is_shown() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        source.become("cut off", note="the recording is damaged at byte 900")
        await settled(pilot, source)
        assert "damaged at byte 900" in bottom(pilot)


# Leaving


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_says_that_the_run_goes_on_and_sends_nothing(key: str) -> None:
    source = Scripted(LIVE)
    app = viewer(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, source)
        await pilot.press(key)
        await pilot.pause()
    assert app.return_value == "nanda113-1 goes on training; come back: grok-tui attach nanda113-1"
    assert source.sent == []


async def test_leaving_a_stopped_run_says_how_to_go_on() -> None:
    source = Scripted(frames(until=3000, state="stopped"), link="recording")
    app = viewer(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, source)
        await pilot.press("q")
    assert app.return_value == "nanda113-1 is stopped at epoch 3,000; continue it: grok-tui resume nanda113-1"


async def test_letters_typed_into_the_input_are_not_commands() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        before = screen.view
        await pilot.press("w", "q", "x", "p", "S", "plus")
        await settled(pilot, source)
        assert pilot.app.is_running
        assert screen.view == before
        assert source.sent == []


# Looking


async def test_nothing_has_the_keyboard_at_first() -> None:
    async with on_stage(Scripted(LIVE)) as (_, screen):
        assert screen.focused is None


async def test_x_and_y_switch_the_axes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        log_x, log_y = screen.view.log_x, screen.view.log_y
        await pilot.press("x", "y")
        assert (screen.view.log_x, screen.view.log_y) == (not log_x, not log_y)


async def test_the_cursor_comes_moves_and_goes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("c")
        assert screen.view.cursor == 5000
        await pilot.press("left")
        one = screen.view.cursor
        await pilot.press("shift+left")
        assert one is not None
        assert screen.view.cursor is not None
        assert 5000 - one < one - screen.view.cursor
        await pilot.press("c")
        assert screen.view.cursor is None


async def test_a_zoom_survives_new_data_and_0_ends_it() -> None:
    source = Scripted(frames(until=5000))
    async with on_stage(source) as (pilot, screen):
        await pilot.press("i", "i", "left", "left")
        zoom = screen.view.zoom
        assert zoom is not None
        source.push(*frames(until=8000)[-40:])
        await settled(pilot, source)
        assert screen.view.zoom == zoom
        await pilot.press("0")
        assert screen.view.zoom is None


async def test_a_pane_is_gone_to_made_large_and_small_again() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("3")
        assert screen.focused is not None
        assert screen.focused.id == "pane-3"
        await pilot.press("m")
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.size.height > 30
        await pilot.press("tab")
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.id == "pane-4"
        await pilot.press("escape")
        assert screen.large is None


async def test_escape_goes_back_by_one_layer() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("c", "2", "m", "w")
        await pilot.press("escape")
        assert screen.large is not None
        await pilot.press("escape")
        assert screen.large is None
        assert screen.view.cursor is not None
        await pilot.press("escape")
        assert screen.view.cursor is None
        assert pilot.app.is_running


async def test_every_pane_can_be_seen_at_80x24() -> None:
    async with on_stage(Scripted(LIVE), size=(80, 24)) as (pilot, screen):
        for number in range(1, 7):
            await pilot.press(str(number))
            if screen.large is None:
                await pilot.press("m")
            await pilot.pause()
            assert screen.large is not None
            assert screen.large.id == f"pane-{number}"
            assert screen.large.size.height >= 18
            await pilot.press("escape")


# Help and palette


async def test_help_opens_and_closes() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        for key in ("question_mark", "h", "f1"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, HelpScreen)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(pilot.app.screen, RunScreen)


async def test_the_palette_does_what_the_keys_do() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("ctrl+p")
        await pilot.press(*"double the weight")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await settled(pilot, source)
        assert decays(source) == [2.0]


async def test_light_and_dark_change_places() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        dark = pilot.app.theme
        await pilot.press("t")
        assert pilot.app.theme != dark
        await pilot.press("t")
        assert pilot.app.theme == dark


# Sizes


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (300, 90)])
async def test_any_size_can_be_started_and_steered(size: tuple[int, int]) -> None:
    source = Scripted(LIVE)
    async with on_stage(source, size=size) as (pilot, _):
        await pilot.press("plus", "c", "left", "i", "m", "escape", "w", "4", "enter")
        await settled(pilot, source)
        assert decays(source) == [2.0, 4.0]


async def test_it_can_be_resized_to_any_size_while_it_runs() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        for number, size in enumerate(
            [(20, 5), (300, 90), (80, 24), (1, 2), (40, 10), (200, 60), (100, 30), (120, 40)]
        ):
            await pilot.resize_terminal(*size)
            await pilot.press("w", str(number), "enter", "m")
            source.push(controls(5000, 1.0))
            await settled(pilot, source)
            await pilot.press("m")
            assert decays(source)[-1] == number
            assert text(pilot)[-1].strip() or min(size) < 3
        assert screen.large is None
        assert "nanda113-1" in status(pilot)


async def test_an_empty_source_waits() -> None:
    source = Scripted()
    async with viewer(source).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "waiting" in status(pilot)


async def test_a_backlog_is_folded_before_the_viewer_is_left() -> None:
    state = RunState()
    for frame in frames(until=2000):
        state.apply(frame)
    async with on_stage(Scripted(frames(until=2000))) as (_, screen):
        assert screen.state.epoch == state.epoch == 2000


async def test_a_pane_is_gone_to_and_made_large_without_a_pause_between_the_keys() -> None:
    async with on_stage(Scripted(LIVE)) as (_, screen):
        screen.action_pane(4)
        screen.action_maximise()
        assert screen.large is not None
        assert screen.large.id == "pane-4"
