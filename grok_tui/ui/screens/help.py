"""Help, made from the key table and from what the panes say of themselves."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from grok_tui.ui import keys, panes

ABOUT = (
    "grok-tui trains in a process of its own. This screen only looks, and asks for changes between two steps; "
    "what it shows is what the trainer has confirmed. Leaving does not stop the training."
)


class HelpScreen(ModalScreen[None]):
    """Every key, and what to look for in each pane."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding("escape,q,question_mark,h,f1,ctrl+c", "dismiss", "Close", show=False)]

    def __init__(self, said: str = "") -> None:
        """`said` is what the screen below could not say whole."""
        super().__init__()
        self._said = said

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes · ↑ ↓ scroll"
            if self._said:
                yield Static("Said last", classes="help-group")
                yield Static(Content(self._said), id="help-said")
            yield Static(ABOUT, classes="help-text")
            for group, rows in keys.groups().items():
                yield Static(group, classes="help-group")
                with Grid(classes="help-rows"):
                    for row in rows:
                        yield Static(row.shown, classes="help-key")
                        yield Static(row.about)
            yield Static("The panes by their short names, and what to look for", classes="help-group")
            with Grid(classes="help-rows help-panes"):
                for name, pane in panes.every().items():
                    yield Static(name, classes="help-key")
                    source = (f" ({pane.figure})", "$muted") if pane.figure else ""
                    yield Static(Content.assemble((pane.title, "bold"), f": {pane.look_for}", source))
