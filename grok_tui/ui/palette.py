"""The command palette: everything in the key table, every layout and every pane, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from grok_tui.ui import layouts, panes
from grok_tui.ui.keys import APP_KEYS, Key
from grok_tui.ui.screens.arranging import Arranging
from grok_tui.ui.screens.guarded import Guarded

WRITTEN = 5.0
"""Score of what the description says as it was typed: a few letters that are strewn over a title score less."""

_FIGURES = re.compile(r"\bfig(?:ure)?s?\.?\s*(\d+[a-z]?(?:(?:,\s*|\s+and\s+)\d+[a-z]?\b)*)")


class KeyCommands(Provider):
    """Offers what the keys of the present screen do now."""

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
        screen = self.screen
        rows = [row for row in screen.KEYS if not screen.refusal(row.needs)] if isinstance(screen, Guarded) else []
        for row in (*rows, *APP_KEYS):
            for title, action in row.offers:
                if action != "app.command_palette":
                    yield title, action, row

    async def _run(self, action: str) -> None:
        await self.screen.run_action(action)


class PaneCommands(Provider):
    """Offers every layout and every pane while a run is looked at."""

    async def startup(self) -> None:
        self._found: list[tuple[str, str, str, frozenset[str]]] = []
        if not isinstance(self.screen, Arranging):
            return
        for layout in layouts.every()[0]:
            title = f"Layout: {layout.name}"
            known = words(f"{title} {layout.about} {' '.join(layout.panes)}")
            self._found.append((title, f"layout({layout.name!r})", layout.about, known))
        for name, pane in panes.every().items():
            source = f" ({pane.figure})" if pane.figure else ""
            title, about = f"Show pane: {pane.title}", f"{name}: {pane.look_for}{source}"
            self._found.append((title, f"show_pane({name!r})", about, words(f"{title} {about} {pane.__doc__}")))

    async def discover(self) -> Hits:
        for title, action, about, _ in self._found:
            yield DiscoveryHit(title, partial(self._run, action), help=about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, action, about, known in self._found:
            name = about.partition(":")[0] if title.startswith("Show") else ""
            score = max(matcher.match(title), matcher.match(name), WRITTEN * holds(known, query))
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self._run, action), help=about)

    async def _run(self, action: str) -> None:
        await self.screen.run_action(action)


def words(text: str) -> frozenset[str]:
    """What a text can be found by: its words in small letters, and each of its figures as one: fig7."""
    text = _FIGURES.sub(lambda found: " ".join(f"fig{n}" for n in re.findall(r"\w+", found[1])), text.lower())
    return frozenset(re.findall(r"\w+", text))


def holds(known: frozenset[str], query: str) -> bool:
    """Whether every word that was typed is there, or begins one; a number must be there as it is."""
    typed = words(query)
    return bool(typed) and all(
        each in known or (not each[-1].isdigit() and any(word.startswith(each) for word in known)) for each in typed
    )
