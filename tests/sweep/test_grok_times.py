"""Times to grok, and their medians where some runs never did within their time."""

from __future__ import annotations

import math

from grok_tui.grok_times import Time, over_seeds, said, span


def never(within: int) -> Time:
    return Time(within, reached=False)


def test_the_median_of_known_times_is_a_number() -> None:
    spread = over_seeds([Time(9000), Time(7000), Time(8000)])
    assert spread is not None
    assert spread.known
    assert (said(spread), span(spread)) == ("8,000", "[7,000-9,000]")


def test_one_that_never_grokked_leaves_the_median_of_three_a_number_but_not_the_greatest() -> None:
    spread = over_seeds([Time(7000), never(20_000), Time(8000)])
    assert spread is not None
    assert (said(spread), span(spread)) == ("8,000", "[7,000-20,000+]")
    assert spread.reached == 2


def test_never_within_n_is_not_n() -> None:
    """Two of three never did: the median is later than their last epoch, and no number."""
    spread = over_seeds([Time(7000), never(20_000), never(20_000)])
    assert spread is not None
    assert not spread.known
    assert said(spread) == ">20,000"
    assert math.isinf(spread.high)


def test_one_that_has_not_come_far_yet_makes_the_median_a_lower_bound() -> None:
    spread = over_seeds([Time(7000), Time(9000), never(500)])
    assert spread is not None
    assert said(spread) == "7,000-9,000"
    assert span(spread) == "[>500-500+]"


def test_the_median_of_two_needs_both() -> None:
    spread = over_seeds([Time(7000), never(9000)])
    assert spread is not None
    assert said(spread) == ">8,000"


def test_there_is_no_median_of_nothing() -> None:
    assert over_seeds([]) is None
