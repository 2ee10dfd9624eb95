"""How numbers, times and states are said."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from grok_tui import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.125, "0.125"),
        (1234.5, "1,234"),
        (2.346e-7, "2.35e-7"),
        (1e-8, "1e-8"),
        (3e9, "3e9"),
        (-0.5, "-0.5"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_have_three_digits(value: float, said: str) -> None:
    assert wording.number(value) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0.0%"), (0.736, "73.6%"), (0.99931, "99.93%"), (0.999999, "99.99%"), (1.0, "100.0%")]
)
def test_an_accuracy_is_100_percent_only_when_it_is(share: float, said: str) -> None:
    assert wording.percent(share) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (59.4, "59 s"),
        (60, "60 s"),
        (119, "119 s"),
        (119.7, "2 min"),
        (170, "3 min"),
        (3569, "59 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (7170, "2 h 00 min"),
        (48 * 3600 - 31, "47 h 59 min"),
        (48 * 3600 - 1, "2 d 0 h"),
        (200000, "2 d 8 h"),
        (math.inf, "–"),
    ],
)
def test_durations_are_rounded_to_the_nearest_and_have_two_units_at_most(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


def test_a_moment_is_a_time_today_and_a_date_otherwise() -> None:
    now = datetime(2025, 6, 15, 12, 0)
    assert wording.moment(datetime(2025, 6, 15, 9, 5).timestamp(), now) == "today 09:05"
    assert wording.moment(datetime(2025, 6, 14, 9, 5).timestamp(), now) == "14 Jun 09:05"
    assert wording.moment(datetime(2024, 6, 14, 9, 5).timestamp(), now) == "14 Jun 2024"


def test_every_standing_has_a_sign_of_its_own_and_a_farewell() -> None:
    signs = [sign for name, sign in wording.MARKS.items() if name not in ("running", "waiting")]
    assert len(signs) == len(set(signs))
    for standing in wording.MARKS:
        assert "demo-1" in wording.farewell("demo-1", standing, 7)


def test_columns_line_up() -> None:
    rows = [("name", "n"), ("a", "10"), ("long", "1,000")]
    assert wording.columns(rows, right=frozenset({1})) == ["name      n", "a        10", "long  1,000"]
