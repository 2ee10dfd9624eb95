"""The runs as families in a table, some of them selected."""

from __future__ import annotations

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
SHORTER = (*listing.RUN_COLUMNS[:3], "test", "decay", "last seen")
"""Those of the listing, with names short enough for families of three generations in 80 columns."""

Row = tuple[str, Run, tuple[str, ...]]
"""(the lines that lead to it from its parent, run, its cells in the listing)."""


def look(runs: list[Run]) -> list[Row]:
    """The rows for these runs. Reads what the trainers have written: call it in a thread."""
    return [(lines, run, listing.run_row(run)) for lines, run in listing.tree(runs)]


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
        return [run for _, run, _ in self._rows]

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
            self._update()
            self._tell()

    def show(self, rows: list[Row]) -> None:
        """Show these runs."""
        before, at = [(lines, run.name) for lines, run, _ in self._rows], self.run
        self._rows = rows
        self._selected &= {run.name for run in self.runs}
        if before != [(lines, run.name) for lines, run, _ in rows] or self._drawn != self._columns:
            self._fill(at.name if at else "")
        else:
            self._update()
        self._tell()

    def on_resize(self, _event: Resize) -> None:
        if self._drawn and self._drawn != self._columns:
            self._fill(self.run.name if self.run else "")

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        self._tell()

    @property
    def _columns(self) -> tuple[str, ...]:
        return SHORTER if self.app.size.width < NARROW else COLUMNS

    def _cells(self, row: Row) -> tuple[str, ...]:
        lines, run, (name, state, epoch, *others) = row
        if self._drawn == SHORTER and epoch.rpartition("/")[2].replace(",", "").isdigit():
            done, _, whole = epoch.rpartition("/")
            epoch = f"{done}/{short(float(whole.replace(',', '')))}"
        sign = SELECTED if run.name in self._selected else OTHERS
        return (f"{sign}{lines}{name}", state, epoch, *others)

    def _fill(self, at: str) -> None:
        """Rows anew, with the bar on the run of that name."""
        before, self._drawn = (self._drawn, self._widths), self._columns
        cells = [self._cells(row) for row in self._rows]
        self._widths = [max(map(cell_len, column)) for column in zip(self._drawn, *cells, strict=True)]
        if before != (self._drawn, self._widths):
            self.clear(columns=True)
            for name, width in zip(self._drawn, self._widths, strict=True):
                self.add_column(name, width=width)
        else:
            self.clear()
        self.add_rows(cells)
        names = [run.name for run in self.runs]
        if at in names:
            self.move_cursor(row=names.index(at))

    def _update(self) -> None:
        """Change the cells that differ; all of them where one has become wider than its column."""
        cells = [self._cells(row) for row in self._rows]
        if any(cell_len(text) > width for row in cells for text, width in zip(row, self._widths, strict=True)):
            self._fill(self.run.name if self.run else "")
            return
        for y, row in enumerate(cells):
            for x, text in enumerate(row):
                if str(self.get_cell_at(Coordinate(y, x))) != text:
                    self.update_cell_at(Coordinate(y, x), text)

    def _tell(self) -> None:
        """In the border: how many are selected, and how the one under the bar left its parent."""
        count = len(self._selected)
        title = f"Open a run · {count} selected" if count else "Open a run"
        run = self.run
        lines = self._rows[self.cursor_row][0] if run else ""
        told = f"branched {listing.branched(run, orphan=not lines)}" if run and run.lineage else ""
        if (self.border_title, self.border_subtitle or "") != (title, told):
            self.border_title, self.border_subtitle = title, told
