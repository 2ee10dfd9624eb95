"""Help, made from the key table and from what the panes say of themselves."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from grok_tui.ui import keys
from grok_tui.ui.panes import PANES

ABOUT = (
    "grok-tui trains in a process of its own. This screen only looks, and asks for changes between two steps; "
    "what it shows is what the trainer has confirmed. Leaving does not stop the training."
)


class HelpScreen(ModalScreen[None]):
    """Every key, and what to look for in each pane."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding("escape,q,question_mark,h,f1,ctrl+c", "dismiss", "Close", show=False)]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes · ↑ ↓ scroll"
            yield Static(ABOUT, classes="help-text")
            for group, rows in keys.groups().items():
                yield Static(group, classes="help-group")
                yield Static(key_lines(rows), classes="help-keys")
            yield Static("What to look for", classes="help-group")
            yield Static(pane_lines(), classes="help-keys")


def key_lines(rows: list[keys.Key]) -> Content:
    """One line per row of the table."""
    width = max(len(row.shown) for row in keys.TABLE) + 2
    lines = [Content.assemble((row.shown.ljust(width), "bold $accent"), row.about) for row in rows]
    return Content("\n").join(lines)


def pane_lines() -> Content:
    """One paragraph per pane: what to look for, and where the field knows the picture from."""
    lines = []
    for number, pane in enumerate(PANES, 1):
        source = (f"  ({pane.figure})", "$text-muted") if pane.figure else ""
        lines.append(Content.assemble((f"{number} {pane.title}", "bold $accent"), f"  {pane.look_for}", source))
    return Content("\n").join(lines)
