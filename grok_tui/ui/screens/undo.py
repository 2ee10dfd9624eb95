"""Asks how the last change of a control should be undone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from grok_tui import undoing
from grok_tui.state import RunState
from grok_tui.undoing import Undo

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

    def __init__(self, state: RunState, undo: Undo, why_not: str) -> None:
        """`undo` has a change that is felt; `why_not` says why the run takes no command, if it takes none."""
        super().__init__()
        self._state, self._undo, self._why_not = state, undo, why_not

    def compose(self) -> ComposeResult:
        run, change = self._state.run, self._undo.never
        assert change is not None
        later = self._undo.later
        after = f" and the {later} after it" if later > 1 else " and the one after it" if later else ""
        with Vertical(id="undo"):
            yield Static(f"Undo: {undoing.said(self._state, change)}", id="undo-title")
            yield Static(self._from_now_on(), classes="undo-detail")
            text = f"As if it had never been: a new run from epoch {change.epoch:,}, without this change{after}."
            yield Static(f"{text} {run} stays as it is.", classes="undo-detail")
            with Horizontal(id="answers"):
                if self._can_set_back:
                    yield Button("From now on (n)", id=FROM_NOW_ON, compact=True)
                yield Button("As if never (b)", id=NEVER, compact=True)
                yield Button("Cancel (esc)", id="cancel", compact=True)

    @property
    def _can_set_back(self) -> bool:
        return not self._why_not and self._undo.back is not None

    def _from_now_on(self) -> str:
        back, change = self._undo.back, self._undo.never
        if self._undo.why_not:
            return f"From now on: not this. {self._undo.why_not}."
        if back is None:
            return "From now on: it has been taken back already, and only what was trained with it is left."
        if self._why_not:
            return f"From now on: not now. {self._why_not}"
        text = f"{undoing.set_back(self._state, back)} again, from the next step of {self._state.run} on."
        if back is change:
            return f"From now on: {text}"
        return f"From now on: it has been taken back already; before it came {undoing.said(self._state, back)}: {text}"

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id if event.button.id in (FROM_NOW_ON, NEVER) else None)

    def action_answer(self, answer: str) -> None:
        """Answer by key."""
        if answer == NEVER or self._can_set_back:
            self.dismiss(answer)
