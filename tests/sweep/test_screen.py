"""Stories of the sweep's screen."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.worker import WorkerCancelled, WorkerState

from grok_tui.errors import RunError
from grok_tui.grok_times import Sign
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.sweep_board import Board, Cell
from grok_tui.sweep_state import SweepState
from grok_tui.sweeps import Sweep
from grok_tui.ui.app import GrokApp
from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.screens.sweep import SweepScreen
from grok_tui.ui.widgets.cells import Token, ground
from grok_tui.ui.widgets.sweep_grid import Look, heat_step, picture
from tests.ui.stage import bottom, status, text, until
from tests.ui.story import frames

pytestmark = pytest.mark.usefixtures("own_home")


def scripted(_run: Run) -> Scripted:
    return Scripted(frames(until=100))


@asynccontextmanager
async def on(
    sweep: Sweep, size: tuple[int, int] = (80, 24), doors: Doors | None = None
) -> AsyncIterator[tuple[Pilot[str], SweepScreen]]:
    """The screen, once it has read everything."""
    app = GrokApp(doors=doors or Doors(source=scripted), sweep=SweepState(sweep), charts_every=0, status_every=0)
    async with app.run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, SweepScreen)
        await until(pilot, lambda: screen.board is not None and len(screen.state.tracks) == 4)
        await pilot.pause()
        yield pilot, screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_cell_says_its_time_or_why_there_is_none(sweep: Sweep, size: tuple[int, int]) -> None:
    async with on(sweep, size) as (pilot, _):
        page = "\n".join(text(pilot))
        for words in ("✓ 9,000", "✓ 7,000", "○ never", "✗ failed", "… waiting", "weight decay ↓", "seed →"):
            assert words in page, words
        assert "50 % test accuracy at epoch 7,000" in page
        assert "3 of 6 done" in status(pilot)
        assert "q Leave" in bottom(pilot)
        assert any("\u2801" <= sign <= "\u28ff" for sign in page)


async def test_the_arrows_choose_a_member_and_the_lines_below_read_it_out(sweep: Sweep) -> None:
    async with on(sweep, (120, 40)) as (pilot, _):
        await pilot.press("right", "right")
        page = "\n".join(text(pilot))
        assert "member 3: tiny-3   weight decay 1, seed 2   ✓ finished   epoch 20,000 of 20,000" in page
        assert "50 % test accuracy: 7,000   fitting 0" in page
        await pilot.press("down", "left", "left", "left")
        assert "train loss is not finite from epoch 299 on" in "\n".join(text(pilot))


async def test_another_sign_of_grokking_is_another_key_away(sweep: Sweep) -> None:
    async with on(sweep, (120, 40)) as (pilot, _):
        await pilot.press("g")
        assert "below chance at epoch" in "\n".join(text(pilot))
        await pilot.press("g", "g", "g")
        assert "50 % test accuracy at epoch 7,000" in "\n".join(text(pilot))


async def test_seeds_fold_into_a_median_where_never_is_no_number(sweep: Sweep) -> None:
    async with on(sweep, (120, 40)) as (pilot, screen):
        await pilot.press("s")
        page = "\n".join(text(pilot)[:-3])
        assert "✓ 9,000" in page
        assert "[7,000-20,000+] 2/3" in page
        assert "✓ 7,000" not in page
        assert len(screen.cell.numbers) == 3
        await pilot.press("s")
        assert "✓ 7,000" in "\n".join(text(pilot))


async def test_enter_opens_the_members_run_and_h_comes_back_to_the_sweep(sweep: Sweep) -> None:
    opened: list[str] = []

    def source(run: Run) -> Scripted:
        opened.append(run.name)
        return scripted(run)

    async with on(sweep, doors=Doors(source=source)) as (pilot, _):
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert opened == ["tiny-2"]
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))


@pytest.mark.parametrize("key", ["enter", "d"])
async def test_whoever_comes_back_finds_the_sweep_as_it_was_left(sweep: Sweep, key: str) -> None:
    async with on(sweep, (120, 40)) as (pilot, screen):
        await pilot.press("space", "right", "space", "right", "g")
        left = screen.look
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen | CompareScreen))
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, SweepScreen))
        back = pilot.app.screen
        assert isinstance(back, SweepScreen)
        await until(pilot, lambda: back.board is not None)
        assert (back.look, back.sign, back.cell.numbers) == (left, Sign.CHANCE, (3,))
        assert left.marked == {(0, 0), (0, 1)}


async def test_a_member_without_a_run_cannot_be_opened_and_says_so(sweep: Sweep) -> None:
    async with on(sweep) as (pilot, _):
        await pilot.press("down", "right", "enter")
        assert "no run yet" in bottom(pilot)
        assert isinstance(pilot.app.screen, SweepScreen)


async def test_d_compares_the_row_or_what_is_marked(sweep: Sweep) -> None:
    async with on(sweep, (120, 40)) as (pilot, screen):
        assert [run.name for run in screen._marked()] == ["tiny-1", "tiny-2", "tiny-3"]
        await pilot.press("space", "right", "right", "space")
        assert "◆" in "\n".join(text(pilot))
        assert [run.name for run in screen._marked()] == ["tiny-1", "tiny-3"]
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))


async def test_leaving_says_that_the_sweep_goes_on_only_while_it_does(sweep: Sweep) -> None:
    with sweep.hold():
        async with on(sweep) as (pilot, screen):
            await until(pilot, lambda: screen.state.alive)
            await pilot.press("q")
        assert "goes on; come back: grok-tui sweep tiny-sweep-1" in str(pilot.app.return_value)
    async with on(sweep) as (pilot, _):
        await pilot.press("q")
    assert "--resume" in str(pilot.app.return_value)


async def test_a_look_that_ends_while_the_screen_goes_draws_nothing(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, looking = threading.Event(), threading.Event()

    def look() -> bool:
        looking.set()
        go.wait(20)
        return False

    async with on(sweep) as (pilot, screen):
        monkeypatch.setattr(screen.state, "look", look)
        await until(pilot, looking.is_set)
        (follower,) = [worker for worker in pilot.app.workers if worker.node is screen]

        async def go_on(_self: Hints) -> None:
            """While the widgets go: the first of them waits for what the screen does."""
            go.set()
            with suppress(WorkerCancelled):
                await follower.wait()

        monkeypatch.setattr(Hints, "on_unmount", go_on, raising=False)
        await pilot.press("H")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await until(pilot, lambda: follower.is_finished)
        assert follower.state is WorkerState.CANCELLED


async def test_resume_and_stop_go_through_their_doors_and_say_why_not(sweep: Sweep) -> None:
    done: list[str] = []

    def refuse(found: Sweep) -> None:
        done.append(found.name)
        raise RunError("is being run already")

    async with on(sweep, doors=Doors(resume_sweep=refuse)) as (pilot, _):
        await pilot.press("r")
        await until(pilot, lambda: "is being run already" in bottom(pilot))
        await pilot.press("S")
        assert "is not running" in bottom(pilot)
    assert done == [sweep.name]


async def test_a_viewer_that_only_looks_neither_stops_nor_resumes(sweep: Sweep) -> None:
    async with on(sweep, doors=only_looking(Doors(source=scripted))) as (pilot, _):
        await pilot.press("r")
        assert "only looks" in bottom(pilot)


@pytest.mark.parametrize("looks", [False, True])
async def test_only_who_may_use_them_is_offered_the_keys_that_change_something(sweep: Sweep, looks: bool) -> None:
    doors = Doors(source=scripted)
    async with on(sweep, (200, 60), only_looking(doors) if looks else doors) as (pilot, _):
        assert [key in bottom(pilot) for key in ("r Resume", "S Stop", "g Grokked")] == [not looks, not looks, True]


def board(rows: int, columns: int) -> Board:
    cells = tuple(
        tuple(Cell((r * columns + c + 1,), "finished", (f"{1000 + r}",), ("",), 1000.0 + r) for c in range(columns))
        for r in range(rows)
    )
    return Board("a", "b", tuple(map(str, range(rows))), tuple(map(str, range(columns))), cells, 5000, False)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 3), (10, 5), (5, 10), (25, 20)])
@pytest.mark.parametrize("size", [(80, 20), (120, 36), (200, 56), (20, 5), (1, 1)])
def test_a_grid_of_any_shape_is_drawn_in_any_size_with_the_chosen_cell_in_sight(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    rows, columns = shape
    look = Look(rows - 1, columns - 1, frozenset({(0, 0)}), "sign")
    cells = picture(board(rows, columns), look, *size)
    assert (cells.width, cells.height) == size
    if size >= (80, 20):
        page = "\n".join(cells.lines())
        assert "▐" in page
        assert f"✓ {1000 + rows - 1}" in page


def test_colour_only_repeats_the_time_and_its_ink_is_readable() -> None:
    steps = [heat_step(time, 1000, 16_000) for time in (1000, 4000, 16_000)]
    assert steps == [0, 8, 15]
    cells = picture(board(9, 1), Look(sign="sign"), 80, 40)
    grounds = {ground(int(style)): int(style) & 0xFF for style in np.unique(cells.styles) if ground(int(style))}
    assert grounds[Token.HEAT_0] == Token.TEXT
    assert grounds[Token.HEAT_15] == Token.INK
