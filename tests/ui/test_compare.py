"""Stories of the compare screen: several scripted runs over each other; no trainer, no clock."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from grok_tui.aligning import START, Alignment
from grok_tui.protocol import Event, Frame, Hello, Points
from grok_tui.runs import Run
from grok_tui.science.phases import Phase
from grok_tui.sources import Scripted
from grok_tui.state import RunState
from grok_tui.ui import sheets
from grok_tui.ui.app import GrokApp
from grok_tui.ui.doors import Doors
from grok_tui.ui.messages import CompareWanted
from grok_tui.ui.overlaid import CURVES
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.widgets import chart
from grok_tui.ui.widgets.overlay import Overlay, Picture
from tests.ui.stage import bottom, text, until
from tests.ui.story import frames

LOW, HIGH = "low-1", "high-1"


def scripts() -> dict[str, Scripted]:
    """One run until 9,000; one that was changed at 3,000 and is still at 5,000."""
    return {
        LOW: Scripted(frames(until=9000, run=LOW), link="recording"),
        HIGH: Scripted(frames(until=5000, changes=[(3000, "weight_decay", 2.0)], run=HIGH)),
    }


@asynccontextmanager
async def side_by_side(
    found: dict[str, Scripted], size: tuple[int, int] = (120, 40), alignment: Alignment = START
) -> AsyncIterator[tuple[Pilot[str], CompareScreen]]:
    """The compare screen, after everything so far has arrived."""
    doors = Doors(source=lambda run: found[run.name])
    app = GrokApp(doors=doors, compared=([Run(Path("/nowhere") / name) for name in found], alignment), charts_every=0.0)
    async with app.run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, CompareScreen)
        await settled(pilot, found.values())
        yield pilot, screen


async def settled(pilot: Pilot[str], sources: Iterable[Scripted]) -> None:
    for source in sources:
        await source.taken()
    await pilot.pause()
    await pilot.pause()


def page(pilot: Pilot[str]) -> str:
    return "\n".join(text(pilot))


async def test_every_run_is_named_with_its_number_and_when_it_got_where() -> None:
    async with side_by_side(scripts()) as (pilot, _):
        rows = [row for row in text(pilot) if "low-1" in row or "high-1" in row]
        assert any(row.strip().startswith("1 ──") and "7," in row for row in rows)  # past chance at 7,0xx
        assert any(row.strip().startswith("2 ╌╌") and "> 5,000" in row for row in rows)
        assert "1, 2 from 3,000" in page(pilot)


async def test_runs_are_told_apart_by_number_and_stroke_and_not_by_colour_alone() -> None:
    async with side_by_side({f"run-{n}": Scripted(frames(until=100 * n, run=f"run-{n}")) for n in range(1, 9)}) as (
        _,
        screen,
    ):
        members = screen.comparison.members
        assert [member.sign for member in members] == list("12345678")
        assert len({member.token for member in members}) == 8
        assert len({member.stroke for member in members}) == 8
        assert len({member.stroke.sample for member in members}) == 8


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_eight_runs_are_all_there_at_every_size(size: tuple[int, int]) -> None:
    found = {f"run-{n}": Scripted(frames(until=900 + 100 * n, run=f"run-{n}")) for n in range(1, 9)}
    async with side_by_side(found, size) as (pilot, _):
        rows = text(pilot)
        assert len(rows) == size[1]
        for n in range(1, 9):
            assert any(row.strip().startswith(f"{n} ") and f"run-{n}" in row for row in rows), n
        chart = next(overlay for overlay in pilot.app.screen.query(Overlay) if overlay.display)
        drawn = "".join(chart.cells.lines())
        assert all(str(n) in drawn for n in range(1, 9))
        assert "q Leave" in bottom(pilot)


async def test_what_differs_has_a_line_for_each_run_where_columns_have_no_room() -> None:
    changes = [(3000, "weight_decay", 0.25), (4000, "weight_decay", 1.0)]
    found = {f"run-{n}": Scripted(frames(until=4100, changes=changes[: n % 3], run=f"run-{n}")) for n in range(1, 9)}
    async with side_by_side(found, (80, 60)) as (pilot, _):
        rows = [row.split() for row in text(pilot)]
        for n in range(1, 9):
            path = [["1"], ["1,", "0.25", "from", "3,000"], ["1,", "0.25", "from", "3,000,", "1", "from", "4,000"]][
                n % 3
            ]
            assert [str(n), f"run-{n}", *path] in rows


async def test_the_values_stand_in_order_and_follow_the_cursor() -> None:
    async with side_by_side(scripts()) as (pilot, screen):
        await pilot.press("n")  # test loss
        assert [reading.sign for reading in picture(screen, "test loss").readings] == ["2", "1"]
        await pilot.press("c")
        assert screen.comparison.cursor == 9000
        assert [reading.text for reading in picture(screen, "test loss").readings][1] == "–"
        await pilot.press(*["shift+left"] * 12)
        assert screen.comparison.cursor is not None
        assert 0 <= screen.comparison.cursor < 5000
        readings = picture(screen, "test loss").readings
        assert "–" not in [reading.text for reading in readings]


def picture(screen: CompareScreen, title: str) -> Picture:
    return next(o.picture for o in screen.query(Overlay) if o.display and o.picture and o.picture.title == title)


async def test_a_run_without_the_moment_is_named_and_not_drawn() -> None:
    async with side_by_side(scripts(), alignment=Alignment("change")) as (pilot, screen):
        assert "1 low-1 was never changed: it is not drawn" in page(pilot)
        assert list(screen.comparison.zeros().values()) == [3000]
        assert screen.comparison.epochs.start == -3000
        assert "epochs since the first change" in page(pilot)


async def test_alignments_go_round_and_come_back_to_the_start() -> None:
    async with side_by_side(scripts()) as (pilot, screen):
        seen = []
        for _ in range(12):
            await pilot.press("a")
            seen.append(screen.comparison.alignment.name)
            if seen[-1] == "epoch":
                break
        assert seen[:-1] == ["change", "memorization", "circuit", "cleanup"]
        await pilot.press("A")
        assert screen.comparison.alignment.name == "cleanup"


async def test_the_cursor_is_told_in_epochs_of_the_axis() -> None:
    async with side_by_side(scripts(), alignment=Alignment("change")) as (pilot, screen):
        await pilot.press("c", *["shift+left"] * 10)
        assert screen.comparison.cursor is not None
        assert screen.comparison.cursor < 0
        assert f"{screen.comparison.cursor:,}" in page(pilot)
        await pilot.press("x")  # a logarithmic axis begins at the common moment
        assert screen.comparison.epochs.start == 0


async def test_runs_of_several_moduli_have_a_line_of_chance_for_each() -> None:
    found = scripts()
    first, *rest = frames(until=9000, run="small-1")
    assert isinstance(first, Hello)
    tables = {**first.config, "task": {**first.config["task"], "p": 31}}
    found["small-1"] = Scripted([dataclasses.replace(first, config=tables), *rest], link="recording")
    async with side_by_side(found) as (_, screen):
        plot = screen.comparison.picture(CURVES[1]).plot
        assert [(round(value, 3), *names) for value, *names in plot.levels] == [
            (3.434, "chance, ln 31", "ln 31"),
            (4.727, "chance, ln 113", "ln 113"),
        ]
        shown = chart.picture(plot, 100, 30).lines()
        assert sum("ln 31" in row for row in shown) == sum("ln 113" in row for row in shown) == 1
        assert not screen.comparison.picture(CURVES[0]).plot.levels  # an accuracy
        assert "test < its ln p" in sheets.when(screen.comparison, 200).lines()[0]
        assert "<ln p" in sheets.when(screen.comparison, 78).lines()[0]


async def test_one_run_stands_out_and_shows_its_changes() -> None:
    async with side_by_side(scripts()) as (pilot, screen):
        assert "wd 2" not in page(pilot)
        await pilot.press("2")
        assert "wd 2" in page(pilot)
        low, high = screen.comparison.members
        assert screen.comparison.style(low) != low.token
        assert screen.comparison.style(high) == high.token
        await pilot.press("2")
        assert screen.comparison.style(low) == low.token
        await pilot.press("7")
        assert "there are 2 runs" in bottom(pilot)


async def test_each_series_can_be_reached_and_the_page_turns_with_it() -> None:
    async with side_by_side(scripts(), (80, 24)) as (pilot, screen):
        titles = []
        for _ in CURVES:
            titles.append(next(o.picture.title for o in screen.query(Overlay) if o.display and o.picture))
            await pilot.press("n")
        assert titles == [curve.title for curve in CURVES]
        assert screen.curve == 0
        await pilot.press("N")
        assert screen.curve == len(CURVES) - 1


async def test_provisional_keys_are_compared_with_provisional_keys_only() -> None:
    async with side_by_side(scripts()) as (_, screen):
        titles = {curve.name: screen.comparison.picture(curve) for curve in CURVES}
        assert titles["restricted_loss"].note == "provisional keys"
        assert titles["excluded_loss"].note == "key-free"
        assert titles["test_loss"].note == ""


async def test_a_living_run_is_followed() -> None:
    found = scripts()
    async with side_by_side(found) as (pilot, screen):
        assert "● 1 live" in text(pilot)[0]
        found[HIGH].push(*frames(until=8900, changes=[(3000, "weight_decay", 2.0)], run=HIGH)[-20:])
        await settled(pilot, [found[HIGH]])
        assert screen.comparison.members[1].state.epoch == 8900


async def test_a_run_that_is_damaged_is_named_and_the_others_are_shown() -> None:
    class Broken(Scripted):
        async def frames(self) -> AsyncIterator[list[Frame]]:
            from grok_tui.errors import RecordError

            yield []
            raise RecordError("frames.bin: the record at byte 7 is torn")

    found = scripts()
    found["odd-1"] = Broken()
    doors = Doors(source=lambda run: found[run.name])
    runs = [Run(Path("/nowhere") / name) for name in ("odd-1", LOW, HIGH)]
    async with GrokApp(doors=doors, compared=(runs, START), charts_every=0.0).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "1, 2 from 3,000" in page(pilot))
        assert "1 odd-1 cannot be read: frames.bin: the record at byte 7 is torn" in page(pilot)


async def test_what_a_branch_did_is_said_where_its_parent_is_compared_too() -> None:
    past = [f for f in frames(until=3000, run="base-1") if not isinstance(f, Event)]
    later = np.arange(3050, 6001, 50)
    branch = Event(3000, "branched", "branched", 0.0, 0, {"parent": "base-1", "epoch": 3000})
    turned = Event(3000, "changed", "wd", 0.0, 1, {"control": "weight_decay", "value": 3.0, "previous": 1.0})
    fell = Points(later, {"test_loss": np.where(later < 4000, 20.0, 1e-3)})
    child = Scripted([*past, branch, turned, fell], link="recording")
    parent = Scripted(frames(until=9000, run="base-1"), link="recording")
    async with side_by_side({"base-1": parent, "base-1.1": child}, (120, 50)) as (pilot, _):
        await pilot.press("shift+tab")
        assert "2 against its parent 1, from epoch 3,000: weight decay 3 (1 in the parent)" in page(pilot)
        assert "earlier than in the parent" in page(pilot)


async def test_enter_opens_the_run_that_stands_out_and_home_leads_home() -> None:
    async with side_by_side(scripts()) as (pilot, _):
        await pilot.press("enter")
        assert "choose a run" in bottom(pilot)
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, RunScreen)
        await pilot.press("H")  # back to where it was opened
        await pilot.pause()
        assert isinstance(pilot.app.screen, CompareScreen)
        await pilot.press("H")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)
    async with side_by_side(scripts()) as (pilot, _):
        await pilot.press("H")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_leaving_says_how_to_compare_again() -> None:
    async with side_by_side(scripts()) as (pilot, _):
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app.return_value == "compare them again: grok-tui compare low-1 high-1"


async def test_large_goes_round_and_escape_goes_back() -> None:
    async with side_by_side(scripts()) as (pilot, screen):
        await pilot.press("m")
        assert sum(overlay.display for overlay in screen.query(Overlay)) == 1
        assert "what differs" not in page(pilot)
        await pilot.press("m")
        assert not screen.query_one("#overlays").display
        assert "what differs" in page(pilot)
        await pilot.press("escape")
        assert screen.filled == 0


@pytest.mark.parametrize("count", [1, 9])
async def test_too_few_or_too_many_are_refused_in_one_line(count: int) -> None:
    doors = Doors(source=lambda run: Scripted(frames(until=0, run=run.name)))
    async with GrokApp(doors=doors).run_test(size=(120, 40)) as pilot:
        pilot.app.post_message(CompareWanted(tuple(Run(Path(f"/nowhere/{n}")) for n in range(count))))
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)
        assert "two runs or more" in bottom(pilot) or "at most 8" in bottom(pilot)


async def test_the_home_screen_can_ask_for_a_comparison() -> None:
    doors = Doors(source=lambda run: Scripted(frames(until=100, run=run.name)))
    async with GrokApp(doors=doors).run_test(size=(120, 40)) as pilot:
        pilot.app.post_message(CompareWanted((Run(Path("/nowhere/a")), Run(Path("/nowhere/b")))))
        await pilot.pause()
        assert isinstance(pilot.app.screen, CompareScreen)


@pytest.mark.parametrize("size", [(20, 6), (40, 12), (59, 16)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_survives_a_tiny_terminal(size: tuple[int, int]) -> None:
    async with side_by_side(scripts(), size) as (pilot, _):
        await pilot.press("n", "c", "left", "tab", "m", "m", "m", "a", "x")
        assert len(text(pilot)) == size[1]


async def test_a_chart_that_is_alone_says_from_where_its_runs_are_told() -> None:
    async with side_by_side(scripts(), (80, 24), Alignment("change")) as (pilot, _):
        await pilot.press("m", "2")
        assert "epochs since the first change" in text(pilot)[1]


async def test_a_branch_is_aligned_by_what_its_parent_tells_of_the_past_of_both() -> None:
    whole = [f for f in frames(until=9000, run="base-1") if not isinstance(f, Event)]
    at = cleanup(whole)
    branch = Event(at, "branched", "branched", 0.0, 0, {"parent": "base-1", "epoch": at})
    lost = [Points(np.arange(at + 50, 9001, 50), {"test_loss": np.full((9000 - at) // 50, 25.0)})]
    past = [f for f in frames(until=at, run="base-1") if not isinstance(f, Event)]
    found = {
        "base-1": Scripted(whole, link="recording"),
        "base-1.1": Scripted([*past, branch, *lost], link="recording"),
    }
    async with side_by_side(found, (120, 50), Alignment("cleanup")) as (pilot, screen):
        assert list(screen.comparison.zeros().values()) == [at, at]
        assert "0‡" in page(pilot)
        assert "it is not drawn" not in page(pilot)


def cleanup(recorded: Iterable[Frame]) -> int:
    """Where a run's cleanup begins."""
    state = RunState()
    for frame in recorded:
        state.apply(frame)
    return next(b.epoch for b in state.phases.boundaries if b.phase is Phase.CLEANUP)


async def test_a_change_is_told_against_the_run_that_is_without_it() -> None:
    ruled = Scripted([*frames(until=9000, changes=[(8000, "weight_decay", 2.0)], run="ruled")], link="recording")
    plain = Scripted(frames(until=9000, run="plain"), link="recording")
    async with side_by_side({"plain": plain, "ruled": ruled}, (120, 50)) as (pilot, _):
        await pilot.press("shift+tab")
        assert "2 against 1, which is without its change and equal up to there, from epoch 8,000" in page(pilot)
        assert "(1 in plain)" in page(pilot)
