"""Home: presets to start, and runs to open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.events import DescendantFocus
from textual.widgets import DataTable, OptionList, Static
from textual.widgets.option_list import Option

from grok_tui import listing
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.ui import keys
from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors
from grok_tui.ui.messages import RunWanted
from grok_tui.ui.screens.guarded import Guarded

LOOK = 2.0
"""Seconds between looks at the runs; only cells that differ are drawn."""

COLUMNS = (*listing.RUN_COLUMNS[:3], "test acc.", "decay", "last seen")
"""Of the runs: those of the listing, with names short enough for 80 columns."""

TITLE = "A lab bench for grokking"


class HomeScreen(Guarded):
    """Presets with a sentence each, and all runs. Enter starts one or opens one."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#presets"
    KEYS = keys.HOME_KEYS
    BINDINGS = keys.bindings(keys.HOME_KEYS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-short"), (34, "-tall")]

    def __init__(self, doors: Doors) -> None:
        super().__init__(id="home")
        self.doors = doors
        self._presets: dict[str, Config] = {}
        self._runs: list[Run] = []
        self._starting = False

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("grok-tui", "bold $accent"), f"   {TITLE}"), id="status")
        with Vertical(id="home-body"):
            presets = OptionList(id="presets", compact=True)
            presets.border_title = "Start a preset"
            yield presets
            table: DataTable[str] = DataTable(id="runs", cursor_type="row", zebra_stripes=False)
            table.border_title = "Open a run"
            yield table
            yield Static("No runs yet. Start one above: demo takes less than a minute.", id="no-runs")
        yield Hints()

    def on_mount(self) -> None:
        self._offer()
        self.query_one("#runs", DataTable).add_columns(*COLUMNS)
        self._presets = self.doors.presets()
        presets = self.query_one("#presets", OptionList)
        for name, found in self._presets.items():
            presets.add_options([*([None] if presets.option_count else []), Option(preset_line(name, found), id=name)])
        presets.highlighted = 0
        self.run_worker(self._reload(), name="runs", group="runs")
        self.set_interval(LOOK, self.action_reload)

    # Runs

    def action_reload(self) -> None:
        """Look at the runs again."""
        self.run_worker(self._reload(), name="runs", group="runs", exclusive=True)

    async def _reload(self) -> None:
        found, rows = await asyncio.to_thread(_look, self.doors)
        table = self.query_one("#runs", DataTable)
        self.set_class(not found, "-no-runs")
        if [run.name for run in found] != [run.name for run in self._runs]:
            self._fill(table, rows)
        else:
            _update(table, rows)
        self._runs = found

    def _fill(self, table: DataTable[str], rows: list[tuple[str, ...]]) -> None:
        """Rows anew, with the bar on the run it was on."""
        at = self._runs[table.cursor_row].name if self._runs and table.cursor_row < len(self._runs) else ""
        table.clear()
        for row in rows:
            table.add_row(*row)
        names = [row[0] for row in rows]
        if at in names:
            table.move_cursor(row=names.index(at))

    # Starting and opening

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        name = event.option_id or ""
        if shut := self.doors.refusal("write"):
            self.say(shut, "$warn")
        elif not self._starting:
            self._starting = True
            self.query_one(Hints).say(f"starting {name} … (importing torch takes a few seconds)")
            self.run_worker(self._start(self._presets[name]), name="start", group="start")  # no look may cancel it

    async def _start(self, config: Config) -> None:
        try:
            run = await asyncio.to_thread(self.doors.start, config)
        except GrokTuiError as error:
            self.query_one(Hints).say(str(error), "$bad")
        else:
            self.post_message(RunWanted(run))
        finally:
            self._starting = False

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if self._starting:  # its run is about to be opened
            return
        run = self._runs[event.cursor_row]
        if run.problem is not None:
            self.query_one(Hints).say(run.problem, "$bad")
        else:
            self.post_message(RunWanted(run))

    # Keys

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self._offer()

    def _offer(self) -> None:
        """The keys, with what Enter does where the bar is."""
        verb = "Open" if isinstance(self.focused, DataTable) else "Start"
        shut = self.doors.refusal("write")
        rows = (
            replace(row, label=verb) if row.shown == "enter" else row
            for row in keys.HOME_KEYS
            if not (self.refusal(row.needs) or (shut and row.shown == "enter" and verb == "Start"))
        )
        self.query_one(Hints).offer((*rows, *keys.APP_KEYS))

    def action_choose(self) -> None:
        """What Enter does, for the bottom line and the palette."""
        match self.focused:
            case OptionList() as presets:
                presets.action_select()
            case DataTable() as table:
                table.action_select_cursor()

    def action_other_table(self) -> None:
        """From presets to runs and back."""
        runs = self.query_one("#runs", DataTable)
        (runs if self.focused is not runs and runs.row_count else self.query_one("#presets", OptionList)).focus()

    def action_leave(self) -> None:
        """Leave; what trains goes on."""
        living = [run.name for run in self._runs if listing.run_standing(run) in ("live", "replaying")]
        verb = "goes" if len(living) == 1 else "go"
        self.app.exit(f"{', '.join(living)} {verb} on training; come back: grok-tui" if living else None)


def preset_line(name: str, config: Config) -> Content:
    """A preset in the list: its name, its length and its sentence."""
    size = f"{config.training.epochs:,} epochs"
    return Content.assemble((name, "bold"), ("   " + size, "$muted"), "\n", (config.about, "$muted"))


def _look(doors: Doors) -> tuple[list[Run], list[tuple[str, ...]]]:
    found = doors.listing()
    return found, [listing.run_row(run) for run in found]


def _update(table: DataTable[str], rows: list[tuple[str, ...]]) -> None:
    """Change the cells that differ."""
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            before = str(table.get_cell_at(Coordinate(y, x)))
            if before != text:  # another width is another layout, and draws the whole table
                table.update_cell_at(Coordinate(y, x), text, update_width=len(before) != len(text))
