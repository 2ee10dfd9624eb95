"""The viewer: which screen is shown, the theme, the palette. Everything about one run is in its screen."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from grok_tui.runs import Run
from grok_tui.sources import Source
from grok_tui.ui import keys, theme
from grok_tui.ui.doors import Doors, only_looking
from grok_tui.ui.in_order import InOrder
from grok_tui.ui.messages import CompareWanted, HomeWanted, ReplayWanted, RunWanted, SweepWanted
from grok_tui.ui.palette import KeyCommands, PaneCommands
from grok_tui.ui.panes import STYLES
from grok_tui.ui.screens.guarded import Guarded
from grok_tui.ui.screens.help import HelpScreen
from grok_tui.ui.screens.home import HomeScreen
from grok_tui.ui.screens.run import RunScreen

if TYPE_CHECKING:
    from grok_tui.aligning import Alignment
    from grok_tui.sweep_state import SweepState
    from grok_tui.sweeps import Sweep
    from grok_tui.tempo import Speed
    from grok_tui.ui.screens.compare import CompareScreen
    from grok_tui.ui.screens.sweep import SweepScreen

Replay = tuple["Speed | None", int]
"""How fast a recording is played, and from which epoch on."""

CHARTS_EVERY = 0.5
"""Seconds between redraws of the panes while a run is live."""

STATUS_EVERY = 0.25
"""Seconds between redraws of the status line."""

RARELY = (20_000, 10, 50)
"""When Python looks for cyclic garbage. By its own numbers a cursor that moves over heat maps met a collection of
everything at every twelfth step, which took 100 ms: more than the rest of the step."""


class GrokApp(InOrder):
    """One viewer: of the run behind `source`, or of the home screen without one. Returns what to say on leaving."""

    TITLE = "grok-tui"
    CSS_PATH = ["app.tcss", STYLES]
    COMMANDS = App.COMMANDS | {KeyCommands, PaneCommands}
    BINDINGS = [*keys.bindings(keys.APP_KEYS), Binding("ctrl+q", "leave", show=False, priority=True)]

    def __init__(
        self,
        source: Source | None = None,
        *,
        doors: Doors | None = None,
        compared: tuple[Sequence[Run], Alignment | None] | None = None,
        sweep: SweepState | None = None,
        charts_every: float = CHARTS_EVERY,
        status_every: float = STATUS_EVERY,
    ) -> None:
        super().__init__()
        self._doors = doors or Doors()
        self._intervals = charts_every, status_every
        self._first = source
        self._compared = compared
        self._sweep = sweep
        """To which the screens of its members come back."""
        self._shown: SweepScreen | None = None
        """How it was shown when they were opened."""
        for ours in theme.THEMES:
            self.register_theme(ours)
        self.theme = theme.DARK.name

    @classmethod
    def on(cls, run: Run | None, *, read_only: bool = False, replay: Replay | None = None) -> GrokApp:
        """The viewer of one run, living or replayed, or of the home screen."""
        doors = only_looking(Doors()) if read_only else Doors()
        if run and replay:
            return cls(doors.replay(run, *replay), doors=doors)
        return cls(doors.source(run) if run else None, doors=doors)

    @classmethod
    def on_sweep(cls, sweep: Sweep, *, read_only: bool = False) -> GrokApp:
        """The viewer of a sweep."""
        from grok_tui.sweep_state import SweepState

        return cls(doors=only_looking(Doors()) if read_only else Doors(), sweep=SweepState(sweep))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colour names under a theme that is not ours."""
        return theme.tokens(self.current_theme.dark)

    def on_mount(self) -> None:
        if self._compared is not None:
            self.push_screen(self._comparison(*self._compared))
        elif self._sweep is not None:
            self.push_screen(self._members(self._sweep))
        else:
            self.push_screen(self._home() if self._first is None else self._run(self._first))
        gc.freeze()  # the widgets stay; collections that walk them cost a chart's redraw 15 ms
        gc.set_threshold(*RARELY)
        gc.enable()  # the command line puts it off, which saves a tenth of the start

    def on_run_wanted(self, message: RunWanted) -> None:
        self._uncover()
        self._remember()
        self._show(self._doors.source(message.run))

    def on_replay_wanted(self, message: ReplayWanted) -> None:
        self._show(self._doors.replay(message.run, None, message.since))

    def _show(self, source: Source) -> None:
        """A run, in the panes of the one that is shown, if one is."""
        before = self.screen if isinstance(self.screen, RunScreen) else None
        self.switch_screen(self._run(source, before))

    def on_compare_wanted(self, message: CompareWanted) -> None:
        from grok_tui import comparing

        runs = comparing.unique(message.runs)
        if wrong := comparing.wrong(runs):
            if isinstance(self.screen, Guarded):
                self.screen.say(wrong, "$warn")
            return
        self._uncover()
        self._remember()
        self.switch_screen(self._comparison(runs, note=message.note))

    def on_sweep_wanted(self, message: SweepWanted) -> None:
        self._uncover()
        self._sweep, self._shown = message.sweep, None
        self.switch_screen(self._members(message.sweep, message.number))

    def _remember(self) -> None:
        """How a sweep is shown, for when one comes back to it."""
        if self.screen.id == "sweep":
            self._shown = cast("SweepScreen", self.screen)

    def _uncover(self) -> None:
        """Close help or the palette, opened while something else was on its way."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, Guarded):
            self.pop_screen()

    def on_home_wanted(self, message: HomeWanted) -> None:
        compared, self._compared = self._compared, None
        if compared is not None and isinstance(self.screen, RunScreen):  # it was opened there
            self.switch_screen(self._comparison(*compared))
        elif self._sweep is not None and self.screen.id != "sweep":
            self.switch_screen(self._members(self._sweep))
        else:
            self._sweep = self._shown = None  # it is not where one came from any more
            self.switch_screen(self._home(message.place))

    def _run(self, source: Source, like: RunScreen | None = None) -> RunScreen:
        return RunScreen(source, self._doors, *self._intervals, like)

    def _comparison(self, runs: Sequence[Run], alignment: Alignment | None = None, note: str = "") -> CompareScreen:
        from grok_tui.aligning import START
        from grok_tui.ui.screens.compare import CompareScreen

        self._compared = runs, alignment
        return CompareScreen(runs, self._doors, self._intervals[0], alignment or START, note)

    def _members(self, sweep: SweepState, number: int = 0) -> SweepScreen:
        from grok_tui.ui.screens.sweep import SweepScreen

        return SweepScreen(sweep, self._doors, number, self._shown)

    def _home(self, place: str = "") -> HomeScreen:
        return HomeScreen(self._doors, place)

    def dropped(self, late: bool) -> None:
        """See `InOrder`."""
        if isinstance(self.screen, Guarded):
            self.screen.tell_dropped(late)

    def leaves(self, key: str) -> bool:
        """See `InOrder`."""
        if key == "ctrl+q":
            return True
        return isinstance(self.screen, Guarded) and not isinstance(self.focused, Input) and self.screen.leaves(key)

    def action_help(self) -> None:
        """Every key, every pane."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen.whole if isinstance(self.screen, Guarded) else ""))

    def action_light_or_dark(self) -> None:
        """The other of our two themes."""
        self.theme = theme.LIGHT.name if self.current_theme.dark else theme.DARK.name

    async def action_leave(self) -> None:
        """Leave as the present screen does; the runs go on."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Guarded):
                screen.action_leave()
                return
        self.exit()

    async def action_quit(self) -> None:
        """Textual's name for leaving."""
        await self.action_leave()

    def get_system_commands(self, _screen: Screen[object]) -> Iterable[SystemCommand]:
        """What Textual itself adds to the palette: themes and a picture of the screen."""
        yield SystemCommand("Theme", "Choose among all themes", self.action_change_theme)
        yield SystemCommand("Screenshot", "Save a picture of the screen (SVG)", lambda: self.deliver_screenshot())
