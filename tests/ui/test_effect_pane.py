"""Stories of the pane that says what a change did."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult

from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.state import Ghost, RunState
from grok_tui.ui.doors import Doors
from grok_tui.ui.panes import effect
from grok_tui.ui.panes.effect import EffectPane
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.theme import DARK, DARK_TOKENS
from grok_tui.ui.view import View
from tests.compare.made import branched, changed, grokked, learned, run
from tests.ui.stage import bottom, done, on_stage
from tests.ui.story import frames

SINCE = 6000


def pair() -> RunState:
    """A branch with its parent behind it: past chance at 7,000 instead of 9,100."""
    events = (branched(SINCE), changed(SINCE, 3.0), changed(9000, 1.0, 3.0))
    child = run("child", events, test_loss=grokked(7000), train_accuracy=learned())
    child.ghost = Ghost(run("base", test_loss=grokked(9100), train_accuracy=learned()), SINCE)
    return child


def said(state: RunState, width: int = 110) -> str:
    return "\n".join(text for text, _ in effect.lines(state, width))


def test_the_sentence_stands_above_the_numbers() -> None:
    page = said(pair())
    assert "2,100 epochs earlier than in the parent" in " ".join(page.split())
    assert page.index("earlier") < page.index("test loss < 1")
    assert "base" in page


def test_every_line_fits_into_the_pane() -> None:
    for width in (20, 34, 60, 110):
        assert all(len(text) <= width for text, _ in effect.lines(pair(), width))


def test_a_later_change_is_told_before_and_after() -> None:
    page = " ".join(said(pair()).split())
    assert "weight decay 3 → 1 at 9,000: test loss" in page
    assert "before and after, not an effect" in page
    assert "weight decay 1 → 3 at 6,000: test loss" not in page  # that one has a parent to be compared with


def test_without_a_change_it_says_what_will_be_here() -> None:
    assert "Nothing was changed yet" in said(run(test_loss=grokked(7000)))


class Alone(App[None]):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK_TOKENS

    def compose(self) -> ComposeResult:
        self.register_theme(DARK)
        yield EffectPane(name="effect")


async def test_the_pane_follows_the_parent_too() -> None:
    state = pair()
    parent = run("base", test_loss=grokked(9100, until=8000), train_accuracy=learned())
    state.ghost = Ghost(parent, SINCE)
    async with Alone().run_test(size=(110, 40)) as pilot:
        pane = pilot.app.query_one(EffectPane)
        pane.show(state, View())
        await pilot.pause()
        shown = "\n".join(pane.query_one(effect.Said).cells.lines())
        assert "not within 8,000 epochs in the parent: at least 1,000 epochs earlier" in " ".join(shown.split())


async def test_d_compares_the_run_with_its_family() -> None:
    source = Scripted(frames(until=100))
    source.place = "/nowhere/base-1"
    family = [Run(Path("/nowhere") / name) for name in ("base-1", "base-1.1")]
    doors = Doors(family=lambda _: family, source=lambda run: Scripted(frames(until=100, run=run.name)))
    async with on_stage(source, doors=doors) as (pilot, _):
        await pilot.press("d")
        await done(pilot, "family")
        await pilot.pause()
        assert isinstance(pilot.app.screen, CompareScreen)
        assert [member.run for member in pilot.app.screen.comparison.members] == family


async def test_a_large_family_is_cut_to_the_nearest_and_says_so() -> None:
    source = Scripted(frames(until=100))
    source.place = "/nowhere/base-1"
    family = [Run(Path(f"/nowhere/base-{n}")) for n in range(11)]
    doors = Doors(family=lambda _: family, source=lambda run: Scripted(frames(until=0, run=run.name)))
    async with on_stage(source, doors=doors) as (pilot, _):
        await pilot.press("d")
        await done(pilot, "family")
        await pilot.pause()
        assert isinstance(pilot.app.screen, CompareScreen)
        assert "a family of 11: the nearest 8 are compared" in bottom(pilot)


async def test_a_run_without_a_family_says_so() -> None:
    source = Scripted(frames(until=100))
    source.place = "/nowhere/base-1"
    async with on_stage(source, doors=Doors(family=lambda _: [Run(Path("/nowhere/base-1"))])) as (pilot, _):
        await pilot.press("d")
        await done(pilot, "family")
        assert "neither parent nor branches" in bottom(pilot)
