"""The grid of cells, and what of it is sent again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from grok_tui.ui import theme
from grok_tui.ui.panes import STYLES
from grok_tui.ui.widgets import glyphs
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, changed, cut, wrap
from grok_tui.ui.widgets.grid import CellGrid


@given(x=st.integers(-9, 30), y=st.integers(-2, 4), text=st.text(max_size=12), width=st.integers(0, 20))
def test_text_is_cut_at_the_edges_and_never_widens_a_row(x: int, y: int, text: str, width: int) -> None:
    cells = Cells(width, 3)
    assert cells.text(x, y, text, Token.TEST) == x + glyphs.size(text)
    assert [cell_len(line) for line in cells.lines()] == [width] * 3


def test_control_characters_are_replaced_and_joiners_left_out() -> None:
    cells = Cells(12, 1)
    cells.text(0, 0, "a\tb\n\x1b\u202e👩\u200d🔬❤\ufe0f👍🏽")
    assert cells.line(0) == "a?b??👩🔬❤👍"


def test_wide_letters_take_two_cells_and_marks_none() -> None:
    cells = Cells(20, 1)
    assert cells.text(1, 0, "电路形成 e\u0301x\u0302", Token.NOTE) == 12
    assert cells.line(0) == " 电路形成 éx\u0302" + " " * 8
    assert cells.runs(0) == [(" ", 0), ("电路形成 éx\u0302", Token.NOTE), (" " * 8, 0)]
    assert "".join(text for text, _ in cells.runs(0, 1, 3)) == "电"


def test_of_a_wide_letter_that_is_half_hidden_nothing_is_shown() -> None:
    cells = Cells(5, 1)
    cells.text(-1, 0, "世a界b世")
    assert cells.line(0) == " a界b"
    cells.text(2, 0, "|")
    assert cells.line(0) == " a| b"
    cells.text(0, 0, "世")
    cells.text(1, 0, "|")
    assert cells.line(0) == " || b"
    cells.text(4, 0, "世")
    assert cells.line(0) == " || " + " "
    assert [text for text, _ in cells.runs(0, 0, 3)] == [" ||"]


def test_a_wide_letter_that_changes_is_sent_whole() -> None:
    before, after = Cells(12, 1), Cells(12, 1)
    before.text(0, 0, "世世世")
    after.text(0, 0, "世世世")
    after.styles[0, 3] = Token.BAD
    assert changed(before, after) == [(0, 2, 4)]
    after.text(2, 0, "ab")
    assert changed(before, after) == [(0, 2, 4)]
    after.text(2, 0, " 界 ")
    assert changed(before, after) == [(0, 2, 6)]


@given(st.text(alphabet="a世é界x\u0302👩\u200d🔬 ", max_size=12), st.integers(0, 14))
def test_what_is_cut_and_wrapped_fits(text: str, width: int) -> None:
    assert cell_len(Words.shown(cut(text, width))) <= width
    assert all(cell_len(Words.shown(line)) <= max(width, 2) for line in wrap(text, width))


def test_only_cells_that_differ_are_changed() -> None:
    before, after = Cells(10, 3), Cells(10, 3)
    before.text(0, 1, "loss 1.25")
    after.text(0, 1, "loss 1.31")
    assert changed(before, after) == [(1, 7, 9)]
    after.styles[2, 4] = Token.BAD
    assert changed(before, after) == [(1, 7, 9), (2, 4, 5)]
    assert changed(after, after) == []


def test_a_stamp_leaves_no_half_words_beside_it() -> None:
    cells = Cells(20, 1)
    cells.text(0, 0, "1k     10k   100k")
    cells.stamp(7, 0, " 3,000 ", Token.CURSOR)
    assert cells.line(0).split() == ["1k", "3,000", "100k"]


def test_runs_join_to_the_row_and_each_has_one_style() -> None:
    cells = Cells(8, 1)
    cells.text(1, 0, "ab", Token.TRAIN | BOLD)
    assert cells.runs(0) == [(" ", 0), ("ab", Token.TRAIN | BOLD), ("     ", 0)]


def test_words_wrap_and_long_ones_are_cut() -> None:
    assert wrap("test loss 17.1, below its peak", 12) == ["test loss", "17.1, below", "its peak"]
    assert wrap("incomprehensibilities", 5) == ["inco…"]
    assert cut("abcdef", 4) == "abc…"
    assert cut("abc", 0) == ""


class Words(CellGrid):
    """A grid that shows a line."""

    words = "loss 1.25"

    @staticmethod
    def shown(text: str) -> str:
        """As it stands in cells."""
        cells = Cells(40, 1)
        cells.text(0, 0, text)
        return cells.line(0).rstrip()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        cells.text(0, 0, self.words, Token.TEST)
        return cells


class Stage(App[None]):
    CSS_PATH = STYLES

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.tokens(True)

    def compose(self) -> ComposeResult:
        yield Words()


async def test_a_grid_refreshes_the_changed_cells_and_nothing_when_nothing_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Region, ...]] = []
    async with Stage().run_test(size=(40, 5)) as pilot:
        words = pilot.app.query_one(Words)
        monkeypatch.setattr(Words, "refresh", lambda _self, *regions, **_kwargs: asked.append(regions))
        words.redraw()
        assert asked == []
        words.words = "loss 1.31"
        words.redraw()
        assert asked == [(Region(7, 0, 2, 1),)]


@pytest.mark.parametrize("value", ["1", "yes"])
async def test_a_grid_survives_no_color_before_and_after_its_first_picture(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    async with Stage().run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        assert pilot.app.no_color
        assert pilot.app.query_one(Words).render_line(0).text.startswith("loss 1.25")
        assert pilot.app.query_one(Words).render_line(99).cell_length == 40


async def test_a_new_theme_recolours_a_grid() -> None:
    async with Stage().run_test(size=(40, 5)) as pilot:
        words = pilot.app.query_one(Words)
        for each in theme.THEMES:
            pilot.app.register_theme(each)
        colours = []
        for each in theme.THEMES:
            pilot.app.theme = each.name
            await pilot.pause()
            style = next(iter(words.render_line(0))).style
            assert style is not None
            assert style.color is not None
            colours.append(style.color.get_truecolor().hex)
        assert colours == [theme.DARK_TOKENS["test"], theme.LIGHT_TOKENS["test"]]
