"""When a level is reached, and what two runs' crossings say of each other; answers planted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grok_tui import crossings
from grok_tui.crossings import CHANCE, HALF, ONE, Gap, Reach, crossing, gap
from grok_tui.science.phases import Phase
from tests.compare.made import grokked, learned, run

NAN = math.nan


def falling(*values: float, every: int = 100, level: float = 1.0) -> Reach:
    return crossing(np.arange(len(values)) * every, np.array(values), level)


def rising(*values: float, level: float = 0.5) -> Reach:
    return crossing(np.arange(len(values)) * 100, np.array(values), level, rising=True)


def test_a_loss_is_interpolated_on_a_logarithmic_scale() -> None:
    assert falling(10, 10, 0.1, 0.1, 0.1) == Reach(150, 100, 200, 400)
    assert falling(100, 0.1, 0.1, 0.1).epoch == 67


def test_an_accuracy_is_interpolated_on_a_linear_scale() -> None:
    assert rising(0.0, 0.4, 0.8, 0.9, 0.9) == Reach(125, 100, 200, 400)


def test_two_measures_in_a_row_are_not_enough() -> None:
    assert falling(10, 0.1, 0.1, 10, 10) == Reach(None, 400, 400, 400)


def test_what_is_not_confirmed_yet_does_not_speak_against_it_either() -> None:
    assert falling(10, 10, 0.1, 0.1) == Reach(None, 100, 100, 300)


def test_the_first_stretch_counts_whatever_comes_later() -> None:
    assert falling(10, 0.1, 0.1, 0.1, 10, 10, 10, 0.1, 0.1, 0.1).epoch == 50


def test_a_run_that_begins_past_the_level_was_there_from_its_first_measure_on() -> None:
    assert falling(0.1, 0.1, 0.1) == Reach(0, -1, 0, 200)


def test_a_value_at_the_level_has_reached_50_percent_but_is_not_below_1() -> None:
    assert rising(0.0, 0.5, 0.5, 0.5).epoch == 100
    assert falling(2.0, 1.0, 1.0, 1.0).epoch is None


def test_a_measure_that_is_nan_was_not_made() -> None:
    assert falling(10, NAN, 0.1, NAN, 0.1, 0.1) == Reach(100, 0, 200, 500)
    assert falling(NAN, NAN) == Reach(None, -1, -1, -1)


def test_an_infinite_loss_is_above_and_nothing_is_interpolated_from_it() -> None:
    assert falling(math.inf, 0.1, 0.1, 0.1) == Reach(100, 0, 100, 300)


def test_no_measure_says_nothing() -> None:
    assert crossing(np.array([], np.int64), np.array([]), 1.0) == Reach(None, -1, -1, -1)


def test_a_dip_below_chance_before_the_training_set_is_learned_does_not_count() -> None:
    dip = {0: 4.6, 10: 4.5, 20: 4.5, 30: 4.5, 40: 5.0} | {e: v for e, v in grokked(7000).items() if e >= 100}
    state = run(test_loss=dip, train_accuracy=learned(200))
    assert crossings.level(state, CHANCE).by == 7000
    unknown = run(test_loss=dip)
    assert crossings.level(unknown, CHANCE).by == 10


def test_direct_generalization_counts_from_where_it_fell_not_from_where_the_training_set_was_learned() -> None:
    loss = {e: 4.6 if e < 200 else 1e-3 for e in range(0, 1001, 100)}
    state = run(test_loss=loss, train_accuracy=learned(500, 1000))
    assert crossings.level(state, CHANCE).by == 200


def test_a_training_set_that_was_never_learned_was_never_left_behind() -> None:
    state = run(test_loss={0: 4.6, 100: 4.5, 200: 4.5, 300: 4.5}, train_accuracy={0: 0.0, 300: 0.5})
    assert crossings.level(state, CHANCE).epoch is None


def test_the_levels_are_chance_1_and_half_the_test_set() -> None:
    state = run(test_loss=grokked(7000), test_accuracy={0: 0, 7000: 0.4, 7100: 0.6, 7200: 1, 7300: 1})
    assert crossings.level(state, CHANCE).epoch == 6964  # ln 97 lies 64 % of the way from 20 down to 2
    assert crossings.level(state, ONE).epoch == 7905
    assert crossings.level(state, HALF).epoch == 7050
    assert crossings.level(run(), HALF) == Reach(None, -1, -1, -1)


def test_a_phase_that_is_not_there_yet_says_nothing_of_any_epoch() -> None:
    state = run(test_loss=grokked(7000), train_loss=grokked(100), train_accuracy=learned(200))
    assert crossings.phase(state, Phase.MEMORIZATION).epoch == 200
    assert crossings.phase(state, Phase.MEMORIZATION).after == 100
    assert crossings.phase(state, Phase.DEGRADED) == Reach(None, -1, -1, 12_000)
    assert crossings.phase(state, Phase.MEMORIZATION, since=200).epoch is None


@pytest.mark.parametrize(
    ("here", "there", "found"),
    [
        (Reach(6960, 6900, 7000, 12_000), Reach(9100, 9050, 9150, 12_000), Gap("earlier", 2140, 110)),
        (Reach(9100, 9050, 9150, 12_000), Reach(6960, 6900, 7000, 12_000), Gap("later", 2140, 110)),
        (Reach(6960, 6900, 7000, 12_000), Reach(6960, 6900, 7000, 12_000), Gap("same", 0, 100)),
        (Reach(6940, 6900, 7000, 12_000), Reach(7160, 6750, 7250, 12_000), Gap("same", 220, 470)),
        (Reach(7000, 6900, 7000, 12_000), Reach(7100, 7000, 7100, 12_000), Gap("earlier", 100, 100)),
        (Reach(7000, 6900, 7000, 12_000), Reach(None, 9000, 9000, 9000), Gap("earlier", 2000, exact=False)),
        (Reach(None, 12_000, 12_000, 12_000), Reach(9800, 9700, 9800, 20_000), Gap("later", 2200, exact=False)),
        (Reach(None, 9000, 9000, 9000), Reach(9800, 9700, 9800, 20_000), Gap("unknown")),
        (Reach(9800, 9700, 9800, 20_000), Reach(None, 9000, 9000, 9000), Gap("unknown")),
        (Reach(None, 9000, 9000, 9000), Reach(None, 8000, 8000, 8000), Gap("unknown")),
        (Reach(7000, 6900, 7000, 9000), Reach(None, -1, -1, -1), Gap("unknown")),
        (Reach(None, -1, -1, -1), Reach(0, -1, 0, 9000), Gap("unknown")),
        (Reach(7000, 6900, 7000, 9000), Reach(None, 6950, 6950, 7100), Gap("unknown")),  # it may be past it already
        (Reach(None, 6950, 6950, 7100), Reach(7000, 6900, 7000, 9000), Gap("unknown")),
    ],
)
def test_a_gap_claims_no_more_than_the_measures_tell(here: Reach, there: Reach, found: Gap) -> None:
    assert gap(here, there) == found


def test_a_level_that_was_lost_again_is_told_as_such() -> None:
    found = falling(10, 0.1, 0.1, 0.1, 10, 10, 10)
    assert (found.epoch, found.back) == (50, 400)
    assert found.told() == "50†"
    assert falling(10, 0.1, 0.1, 0.1, 10, 10).back is None  # a spike, as far as is known
    assert falling(10, 0.1, 0.1, 0.1, 10, 10, 10, 0.1).back is None
