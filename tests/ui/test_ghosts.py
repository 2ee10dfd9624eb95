"""The parent behind its child: in charts, in their legends, on the ribbon of phases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_tui.protocol import Array
from grok_tui.series import Series
from grok_tui.state import Ghost, RunState
from grok_tui.ui.panes import DecayPane, lines, tracks
from grok_tui.ui.panes.phase import bands, of_the_parent
from grok_tui.ui.panes.tracks import Tracks
from grok_tui.ui.view import View
from grok_tui.ui.widgets import ribbon
from grok_tui.ui.widgets.axis import Epochs, Values
from grok_tui.ui.widgets.cells import DIM, Cells, Token
from grok_tui.ui.widgets.chart import Sheet, picture
from grok_tui.ui.widgets.plot import Line, Plot, Shade
from grok_tui.ui.widgets.ribbon import Strip
from grok_tui.ui.widgets.strokes import Stroke
from tests.ui.counting import points_read
from tests.ui.family import PARENT, SINCE, child, parent
from tests.ui.gallery import Gallery, state_of
from tests.ui.story import KEYS
from tests.ui.test_hindsight import looked_back

NAMES = ("parent nanda113-1", "nanda113-1", "parent")
UNIT = Values(0.0, 1.0)


def series(values: list[float], every: int = 1) -> Series:
    made = Series()
    made.add(np.arange(len(values)) * every, np.array(values, float))
    return made


def haunted(values: list[float], ghost: list[float], since: int, **more: object) -> Line:
    shade = Shade(series(ghost), since, NAMES)
    return Line("test", "test", series(values), Token.TEST, Stroke.THICK, ghost=shade, **more)  # type: ignore[arg-type]


def plot(line: Line, end: float = 999, values: Values | None = UNIT, **more: object) -> Plot:
    return Plot((line,), Epochs(0, end), values, **more)  # type: ignore[arg-type]


def inked(cells: Cells, token: int) -> set[tuple[int, int]]:
    """(column, row) of the braille cells of a style."""
    rows, columns = np.nonzero((cells.styles == token) & (cells.chars >= 0x2800) & (cells.chars <= 0x28FF))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def family(until: int = 9000) -> RunState:
    """A child with its parent."""
    state = state_of(child(until))
    state.ghost = Ghost(state_of(parent(until)), SINCE)
    return state


def test_what_is_ahead_ends_where_the_child_will_end() -> None:
    young, finished = family(6300), state_of(child(40_000))
    young.ghost = finished.ghost = Ghost(state_of(parent(60_000)), SINCE)
    assert (young.epochs, lines.ahead(young)) == (40_000, 40_000)
    assert lines.epochs(finished, View()) == Epochs(0, 40_000)
    young.ghost = None
    assert lines.ahead(young) == 0


# In a chart


def test_a_ghost_is_drawn_from_where_the_two_parted_and_not_before() -> None:
    cells = picture(plot(haunted([0.2] * 1000, [0.8] * 1000, 500)), 105, 20)
    columns = {x for x, _ in inked(cells, Token.TEST_WEAK)}
    assert min(columns) in (5 + 50, 5 + 51)
    assert max(columns) >= 102


@pytest.mark.parametrize("start", [0, 200, 700])
def test_a_ghost_begins_at_the_same_epoch_however_the_window_lies(start: int) -> None:
    line = haunted([0.2] * 1000, [0.8] * 1000, 500)
    cells = picture(Plot((line,), Epochs(start, 1000), UNIT), 105, 20)
    first = min(x for x, _ in inked(cells, Token.TEST_WEAK)) - 5
    assert abs(start + first * (1000 - start) / 100 - max(start, 500)) <= 2 * (1000 - start) / 100


def test_a_ghost_of_sparse_points_leaves_the_line_where_they_part() -> None:
    rising, falling = series([0.5, 0.5, 1.0], every=500), series([0.5, 0.5, 0.0], every=500)
    line = Line("test", "test", rising, Token.TEST, ghost=Shade(falling, 600, NAMES))
    cells = picture(plot(line, end=1000), 105, 22)
    found = sorted(inked(cells, Token.TEST_WEAK))
    assert found[0][0] >= 5 + 60
    middle = min(inked(cells, Token.TEST))[1]
    assert abs(found[0][1] - middle) <= 4  # on the way down already, not at the bottom


def test_the_childs_own_dots_are_the_same_with_a_ghost_and_without() -> None:
    rng = np.random.default_rng(1)
    values, ghost = rng.random(1000).tolist(), rng.random(1000).tolist()
    alone = Line("test", "test", series(values), Token.TEST, Stroke.THICK)
    with_ghost = picture(plot(haunted(values, ghost, 0), legend=False), 105, 20)
    without = picture(plot(alone, legend=False), 105, 20)
    own = without.styles == Token.TEST
    assert (with_ghost.chars[own] == without.chars[own]).all()
    assert (with_ghost.styles[own] == Token.TEST).all()


def test_without_colour_a_ghost_is_another_stroke_with_the_lines_own_marker() -> None:
    cells = picture(plot(haunted([0.1] * 1000, [0.9] * 1000, 0, marker="○"), legend=False), 105, 20)
    rows = cells.lines()
    above, below = (next(row for row in part if "○" in row)[5:] for part in (rows[:9], rows[9:]))
    assert " " in above.strip()
    assert " " not in below.strip()


def test_a_spike_of_one_epoch_in_a_ghost_of_forty_thousand_is_drawn_to_its_full_height() -> None:
    values = [0.0] * 40_000
    values[24_310] = 1.0
    cells = picture(plot(haunted([0.0] * 40_000, values, 6000), end=39_999), 80, 20)
    columns = [x for x, _ in inked(cells, Token.TEST_WEAK)]
    tall = max(set(columns), key=columns.count)
    assert columns.count(tall) >= 13
    assert abs(tall - (5 + 24_310 / 39_999 * 75)) <= 1


@settings(max_examples=40)
@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=300),
    since=st.integers(0, 299),
    width=st.integers(20, 90),
)
def test_whatever_its_values_a_ghost_shows_and_never_left_of_where_it_begins(
    values: list[float], since: int, width: int
) -> None:
    ghost = series(values)
    line = Line("test", "test", series([0.5]), Token.TEST, ghost=Shade(ghost, since, NAMES))
    cells = picture(plot(line, end=len(values), legend=False), width, 12)
    drawn = inked(cells, Token.TEST_WEAK)
    if since < len(values) - 1:
        assert drawn
    assert all(x >= 5 + (since / len(values)) * (width - 5) - 1 for x, _ in drawn)


def test_the_axis_holds_the_ghost_from_where_it_is_drawn_on() -> None:
    line = haunted([1.0] * 1000, [90.0] * 500 + [3.0] * 500, 500)
    labels = "\n".join(picture(plot(line, values=None), 105, 20).lines())
    assert "3┤" in labels
    assert "90┤" not in labels


def test_a_ghost_that_has_not_come_so_far_or_begins_behind_the_window_draws_nothing() -> None:
    early = picture(plot(haunted([0.2] * 1000, [0.8] * 300, 500)), 105, 20)
    late = picture(Plot((haunted([0.2] * 1000, [0.8] * 1000, 500),), Epochs(0, 400), UNIT), 105, 20)
    assert not inked(late, Token.TEST_WEAK)
    assert not inked(early, Token.TEST_WEAK)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (8, 3), (12, 4), (30, 8), (200, 50)])
@pytest.mark.parametrize("since", [0, 500, 5000])
def test_no_size_breaks_a_chart_with_a_ghost(size: tuple[int, int], since: int) -> None:
    line = haunted([0.2] * 1000, [0.8, float("nan")] * 500, since)
    cells = picture(plot(line, values=None, log=True, cursor=700), *size)
    assert (cells.width, cells.height) == size


# In its legend


def test_the_legend_names_the_parent_once() -> None:
    state = family()
    found = tuple(line for name in ("train_loss", "test_loss") if (line := lines.line(state, name)))
    text = "\n".join(picture(Plot(found, Epochs(0, 9000), log=True), 100, 20).lines())
    assert text.count("┄ parent nanda113-1") == 1


def test_a_window_before_the_branch_does_not_name_the_parent() -> None:
    text = "\n".join(picture(Plot((haunted([0.2] * 1000, [0.8] * 1000, 500),), Epochs(0, 400), UNIT), 100, 20).lines())
    assert "nanda113-1" not in text


def test_the_cursor_reads_the_parent_beside_the_child_where_there_is_room() -> None:
    line = haunted([0.25] * 1000, [0.75] * 1000, 500, digits=2)
    wide = picture(plot(line, cursor=700), 100, 20).line(0)
    narrow = picture(plot(line, cursor=700), 24, 4).line(0)
    before = picture(plot(line, cursor=300), 100, 20).line(0)
    assert "test 0.25 ┄ 0.75" in wide
    assert "0.75" not in narrow + before
    assert "test 0.25" in before


def test_without_a_ghost_a_legend_is_as_it_was() -> None:
    line = Line("restricted", "restr.", series([0.5] * 9), Token.RESTRICTED, notes=("provisional keys", "prov.", "ᵖ"))
    assert picture(plot(line, cursor=3), 45, 20).line(0).strip() == "at 3  ─── restricted (provisional keys) 0.5"


# In the panes


def test_every_series_has_the_parents_as_its_ghost() -> None:
    state = family()
    for name in state.series:
        line = lines.line(state, name)
        assert line is not None
        assert line.ghost is not None
        assert state.ghost is not None
        assert line.ghost.series is state.ghost.state.series[name]
        assert (line.ghost.since, line.ghost.names[1]) == (SINCE, PARENT)


def test_a_run_without_a_parent_has_no_ghost_and_one_that_lacks_a_series_neither() -> None:
    assert all(line is not None and line.ghost is None for line in [lines.line(state_of(parent(1000)), "test_loss")])
    state = state_of(child(7000))
    state.ghost = Ghost(RunState(), SINCE)
    line = lines.line(state, "test_loss")
    assert line is not None
    assert line.ghost is None


def test_single_frequencies_have_ghosts_too() -> None:
    state = family()
    assert state.ghost is not None
    found = tracks.lines(Tracks("alpha"), state)
    assert found
    for line in found:
        k = int(line.short)
        theirs = [float(array.values[k - 1]) for array in state.ghost.state.arrays["alpha"]]
        assert line.ghost is not None
        assert line.ghost.series.values.tolist() == theirs


def test_the_parents_next_measure_is_drawn_in_the_childs_chart() -> None:
    state, taken = family(), Tracks("alpha")
    assert state.ghost is not None
    tracks.lines(taken, state)
    state.ghost.state.apply(Array(9500, "alpha", np.full(56, 3.5)))
    found = tracks.lines(taken, state)[0]
    assert found.ghost is not None
    assert found.ghost.series.last == 3.5


def test_the_branch_is_a_mark_with_what_was_changed_there() -> None:
    assert [mark.label for mark in lines.marks(family())] == ["branched, wd 0.3"]
    told = [frame for frame in child() if getattr(frame, "what", "") != "changed"]
    assert [(mark.epoch, mark.label) for mark in lines.marks(state_of(told))] == [(SINCE, "branched")]


# On the ribbon


def test_both_ribbons_stand_on_the_same_epochs() -> None:
    state = family()
    theirs, names = of_the_parent(state)
    strip = Strip(Epochs(0, 9000), bands(state), ghost=theirs, ghost_names=names)
    cells = ribbon.picture(strip, 95, 3)
    split = 5 + 60
    assert set(cells.styles[1, split : split + 5].tolist()) <= {Token.CIRCUIT | DIM, Token.CIRCUIT}
    assert "┄ parent nanda113-1" in cells.line(1)[:split]
    own, their = (np.flatnonzero((row & 0xFF) == Token.CLEANUP)[0] for row in cells.styles[:2])
    cleanup = next(band.start for band in theirs if band.token == Token.CLEANUP)
    assert their < own
    assert abs((their - 5) / 90 * 9000 - cleanup) <= 100


def test_a_ribbon_with_ticks_keeps_them_below_the_parents() -> None:
    theirs, names = of_the_parent(family())
    cells = ribbon.picture(Strip(Epochs(0, 9000), bands(family()), ghost=theirs, ghost_names=names), 95, 3)
    assert "5k" in cells.line(2)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (4, 2), (29, 1), (30, 3), (200, 3)])
def test_no_size_breaks_two_ribbons(size: tuple[int, int]) -> None:
    theirs, names = of_the_parent(family())
    cells = ribbon.picture(Strip(Epochs(0, 9000), bands(family()), (1,), 3, theirs, names), *size)
    assert (cells.width, cells.height) == size


# What it costs


def test_a_ghost_reads_no_more_of_a_long_history_than_a_line_does() -> None:
    values = np.random.default_rng(2).random(40_000).tolist()
    alone = Plot((Line("test", "test", series(values), Token.TEST),), Epochs(0, 40_000), UNIT)
    both = Plot((haunted(values, values, 0),), Epochs(0, 40_000), UNIT)
    one, two = (points_read(lambda each=each: picture(each, 100, 20)) for each in (alone, both))  # type: ignore[misc]
    assert two <= 2 * one


def test_a_parent_that_stands_still_is_not_read_again_while_its_child_goes_on() -> None:
    values = np.random.default_rng(2).random(10_000).tolist()
    own, theirs = series(values), series(values)
    bare = Line("test", "test", own, Token.TEST)
    both = Line("test", "test", own, Token.TEST, ghost=Shade(theirs, 2000, NAMES))
    cost = []
    for line in (bare, both):
        sheet, shown = Sheet(), Plot((line,), Epochs(0, 20_000))
        sheet.picture(shown, 100, 20)
        own.add(np.array([own.epochs[-1] + 1]), np.array([0.5]))
        cost.append(points_read(lambda sheet=sheet, shown=shown: sheet.picture(shown, 100, 20)))  # type: ignore[misc]
    assert abs(cost[1] - cost[0]) < 0.1 * cost[0]


def test_a_parent_that_goes_on_is_drawn_anew() -> None:
    own, theirs = series([0.2] * 1000), series([0.8] * 700)
    line = Line("test", "test", own, Token.TEST, ghost=Shade(theirs, 500, NAMES))
    sheet, shown = Sheet(), plot(line)
    before = inked(sheet.picture(shown, 105, 20), Token.TEST_WEAK)
    theirs.add(np.arange(700, 1000), np.full(300, 0.8))
    after = inked(sheet.picture(shown, 105, 20), Token.TEST_WEAK)
    assert max(x for x, _ in before) < 80
    assert max(x for x, _ in after) > 100


async def test_the_heading_of_the_weight_decay_has_the_parents_beside_the_childs() -> None:
    app = Gallery(family(), panes=(DecayPane,))
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert "0.3 ┄ 1  " in app.text(DecayPane)
        app.look(View(cursor=3000))
        await pilot.pause()
        assert "at 3,000: 1  " in app.text(DecayPane)


def test_where_the_parents_final_keys_are_others_the_border_says_which() -> None:
    state = family()
    assert state.ghost is not None
    for run, keys in ((state, KEYS), (state.ghost.state, (2, 3))):
        for frame in looked_back(keys=keys):
            run.apply(frame)
    state.ghost = state.ghost
    found = [line for name in ("restricted_loss_hindsight", "train_loss") if (line := lines.line(state, name))]
    assert "┄ its keys: 2 3" in lines.reading(state, found, 100)
    assert "┄" not in lines.reading(state, [line for line in found if line.name == "train"], 100)
