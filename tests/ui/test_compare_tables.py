"""The tables of a comparison where there is little room."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from grok_tui.protocol import Hello
from grok_tui.sources import Scripted
from grok_tui.ui import sheets
from grok_tui.ui.overlaid import Comparison
from grok_tui.ui.screens.compare import CompareScreen
from grok_tui.ui.widgets.cells import Cells
from tests.ui.story import frames
from tests.ui.test_compare import scripts, side_by_side


async def test_where_a_table_has_no_room_columns_go_and_no_number_is_cut() -> None:
    found = {f"a-long-name-{n}": Scripted(frames(until=9000 + n, run=f"a-long-name-{n}")) for n in range(1, 9)}
    async with side_by_side(found, (80, 60)) as (_, screen):
        for width in range(40, 120):
            for draw in (sheets.when, sheets.where):
                head, *rows = draw(screen.comparison, width).lines()
                numbers = {word for row in sheets_of(draw, screen) for word in row.split()}
                shown = {word for row in rows for word in row.split()} - {"…"}
                assert shown <= numbers, (width, shown - numbers)
                if draw is sheets.when and "< 1" not in head:
                    assert head.endswith("…"), width
        narrow = sheets.when(screen.comparison, 60).lines()
        assert "general." in narrow[0]
        assert "memo" not in narrow[0]


def sheets_of(draw: Callable[[Comparison, int], Cells], screen: CompareScreen) -> list[str]:
    """The same table where there is room for all of it."""
    return draw(screen.comparison, 300).lines()


async def test_ribbons_show_whole_names_where_there_is_room_and_their_ends_where_there_is_not() -> None:
    found = {f"nanda113-1.{n}": Scripted(frames(until=900, run=f"nanda113-1.{n}")) for n in range(1, 3)}
    async with side_by_side(found, (200, 60)) as (_, screen):
        assert [row.split()[-1] for row in sheets.ribbons(screen.comparison, 198).lines()[:2]] == list(found)
        ends = [row.split()[-1] for row in sheets.ribbons(screen.comparison, 78).lines()[:2]]
        assert ends == ["…da113-1.1", "…da113-1.2"]


async def test_what_differs_is_listed_over_several_lines_where_even_a_line_for_each_run_has_no_room() -> None:
    changes = [(500 * n, "weight_decay", 1.0 + n / 4) for n in range(1, 5)]
    found = scripts()
    first, *rest = frames(until=3000, changes=changes, run="small-1")
    assert isinstance(first, Hello)
    tables = {**first.config, "task": {**first.config["task"], "p": 31}}
    found["small-1"] = Scripted([dataclasses.replace(first, config=tables), *rest], link="recording")
    async with side_by_side(found, (80, 60)) as (_, screen):
        lines = [line.rstrip() for line in sheets.differing(screen.comparison, 50).lines()]
        assert max(map(len, lines)) <= 50
        assert lines[1] == "1 low-1       weight decay 1; task.p 113"
        way = "weight decay 1, 1.25 from 500, 1.5 from 1,000, 1.75 from 1,500, 2 from 2,000; task.p 31"
        assert " ".join(" ".join(lines).split()).endswith(f"3 small-1 {way}")
