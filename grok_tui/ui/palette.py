"""The command palette: everything in the key table, every layout and every pane, by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from grok_tui.ui import layouts, panes
from grok_tui.ui.keys import APP_KEYS, HOME_KEYS, RUN_KEYS, Key


class KeyCommands(Provider):
    """Offers what the keys of the present screen do."""

    async def discover(self) -> Hits:
        for title, action, row in self._offers():
            yield DiscoveryHit(title, partial(self._run, action), help=f"{row.about} ({row.shown})")

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, action, row in self._offers():
            if (score := matcher.match(title)) > 0:
                yield Hit(
                    score, matcher.highlight(title), partial(self._run, action), help=f"{row.about} ({row.shown})"
                )

    def _offers(self) -> Iterator[tuple[str, str, Key]]:
        rows = {"run": RUN_KEYS, "home": HOME_KEYS}.get(self.screen.id or "", ())
        for row in (*rows, *APP_KEYS):
            for title, action in row.offers:
                if action != "app.command_palette":
                    yield title, action, row

    async def _run(self, action: str) -> None:
        await self.screen.run_action(action)


class PaneCommands(Provider):
    """Offers every layout and every pane while a run is looked at."""

    async def startup(self) -> None:
        self._found: list[tuple[str, str, str]] = []
        if self.screen.id != "run":
            return
        for layout in layouts.every()[0]:
            self._found.append((f"Layout: {layout.name}", f"layout({layout.name!r})", layout.about))
        for name, pane in panes.every().items():
            source = f" ({pane.figure})" if pane.figure else ""
            self._found.append((f"Show pane: {pane.title}", f"show_pane({name!r})", f"{name}: {pane.look_for}{source}"))

    async def discover(self) -> Hits:
        for title, action, about in self._found:
            yield DiscoveryHit(title, partial(self._run, action), help=about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, action, about in self._found:
            name = about.partition(":")[0] if title.startswith("Show") else ""
            if (score := max(matcher.match(title), matcher.match(name))) > 0:
                yield Hit(score, matcher.highlight(title), partial(self._run, action), help=about)

    async def _run(self, action: str) -> None:
        await self.screen.run_action(action)
