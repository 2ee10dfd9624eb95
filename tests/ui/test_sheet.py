"""A chart under a moving cursor: drawn once, and the same as if it were drawn anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grok_tui.series import Series
from grok_tui.ui.widgets import chart
from grok_tui.ui.widgets.axis import Epochs
from grok_tui.ui.widgets.cells import Cells, Token
from grok_tui.ui.widgets.chart import Sheet
from grok_tui.ui.widgets.curves import Ghosts
from grok_tui.ui.widgets.plot import Line, Mark, Plot


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[Plot]:
    """The plots whose lines were drawn."""
    drawn: list[Plot] = []
    body = chart._body

    def counted(plot: Plot, width: int, height: int, ghosts: Ghosts) -> tuple[Cells, int, int]:
        drawn.append(plot)
        return body(plot, width, height, ghosts)

    monkeypatch.setattr(chart, "_body", counted)
    return drawn


def loss(n: int = 1000) -> tuple[Series, Plot]:
    series = Series()
    series.add(np.arange(n), np.exp(-np.arange(n) / 100.0))
    line = Line("test", "test", series, Token.TEST)
    return series, Plot((line,), Epochs(0, 2000), log=True, marks=(Mark(500, "wd 3"),))


def test_a_moving_cursor_draws_no_line_again(bodies: list[Plot]) -> None:
    sheet, (_, plot) = Sheet(), loss()
    for cursor in range(900, 100, -10):
        sheet.picture(replace(plot, cursor=cursor), 24, 20)
    assert len(bodies) == 1


def test_what_it_shows_is_what_a_chart_drawn_anew_shows() -> None:
    sheet, (_, plot) = Sheet(), loss()
    for cursor in (900, 500, None, 0):
        moved = replace(plot, cursor=cursor)
        kept, anew = sheet.picture(moved, 80, 20), chart.picture(moved, 80, 20)
        assert kept.lines() == anew.lines()
        assert (kept.styles == anew.styles).all()


def test_a_new_point_an_axis_or_a_size_draws_the_lines_again(bodies: list[Plot]) -> None:
    sheet, (series, plot) = Sheet(), loss()
    sheet.picture(replace(plot, cursor=10), 80, 20)
    series.add(np.array([1000]), np.array([0.5]))
    sheet.picture(replace(plot, cursor=10), 80, 20)
    series.add(np.array([1000]), np.array([0.25]))  # the same length, another past
    sheet.picture(replace(plot, cursor=10), 80, 20)
    sheet.picture(replace(plot, cursor=10, epochs=Epochs(0, 3000)), 80, 20)
    sheet.picture(replace(plot, cursor=10), 60, 20)
    assert len(bodies) == 5


def test_a_legend_that_needs_a_row_more_on_the_way_keeps_it() -> None:
    """Otherwise the whole chart would hop up and down under a moving cursor."""
    series = Series()
    series.add(np.array([0, 100, 200]), np.array([1.0, 1.2345e-7, 1.0]))
    plot = Plot((Line("training", "train", series, Token.TRAIN),), Epochs(0, 200), log=True)
    sheet = Sheet()
    frames = {
        cursor: next(
            y for y, row in enumerate(sheet.picture(replace(plot, cursor=cursor), 24, 20).lines()) if "┤" in row
        )
        for cursor in (0, 100, 200)
    }
    assert frames[0] < frames[100] == frames[200]
