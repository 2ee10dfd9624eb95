"""The ribbon of phases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.science.phases import Phase
from grok_tui.ui.panes.phase import LOOKS
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.ribbon import GUTTER, Band, Ribbon, Strip, picture, spread


def band(start: float, end: float, phase: Phase) -> Band:
    look = LOOKS[phase]
    return Band(start, end, (str(phase), *look.names), look.token, look.pattern)


STORY = (
    band(0, 180, Phase.FITTING),
    band(180, 1_450, Phase.MEMORIZATION),
    band(1_450, 6_900, Phase.CIRCUIT_FORMATION),
    band(6_900, 9_000, Phase.CLEANUP),
)


def test_every_phase_has_its_own_colour_pattern_and_letter() -> None:
    assert set(LOOKS) == set(Phase)
    for part in ("token", "pattern", "names"):
        assert len({getattr(look, part) for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.names[-1] for look in LOOKS.values()}) == len(LOOKS)


def test_a_wide_ribbon_names_its_phases_and_a_narrow_one_abbreviates() -> None:
    wide = picture(Strip(Epochs(0, 10_000, log=True), STORY), 120, 2).line(0)
    assert " memorization " in wide
    narrow = picture(Strip(Epochs(0, 10_000), STORY), 40, 2).line(0)
    assert " circuit " in narrow
    assert "memorization" not in narrow


def test_the_ribbon_shares_its_columns_with_the_charts() -> None:
    cells = picture(Strip(Epochs(0, 10_000), STORY), 105, 1)
    row = cells.styles[0] & 0xFF
    assert row[GUTTER + 14] == Token.CIRCUIT
    assert row[GUTTER + 69] == Token.CLEANUP
    assert row[GUTTER + 90] == Token.CLEANUP
    assert row[GUTTER + 91] == Token.TEXT


def test_a_phase_shorter_than_a_column_still_shows() -> None:
    found = spread(Strip(Epochs(0, 40_000), STORY), 50)
    assert [each.names[0] for _, _, each in found] == ["fitting", "memorization", "circuit formation", "cleanup"]


@given(
    cuts=st.lists(st.integers(0, 5_000), min_size=1, max_size=20).map(sorted),
    start=st.integers(0, 4_000),
    columns=st.integers(1, 150),
    log=st.booleans(),
)
def test_bands_follow_each_other_without_overlap(cuts: list[int], start: int, columns: int, log: bool) -> None:
    phases = list(Phase)
    ends = [*cuts[1:], 5_000]
    bands = tuple(band(a, b, phases[i % len(phases)]) for i, (a, b) in enumerate(zip(cuts, ends, strict=True)))
    places = spread(Strip(Epochs(start, 5_000, log), bands), columns)
    edge = 0
    for first, after, _ in places:
        assert edge <= first < after <= columns
        edge = after


def test_changes_and_cursor_are_on_the_ribbon() -> None:
    cells = picture(Strip(Epochs(0, 10_000), STORY, marks=(5_000,), cursor=2_000), 105, 2)
    assert cells.line(0)[GUTTER + 50] == "┊"
    assert " 2,000 " in cells.line(1)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (4, 2), (29, 1), (30, 3), (200, 1)])
def test_no_size_breaks_a_ribbon(size: tuple[int, int]) -> None:
    cells = picture(Strip(Epochs(0, 10_000), STORY, (1,), 3), *size)
    assert (cells.width, cells.height) == size


def test_a_ribbon_without_a_strip_is_blank() -> None:
    assert Ribbon().draw(5, 1).lines() == [" " * 5]


def test_a_name_keeps_clear_of_the_marks() -> None:
    row = picture(Strip(Epochs(0, 10_000), STORY, marks=(4_200,)), 105, 1).line(0)
    assert row[GUTTER + 42] == "┊"
    assert " circuit formation " in row
