"""Home: presets to start, and runs to open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus, Key
from textual.widgets import DataTable, OptionList, Static
from textual.widgets.option_list import Option

from grok_tui import wording
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run
from grok_tui.ui import keys
from grok_tui.ui.bottom import Hints
from grok_tui.ui.doors import Doors
from grok_tui.ui.messages import CompareWanted, RunWanted, SweepWanted
from grok_tui.ui.runs_table import RunsTable, look
from grok_tui.ui.screens.confirm import ConfirmScreen
from grok_tui.ui.screens.guarded import Guarded

LOOK = 2.0
"""Seconds between looks at the runs; only cells that differ are drawn."""

TITLE = "A lab bench for grokking"


class HomeScreen(Guarded):
    """Presets with a sentence each, and all runs. Enter starts one or opens one."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#presets"
    KEYS = keys.HOME_KEYS
    BINDINGS = keys.bindings(keys.HOME_KEYS)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-short"), (34, "-tall")]

    def __init__(self, doors: Doors, place: str = "") -> None:
        """`place` is the directory of the run from which one comes; empty for none."""
        super().__init__(id="home")
        self.doors = doors
        self._place = place
        """Where the bar is to be, until the runs are there."""
        self._presets: dict[str, Config] = {}
        self._starting = False
        self._deleting = False
        self._looking = self._again = False
        """Somebody looks at the runs; and is to look once more then."""

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("grok-tui", "bold $accent"), f"   {TITLE}"), id="status")
        with Vertical(id="home-body"):
            presets = OptionList(id="presets", compact=True)
            presets.border_title = "Start a preset"
            yield presets
            yield RunsTable("runs")
            yield Static("No runs yet. Start one above: demo takes less than a minute.", id="no-runs")
        yield Hints()

    def on_mount(self) -> None:
        self._offer()
        self._presets = self.doors.presets()
        presets = self.query_one("#presets", OptionList)
        for name, found in self._presets.items():
            presets.add_options([*([None] if presets.option_count else []), Option(preset_line(name, found), id=name)])
        presets.highlighted = 0
        if self._place:
            self.set_focus(self._table)  # now: an Enter that comes before the runs is not to start a preset
        self.action_reload()
        self.set_interval(LOOK, self._look)

    # Runs

    def action_reload(self) -> None:
        """Look at the runs again; once more behind a look that goes on, which may not see what is new."""
        self._again = True
        self._look()

    def _look(self) -> None:
        """One look at a time: it goes on in its thread whatever becomes of its worker."""
        if not (self.left or self._looking):
            self._looking = True
            self.run_worker(self._looks(), name="runs", group="runs")

    async def _looks(self) -> None:
        try:
            await self._reload()
            while self._again:
                await self._reload()
        finally:
            self._looking = False

    async def _reload(self) -> None:
        self._again = False
        rows = await asyncio.to_thread(lambda: look(self.doors.listing()))
        self.set_class(not rows, "-no-runs")
        if not rows and self.focused is self._table:
            self.query_one("#presets").focus()
        self._table.show(rows)
        place, self._place = self._place, ""
        if place and not self._table.go(place) and self.focused is self._table:
            self.set_focus(self.query_one("#presets"))
        self._offer()

    @property
    def _table(self) -> RunsTable:
        return self.query_one(RunsTable)

    def action_select(self) -> None:
        """Select the run under the bar, or no longer."""
        if self._on_runs():
            self._table.select()

    def action_compare(self) -> None:
        """The selected runs side by side."""
        chosen = self._table.selected
        if bad := next((run.problem for run in chosen if run.problem), None):
            self.say(bad, "$bad")
        elif len(chosen) < 2:
            self.say("select two runs or more with space, then d shows them side by side", "$warn")
        else:
            self.want(CompareWanted(chosen))

    def action_sweep(self) -> None:
        """Open the sweep that the run under the bar is a member of."""
        if self._on_runs() and (run := self._table.run) is not None and not self._starting:
            self.bring(self._open_sweep(run), "sweep", alone=True)

    async def _open_sweep(self, run: Run) -> None:
        try:
            sweep, number = await asyncio.to_thread(self.doors.sweep, run)
        except GrokTuiError as error:
            self.say(str(error), "$warn")
        else:
            self.want(SweepWanted(sweep, number))

    def action_delete(self) -> None:
        """Delete the run under the bar, if that is really meant."""
        if self._on_runs() and (run := self._table.run) is not None and not self._deleting:
            self._deleting = True
            self.bring(self._ask_to_delete(run), "deletable")

    async def _ask_to_delete(self, run: Run) -> None:
        try:
            size = await asyncio.to_thread(self.doors.deletable, [run])
            means = await asyncio.to_thread(self.doors.aftermath, [run])
        except GrokTuiError as error:
            self._deleting = False
            self.say(str(error), "$bad")
            return
        gone = f"Its recording, its weights and what was done to it are gone for good. {wording.size(size)} are freed."
        detail = "\n".join((gone, *means))

        def answered(sure: bool | None) -> None:
            self._deleting = bool(sure)
            if sure:
                self.run_worker(self._delete(run), name="delete", group="delete")

        self.app.push_screen(ConfirmScreen(f"Delete {run.name}?", detail, "Delete"), answered)

    async def _delete(self, run: Run) -> None:
        try:
            await asyncio.to_thread(self.doors.delete, [run])
        except GrokTuiError as error:
            self.say(str(error), "$bad")
        else:
            self.say(f"{run.name} is deleted")
        finally:
            self._deleting = False
            self.action_reload()

    def _on_runs(self) -> bool:
        """Whether the bar is on a run; says how to get there when not."""
        if self.focused is not self._table:
            self.say("tab goes to the runs first", "$warn")
        return self.focused is self._table

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
            self.want(RunWanted(run))
        finally:
            self._starting = False

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if self._starting:  # its run is about to be opened
            return
        run = self._table.runs[event.cursor_row]
        if run.problem is not None:
            self.query_one(Hints).say(run.problem, "$bad")
        else:
            self.want(RunWanted(run))

    # Keys

    def on_key(self, _event: Key) -> None:
        """A notice stays until the next key, but for what is going on."""
        if not (self._starting or self._deleting):
            self.say("")

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self._offer()

    def _offer(self) -> None:
        """The keys, with what Enter does where the bar is."""
        verb = "Open" if isinstance(self.focused, DataTable) else "Start"
        shut = self.doors.refusal("write")
        rows = (
            replace(row, label=verb) if row.shown == "enter" else row
            for row in keys.HOME_KEYS
            if (row.group != keys.RUNS or isinstance(self.focused, DataTable))
            and (row.shown != "s" or self._table.members)
            and not (self.refusal(row.needs) or (shut and row.shown == "enter" and verb == "Start"))
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
        to_runs = self.focused is not runs and runs.row_count
        self.set_focus(runs if to_runs else self.query_one("#presets"))  # now: Widget.focus() waits for its turn

    def action_leave(self) -> None:
        """Leave; what trains goes on."""
        living = self._table.training
        verb = "goes" if len(living) == 1 else "go"
        self.app.exit(f"{', '.join(living)} {verb} on training; come back: grok-tui" if living else None)


def preset_line(name: str, config: Config) -> Content:
    """A preset in the list: its name, its length and its sentence."""
    size = f"{config.training.epochs:,} epochs"
    return Content.assemble((name, "bold"), ("   " + size, "$muted"), "\n", (config.about, "$muted"))
