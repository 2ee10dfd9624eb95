"""Panes by name and layouts of them: shipped, saved, named by a preset, changed with keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from textual.command import Hit

from grok_tui.sources import Scripted
from grok_tui.ui import layouts, palette, panes
from grok_tui.ui.board import Board
from grok_tui.ui.layouts import Grid, Layout
from grok_tui.ui.palette import PaneCommands
from grok_tui.ui.panes import Pane
from tests.ui.boards import LIVE, SIZES, everything, shown
from tests.ui.measures import frames
from tests.ui.stage import bottom, on_stage, settled, text, until

pytestmark = pytest.mark.usefixtures("own_home")


# The registry


def test_every_pane_says_what_it_is_and_what_to_look_for() -> None:
    for name, pane in panes.every().items():
        assert issubclass(pane, Pane), name
        assert pane.title, name
        assert 0 < len(pane.look_for) <= 90, name
        assert pane.figure or name in ("events", "plan", "effect")  # no figure of the field shows these
    assert len({pane.title for pane in panes.every().values()}) == len(panes.NAMES)


def test_the_app_starts_without_panes_that_it_does_not_open_with() -> None:
    script = "import sys, grok_tui.ui.app; print([m for m in sys.modules if m.startswith('grok_tui.ui.panes.')])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "panes.losses" in loaded
    for name in ("progress", "weights", "embedding", "ablation"):
        assert f"panes.{name}'" not in loaded


# Grids


@pytest.mark.parametrize("layout", layouts.SHIPPED, ids=lambda layout: layout.name)
def test_a_shipped_layout_would_be_accepted_as_a_file(layout: Layout, tmp_path: Path) -> None:
    path = tmp_path / f"{layout.name}.toml"
    path.write_text(_toml(layout), encoding="utf-8")
    found = layouts.load(path)
    assert found.panes == layout.panes
    assert dict(found.grids) == dict(layout.grids)
    assert 0 < len(layout.about) <= 110


def _toml(layout: Layout) -> str:
    import tomli_w

    return tomli_w.dumps(layouts._tables(layout))


@pytest.mark.parametrize("count", range(1, layouts.MOST + 1))
def test_by_rule_panes_fill_rectangles_in_their_order_and_at_120x40_all_have_room(count: int) -> None:
    names = tuple(panes.NAMES)[:count]
    for width, height in [*SIZES, (1, 1), (59, 90), (60, 16), (159, 33), (400, 17)]:
        grid = layouts.arranged(names, width, height)
        assert grid.shown == names[: len(grid.shown)]
        assert len(grid.shown) >= 1
        assert len({len(row) for row in grid.rows}) == 1
        assert all(layouts._is_rectangle(grid, name) for name in grid.shown)
        if width >= 120 and height >= 40:
            assert grid.shown == names


def test_a_flat_screen_has_one_row() -> None:
    assert layouts.MAIN.grid(120, 15) == Grid((("accuracy", "losses"),))
    assert layouts.MAIN.grid(50, 15) == Grid((("accuracy",),))


def test_another_pane_takes_a_place_in_the_list_and_in_every_grid() -> None:
    found = layouts.MAIN.replaced("events", "weights")
    assert found.panes[-1] == "weights"
    assert found.grid(120, 40).span("weights") == layouts.MAIN.grid(120, 40).span("events") == (1, 1)
    assert found.grid(200, 60).span("weights") == (2, 1)
    assert found.grid(80, 24).span("weights") is None


# Keys and palette


async def test_v_goes_through_all_layouts_and_back_to_main() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        for layout in [*layouts.SHIPPED[1:], layouts.MAIN]:
            await pilot.press("v")
            await pilot.pause()
            assert everything(screen) == list(layout.panes)
            assert f"layout {layout.name}" in bottom(pilot)
        await pilot.press("V")
        assert everything(screen) == list(layouts.SHIPPED[-1].panes)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_what_is_shown_has_room_and_what_is_not_can_be_made_large(size: tuple[int, int]) -> None:
    async with on_stage(Scripted(LIVE), size=size) as (pilot, screen):
        await screen.action_layout("frequencies")
        await pilot.pause()
        assert "layout frequencies: each" in bottom(pilot)
        assert shown(screen) == list(layouts.find("frequencies").grid(*size).shown)
        for pane in screen.query_one(Board).shown:
            assert pane.size.width >= 30
            assert pane.size.height >= 6
        await pilot.press("6")
        if screen.large is None:
            await pilot.press("m")
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.name == "output"
        assert screen.large.size.height >= size[1] - 6
        await pilot.press("escape")
        await pilot.pause()
        assert shown(screen) == list(layouts.find("frequencies").grid(*size).shown)


async def test_only_panes_that_are_shown_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    for name, pane in panes.every().items():
        monkeypatch.setattr(pane, "present", lambda *_, name=name: drawn.append(name))
    source = Scripted(LIVE)
    async with on_stage(source, size=(80, 24)) as (pilot, screen):
        await screen.action_layout("frequencies")
        await pilot.pause()
        drawn.clear()
        source.push(*frames(until=3200)[-20:])
        await settled(pilot, source)
        assert shown(screen) == ["alpha", "excluded", "ablation", "interference"]
        assert {"alpha", "excluded"} <= set(drawn) <= set(shown(screen))


async def test_a_pane_from_the_palette_opens_large_and_goes_with_escape() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("ctrl+p", *"margins")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: screen.large is not None)
        await pilot.pause()
        assert screen.large is not None
        assert screen.large.name == "margins"
        assert "Margin, nats" in "\n".join(text(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert screen.large is None
        assert [pane.name for pane in screen.query(Pane)] == list(layouts.MAIN.panes)


async def test_a_pane_from_the_palette_takes_the_place_of_the_focused_one() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("6")
        await screen.action_show_pane("weights")
        await pilot.pause()
        assert everything(screen) == [*layouts.MAIN.panes[:-1], "weights"]
        assert screen.large is None
        assert screen.focused is screen.query_one("#pane-6")
        assert "Sum of squares" in "\n".join(text(pilot))


async def test_a_pane_that_is_there_already_is_made_large() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await screen.action_show_pane("phase")
        await pilot.pause()
        assert screen.large is screen.query_one("#pane-4")
        assert everything(screen) == list(layouts.MAIN.panes)


async def test_n_looks_through_other_panes_in_one_place() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("n")
        assert "go to a pane first" in bottom(pilot)
        await pilot.press("6", "m")
        seen = []
        for _ in range(len(panes.NAMES) - 5):
            await pilot.press("n")
            await pilot.pause()
            assert screen.large is not None
            seen.append(str(screen.large.name))
        assert seen == [name for name in panes.NAMES if name not in layouts.MAIN.panes] + ["events"]
        await pilot.press("N", "escape")
        await pilot.pause()
        assert everything(screen)[-1] == seen[-2]


async def test_the_palette_offers_every_layout_and_every_pane() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("ctrl+p", *"layout: checks")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: everything(screen) == list(layouts.find("checks").panes))


async def found(query: str) -> list[str]:
    """What the palette offers for what is typed, best first."""
    async with on_stage(Scripted(LIVE)) as (_, screen):
        provider = PaneCommands(screen)
        await provider.startup()
        hits = [hit async for hit in provider.search(query)]
    assert all(isinstance(hit, Hit) for hit in hits)
    return [str(hit.match_display) for hit in sorted(hits, key=lambda hit: -hit.score) if isinstance(hit, Hit)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("fig 7", {"Show pane: Progress measures", "Show pane: Losses", "Layout: progress", "Show pane: Weights"}),
        ("figure 15", {"Show pane: Excluded loss of each frequency", "Layout: frequencies"}),
        ("Fig. 9", {"Show pane: Attention to a"}),
        ("clock", {"Show pane: Clock or pizza", "Layout: checks"}),
        ("pizza", {"Show pane: Clock or pizza", "Layout: checks"}),
        ("slingshot", {"Show pane: Weights", "Layout: checks"}),
    ],
)
async def test_the_palette_finds_panes_and_layouts_by_figure_and_by_what_they_are_about(
    query: str, wanted: set[str]
) -> None:
    assert wanted <= set(await found(query))


async def test_a_figure_is_found_by_its_whole_number() -> None:
    assert not any("Excluded" in title or "margins" in title for title in await found("fig 1"))
    assert palette.words("Figs. 4, 9; 2022, Sec. 5.1") >= {"fig4", "fig9", "2022", "5"}
    assert not palette.holds(palette.words("Sec. 5.1; Fig. 1"), "fig 5")


@pytest.mark.parametrize("size", [(20, 5), (36, 12), (80, 24), (120, 40)], ids=str)
async def test_while_a_layout_is_named_the_keys_to_leave_and_for_help_stay_in_sight(size: tuple[int, int]) -> None:
    async with on_stage(Scripted(LIVE), size=size) as (pilot, _):
        for layout in [*layouts.SHIPPED[1:], layouts.MAIN]:
            await pilot.press("v")
            await pilot.pause()
            said = bottom(pilot)
            assert said.split()[-2:] == ["q", "?"]
            assert layout.name in said
            assert "…" not in said
            if size[0] >= 80:
                assert layout.short in said or layout.about in said
