"""The panes on the screen: which ones, where, and which of them is large. It knows nothing of keys or of the run."""

from __future__ import annotations

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from grok_tui.state import RunState
from grok_tui.ui import layouts, panes
from grok_tui.ui.layouts import Grid, Layout
from grok_tui.ui.panes import DecayPane, Pane
from grok_tui.ui.view import View


class Board(Container):
    """A layout's panes, of which one may be large; a guest is large without being one of them."""

    def __init__(self, arrangement: Layout = layouts.MAIN) -> None:
        super().__init__(id="panes")
        self.arrangement = arrangement
        self.large: Pane | None = None
        """The pane that fills the board."""
        self._changing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield from self._made(self.arrangement)

    @property
    def panes(self) -> list[Pane]:
        """The layout's panes, in its order."""
        return [pane for pane in self.query(Pane) if pane.id]

    @property
    def shown(self) -> list[Pane]:
        """The panes that have room on the screen."""
        return [pane for pane in self.panes if pane.size.area]

    def draw(self, state: RunState, view: View, pending: tuple[float, ...]) -> None:
        """Show the run in every pane; one that is hidden, or has nothing new to show, draws nothing."""
        for pane in self.query(Pane):
            if isinstance(pane, DecayPane):
                pane.pending = pending
            pane.show(state, view)

    def place(self) -> None:
        """Give each pane its place for the screen's present size."""
        large = self.large
        size = self.screen.size or self.app.size
        grid = Grid(((str(large.name),),)) if large else self.arrangement.grid(*size)
        self.styles.grid_size_columns, self.styles.grid_size_rows = grid.columns, len(grid.rows)
        self.styles.grid_rows = " ".join(grid.heights or ["1fr"] * len(grid.rows))
        for pane in self.query(Pane):
            span = grid.span(str(pane.name))
            pane.display = span is not None and (large is None or pane is large)
            if span:
                pane.styles.column_span, pane.styles.row_span = span

    def enlarge(self, pane: Pane | None) -> None:
        """Make a pane fill the board, or none; a guest that is no longer large goes away."""
        if self.large is not None and self.large is not pane and not self.large.id:
            self.large.remove()
        self.large = pane
        self.place()

    async def lay(self, arrangement: Layout) -> None:
        """Put another layout's panes in the place of the present ones; none of them is large."""
        async with self._changing:
            self.large = None
            self.arrangement = arrangement
            with self.app.batch_update():
                await self.remove_children()
                await self.mount(*self._made(arrangement))
                self.place()

    async def bring(self, name: str, instead_of: Pane | None) -> Pane:
        """Show a pane by its short name: where it is, in the place of another one, or else as a large guest."""
        here = next((pane for pane in self.panes if pane.name == name), None)
        if here is not None:
            self.enlarge(here)
            return here
        if instead_of is None or not instead_of.id:
            return await self._invite(name)
        was_large, place = self.large is instead_of, str(instead_of.id)
        await self.lay(self.arrangement.replaced(str(instead_of.name), name))
        pane = self.query_one(f"#{place}", Pane)
        if was_large:
            self.enlarge(pane)
        return pane

    def next_to(self, pane: Pane, step: int) -> str:
        """The short name that follows a pane's, of those that are not in the layout."""
        names = list(panes.NAMES)
        taken = {each.name for each in self.panes}
        at = names.index(str(pane.name))
        rest = [names[(at + step * n) % len(names)] for n in range(1, len(names))]
        return next(name for name in rest if name not in taken)

    async def _invite(self, name: str) -> Pane:
        async with self._changing:
            guest = panes.find(name)(name=name)
            guest.display = False
            await self.mount(guest)
            self.enlarge(guest)
        return guest

    def _made(self, arrangement: Layout) -> list[Pane]:
        return [panes.find(name)(name=name, id=f"pane-{n}") for n, name in enumerate(arrangement.panes, 1)]
