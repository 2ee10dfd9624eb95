"""Asks how the last change of a control should be undone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from grok_tui import wording
from grok_tui.protocol import Event
from grok_tui.state import RunState
from grok_tui.ui import wishes

FROM_NOW_ON, NEVER = "from-now-on", "never"
"""The answers; None for neither."""


class UndoScreen(ModalScreen[str | None]):
    """Names the change, and offers to set it back or to branch before it."""

    CSS_PATH = "undo.tcss"
    AUTO_FOCUS = "Button"
    BINDINGS = [
        Binding("escape,q,ctrl+c", "dismiss(None)", "Leave", show=False),
        Binding("n", "answer('from-now-on')", "From now on", show=False),
        Binding("b", "answer('never')", "Branch", show=False),
        Binding("left,up", "app.focus_previous", "Before", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, state: RunState, change: Event, later: int, why_not: str) -> None:
        """`later` is how many changes came after it; `why_not` says why the run takes no command, if it takes none."""
        super().__init__()
        self._state, self._change, self._later, self._why_not = state, change, later, why_not

    def compose(self) -> ComposeResult:
        run, change = self._state.run, self._change
        info = self._state.control(str(change.data["control"]))
        back = f"{info.label if info else change.data['control']} {wording.number(float(change.data['previous']))}"
        after = (
            f" and the {self._later} after it" if self._later > 1 else " and the one after it" if self._later else ""
        )
        with Vertical(id="undo"):
            yield Static(f"Undo: {wishes.change_said(self._state, change)}", id="undo-title")
            if self._why_not:
                yield Static(f"From now on: not now. {self._why_not}", classes="undo-detail")
            else:
                yield Static(f"From now on: {back} again, from the next step of {run} on.", classes="undo-detail")
            text = f"As if it had never been: a new run from epoch {change.epoch:,}, without this change{after}."
            yield Static(f"{text} {run} stays as it is.", classes="undo-detail")
            with Horizontal(id="answers"):
                if not self._why_not:
                    yield Button("From now on (n)", id=FROM_NOW_ON, compact=True)
                yield Button("As if never (b)", id=NEVER, compact=True)
                yield Button("Cancel (esc)", id="cancel", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id if event.button.id in (FROM_NOW_ON, NEVER) else None)

    def action_answer(self, answer: str) -> None:
        """Answer by key."""
        if answer == NEVER or not self._why_not:
            self.dismiss(answer)
