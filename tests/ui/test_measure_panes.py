"""What the chart panes say of a run: progress, single frequencies, margins, weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grok_tui import wording
from grok_tui.protocol import Array, Points, SeriesInfo
from grok_tui.state import RunState
from grok_tui.ui import panes
from grok_tui.ui.panes import Pane, tracks
from grok_tui.ui.panes.ablation import AblationPane, unablated
from grok_tui.ui.panes.alpha import AlphaPane
from grok_tui.ui.panes.excluded import ExcludedPane
from grok_tui.ui.panes.interference import InterferencePane, distances, wave
from grok_tui.ui.panes.margins import MarginsPane
from grok_tui.ui.panes.output import OutputPane
from grok_tui.ui.panes.progress import ProgressPane
from grok_tui.ui.panes.restricted import RestrictedPane
from grok_tui.ui.panes.structure import StructurePane, verdict
from grok_tui.ui.panes.tracks import Tracks
from grok_tui.ui.panes.weights import WeightsPane
from grok_tui.ui.view import View
from grok_tui.ui.widgets import ladder, panels
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.ladder import Ladder
from grok_tui.ui.widgets.panels import Panel
from grok_tui.ui.widgets.plot import Plot
from tests.ui import story
from tests.ui.gallery import Gallery, state_of
from tests.ui.measures import excluded_at, frames, hello

GROKKED = state_of(frames(until=9000))
CHARTS: tuple[type[Pane], ...] = (
    ProgressPane,
    AlphaPane,
    AblationPane,
    ExcludedPane,
    InterferencePane,
    RestrictedPane,
    MarginsPane,
    WeightsPane,
    OutputPane,
    StructurePane,
)
RARE = (ExcludedPane, AblationPane, StructurePane)


async def said(pane: type[Pane], state: RunState, view: View | None = None, size: tuple[int, int] = (100, 30)) -> str:
    app = Gallery(state, view, panes=(pane,))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return app.text(pane)


# Before there is anything


@pytest.mark.parametrize(
    ("pane", "every"),
    [(pane, 500 if pane in RARE else 100) for pane in CHARTS if pane is not OutputPane],
)
async def test_before_its_data_a_pane_says_when_they_come(pane: type[Pane], every: int) -> None:
    assert f"not measured yet: every {every} epochs" in await said(pane, state_of([hello()]))
    assert "no data yet" in await said(pane, RunState())


@pytest.mark.parametrize("pane", [AlphaPane, ExcludedPane, AblationPane, MarginsPane])
async def test_what_a_run_does_not_measure_is_said_to_be_missing(pane: type[Pane]) -> None:
    bare = replace(story.hello(), catalogue=replace(story.hello().catalogue, arrays=()))
    assert "not measured in this run" in await said(pane, state_of([bare]))


# What each shows


async def test_progress_shows_the_four_charts_of_the_paper() -> None:
    text = await said(ProgressPane, GROKKED)
    for title in ("Excluded loss", "restricted loss", "Gini", "Sum of squared weights"):
        assert title in text
    assert "W_L 0.9" in text
    assert "key-free" in text
    assert "keys are provisional" in text


async def test_alpha_follows_the_strongest_frequencies_on_all_pairs_and_on_test_pairs() -> None:
    text = await said(AlphaPane, GROKKED)
    for k in story.KEYS:
        assert f"k={k} {wording.number(story.alpha_at(8999)[k - 1])}" in text
        assert f"k={k} {wording.number(0.9 * story.alpha_at(9000)[k - 1])}" in text
    assert "5 provisional keys" in text


async def test_alpha_is_read_at_the_cursor() -> None:
    now, then = story.alpha_at(9000)[27], story.alpha_at(4499)[27]
    text = await said(AlphaPane, GROKKED, View(cursor=4600))
    assert f"k=28 {then:.3g}" in text
    assert f"k=28 {now:.3g}" not in text


async def test_excluded_holds_each_frequency_against_the_train_loss() -> None:
    text = await said(ExcludedPane, GROKKED, size=(120, 30))
    assert f"k=13 {excluded_at(9000)[12]:.3g}" in text
    assert "train 1.2" in text
    assert "largest of all k 12" in text


async def test_ablation_names_the_frequency_that_is_missed_most_and_the_loss_with_all() -> None:
    text = await said(AblationPane, GROKKED, size=(80, 20))
    assert f"{1.3 * excluded_at(9000)[27]:.3g} nats without k=28" in text
    assert "with all (╌╌)" in text
    assert "╌╌╌" in text
    past = await said(AblationPane, GROKKED, View(cursor=2100), size=(80, 20))
    assert "at 2,000" in past


def test_the_loss_over_all_pairs_is_put_together_from_both_parts() -> None:
    fraction = float(GROKKED.setting("data", "fraction"))
    train, test = (GROKKED.series[f"{part}_loss"].at(9000) for part in ("train", "test"))
    assert train is not None
    assert test is not None
    assert unablated(GROKKED, 9000) == pytest.approx(fraction * train[1] + (1 - fraction) * test[1])


async def test_interference_says_how_far_the_right_answer_is_ahead() -> None:
    x = distances(113)
    alpha = story.alpha_at(8999).astype(float)
    total = np.sum([wave(x, alpha[k - 1], k, 113) for k in story.KEYS], axis=0)
    ahead = np.sort(total)[-1] - np.sort(total)[-2]
    assert total[x == 0] == total.max() == pytest.approx(sum(alpha[k - 1] for k in story.KEYS))
    text = await said(InterferencePane, GROKKED)
    assert f"right answer ahead by {ahead:.3g} nats" in text
    assert "a + b - c" in text
    assert "sum of 5 waves" in text


def test_the_distances_go_once_round_the_circle_with_0_in_the_middle() -> None:
    assert distances(7).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert distances(6).tolist() == [-2, -1, 0, 1, 2, 3]


async def test_restricted_accuracy_comes_with_its_warning() -> None:
    for width in (30, 60, 140):
        assert "leak" in await said(RestrictedPane, GROKKED, size=(width, 12))
    text = await said(RestrictedPane, GROKKED, size=(140, 30))
    assert "restricted (provisional keys) 1.000" in text
    assert "test 1.000" in text


async def test_margins_show_what_the_accuracy_hides() -> None:
    text = await said(MarginsPane, GROKKED)
    assert "right above" in text
    assert "about to flip" in text
    assert "median" in text


async def test_weights_show_each_matrix_and_the_signs_of_a_slingshot() -> None:
    text = await said(WeightsPane, GROKKED, size=(200, 50))
    for name in ("W_E", "W_U", "all", "‖w‖ / ‖w₀‖ 0.65", "‖W_U‖ 19", "train pairs 25"):
        assert name in text


def ruled(q: float, symmetricity: float, accuracy: float = 1.0) -> str:
    names = ("distance_irrelevance", "gradient_symmetricity", "test_accuracy")
    values = {name: np.array([value]) for name, value in zip(names, (q, symmetricity, accuracy), strict=True)}
    return "".join(text for text, _ in verdict(state_of([hello(), Points(np.array([500]), values)]), None)[0])


def test_a_clock_is_told_from_a_pizza_by_both_measures_and_only_once_it_generalises() -> None:
    assert ruled(0.85, 0.33).startswith("a clock  q 0.85, symmetricity 0.33")
    assert ruled(0.17, 0.99).startswith("a pizza")
    assert ruled(0.85, 0.99).startswith("between clock and pizza")
    assert ruled(0.51, 0.66).startswith("between clock and pizza")
    assert ruled(np.nan, 0.5).startswith("one of the two cannot be measured")
    assert ruled(0.98, 0.33, accuracy=0.3) == (
        "says nothing before test accuracy rises: a lookup table reads q near 1 too"
    )


async def test_the_structure_is_drawn_beside_what_was_published() -> None:
    text = await said(StructurePane, GROKKED, size=(140, 34))
    for told in (
        "a clock  q",
        "clock 0.85",
        "pizza 0.17",
        "clock 0.33",
        "pizza 0.99",
        "circularity 0.98",
        "e^S of W_E",
    ):
        assert told in text
    past = await said(StructurePane, GROKKED, View(cursor=3000), size=(140, 34))
    assert "says nothing before test accuracy rises" in past
    assert "a clock  q" not in past


async def test_the_output_pane_draws_its_own_matrix() -> None:
    assert "5 provisional key frequencies" in await said(OutputPane, GROKKED)
    without = state_of([frame for frame in frames(until=3000) if getattr(frame, "name", "") != "fourier_W_L"])
    assert "no spectrum yet" in await said(OutputPane, without)


async def test_what_was_recomputed_with_the_final_keys_is_drawn_in_place_of_the_provisional() -> None:
    greeting = hello()
    final = SeriesInfo("restricted_accuracy_hindsight", "restricted accuracy", reading="hindsight")
    catalogue = replace(greeting.catalogue, series=(*greeting.catalogue.series, final))
    epochs = np.arange(0, 9001, 500)
    told = [replace(greeting, catalogue=catalogue), *frames(until=9000)[1:]]
    state = state_of([*told, Points(epochs, {"restricted_accuracy_hindsight": np.full(len(epochs), 0.77)})])
    text = await said(RestrictedPane, state, size=(140, 30))
    assert "restricted (final keys) 0.770" in text
    assert "restricted (provisional keys)" not in text


# Arrays against time


def test_tracks_take_in_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(frames(until=5000))
    taken: list[int] = []
    take = Tracks._take

    def counted(self: Tracks, arrays: list[Array]) -> None:
        taken.append(len(arrays))
        take(self, arrays)

    monkeypatch.setattr(Tracks, "_take", counted)
    followed = Tracks("excluded_per_frequency")
    first = followed.of(state)
    assert (len(first), len(first[27])) == (56, 11)
    assert first[27].last == pytest.approx(excluded_at(5000)[27], rel=1e-5)
    followed.of(state)
    state.apply(Array(5500, "excluded_per_frequency", np.arange(56, dtype=np.float32)))
    again = followed.of(state)
    assert taken == [11, 1]
    assert again[3].at(5500) == (5500, 3.0)


def test_tracks_of_a_past_that_was_told_anew_are_made_anew() -> None:
    state = RunState()
    for epoch in (0, 500, 1000, 500, 700):
        state.apply(Array(epoch, "alpha", np.array([float(epoch)])))
    followed = Tracks("alpha")
    assert followed.of(state)[0].epochs.tolist() == [0, 500, 700]
    state.arrays["alpha"] = [Array(3, "alpha", np.array([1.0, 2.0]))]
    assert [series.last for series in followed.of(state)] == [1.0, 2.0]
    assert Tracks("beta").of(state) == []


def test_an_array_of_another_length_is_passed_over() -> None:
    state = RunState()
    for epoch, count in ((0, 3), (1, 2), (2, 3)):
        state.apply(Array(epoch, "alpha", np.ones(count)))
    followed = Tracks("alpha").of(state)
    assert [series.epochs.tolist() for series in followed] == [[0, 2]] * 3


def test_the_strongest_are_keys_in_the_order_of_their_numbers() -> None:
    assert tracks.strongest(GROKKED) == tuple(sorted(story.KEYS))
    assert len(tracks.strongest(state_of(frames(until=500)))) == len(tracks.LOOKS)
    assert tracks.strongest(RunState()) == ()


# At any size


@pytest.mark.parametrize("pane", CHARTS, ids=lambda pane: pane.__name__)
async def test_every_part_draws_itself_at_any_size(pane: type[Pane]) -> None:
    for state in (GROKKED, state_of(frames(until=0)), RunState()):
        app = Gallery(state, View(cursor=2000, log_x=True), panes=(pane,))
        async with app.run_test(size=(120, 38)) as pilot:
            await pilot.pause()
            for grid in app.query(CellGrid):
                for width in (0, 1, 2, 7, 19, 21, 44, 57, 300):
                    for height in (0, 1, 2, 4, 5, 9, 11, 40):
                        cells = grid.draw(width, height)
                        assert (cells.width, cells.height) == (width, height)
            await pilot.resize_terminal(9, 4)
            await pilot.pause()
            assert app.is_running


def test_bars_stand_on_a_logarithmic_axis_with_the_level_behind_them() -> None:
    cells = ladder.picture(Ladder(np.array([1e-6, 1.0, 1e-6, np.nan]), frozenset({2}), 1e-3), 40, 12)
    lines = cells.lines()
    tall = [line[5:].count("█") for line in lines]
    assert tall[0] == 3  # only the key reaches the top
    assert any("╌" * 10 in line for line in lines)
    assert "2" in lines[-1]
    assert "1┤" in "".join(lines)


def test_charts_that_do_not_fit_are_left_out_from_the_end_and_counted() -> None:
    four = tuple(Panel(title, Plot((), Epochs(0, 1))) for title in ("one", "two", "three", "four"))
    assert panels.columns_for(4, 78, 14) == 2
    assert panels.columns_for(4, 30, 40) == 1
    whole = "\n".join(panels.picture(four, 78, 14).lines())
    assert all(title in whole for title in ("one", "two", "three", "four"))
    small = "\n".join(panels.picture(four, 36, 9).lines())
    assert "one (of 4)" in small
    assert "two" not in small


def test_every_chart_pane_is_registered() -> None:
    assert set(CHARTS) <= set(panes.every().values())
