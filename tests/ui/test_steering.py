"""Stories of steering one run on the screen: controls, orders, a trainer that dies, final keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grok_tui.errors import RunError
from grok_tui.launch import Recomputing
from grok_tui.protocol import Event, Order, Reply, SetControl
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui.doors import Doors
from grok_tui.ui.panes import DecayPane
from grok_tui.ui.screens.confirm import ConfirmScreen
from tests.ui.asking import LIVE, agreeing, confirmed, controls, decays
from tests.ui.stage import bottom, done, on_stage, settled, status, text
from tests.ui.story import frames, hello

# Controls


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


async def test_out_of_bounds_is_told_in_place_before_it_is_sent() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, _):
        await pilot.press("w")
        for typed in ("nan", "-1", "inf", "1e9"):
            await pilot.press("ctrl+u", *typed)
            await pilot.pause()
            assert f"weight decay '{typed}': a number from 0 to 1,000 was expected" in bottom(pilot)
            await pilot.press("enter")
            await settled(pilot, source)
            assert source.sent == []


async def test_a_value_that_the_trainer_refuses_is_there_again_with_the_reason() -> None:
    answers = iter((False, True))
    source = Scripted(LIVE, reply=lambda asked: Reply(asked.id, next(answers), 5000, "not while it is replayed"))
    async with on_stage(source) as (pilot, screen):
        await pilot.press("l", *"5e-4", "enter")
        await settled(pilot, source)
        assert "learning rate" in bottom(pilot)
        assert "5e-4" in bottom(pilot)
        assert "not while it is replayed" in bottom(pilot)
        assert "asked" not in status(pilot)
        await pilot.press("6")
        await pilot.pause()
        assert "not while it is replayed" not in bottom(pilot)
        await pilot.press(*"e-4", "enter")
        await settled(pilot, source)
        assert [(c.name, c.value) for c in source.sent if isinstance(c, SetControl)] == [("lr", 5e-4), ("lr", 6e-4)]
        assert not screen.prompt.is_open


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


# Final keys


async def test_f_has_the_measures_recomputed_with_the_final_keys() -> None:
    asked: list[Run] = []

    def hindsight(run: Run) -> Recomputing:
        asked.append(run)
        return Recomputing((1, 4), "recomputing 12 epochs with 1, 4")

    doors = Doors(find=lambda name: Run(Path(name)), hindsight=hindsight)
    async with on_stage(Scripted(LIVE), doors=doors) as (pilot, _):
        await pilot.press("f")
        await done(pilot, "hindsight")
        assert [run.name for run in asked] == ["nanda113-1"]
        assert "recomputing 12 epochs with 1, 4" in bottom(pilot)


async def test_why_nothing_can_be_recomputed_is_said() -> None:
    def hindsight(run: Run) -> Recomputing:
        raise RunError(f"{run.name} has no weights")

    doors = Doors(find=lambda name: Run(Path(name)), hindsight=hindsight)
    async with on_stage(Scripted(LIVE), doors=doors) as (pilot, _):
        await pilot.press("f")
        await done(pilot, "hindsight")
        assert "nanda113-1 has no weights" in bottom(pilot)
