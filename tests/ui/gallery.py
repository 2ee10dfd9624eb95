"""The six panes on an otherwise empty screen, shown a scripted run."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.containers import Grid

from grok_tui.protocol import Frame
from grok_tui.state import RunState
from grok_tui.ui import theme
from grok_tui.ui.panes import PANES, STYLES, DecayPane, Pane
from grok_tui.ui.view import View


def state_of(frames: Iterable[Frame]) -> RunState:
    """What a viewer knows after these frames."""
    state = RunState()
    for frame in frames:
        state.apply(frame)
    return state


class Gallery(App[None]):
    """Panes in two columns; `look` shows them something else."""

    CSS_PATH = STYLES

    def __init__(
        self,
        state: RunState,
        view: View | None = None,
        *,
        pending: tuple[float, ...] | None = None,
        panes: tuple[type[Pane], ...] = PANES,
        dark: bool = True,
    ) -> None:
        super().__init__()
        self.state, self.view, self.pending, self.shown = state, view or View(), pending, panes
        for each in theme.THEMES:
            self.register_theme(each)
        self.theme = theme.DARK.name if dark else theme.LIGHT.name

    def compose(self) -> ComposeResult:
        with Grid() as grid:
            columns = min(len(self.shown), 2)
            grid.styles.grid_size_columns = columns
            yield from (pane() for pane in self.shown)

    def on_mount(self) -> None:
        self.call_after_refresh(self.look)

    def look(self, view: View | None = None) -> None:
        """Show the state through a view."""
        self.view = view or self.view
        for pane in self.query(Pane):
            if isinstance(pane, DecayPane):
                pane.pending = self.pending
            pane.show(self.state, self.view)

    def text(self, pane: type[Pane]) -> str:
        """A pane's rows as the terminal has them."""
        region = self.query_one(pane).region
        rows = self.screen._compositor.render_strips()[region.y : region.bottom]
        return "\n".join(strip.crop(region.x, region.right).text for strip in rows)
