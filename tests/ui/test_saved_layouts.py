"""Layouts that users save, and those that presets name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grok_tui.errors import ConfigError
from grok_tui.sources import Scripted
from grok_tui.ui import layouts
from tests.ui.boards import LIVE, everything
from tests.ui.stage import bottom, done, on_stage, settled, text
from tests.ui.story import hello

pytestmark = pytest.mark.usefixtures("own_home")


# Saved layouts


async def test_what_is_on_the_screen_can_be_saved_and_comes_back() -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, screen):
        await pilot.press("6")
        await screen.action_show_pane("margins")
        await pilot.press("L", *"mine", "enter")
        await pilot.pause()
        assert bottom(pilot).strip() == (
            'saved: layout mine; v comes to it, [view] layout = "mine" in a preset starts with it'
        )
        await pilot.press("v")
        await pilot.pause()
        assert everything(screen) == list(layouts.MAIN.panes)
        await pilot.press("V")
        await pilot.pause()
        assert everything(screen) == [*layouts.MAIN.panes[:-1], "margins"]
    found = layouts.find("mine")
    assert found.grid(200, 60).span("margins") == (2, 1)
    assert [layout.name for layout in layouts.every()[0]][-1] == "mine"


@pytest.mark.parametrize("name", ["main", "", "Mine", "../x", "a b", "x" * 40])
async def test_a_name_that_cannot_be_taken_is_refused_in_a_line(name: str) -> None:
    async with on_stage(Scripted(LIVE)) as (pilot, _):
        await pilot.press("L", *name, "enter")
        await pilot.pause()
        assert "layout" in bottom(pilot)
        assert "saved" not in bottom(pilot)
    assert layouts.every() == (list(layouts.SHIPPED), [])


async def test_letters_of_a_name_are_no_commands_and_escape_saves_nothing() -> None:
    source = Scripted(LIVE)
    async with on_stage(source) as (pilot, screen):
        await pilot.press("L", *"pqsx", "escape", "escape")
        await pilot.pause()
        assert pilot.app.is_running
        assert not source.sent
        assert not screen.view.log_x
    assert layouts.every()[1] == []


BAD = {
    'panes = ["accuracy"': "not TOML",
    "": "panes is a list of 1 to 9 names",
    "panes = []": "panes is a list of 1 to 9 names",
    'panes = ["accuraccy"]': "pane 'accuraccy' is not known",
    'panes = ["phase", "phase"]': "panes names one pane twice",
    'panes = ["phase"]\nhuge = 1': "'huge' is not known",
    'panes = ["phase"]\nabout = 1': "about is text",
    'panes = ["phase"]\nsmall = 1': "[small]: rows is a list",
    'panes = ["phase"]\n[small]\nrows = ["losses"]': "[small]: 'losses' is not among panes",
    'panes = ["phase", "losses"]\n[small]\nrows = ["losses phase"]': "another order",
    'panes = ["phase", "losses"]\n[small]\nrows = ["phase losses", "phase"]': "as many names as the first",
    'panes = ["phase", "losses"]\n[small]\nrows = ["phase losses", "losses phase"]': "does not fill a rectangle",
    'panes = ["phase"]\n[small]\nrows = ["phase"]\nheights = ["much"]': "heights has one for each row",
}


@pytest.mark.parametrize("content", BAD)
async def test_a_bad_file_is_one_clear_line_and_no_layout_suffers(content: str, own_home: Path) -> None:
    path = own_home / "layouts" / "broken.toml"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        layouts.find("broken")
    assert BAD[content] in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    found, lines = layouts.every()
    assert found == list(layouts.SHIPPED)
    assert lines == [str(raised.value)]


async def test_a_bad_file_is_told_when_layouts_are_gone_through(own_home: Path) -> None:
    (own_home / "layouts").mkdir()
    (own_home / "layouts" / "broken.toml").write_text("panes = 3", encoding="utf-8")
    async with on_stage(Scripted(LIVE), size=(200, 40)) as (pilot, screen):
        await pilot.press("v")
        await pilot.pause()
        assert "panes is a list" in "\n".join(text(pilot)[-3:])
        assert everything(screen) == list(layouts.SHIPPED[1].panes)


# A preset's layout


def wishing(layout: str) -> Scripted:
    greeting = hello()
    greeting = replace(greeting, config={**greeting.config, "view": {"layout": layout}})
    return Scripted([greeting, *LIVE[1:]])


async def test_a_preset_can_name_the_layout_that_a_run_opens_with() -> None:
    source = wishing("checks")
    async with on_stage(source) as (pilot, screen):
        await done(pilot, "layout")
        assert everything(screen) == list(layouts.find("checks").panes)
        await pilot.press("v")
        source.push(*LIVE[-3:])
        await settled(pilot, source)
        assert everything(screen) == list(layouts.MAIN.panes)


async def test_a_layout_that_a_preset_names_in_vain_is_said() -> None:
    async with on_stage(wishing("chekcs")) as (pilot, screen):
        await done(pilot, "layout")
        assert "layout 'chekcs' is not known; did you mean 'checks'?" in "\n".join(text(pilot)[-2:])
        assert everything(screen) == list(layouts.MAIN.panes)
