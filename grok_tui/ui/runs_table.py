"""The runs as families in a table, some of them selected."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.coordinate import Coordinate
from textual.events import Resize
from textual.widgets import DataTable

from grok_tui import listing
from grok_tui.runs import Run
from grok_tui.ui.widgets.axis import short

SELECTED, OTHERS = "◆", " "
"""Before a run's name."""

NARROW = 100
"""Columns of the screen below which the table's columns are shorter."""

COLUMNS = (*listing.RUN_COLUMNS[:3], "test acc.", "decay", "last seen")
SHORTER = listing.SHORTER
"""Those of the listing, with names short enough for families of three generations in 80 columns."""

MEMBER = "▦"
"""After the name of a sweep's member, where there is no room for a column of sweeps."""

AROUND, PADDING = 5, 2
"""Cells of the border, what is inside it and the scroll bar; and of each column, beside what it says."""


@dataclass(frozen=True, slots=True)
class Row:
    """A run, as it was when somebody looked."""

    lines: str
    """Those that lead to it from its parent."""
    run: Run
    cells: tuple[str, ...]
    """In the listing."""
    standing: str
    """Live, finished and so on."""
    sweep: str = ""
    """What the sweep is called that it is a member of; empty when it is of none."""
    number: int = 0
    """Which member."""


def look(runs: list[Run]) -> list[Row]:
    """The rows for these runs. Reads what the trainers have written: call it in a thread."""
    sweeps = listing.sweeps_of(runs)
    standings = {run.name: listing.run_standing(run) for run in runs}
    return [
        Row(lines, run, listing.run_row(run, standings[run.name]), standings[run.name], *sweeps.get(run.name, ("", 0)))
        for lines, run in listing.tree(runs)
    ]


class RunsTable(DataTable[str]):
    """Draws only what differs from before; the bar stays on its run, and a selection on its runs."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.border_title = "Open a run"
        self._rows: list[Row] = []
        self._selected: set[str] = set()
        self._drawn: tuple[str, ...] = ()
        """The names of the columns that are there."""
        self._widths: list[int] = []
        """Theirs. Told to the table, which would measure its rows some time later, and on a busy machine sees none."""

    @property
    def runs(self) -> list[Run]:
        """From top to bottom."""
        return [row.run for row in self._rows]

    @property
    def training(self) -> list[str]:
        """The names of those that somebody trains, as of the last look."""
        return [row.run.name for row in self._rows if row.standing in ("live", "replaying")]

    @property
    def members(self) -> bool:
        """Some of them belong to sweeps."""
        return any(row.sweep for row in self._rows)

    @property
    def run(self) -> Run | None:
        """The one under the bar."""
        return self.runs[self.cursor_row] if 0 <= self.cursor_row < len(self._rows) else None

    @property
    def selected(self) -> tuple[Run, ...]:
        """From top to bottom."""
        return tuple(run for run in self.runs if run.name in self._selected)

    def select(self) -> None:
        """Select the run under the bar, or no longer."""
        if (run := self.run) is not None:
            self._selected ^= {run.name}
            self._draw(run.name)
            self._tell()

    def go(self, place: str) -> bool:
        """Bring the bar to the run in that directory, and say whether it is there."""
        row = next((y for y, run in enumerate(self.runs) if str(run.path) == place), None)
        if row is not None:
            self.move_cursor(row=row)
        return row is not None

    def show(self, rows: list[Row]) -> None:
        """Show these runs."""
        before, at = [(row.lines, row.run.name) for row in self._rows], self.run
        self._rows = rows
        self._selected &= {run.name for run in self.runs}
        self._draw(at.name if at else "", anew=before != [(row.lines, row.run.name) for row in rows])
        self._tell()

    def on_resize(self, _event: Resize) -> None:
        if self._drawn:
            self._draw(self.run.name if self.run else "")

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        self._tell()

    def _picture(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The names of the columns, and the cells: what fits the screen."""
        columns = SHORTER if self.app.size.width < NARROW else COLUMNS
        cells = [self._cells(row, shorter=columns == SHORTER) for row in self._rows]
        if not self.members:
            return columns, cells
        widths = _widths(columns, cells)
        room = self.app.size.width - AROUND - sum(widths) - PADDING * (len(widths) + 1)
        if room >= listing.LEAST:
            names = [listing.ending(row.sweep, room) for row in self._rows]
            return (*columns, listing.SWEEP), [(*row, name) for row, name in zip(cells, names, strict=True)]
        marks = [f" {MEMBER}" if row.sweep else "" for row in self._rows]
        return columns, [(row[0] + mark, *row[1:]) for row, mark in zip(cells, marks, strict=True)]

    def _cells(self, row: Row, *, shorter: bool) -> tuple[str, ...]:
        name, state, epoch, *others = row.cells
        if shorter and epoch.rpartition("/")[2].replace(",", "").isdigit():
            done, _, whole = epoch.rpartition("/")
            epoch = f"{done}/{short(float(whole.replace(',', '')))}"
        sign = SELECTED if row.run.name in self._selected else OTHERS
        return (f"{sign}{row.lines}{name}", state, epoch, *others)

    def _draw(self, at: str, *, anew: bool = False) -> None:
        """Change the cells that differ; all of them, with the bar on the run `at`, where they have become others."""
        columns, cells = self._picture()
        widths = _widths(columns, cells)
        if anew or columns != self._drawn or any(new > old for new, old in zip(widths, self._widths, strict=True)):
            self._fill(at, columns, widths, cells)
            return
        for y, row in enumerate(cells):
            for x, text in enumerate(row):
                if str(self.get_cell_at(Coordinate(y, x))) != text:
                    self.update_cell_at(Coordinate(y, x), text)

    def _fill(self, at: str, columns: tuple[str, ...], widths: list[int], cells: list[tuple[str, ...]]) -> None:
        """Rows anew, with the bar on the run of that name."""
        if (columns, widths) != (self._drawn, self._widths):
            self.clear(columns=True)
            for name, width in zip(columns, widths, strict=True):
                self.add_column(name, width=width)
        else:
            self.clear()
        self._drawn, self._widths = columns, widths
        self.add_rows(cells)
        names = [run.name for run in self.runs]
        if at in names:
            self.move_cursor(row=names.index(at))

    def _tell(self) -> None:
        """In the border: how many are selected; of the one under the bar, how it left its parent, or its sweep."""
        count = len(self._selected)
        title = f"Open a run · {count} selected" if count else "Open a run"
        run = self.run
        row = self._rows[self.cursor_row] if run else None
        told = f"branched {listing.branched(run, orphan=not row.lines)}" if run and row and run.lineage else ""
        told = f"member {row.number} of {row.sweep}" if row and row.sweep else told
        if (self.border_title, self.border_subtitle or "") != (title, told):
            self.border_title, self.border_subtitle = title, told


def _widths(columns: tuple[str, ...], cells: list[tuple[str, ...]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
