"""Stories of the home screen: presets to start, runs to open."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import DataTable, OptionList

from grok_tui import codec, config, lineage, listing, record, runs
from grok_tui.config import Config
from grok_tui.errors import LaunchError
from grok_tui.lineage import Lineage
from grok_tui.protocol import Event
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.sweeps import Sweep
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.messages import CompareWanted
from grok_tui.ui.runs_table import RunsTable, look
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.sweep import SweepScreen
from tests.sweep import planted, tiny
from tests.ui.stage import bottom, done, text, until, viewer
from tests.ui.story import frames, hello


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))


def make(name: str, state: str, epoch: int = 1200) -> Run:
    run = runs.create(config.preset(name))
    values = {"test_accuracy": 0.25}
    run.write_state(
        {"epoch": epoch, "state": state, "time": 1.7e9, "controls": {"weight_decay": 3.0}, "values": values}
    )
    return run


def scripted(_run: Run) -> Scripted:
    return Scripted(frames(until=100))


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


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (80, 24), (300, 90)])
async def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    make("demo", "finished")
    async with viewer(None).run_test(size=size) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab", "tab", "question_mark", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HomeScreen)


# Families


def family(*, grand: bool = True) -> list[Run]:
    """A run, its branch, and the branch's; another run beside them."""
    parent = make("nanda113", "finished", 40_000)
    begin(parent, 1000.0)
    child = branch_of(parent, 1000.0, 2000.0, changes={"weight_decay": 0.3})
    runs_ = [parent, child]
    if grand:
        runs_.append(branch_of(child, 2000.0, 3000.0))
    runs_.append(make("demo", "stopped"))
    return runs_


def begin(run: Run, started: float) -> None:
    told = (hello(run.name), Event(0, "started", "started", started))
    record.write(run.frames, [codec.pack(frame) for frame in told])


def branch_of(run: Run, parents: float, born: float, **more: Any) -> Run:
    def fill(made: Run) -> None:
        lineage.write(made.path, Lineage(run.name, 6000, parents, born, **more))

    child = runs.create(config.preset("nanda113"), fill, run)
    values = {"controls": {"weight_decay": 0.125}, "values": {"test_accuracy": 0.9991}, "time": 1.7e9}
    child.write_state({"epoch": 38_950, "state": "finished", **values})
    return child


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_branches_stand_below_their_parents_and_no_column_is_cut(size: tuple[int, int]) -> None:
    family()
    async with viewer(None).run_test(size=size) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab")
        await pilot.pause()
        rows = text(pilot)
        at = [next(i for i, row in enumerate(rows) if name in row) for name in (" nanda113-1 ", "└ nanda113-1.1 ")]
        assert at[1] == at[0] + 1
        assert "  └ nanda113-1.1.1 " in rows[at[0] + 2]
        table = pilot.app.screen.query_one(DataTable)
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_the_border_says_where_the_branch_under_the_bar_left_its_parent() -> None:
    family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1.1")
        assert "branched at 6,000: weight decay 0.3" in "\n".join(text(pilot))
        await under(pilot, "nanda113-1")
        assert "branched" not in "\n".join(text(pilot))


async def under(pilot: Pilot[str], name: str) -> None:
    """Bring the bar to a run."""
    table = pilot.app.screen.query_one(RunsTable)
    table.focus()
    table.move_cursor(row=[run.name for run in table.runs].index(name))
    await pilot.pause()


async def test_space_selects_runs_and_d_asks_to_compare_them_from_top_to_bottom() -> None:
    family()
    wanted = Wanted()
    async with viewer(None).run_test(size=(100, 40), message_hook=wanted) as pilot:
        await done(pilot, "runs")
        for name in ("nanda113-1.1", "demo-1", "nanda113-1"):
            await under(pilot, name)
            await pilot.press("space")
        await under(pilot, "demo-1")
        await pilot.press("space")
        page = "\n".join(text(pilot))
        assert "◆└ nanda113-1.1 " in page
        assert "◆nanda113-1 " in page
        assert "2 selected" in page
        await pilot.press("r")
        await done(pilot, "runs")
        assert "◆nanda113-1 " in "\n".join(text(pilot))
        await pilot.press("d")
        await pilot.pause()
        assert set(wanted) == {("nanda113-1", "nanda113-1.1")}


class Wanted(list[tuple[str, ...]]):
    """The comparisons that were asked for."""

    def __call__(self, message: Message) -> None:
        if isinstance(message, CompareWanted):
            self.append(tuple(run.name for run in message.runs))


async def test_one_run_alone_is_not_compared_and_an_unreadable_one_says_why() -> None:
    found = family()
    (found[-1].path / "VERSION").write_text("99\n")
    wanted = Wanted()
    async with viewer(None).run_test(size=(100, 40), message_hook=wanted) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1")
        await pilot.press("space", "d")
        await pilot.pause()
        assert "select two runs or more" in bottom(pilot)
        await under(pilot, "demo-1")
        await pilot.press("space", "d")
        await pilot.pause()
        assert "made by a newer grok-tui" in " ".join(" ".join(text(pilot)[-3:]).split())
    assert wanted == []


async def test_a_selected_run_that_is_gone_is_selected_no_more() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("space")
        shutil.rmtree(found[-1].path)
        await pilot.press("r")
        await done(pilot, "runs")
        assert pilot.app.screen.query_one(RunsTable).selected == ()


@pytest.mark.parametrize("key", ["D", "delete"])
async def test_a_run_is_deleted_after_a_question_and_not_before(key: str) -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press(key)
        await done(pilot, "deletable")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert "Delete demo-1?" in "\n".join(text(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert found[-1].path.is_dir()
        await pilot.press(key)
        await done(pilot, "deletable")
        await pilot.press("y")
        await pilot.pause()
        await done(pilot, "delete")
        await done(pilot, "runs")
        assert not found[-1].path.exists()
        assert "demo-1 is deleted" in bottom(pilot)
        assert "demo-1" not in [run.name for run in pilot.app.screen.query_one(RunsTable).runs]


async def test_a_parent_is_not_deleted_while_it_has_branches_which_are_named() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1")
        await pilot.press("D")
        await done(pilot, "deletable")
        assert isinstance(pilot.app.screen, HomeScreen)
        said = " ".join(" ".join(text(pilot)[-3:]).split())
        assert "nanda113-1 is needed by its branches: nanda113-1.1, nanda113-1.1.1" in said
    assert all(run.path.is_dir() for run in found)


async def test_among_the_presets_the_keys_of_runs_do_nothing_and_say_so() -> None:
    found = family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        assert "space Select" not in bottom(pilot)
        for key in ("space", "D"):
            await pilot.press(key)
            await pilot.pause()
            assert "tab goes to the runs first" in bottom(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert "space Select" in bottom(pilot)
        assert "d Compare" in bottom(pilot)
    assert all(run.path.is_dir() for run in found)


async def test_a_viewer_that_only_looks_deletes_nothing() -> None:
    found = family()
    async with viewer(None, only_looking(Doors())).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("D")
        await pilot.pause()
        assert "--read-only" in bottom(pilot)
    assert found[-1].path.is_dir()


async def test_a_look_that_finds_nothing_new_draws_no_cell() -> None:
    family()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        with patch.object(table, "update_cell_at") as update, patch.object(table, "clear") as clear:
            await pilot.press("r")
            await done(pilot, "runs")
        assert (update.call_count, clear.call_count) == (0, 0)


async def test_a_screen_that_becomes_narrower_keeps_the_bar_and_cuts_no_column() -> None:
    family()
    async with viewer(None).run_test(size=(120, 36)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "nanda113-1.1.1")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        table = pilot.app.screen.query_one(RunsTable)
        assert table.run is not None
        assert table.run.name == "nanda113-1.1.1"
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_the_columns_have_their_widths_before_anything_else_happens() -> None:
    make("nanda113", "finished", 40_000)
    async with viewer(None).run_test(size=(120, 40)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        rows = look([runs.create(config.preset("nanda113")), *table.runs])
        table.show(rows)  # nobody is given time to measure
        assert [column.width for column in table.ordered_columns][:3] == [
            len(" nanda113-2"),
            len("✓ finished"),
            len("40,000/40,000"),
        ]
        assert not any(column.auto_width for column in table.ordered_columns)


# Sweeps


def members(*, others: bool = True) -> Sweep:
    """Two of three members of a sweep, and a family beside them."""
    if others:
        family()
    sweep = tiny.made(decays="1,5,9", training__epochs=planted.EPOCHS)
    for number in (1, 2):
        planted.member(sweep, number, 9000)
    return sweep


async def test_a_sweep_has_a_column_only_where_a_run_belongs_to_one() -> None:
    family()
    async with viewer(None).run_test(size=(120, 36)) as pilot:
        await done(pilot, "runs")
        await pilot.press("tab")
        await pilot.pause()
        assert "sweep" not in "\n".join(text(pilot)).lower()
        members(others=False)
        await pilot.press("r")
        await done(pilot, "runs")
        page = text(pilot)
        assert next(row for row in page if "last seen" in row).rstrip(" │").endswith("sweep")
        assert next(row for row in page if " tiny-2 " in row).rstrip(" │").endswith("tiny-sweep-1")
        assert "tiny-sweep-1" not in next(row for row in page if " demo-1 " in row)
        assert "s Sweep" in bottom(pilot)


async def test_at_80_columns_members_are_marked_and_the_border_names_the_sweep() -> None:
    members()
    async with viewer(None).run_test(size=(80, 24)) as pilot:
        await done(pilot, "runs")
        table = pilot.app.screen.query_one(RunsTable)
        await under(pilot, "tiny-2")
        page = "\n".join(text(pilot))
        assert "tiny-1 ▦ " in page
        assert "▦" not in next(row for row in text(pilot) if " nanda113-1 " in row)
        assert "member 2 of tiny-sweep-1" in page
        assert table.virtual_size.width <= table.scrollable_content_region.width
        await under(pilot, "nanda113-1")
        assert "tiny-sweep" not in "\n".join(text(pilot))


async def test_where_names_are_short_the_column_fits_80_columns() -> None:
    members(others=False)
    async with viewer(None).run_test(size=(80, 24)) as pilot:
        await done(pilot, "runs")
        await pilot.pause()
        table = pilot.app.screen.query_one(RunsTable)
        assert next(row for row in text(pilot) if " tiny-2 " in row).rstrip(" │").endswith("tiny-sweep-1")
        assert table.virtual_size.width <= table.scrollable_content_region.width


async def test_s_opens_the_members_sweep_at_the_member_and_h_comes_home_again() -> None:
    members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        screen = pilot.app.screen
        assert isinstance(screen, SweepScreen)
        await until(pilot, lambda: screen.board is not None)
        assert screen.cell.numbers == (2,)
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


async def test_a_run_opened_at_home_after_a_look_at_a_sweep_comes_back_home() -> None:
    members()
    async with viewer(None, Doors(source=scripted)).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await pilot.press("H")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RunScreen))
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_a_run_of_no_sweep_and_one_whose_sweep_is_gone_say_so() -> None:
    sweep = members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "demo-1")
        await pilot.press("s")
        await done(pilot, "sweep")
        assert "demo-1 belongs to no sweep" in bottom(pilot)
        shutil.rmtree(sweep.path)
        await under(pilot, "tiny-1")
        await pilot.press("s")
        await done(pilot, "sweep")
        assert "tiny-sweep-1, which is gone" in bottom(pilot)
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_before_a_member_is_deleted_its_sweep_is_named() -> None:
    members()
    async with viewer(None).run_test(size=(100, 40)) as pilot:
        await done(pilot, "runs")
        await under(pilot, "tiny-2")
        await pilot.press("D")
        await done(pilot, "deletable")
        page = " ".join(" ".join(text(pilot)).replace("│", " ").split())
        assert "tiny-2 is member 2 of the sweep tiny-sweep-1: its cell there will be empty." in page
