"""The forecast: a logistic growth planted by hand, what it keeps silent on, and runs that it was not made from."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from grok_tui.science import forecast
from grok_tui.science.phases import PhaseFold, Sample
from scripts.forecast import Moment, moments, multiple, passed, score
from tests.science.curves import NAN, folded, mainline


def grown(until: int, *, pace: float = 0.6, half: int = 9000) -> list[Sample]:
    """A run whose cosines grow along a logistic curve, `pace` in logit v per 1,000 epochs."""
    return [
        replace(s, test_fve=1 / (1 + math.exp(-forecast.HALF - pace * (s.epoch - half) / 1000)))
        for s in mainline(until)
    ]


@pytest.mark.parametrize(("pace", "half"), [(0.6, 9000), (0.9, 9000), (0.6, 12_000)])
def test_a_logistic_growth_is_extrapolated_to_where_it_leads(pace: float, half: int) -> None:
    fold = folded(grown(5000, pace=pace, half=half))
    rest = forecast.way(fold)
    assert rest
    assert rest.epochs == pytest.approx(half - 5000, rel=0.08)
    assert rest.logits == pytest.approx(pace * (half - 5000) / 1000, rel=0.05)
    made = forecast.forecast(fold)
    assert made
    assert made.made == 5000 < made.low < made.epoch < made.high


def test_it_is_narrow_where_the_goal_is_near() -> None:
    far, near = (forecast.forecast(folded(grown(until, half=7000))) for until in (3000, 6500))
    assert far
    assert near
    assert near.high - near.low < (far.high - far.low) / 2


@pytest.mark.parametrize(
    "samples",
    [
        [],
        mainline(100),
        mainline(1200),
        mainline(12_000),
        [replace(s, test_fve=NAN) for s in mainline(5000)],
        [replace(s, test_fve=0.2) if s.epoch > 4000 else s for s in mainline(5800)],
        [replace(s, weight_decay=0.0) if s.epoch > 4000 else s for s in mainline(5800)],
        [replace(s, weight_decay=3.0) if s.epoch > 4900 else s for s in mainline(5000)],
        [replace(s, train_loss=1.0) if s.epoch == 5000 else s for s in mainline(5000)],
    ],
    ids=["nothing", "fitting", "memorization", "there", "unknown", "still", "no decay", "a change", "a spike"],
)
def test_nothing_is_forecast_without_a_circuit_that_grows(samples: list[Sample]) -> None:
    assert forecast.forecast(folded(samples)) is None


def test_the_words_pretend_to_no_more_digits_than_are_known() -> None:
    said = forecast.in_words(forecast.Forecast(2300, 9936, 7243, 14_097))
    assert said == "forecast: 50 % test accuracy near 9,900 (7,200 to 14,100, four times in five)"
    assert "near 1,230 (990 to 1,560, " in forecast.in_words(forecast.Forecast(500, 1234, 988, 1561))


def test_where_test_accuracy_passes_one_half_is_read_where_it_stays() -> None:
    dip = [replace(s, test_accuracy=0.6) if s.epoch == 3000 else s for s in mainline(9000)]
    assert passed(dip) == passed(mainline(9000)) == 7000
    assert passed(mainline(3000)) == math.inf


def test_no_forecast_reads_the_future() -> None:
    samples = mainline(7000)
    fold, made = PhaseFold(math.log(113)), []
    for sample in samples:
        fold.add(sample)
        made.append(forecast.forecast(fold))
    for i in (90, 100, 120, 130):
        assert forecast.forecast(folded(samples[: i + 1])) == made[i]


@pytest.fixture(scope="module")
def fresh() -> list[Moment]:
    return [m for m in moments(fresh=True) if math.isfinite(m.truth)]


def test_on_runs_that_it_was_not_made_from_it_beats_the_naive_guesses_and_its_interval_holds(
    fresh: list[Moment],
) -> None:
    known = [m for m in moments(fresh=False) if math.isfinite(m.truth)]
    error, coverage, _, points = score(fresh, lambda m: (m.made.epoch, m.made.low, m.made.high))
    assert coverage > 0.7
    for naive in (
        multiple(known, lambda m: m.epoch, 2.0),
        multiple(known, lambda m: m.epoch),
        multiple(known, lambda m: m.peak),
    ):
        worse, _, _, lost = score(fresh, naive)
        assert error < worse
        assert points < lost
