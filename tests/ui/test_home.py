"""Stories of the home screen: presets to start, runs to open."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.widgets import DataTable, OptionList

from grok_tui import config, listing, runs
from grok_tui.config import Config
from grok_tui.errors import LaunchError
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui.doors import Doors
from grok_tui.ui.runs_table import RunsTable
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from tests.ui.at_home import make, scripted
from tests.ui.stage import bottom, done, text, until, viewer
from tests.ui.story import frames

pytestmark = pytest.mark.usefixtures("own_home")


async def test_presets_are_there_with_a_sentence_each() -> None:
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        page = " ".join(" ".join(text(pilot)).replace("│", " ").split())
        for name, preset in config.presets().items():
            assert name in page
            assert preset.about[:60] in page
        assert "No runs yet" in page


async def test_enter_starts_the_preset_and_opens_its_run() -> None:
    started: list[Config] = []

    def start(settings: Config) -> Run:
        started.append(settings)
        return Run(Path("demo-1"))

    async with viewer(None, Doors(start=start, source=scripted)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert [settings.name for settings in started] == ["demo"]


async def test_while_it_starts_it_says_so_and_a_second_enter_starts_nothing() -> None:
    go = threading.Event()
    started: list[Config] = []

    def start(settings: Config) -> Run:
        started.append(settings)
        go.wait(20)
        return Run(Path("demo-1"))

    async with viewer(None, Doors(start=start, source=scripted)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await pilot.press("enter")
        await pilot.pause()
        assert "starting demo" in bottom(pilot)
        await pilot.press("enter")
        go.set()
        await done(pilot, "start")
        assert len(started) == 1


@pytest.mark.parametrize("key", ["x", "down", "tab", "enter", "r", "question_mark", "ctrl+p", "the next looks"])
async def test_the_run_opens_whatever_was_pressed_while_it_started(key: str) -> None:
    make("nanda113", "stopped")
    go = threading.Event()
    started: list[Config] = []
    opened: list[str] = []

    def start(settings: Config) -> Run:
        started.append(settings)
        go.wait(20)
        return Run(Path("demo-1"))

    def source(run: Run) -> Scripted:
        opened.append(run.name)
        return scripted(run)

    async with viewer(None, Doors(start=start, source=source)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        screen = pilot.app.screen
        assert isinstance(screen, HomeScreen)
        await pilot.press("enter")
        await until(pilot, lambda: bool(started))
        if key == "the next looks":
            screen.action_reload()
            await pilot.pause()
            screen.action_reload()
        else:
            await pilot.press(key)
        await pilot.pause()
        if key in ("tab", "down"):
            await pilot.press("enter")
        go.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await pilot.pause()
        assert len(started) == 1
        assert opened == ["demo-1"]
        assert screen not in pilot.app.screen_stack


async def test_a_run_that_does_not_start_says_why_in_place() -> None:
    def start(_settings: Config) -> Run:
        raise LaunchError("demo-1 did not start: no space left on device")

    async with viewer(None, Doors(start=start)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await pilot.press("enter")
        await done(pilot, "start")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert "no space left on device" in bottom(pilot)


async def test_runs_are_listed_with_how_they_stand_and_enter_opens_one() -> None:
    make("demo", "finished", 4000)
    make("nanda113", "running")
    opened: list[str] = []

    def source(run: Run) -> Scripted:
        opened.append(run.name)
        return Scripted(frames(until=100))

    async with viewer(None, Doors(source=source)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        page = "\n".join(text(pilot))
        assert "✓ finished" in page
        assert "✂ cut off" in page
        assert f"4,000/{config.preset('demo').training.epochs:,}" in page
        assert "25.0%" in page
        await pilot.press("tab", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert opened == [runs.listing()[1].name]


async def test_a_run_from_a_newer_version_is_listed_and_says_so_when_opened() -> None:
    run = make("demo", "finished")
    (run.path / "VERSION").write_text("99\n")
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)
        assert "made by a newer grok-tui (layout 99" in " ".join(line.strip() for line in text(pilot)[-3:])


async def test_a_new_run_appears_and_the_bar_stays_on_its_run() -> None:
    first = make("demo", "finished")
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(DataTable)
        await pilot.press("tab")
        make("nanda113", "running")
        await pilot.press("r")
        await done(pilot, "runs")
        assert table.row_count == 2
        assert str(table.get_cell_at(table.cursor_coordinate)).strip() == first.name


async def test_the_bottom_line_says_what_enter_does_where_the_bar_is() -> None:
    make("demo", "finished")
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        assert "enter Start" in bottom(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert "enter Open" in bottom(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert "enter Start" in bottom(pilot)


async def test_at_80_columns_no_column_of_the_runs_is_cut() -> None:
    run = make("nanda113", "stopped", 38_950)
    state = {"epoch": 38_950, "state": "stopped", "time": 1.7e9}
    run.write_state({**state, "controls": {"weight_decay": 0.125}, "values": {"test_accuracy": 0.9991}})
    async with viewer(None).run_test(size=(80, 24)) as pilot:
        await done(pilot, "runs")
        await pilot.pause()
        table = pilot.app.screen.query_one(DataTable)
        assert table.virtual_size.width <= table.scrollable_content_region.width
        assert any(listing.run_row(runs.listing()[0])[-1] in row for row in text(pilot))


async def test_tab_goes_between_presets_and_runs() -> None:
    make("demo", "finished")
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        assert isinstance(pilot.app.focused, OptionList)
        await pilot.press("tab")
        assert isinstance(pilot.app.focused, DataTable)
        await pilot.press("tab")
        assert isinstance(pilot.app.focused, OptionList)


async def test_home_is_reached_from_a_run_and_closes_its_source() -> None:
    source = Scripted(frames(until=100))
    async with viewer(source).run_test(size=(100, 40)) as pilot:
        await source.taken()
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        assert await anext(source.frames(), None) is None
        await pilot.press("q")
    assert source.sent == []


async def test_home_from_a_run_has_the_bar_on_it_and_enter_opens_it_again() -> None:
    made = [make("demo", "finished") for _ in range(40)]
    for left in (made[3], made[-1], made[0]):
        opened: list[Run] = []
        started: list[Config] = []
        looked = threading.Event()

        def source(run: Run, opened: list[Run] = opened) -> Scripted:
            opened.append(run)
            return scripted(run)

        def start(settings: Config, started: list[Config] = started) -> Run:
            started.append(settings)
            return made[0]

        def listed(looked: threading.Event = looked) -> list[Run]:
            looked.wait(20)
            return runs.listing()

        own = Scripted(frames(until=100))
        own.place = str(left.path)
        async with viewer(own, Doors(source=source, start=start, listing=listed)).run_test(size=(100, 40)) as pilot:
            await own.taken()
            await pilot.press("H")
            await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
            await pilot.press("enter")  # the runs are not there yet
            looked.set()
            await done(pilot, "runs")
            table = pilot.app.screen.query_one(RunsTable)
            assert pilot.app.focused is table
            assert table.run == left
            assert any(f" {left.name} " in row for row in text(pilot))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
            assert (opened, started) == ([left], [])


async def test_home_from_a_run_that_is_not_listed_is_on_the_presets() -> None:
    make("demo", "finished")
    own = Scripted(frames(until=100))
    own.place = "/elsewhere/demo-1"
    async with viewer(own).run_test(size=(100, 40)) as pilot:
        await own.taken()
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await done(pilot, "runs")
        assert isinstance(pilot.app.focused, OptionList)


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (80, 24), (300, 90)])
async def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    make("demo", "finished")
    async with viewer(None).run_test(size=size) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab", "tab", "question_mark", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_a_look_that_takes_long_is_not_begun_again_beside_itself() -> None:
    make("demo", "stopped")
    gate, looks = threading.Event(), list[int]()

    def slow() -> list[Run]:
        looks.append(1)
        gate.wait(20)
        return runs.listing()

    async with viewer(None, Doors(listing=slow)).run_test(size=(100, 40)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, HomeScreen)
        await until(pilot, lambda: bool(looks))
        for _ in range(3):
            await pilot.press("r")
        await pilot.pause()
        assert len(looks) == 1
        make("nanda113", "stopped")
        gate.set()
        await done(pilot, "runs")
        assert len(looks) == 2  # once more for all that was asked meanwhile
        assert screen.query_one(DataTable).row_count == 2
        await pilot.press("r")
        await until(pilot, lambda: len(looks) == 3)


async def test_who_leaves_hears_of_what_trains_without_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    make("demo", "running")
    monkeypatch.setattr(Run, "alive", True)
    app = viewer(None)
    async with app.run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        monkeypatch.setattr(listing, "run_standing", None)
        await pilot.press("q")
    assert app.return_value == "demo-1 goes on training; come back: grok-tui"
