"""A question before something that a key should not do by itself."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class ConfirmScreen(ModalScreen[bool]):
    """Asks; returns whether it may be done. Esc and q are no."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS = [
        Binding("escape,n,q,ctrl+c", "answer(False)", "No", show=False),
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("left,right,up,down", "app.focus_next", "Other", show=False),
    ]

    def __init__(self, question: str, detail: str, yes: str, no: str = "Cancel") -> None:
        super().__init__()
        self._texts = question, detail, yes, no

    def compose(self) -> ComposeResult:
        question, detail, yes, no = self._texts
        with Vertical(id="question"):
            yield Static(question, id="question-title")
            yield Static(detail, id="question-detail")
            with Horizontal(id="answers"):
                yield Button(f"{yes} (y)", id="yes", variant="error", compact=True)
                yield Button(f"{no} (esc)", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)
