"""Asks where a run should be branched, and what should be otherwise there."""

from __future__ import annotations

import math

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from grok_tui import stacking, wording
from grok_tui.errors import ConfigError
from grok_tui.state import RunState
from grok_tui.ui import wishes
from grok_tui.ui.bottom import effect
from grok_tui.ui.field import Field
from grok_tui.ui.wishes import Wish

EPOCH, EPOCHS = "at-epoch", "until-epoch"
CONTROL = "control-"
"""Ids of the inputs; a control's has its name behind it."""

MARK = "▸"
"""Before the line that has the keyboard."""


class BranchScreen(ModalScreen[Wish | None]):
    """A line for the epoch, one for each control and one for the end, with what they would mean beside them."""

    CSS_PATH = "branch.tcss"
    AUTO_FOCUS = f"#{CONTROL}weight_decay"
    BINDINGS = [
        Binding("escape,ctrl+c", "dismiss(None)", "Leave", show=False),
        Binding("up", "app.focus_previous", "Before", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, state: RunState, epoch: int, points: tuple[int, ...]) -> None:
        super().__init__()
        self._state, self._at, self._points = state, epoch, points
        self._controls = [info.name for info in state.catalogue.controls]
        self._wish: Wish | None = None
        self._named = ""
        """What was typed for the epoch, while it names one."""

    def compose(self) -> ComposeResult:
        state, epochs = self._state, self._state.epochs
        until = epochs if epochs > self._at else self._at + max(epochs // 2, 1)
        with Vertical(id="branch"):
            yield Static(f"Branch {state.run}", id="branch-title")
            yield Static(_detail(state), id="branch-detail")
            yield from self._row(EPOCH, "at epoch", f"{self._at}")
            for info in state.catalogue.controls:
                yield from self._row(f"{CONTROL}{info.name}", info.label, wishes.held(self._state, info.name, self._at))
            yield from self._row(EPOCHS, "train until", f"{until}")
            yield Static(id="branch-sum")
            yield Static("Enter branches · Tab goes to the next · Esc leaves", id="branch-keys")

    def _row(self, id: str, label: str, value: str) -> ComposeResult:
        with Horizontal(classes="branch-row"):
            yield Static(MARK, classes="branch-mark")
            yield Static(label, classes="branch-label")
            yield Field(value, id=id, entered=self._enter)
            yield Static(id=f"{id}-note", classes="branch-note")

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        for row in self.query(".branch-row"):
            row.set_class(event.widget in row.children, "-here")

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == EPOCH:
            self._move(event.value)
        self._tell()

    def _enter(self, _text: str) -> None:
        self._move(self._text(EPOCH))  # what is typed now, not the last change that was heard of
        self._tell()
        if self._wish is not None:
            self.dismiss(self._wish)

    def _move(self, text: str) -> None:
        """The controls that nobody has typed over follow to what was in force at the new epoch."""
        try:
            epoch = wishes.begin(self._state, text)
        except ConfigError:
            self._named = ""
            return
        self._named = text
        for name in self._controls:
            field = self.query_one(f"#{CONTROL}{name}", Input)
            if field.value == wishes.held(self._state, name, self._at):
                field.value = wishes.held(self._state, name, epoch)
        self._at = epoch

    def _text(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value

    def _tell(self) -> None:
        """What the texts would mean, or what is wrong with them."""
        values = {name: self._text(f"{CONTROL}{name}") for name in self._controls}
        try:
            self._wish = wishes.wished(self._state, self._text(EPOCH), values, self._text(EPOCHS))
            told = Content(wishes.said(self._state, self._wish))
        except ConfigError as error:
            self._wish, told = None, Content.styled(str(error), "$bad")
        self.query_one("#branch-sum", Static).update(told)
        self._note(EPOCH, wishes.again(self._points, self._at, self._named))
        if "weight_decay" in values and "lr" in values:
            self._note(f"{CONTROL}weight_decay", _meaning(values))
            self._note(f"{CONTROL}lr", wording.idle("lr", _number(values["lr"])))

    def _note(self, id: str, text: str) -> None:
        self.query_one(f"#{id}-note", Static).update(text)


def _detail(state: RunState) -> str:
    """What a branch is, and how it is trained where that takes longer."""
    told = f"A new run with its past up to an epoch; {state.run} stays as it is."
    models = stacking.count(state.hello.machine) if state.hello else 1
    return told if models == 1 else f"{told} Trained as {stacking.said(models)}, like it."


def _meaning(values: dict[str, str]) -> str:
    """The effective decay; nothing while a text is no number."""
    lr, decay = _number(values["lr"]), _number(values["weight_decay"])
    return "" if math.isnan(lr) or math.isnan(decay) else effect(lr, decay)


def _number(text: str) -> float:
    """What was typed; NaN while it is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan
