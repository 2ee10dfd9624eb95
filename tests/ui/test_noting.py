"""Notes and jumps on the run screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from grok_tui import config, notes, runs
from grok_tui.errors import NoteError
from grok_tui.notes import Note
from grok_tui.protocol import Event, Status
from grok_tui.runs import Run
from grok_tui.sources import Scripted
from grok_tui.ui import moments
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.field import Field
from grok_tui.ui.panes import AccuracyPane, DecayPane, EventsPane, LossesPane
from grok_tui.ui.panes.lines import marks
from grok_tui.ui.screens.run import RunScreen
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.chart import Chart
from tests.ui.gallery import Gallery, state_of
from tests.ui.stage import bottom, burst, done, on_stage, text
from tests.ui.story import frames

CHANGES = [(6000, "weight_decay", 0.3)]


def note(epoch: int, text: str, id: str = "a") -> Event:
    return Event(epoch, "note", text, 0.0, data={"id": id})


def keeping(kept: list[tuple[int, str]]) -> Doors:
    def keep(_run: Run, epoch: int, text: str) -> Note:
        kept.append((epoch, text))
        return Note(f"id{len(kept)}", epoch, text, 0.0)

    return Doors(find=lambda name: Run(Path(name)), note=keep)


async def test_a_note_is_a_flag_in_every_chart_and_a_line_of_the_events() -> None:
    state = state_of([*frames(until=9000, changes=CHANGES), note(3000, "the circuit begins")])
    app = Gallery(state)
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        for pane in (AccuracyPane, LossesPane, DecayPane):
            assert "⚑" in app.text(pane)
            assert "the circuit b…" in app.text(pane)
            chart = app.query_one(pane).query_one(Chart)
            colours = {int(style) & 0xFF for style in chart.cells.styles[chart.cells.chars == ord("╎")]}
            assert colours == {Token.NOTE}
        assert "3,000 ⚑ the circuit begins" in app.text(EventsPane)


async def test_a_change_at_the_same_epoch_keeps_its_line_and_its_letters() -> None:
    state = state_of([*frames(until=9000, changes=CHANGES), note(6000, "less decay")])
    app = Gallery(state, panes=(AccuracyPane,))
    async with app.run_test(size=(90, 20)) as pilot:
        await pilot.pause()
        assert "wd 0.3" in app.text(AccuracyPane)
        assert "┊" in app.text(AccuracyPane)
        assert "⚑" in app.text(AccuracyPane)


def test_marks_of_notes_and_of_changes_differ_in_shape_and_colour() -> None:
    change, flag = marks(state_of([*frames(until=9000, changes=CHANGES), note(7000, "x")]))
    assert change.stroke != flag.stroke
    assert change.token != flag.token


async def test_e_asks_for_a_note_at_the_cursor_and_shows_it_at_once() -> None:
    kept: list[tuple[int, str]] = []
    async with on_stage(Scripted(frames(until=5000)), doors=keeping(kept)) as (pilot, screen):
        await pilot.press("c", "shift+left")
        at = screen.view.cursor
        assert at is not None
        await pilot.press("e")
        assert f"Note at {at:,}" in bottom(pilot)
        await pilot.press(*"odd", "enter")
        await done(pilot, "note")
        assert kept == [(at, "odd")]
        assert any(f"{at:,} ⚑ odd" in row for row in text(pilot))
        assert f"noted at {at:,}: odd" in bottom(pilot)


def of_disk(run: Run) -> Doors:
    """Doors to one run's own notes."""
    return Doors(find=lambda _: run)


def shown_notes(screen: RunScreen) -> list[str]:
    return [event.text for event in screen.state.events if event.what == "note"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    return runs.create(config.preset("demo"))


@pytest.mark.parametrize("link", ["live", "finished", "replay"])
async def test_e_at_a_note_offers_its_text_and_what_is_typed_is_its_text(run: Run, link: str) -> None:
    kept = notes.add(run, 3000, "the circuit begins")
    source = Scripted([*frames(until=5000), kept.event], link="replay" if link == "replay" else "live")
    if link == "finished":
        source.push(Status(5000, "finished", 0.0, {}, 1))
    async with on_stage(source, size=(80, 24), doors=of_disk(run)) as (pilot, screen):
        while screen.view.cursor != 3000:
            await pilot.press("comma")
        await pilot.press("e")
        assert screen.prompt.query_one(Field).value == "the circuit begins"
        assert "Note at 3,000" in bottom(pilot)
        assert "the circuit begins" in bottom(pilot)
        assert "empty removes" in bottom(pilot)
        await pilot.press("end", *" here", "enter")
        await done(pilot, "note")
        assert shown_notes(screen) == ["the circuit begins here"]
        assert "the note at 3,000: the circuit begins here" in bottom(pilot)
        (after,) = notes.read(run)
        assert (after.id, after.epoch, after.text) == (kept.id, 3000, "the circuit begins here")


async def test_a_note_that_is_emptied_is_removed_and_that_is_said(run: Run) -> None:
    kept = notes.add(run, 3000, "the circuit begins")
    async with on_stage(Scripted([*frames(until=5000), kept.event]), doors=of_disk(run)) as (pilot, screen):
        screen.look(screen.view.jump(5000, 3000))
        await pilot.press("e", "backspace", "enter")
        await done(pilot, "note")
        assert shown_notes(screen) == []
        assert "the note at 3,000 is removed: the circuit begins" in bottom(pilot)
        assert notes.read(run) == []
        assert len(notes.path(run).read_text().splitlines()) == 2


async def test_a_note_left_as_it_is_writes_nothing(run: Run) -> None:
    kept = notes.add(run, 3000, "the circuit begins")
    async with on_stage(Scripted([*frames(until=5000), kept.event]), doors=of_disk(run)) as (pilot, screen):
        screen.look(screen.view.jump(5000, 3000))
        await pilot.press("e", "enter", "e", "x", "escape")
        await done(pilot, "note")
        assert shown_notes(screen) == ["the circuit begins"]
        assert len(notes.path(run).read_text().splitlines()) == 1


async def test_of_several_notes_at_one_epoch_each_can_be_reached_and_a_new_one_begun(run: Run) -> None:
    kept = [notes.add(run, 3000, text) for text in ("one", "two")]
    story = [*frames(until=5000), *(note.event for note in kept)]
    async with on_stage(Scripted(story), size=(80, 24), doors=of_disk(run)) as (pilot, screen):
        screen.look(screen.view.jump(5000, 3000))
        await pilot.press("e")
        assert "Note at 3,000, 2 of 2" in bottom(pilot)
        assert screen.prompt.query_one(Field).value == "two"
        await pilot.press("up")
        assert screen.prompt.query_one(Field).value == "one"
        await pilot.press("backspace", "enter")
        await done(pilot, "note")
        assert shown_notes(screen) == ["two"]
        burst(pilot, "e", "down", *"three", "enter")
        await pilot.pause()
        await done(pilot, "note")
        assert sorted(shown_notes(screen)) == ["three", "two"]
        assert [note.text for note in notes.read(run)] == ["two", "three"]


async def test_a_note_that_somebody_else_removed_meanwhile_is_not_brought_back(run: Run) -> None:
    kept = notes.add(run, 3000, "the circuit begins")
    async with on_stage(Scripted([*frames(until=5000), kept.event]), doors=of_disk(run)) as (pilot, screen):
        screen.look(screen.view.jump(5000, 3000))
        await pilot.press("e", "x")
        notes.remove(run, kept.id)
        await pilot.press("enter")
        await done(pilot, "note")
        assert "there no more" in bottom(pilot)
        assert notes.read(run) == []


async def test_whoever_only_looks_changes_no_note(run: Run) -> None:
    kept = notes.add(run, 3000, "the circuit begins")
    doors = only_looking(of_disk(run))
    async with on_stage(Scripted([*frames(until=5000), kept.event]), doors=doors) as (pilot, screen):
        screen.look(screen.view.jump(5000, 3000))
        await pilot.press("e")
        assert "only looks" in bottom(pilot)
        assert not screen.prompt.is_open


async def test_without_a_cursor_it_is_at_the_epoch_of_the_key() -> None:
    kept: list[tuple[int, str]] = []
    source = Scripted(frames(until=5000))
    async with on_stage(source, doors=keeping(kept)) as (pilot, _):
        await pilot.press("e")
        source.push(*frames(until=6000)[-12:])
        await source.taken()
        await pilot.press("x", "enter")
        await done(pilot, "note")
        assert kept == [(5000, "x")]


async def test_what_cannot_be_kept_is_said_in_one_line() -> None:
    def refuse(_run: Run, _epoch: int, _text: str) -> Note:
        raise NoteError("notes.jsonl: cannot be written (Read-only file system)")

    doors = Doors(find=lambda name: Run(Path(name)), note=refuse)
    async with on_stage(Scripted(frames(until=5000)), doors=doors) as (pilot, _):
        await pilot.press("e", "x", "enter")
        await done(pilot, "note")
        assert "cannot be written (Read-only file system)" in bottom(pilot)


async def test_an_empty_note_is_not_taken_and_a_viewer_that_only_looks_takes_none() -> None:
    kept: list[tuple[int, str]] = []
    async with on_stage(Scripted(frames(until=5000)), doors=keeping(kept)) as (pilot, screen):
        await pilot.press("e", "enter")
        assert screen.prompt.is_open
        await pilot.press("escape")
        assert not screen.prompt.is_open
    async with on_stage(Scripted(frames(until=5000)), doors=only_looking(keeping(kept))) as (pilot, screen):
        await pilot.press("e")
        assert not screen.prompt.is_open
        assert "only looks" in bottom(pilot)
    assert kept == []


async def test_comma_and_full_stop_go_from_mark_to_mark_and_say_what_it_is() -> None:
    story = [*frames(until=9000, changes=CHANGES), note(3000, "the circuit begins")]
    async with on_stage(Scripted(story)) as (pilot, screen):
        expected = moments.moments(screen.state)
        assert (6000, "weight_decay 1 → 0.3") in expected
        assert (3000, "⚑ the circuit begins") in expected
        assert {"memorization", "circuit formation", "cleanup"} <= {
            text.partition(" (known at ")[0] for _, text in expected
        }
        assert any(text.startswith("circuit formation (known at ") for _, text in expected)
        for epoch, what in reversed(expected):
            await pilot.press("comma")
            await pilot.pause()
            assert screen.view.cursor == epoch
            assert f"{epoch:,}: {what}" in bottom(pilot)
        await pilot.press("comma")
        assert "no mark before this" in bottom(pilot)
        assert screen.view.cursor == expected[0][0]
        await pilot.press("full_stop")
        assert screen.view.cursor == expected[1][0]
        await pilot.press("end", "full_stop")
        assert "no mark after this" in bottom(pilot)


async def test_a_jump_brings_a_zoom_along() -> None:
    async with on_stage(Scripted(frames(until=9000, changes=CHANGES))) as (pilot, screen):
        await pilot.press("i", "i", "i", "comma", "comma", "comma")
        await pilot.pause()
        axis, cursor = screen.view.epochs(9000), screen.view.cursor
        assert cursor is not None
        assert axis.start <= cursor <= axis.end
        assert axis.end - axis.start < 5000


def test_what_happened_at_one_epoch_is_one_moment() -> None:
    changes = [(6000, "weight_decay", 0.3), (6000, "lr", 1e-2)]
    state = state_of(frames(until=9000, changes=changes))
    assert dict(moments.moments(state))[6000] == "weight_decay 1 → 0.3; lr 0.001 → 0.01"


@pytest.mark.parametrize("step", [-1, 1])
def test_where_nothing_is_marked_there_is_no_mark(step: int) -> None:
    assert moments.beside(state_of(frames(until=0)), 0, step) is None
