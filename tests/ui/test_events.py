"""The events pane: scrolled by keys and wheel, and around the cursor."""

from __future__ import annotations

from rich.cells import cell_len

from grok_tui.protocol import Event
from grok_tui.sources import Scripted
from grok_tui.ui.panes import EventsPane
from grok_tui.ui.panes.events import Log, told
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import DIM, Token
from tests.ui.gallery import Gallery, state_of
from tests.ui.stage import on_stage, settled
from tests.ui.story import frames

CHANGES = [(100 * i, "weight_decay", float(i)) for i in range(1, 40)]
BUSY = state_of(frames(until=5000, changes=CHANGES))


async def test_the_cursor_s_epoch_is_in_sight_wherever_it_is() -> None:
    app = Gallery(BUSY, panes=(EventsPane,))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        for cursor in (0, 50, 1000, 2550, 5000):
            app.look(View(cursor=cursor))
            await pilot.pause()
            rows = app.text(EventsPane).splitlines()[1:-1]
            here = next(y for y, row in enumerate(rows) if f"{cursor:,} ──" in row)
            epochs = [int(row.split()[1].replace(",", "")) for row in rows if row.split()[1:]]
            assert all(epoch <= cursor for epoch in epochs[:here])
            assert all(epoch >= cursor for epoch in epochs[here:])
            assert here == 0 or epochs[here - 1] == max(e.epoch for e in told(BUSY, None) if e.epoch <= cursor)


async def test_what_came_later_is_dim() -> None:
    app = Gallery(BUSY, View(cursor=2550), panes=(EventsPane,))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        log = app.query_one(Log)
        split = next(y for y, row in enumerate(log.cells.lines()) if "──" in row)
        assert 0 < split < log.cells.height - 1
        for y, row in enumerate(log.cells.styles):
            dim = {bool(style & DIM) for style, char in zip(row, log.cells.chars[y], strict=True) if char != ord(" ")}
            assert dim == {y > split}


def test_a_phase_that_was_known_only_later_is_later_too() -> None:
    state = state_of(frames(until=9000))
    placed = next(b for b in state.phases.boundaries if b.phase == "circuit formation")
    between = (placed.epoch + placed.confirmed) // 2
    entry = next(e for e in told(state, between) if e.what == "circuit formation")
    assert entry.epoch < between
    assert entry.later
    assert not next(e for e in told(state, placed.confirmed) if e.what == "circuit formation").later


def test_resume_points_on_both_sides_of_the_cursor_are_counted_apart() -> None:
    state = state_of(frames(until=9000))
    points = [(e.epoch, e.text, e.later) for e in told(state, 5000) if e.what == "checkpoint"]
    assert points == [
        (4000, "resume point 4,000 (2 kept)", False),
        (8000, "resume point 8,000 (2 kept)", True),
    ]


async def test_keys_scroll_and_the_border_says_how_much_is_hidden() -> None:
    source = Scripted(frames(until=5000, changes=CHANGES))
    async with on_stage(source) as (pilot, screen):
        pane = screen.query_one(EventsPane)
        log = screen.query_one(Log)
        bottom = log.cells.lines()
        assert "↑" in str(pane.border_subtitle)
        assert "↓" not in str(pane.border_subtitle)
        await pilot.press("up", "up")
        assert log.cells.lines()[2:] == bottom[:-2]
        assert "↓ 2 more" in str(pane.border_subtitle)
        for _ in range(20):
            await pilot.press("pageup")
        assert "started" in log.cells.lines()[0]
        assert "↑" not in str(pane.border_subtitle)
        for _ in range(20):
            await pilot.press("pagedown")
        assert log.cells.lines() == bottom


async def test_what_was_scrolled_to_stays_when_something_new_happens() -> None:
    source = Scripted(frames(until=5000, changes=CHANGES))
    async with on_stage(source) as (pilot, screen):
        log = screen.query_one(Log)
        await pilot.press("pageup")
        before = log.cells.lines()
        new = frames(until=6500, changes=[*CHANGES, (6200, "weight_decay", 9.0)])
        source.push(*new[-12:])
        await settled(pilot, source)
        assert any(e.epoch == 6200 for e in log.entries)
        assert log.cells.lines() == before


def test_the_cursor_s_row_has_its_own_colour() -> None:
    log = Log()
    log.entries, log.cursor = told(BUSY, 2000), 2000
    cells = log.draw(40, 60)
    y = next(y for y, row in enumerate(cells.lines()) if "──" in row)
    assert cells.styles[y, 0] & 0xFF == Token.CURSOR


async def test_notes_in_any_script_are_shown_as_they_were_written_and_break_no_frame() -> None:
    texts = ("电路形成 starts", "🧪👩\u200d🔬é", "x\u0302 と ŷ", "한국어 메모", "long " + "世界" * 60)
    written = [Event(200 + i, "note", text, 1.0, data={"id": f"a{i}"}) for i, text in enumerate(texts)]
    app = Gallery(state_of([*frames(until=400), *written]), panes=(EventsPane,))
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        rows = app.text(EventsPane).splitlines()
        assert {cell_len(row.rstrip("\n")) for row in rows} == {60}
        assert all(row.startswith("│") and row.rstrip().endswith("│") for row in rows[1:-1])
        shown = "\n".join(rows)
        for text in ("⚑ 电路形成 starts", "⚑ 🧪👩🔬é", "⚑ x\u0302 と ŷ", "⚑ 한국어 메모", "世界世界"):
            assert text in shown, shown
        assert "?" not in shown
        assert "…" in shown
