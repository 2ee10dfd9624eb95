"""What each pane says of a run, at each stage of the story."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from grok_tui.protocol import Event, Hello, Points, SeriesInfo
from grok_tui.state import RunState
from grok_tui.ui.panes import PANES, AccuracyPane, DecayPane, EventsPane, FourierPane, LossesPane, PhasePane
from grok_tui.ui.panes.decay import half_life, history
from grok_tui.ui.panes.events import entries
from grok_tui.ui.panes.phase import LOOKS
from grok_tui.ui.status import line
from grok_tui.ui.view import View
from grok_tui.ui.widgets.grid import CellGrid
from tests.ui.gallery import Gallery, state_of
from tests.ui.story import EPOCHS, frames, hello

MEMORISING = state_of(frames(until=1200))
GROKKED = state_of(frames(until=9000))
SIZES = [(1, 1), (20, 5), (40, 7), (80, 22), (120, 38), (200, 58)]


def test_every_pane_says_what_to_look_for_in_a_line() -> None:
    for pane in PANES:
        assert pane.title
        assert 0 < len(pane.look_for) <= 90
        assert pane.figure or pane is EventsPane


async def test_before_the_first_frame_every_pane_is_calm() -> None:
    app = Gallery(RunState())
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        assert "no data yet" in app.text(AccuracyPane)
        assert "no data yet" in app.text(LossesPane)
        assert "no spectrum yet" in app.text(FourierPane)
        assert "no phase yet" in app.text(PhasePane)
        assert "not known yet" in app.text(DecayPane)
        assert "nothing yet" in app.text(EventsPane)


async def test_a_memorising_run_shows_its_gap() -> None:
    app = Gallery(MEMORISING)
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        assert "train 1.000" in app.text(AccuracyPane)
        assert "test 0.0" in app.text(AccuracyPane)
        assert "chance, ln 113" in app.text(LossesPane)
        assert "memorization" in app.text(PhasePane)
        assert "started on cpu" in app.text(EventsPane)


async def test_a_grokked_run_names_its_key_frequencies_and_its_phases() -> None:
    app = Gallery(GROKKED)
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        assert "5 provisional key frequencies: 1 4 7 13 28" in app.text(FourierPane)
        phases = app.text(PhasePane)
        assert "cleanup" in phases
        assert "since 6," in phases
        assert "→" in phases


async def test_what_is_provisional_is_said() -> None:
    app = Gallery(GROKKED, panes=(LossesPane,))
    async with app.run_test(size=(110, 20)) as pilot:
        await pilot.pause()
        text = app.text(LossesPane)
        assert "restricted (provisional keys)" in text
        assert "excluded (key-free)" in text
        assert "keys are provisional" in text


async def test_a_loss_that_only_the_catalogue_knows_is_drawn_too() -> None:
    catalogue = hello().catalogue
    info = SeriesInfo("clock_loss", "clock loss", "nats", log=True, reading="hindsight")
    greeting = replace(hello(), catalogue=replace(catalogue, series=(*catalogue.series, info)))
    assert isinstance(greeting, Hello)
    state = state_of([greeting, Points(np.arange(9), {"clock_loss": np.full(9, 2.5)})])
    app = Gallery(state, panes=(LossesPane,))
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        assert "clock loss (final keys) 2.5" in app.text(LossesPane)


async def test_the_cursor_reads_every_pane_at_its_epoch() -> None:
    app = Gallery(GROKKED, View(cursor=3000))
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        assert "at 3,000" in app.text(AccuracyPane)
        assert "at 3,000" in app.text(LossesPane)
        assert "at 2,999" in app.text(FourierPane)  # the last spectrum before it
        assert "at 3,000: circuit formation" in app.text(PhasePane)
        assert "weight decay 1" in app.text(DecayPane)


async def test_with_a_cursor_phase_and_evidence_are_those_that_were_called_then() -> None:
    app = Gallery(GROKKED, View(cursor=3000), panes=(PhasePane,))
    async with app.run_test(size=(90, 14)) as pilot:
        await pilot.pause()
        begins = [boundary.epoch for boundary in GROKKED.phases.boundaries]
        then = state_of(frames(until=3000)).phases.call
        rows = app.text(PhasePane).splitlines()
        assert f"at 3,000: circuit formation  since {begins[2]:,}, until {begins[3]:,}" in rows[1]
        assert then.evidence[0] in app.text(PhasePane)
        assert "cleanup" not in rows[1]
        assert "now known" not in app.text(PhasePane)
        app.look(View(cursor=9000))
        await pilot.pause()
        assert "cleanup" in app.text(PhasePane).splitlines()[1]


async def test_what_was_called_otherwise_than_is_known_now_says_both() -> None:
    placed = next(b for b in GROKKED.phases.boundaries if b.phase == "circuit formation")
    between = (placed.epoch + placed.confirmed) // 2
    assert placed.epoch < between < placed.confirmed
    app = Gallery(GROKKED, View(cursor=between), panes=(PhasePane,))
    async with app.run_test(size=(90, 14)) as pilot:
        await pilot.pause()
        assert f"at {between:,}: memorization" in app.text(PhasePane).splitlines()[1]
        assert f"now known: circuit formation since {placed.epoch:,}" in app.text(PhasePane)


async def test_with_a_cursor_the_decay_pane_reads_the_values_in_force_there() -> None:
    state = state_of(frames(until=9000, changes=[(5000, "weight_decay", 3.0), (6000, "lr", 1e-2)]))
    app = Gallery(state, View(cursor=3000), panes=(DecayPane,))
    async with app.run_test(size=(90, 12)) as pilot:
        await pilot.pause()
        first = app.text(DecayPane).splitlines()[1]
        assert "at 3,000: 1  × lr 0.001: the weights shrink by 0.1 % a step" in first
        app.look(View(cursor=5000))
        await pilot.pause()
        assert "at 5,000: 3  × lr 0.001" in app.text(DecayPane)
        app.pending = (2.0,)
        app.look(View(cursor=3000))
        await pilot.pause()
        assert "at 3,000: 1, now 3 → 2 asked" in app.text(DecayPane)


async def test_at_80_by_24_the_cursor_still_reads_train_and_test() -> None:
    app = Gallery(GROKKED, View(cursor=3000), panes=(LossesPane,))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        assert "test 22" in app.text(LossesPane)
        assert "train 3.1" in app.text(LossesPane)


async def test_every_confirmed_change_is_a_mark_in_every_chart() -> None:
    state = state_of(frames(until=9000, changes=[(5000, "weight_decay", 3.0)]))
    app = Gallery(state)
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        for pane in (AccuracyPane, LossesPane, DecayPane):
            assert "wd 3" in app.text(pane)
            assert app.text(pane).count("┊") >= 2
        assert "┊" in app.text(PhasePane)
        assert "5,000 ◆ weight_decay 1 → 3" in app.text(EventsPane)


async def test_what_was_asked_for_is_shown_beside_what_is_confirmed() -> None:
    app = Gallery(GROKKED, panes=(DecayPane,))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert "asked" not in app.text(DecayPane)
        app.pending = (3.0, 10.0)
        app.look()
        await pilot.pause()
        assert "1 → 3 → 10 asked" in app.text(DecayPane)
        app.pending = None
        app.look()
        await pilot.pause()
        assert "asked" not in app.text(DecayPane)


async def test_the_effect_of_weight_decay_is_said_in_epochs() -> None:
    app = Gallery(GROKKED, panes=(DecayPane,))
    async with app.run_test(size=(90, 12)) as pilot:
        await pilot.pause()
        assert "the weights shrink by 0.1 % a step, half-life 693 epochs" in app.text(DecayPane)


def test_the_half_life_of_weights() -> None:
    assert half_life(1e-3, 1.0) == pytest.approx(math.log(2) / 1e-3, rel=1e-3)
    assert half_life(0.5, 1.0) == pytest.approx(1)
    assert math.isinf(half_life(1e-3, 0.0))
    assert half_life(1.0, 1000.0) == 0


def test_the_history_of_a_control_reaches_from_the_start_to_now() -> None:
    state = state_of(frames(until=9000, changes=[(5000, "weight_decay", 3.0), (5000, "lr", 1e-2)]))
    series = history(state, "weight_decay")
    assert series.epochs.tolist() == [0, 5000, 9000]
    assert series.values.tolist() == [1.0, 3.0, 3.0]
    assert len(history(RunState(), "weight_decay")) == 0


def test_resume_points_in_a_row_are_one_line() -> None:
    def event(epoch: int, what: str) -> Event:
        return Event(epoch, what, f"{what} {epoch}", 0.0)

    found = entries([event(0, "started"), *(event(e, "checkpoint") for e in (2, 4, 6)), event(7, "changed")])
    assert found == [
        (0, "started", "started 0"),
        (6, "checkpoint", "checkpoint 6 (3 kept)"),
        (7, "changed", "changed 7"),
    ]


async def test_the_newest_events_are_at_the_bottom_and_old_ones_leave() -> None:
    changes = [(100 * i, "weight_decay", float(i)) for i in range(1, 40)]
    app = Gallery(state_of(frames(until=5000, changes=changes)), panes=(EventsPane,))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        rows = app.text(EventsPane).splitlines()
        assert "4,000 ▪ resume point 4,000" in rows[-2]
        assert "3,900 ◆ weight_decay 38 → 39" in rows[-3]
        assert "started" not in "".join(rows)


@pytest.mark.parametrize("size", SIZES)
async def test_the_panes_fit_every_size_and_survive_another(size: tuple[int, int]) -> None:
    app = Gallery(GROKKED, View(log_x=True, cursor=5000), pending=(2.0,))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.look(View(zoom=(6000, 7000)))
        await pilot.resize_terminal(30, 9)
        await pilot.pause()
        assert app.is_running


async def test_every_part_of_every_pane_draws_itself_at_any_size() -> None:
    app = Gallery(GROKKED, View(cursor=5000), pending=(2.0, 4.0))
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        for grid in app.query(CellGrid):
            for width in (0, 1, 2, 3, 7, 19, 29, 30, 31, 57, 300):
                for height in (0, 1, 2, 3, 4, 5, 9, 40):
                    cells = grid.draw(width, height)
                    assert (cells.width, cells.height) == (width, height)


async def test_nothing_is_drawn_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Gallery(GROKKED)
    async with app.run_test(size=(120, 38)) as pilot:
        await pilot.pause()
        redrawn: list[str] = []
        for pane in PANES:
            monkeypatch.setattr(pane, "present", lambda self, *_: redrawn.append(type(self).__name__))
        app.look()
        assert redrawn == []
        app.look(View(log_x=True))
        assert sorted(redrawn) == sorted(pane.__name__ for pane in PANES if pane is not EventsPane)


async def test_new_points_of_a_running_axis_refresh_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(frames(until=8500))
    app = Gallery(state, panes=(LossesPane,))
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        cells = 0

        def refresh(self: CellGrid, *regions: object, **_: object) -> None:
            nonlocal cells
            cells += sum(region.area for region in regions) if regions else self.size.area  # type: ignore[attr-defined]

        monkeypatch.setattr(CellGrid, "refresh", refresh)
        state.apply(Points(np.array([8501]), {"train_loss": np.array([1.4e-7]), "test_loss": np.array([6e-4])}))
        app.look()
        assert 0 < cells < 120


async def test_a_hidden_pane_is_drawn_when_it_is_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(frames(until=1200))
    app = Gallery(state, panes=(AccuracyPane, LossesPane))
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        pane = app.query_one(AccuracyPane)
        pane.display = False
        await pilot.pause()
        for frame in frames(until=9000)[1:]:
            state.apply(frame)
        drawn: list[int] = []
        present = AccuracyPane.present

        def counted(self: AccuracyPane, state: RunState, view: View) -> None:
            drawn.append(state.epoch)
            present(self, state, view)

        monkeypatch.setattr(AccuracyPane, "present", counted)
        app.look()
        assert drawn == []
        pane.display = True
        await pilot.pause()
        assert drawn == [9000]
        assert "test 1.000" in app.text(AccuracyPane)


async def test_a_pane_with_room_says_what_to_look_for() -> None:
    app = Gallery(GROKKED, panes=(LossesPane,))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        assert f"look for: {LossesPane.look_for} ({LossesPane.figure})" in app.text(LossesPane)
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert "look for" not in app.text(LossesPane)


async def test_a_spike_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(frames(until=EPOCHS))
    assert state.phases.call.phase.value == "generalized"
    monkeypatch.setattr(state.phases, "spike", True)
    app = Gallery(state, panes=(PhasePane,))
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        assert "spike" in app.text(PhasePane)


async def test_text_from_a_recording_cannot_break_the_columns() -> None:
    state = state_of([hello(), Event(3, "failed", "out of 世界\x1b[31m memory\n", 0.0)])
    app = Gallery(state, panes=(EventsPane,))
    async with app.run_test(size=(50, 5)) as pilot:
        await pilot.pause()
        text = app.text(EventsPane)
        assert "✗ out of 世界?[31m memory?" in text
        assert "\x1b" not in text


def one_checkpoint() -> RunState:
    """An imported checkpoint: everything measured, once."""
    told = [frame for frame in frames() if isinstance(frame, Points)]
    epoch = told[-1].epochs[-1:]
    last: dict[str, Any] = {}
    for points in told[-2:]:
        last |= {name: column[-1:] for name, column in points.values.items()}
    ended = Event(int(epoch[0]), "finished", "imported", 0.0)
    return state_of([hello(), Points(epoch, last), ended])


async def test_of_one_checkpoint_no_phase_and_no_class_is_told() -> None:
    state = one_checkpoint()
    app = Gallery(state, panes=(PhasePane,))
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        text = app.text(PhasePane)
    assert "one checkpoint: no phase can be told" in text
    assert "train accuracy 100" in text
    for word in ("fitting", "memorization", "Liu", "comprehension"):
        assert word not in text
    said = line(state, "recording", (), 118).plain
    assert "one checkpoint: no phase can be told" in said
    assert "fitting" not in said
    assert "Liu" not in said


async def test_the_first_epoch_of_a_living_run_is_no_lone_checkpoint() -> None:
    app = Gallery(state_of(frames(until=0)), panes=(PhasePane,))
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        assert "fitting" in app.text(PhasePane)


async def test_reasons_that_are_cut_are_announced_in_the_lower_border_and_whole_ones_are_not() -> None:
    for size, cut in (((80, 24), True), ((200, 90), False)):
        app = Gallery(GROKKED)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            rows = app.text(PhasePane).splitlines()
            assert ("m shows all" in rows[-1]) is cut
            assert any("…" in row for row in rows) <= cut
            if not cut:
                reached = GROKKED.phases.run_class
                said = f"Liu: grokking, 90 % of train at {reached.train:,}, of test at {reached.test:,}"
                assert said in "\n".join(rows)


async def test_the_events_tell_the_phases_too_at_the_epochs_where_they_began() -> None:
    app = Gallery(GROKKED, panes=(EventsPane,))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        lines = app.text(EventsPane).splitlines()
    for boundary in GROKKED.phases.boundaries[1:]:
        told = next(line for line in lines if f"{LOOKS[boundary.phase].pattern} {boundary.phase}" in line)
        assert f"{boundary.epoch:,}" in told.split(LOOKS[boundary.phase].pattern)[0]
        assert boundary.confirmed == boundary.epoch or f"(known at {boundary.confirmed:,})" in told
