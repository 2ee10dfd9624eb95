"""The bottom line: the keys that matter now, or what was just answered, or an input for a control."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from grok_tui import wording
from grok_tui.errors import ConfigError
from grok_tui.protocol import ControlInfo
from grok_tui.ui import wishes
from grok_tui.ui.field import Field
from grok_tui.ui.keys import Key
from grok_tui.ui.messages import Typed
from grok_tui.ui.widgets.cells import cut

GAP = 2

BESIDE = ("q", "?")
"""Keys that a notice of one line leaves in sight."""

_PATH = re.compile(r"(?<!\S)/\S*(?=/)")
"""The directories of a path: the first to be left out of what does not fit, so that there is room for what is wrong."""

WHOLE = "?"
"""The key by which a notice that does not fit is read whole."""

Wrong = Callable[[str], str]
"""What is wrong with a text; empty when nothing is."""


class Hints(Static):
    """Keys from the table, as many as fit, each to be clicked too; a notice takes their place until the next key.

    Always one line: a second one would move all that is above it.
    """

    def __init__(self, namespace: str = "screen") -> None:
        super().__init__(id="hints")
        self._namespace = namespace
        self._rows: tuple[Key, ...] = ()
        self._notice, self._style = Content(""), ""
        self._beside = Content("")
        """Keys that stay in sight at the end of the notice's line."""
        self._said: Content | None = None
        self._whole = ""

    @property
    def whole(self) -> str:
        """What was said last, where it did not fit; help shows it."""
        return self._whole

    @property
    def notice(self) -> str:
        """What it says in place of the keys; empty when it shows the keys."""
        return self._notice.plain

    def offer(self, rows: Sequence[Key]) -> None:
        """Show these keys."""
        self._rows = tuple(rows)
        self._draw()

    def say(self, text: str, style: str = "") -> None:
        """Show a notice; an empty one brings the keys back."""
        self._notice, self._style = Content.styled(text, style), style
        self._beside = Content("")
        if text:
            self._whole = ""
        self._draw()

    def say_beside(self, *texts: str) -> str:
        """Show the first of these that fits in one line beside `BESIDE`, or what fits of the last; returns it."""
        rows = [row for row in self._rows if row.first in BESIDE]
        self._beside = Content(" ").join(self._hint(replace(row, label="")) for row in rows)
        room = max(self._width - len(self._beside.plain) - 1, 1)
        text = next((text for text in texts if len(text) <= room), cut(texts[-1], room))
        self._notice, self._style = Content(text), ""
        self._draw()
        self._whole = "" if text in texts else texts[-1]
        return text

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self._width
        said = self._shown(width) if self._notice.plain else self._hints(width)
        if said != self._said:
            self._said = said
            self.update(said, layout=False)

    def _shown(self, width: int) -> Content:
        """The notice, or what there is room for, and then the key to read all of it."""
        notice, beside = Content(" ").join(self._notice.split("\n")), self._beside
        if not beside.plain and notice.cell_length > width:
            self._whole = notice.plain
            beside = next((self._hint(replace(row, label="all")) for row in self._rows if row.first == WHOLE), beside)
            room = max(width - beside.cell_length - 1, 1)
            notice = Content.styled(_PATH.sub("…", notice.plain), self._style).truncate(room, ellipsis=True)
        if not beside.plain:
            return notice
        return Content.assemble(notice, " " * max(width - notice.cell_length - beside.cell_length, 1), beside)

    @property
    def _width(self) -> int:
        return max((self.size or self.app.size).width - 2, 1)  # while an input is open, it has no size

    def _hints(self, width: int) -> Content:
        rows = sorted((row for row in self._rows if row.hint), key=lambda row: row.hint)
        while rows and sum(len(row.first) + 1 + len(row.label) + GAP for row in rows) - GAP > width:
            rows.pop()
        return Content(" " * GAP).join(self._hint(row) for row in self._rows if row in rows)

    def _hint(self, row: Key) -> Content:
        action = row.does[0][1]
        click = Style.from_meta({"@click": action if "." in action.split("(")[0] else f"{self._namespace}.{action}"})
        key = Content.styled(row.first, "bold $accent")
        return Content.assemble(key, f" {row.label}" if row.label else "").stylize(click)


class Prompt(Horizontal):
    """Asks for one control's new value, with what it would mean beside it, or for a name. Sends nothing by itself."""

    DEFAULT_CLASSES = "-closed"
    BINDINGS = [
        Binding("up", "other(-1)", "Before", show=False),
        Binding("down", "other(1)", "Next", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._info: ControlInfo | None = None
        self._refused = ("", "")
        """A text that was not taken, and why."""
        self._lr = math.nan
        self._usual = ""
        self._then: Callable[[str], None] = lambda _: None
        self._wrong: Wrong | None = None
        self._other: Callable[[int], None] | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-label")
        yield Field(id="prompt-input", entered=self._enter)
        yield Static(id="prompt-note")

    @property
    def is_open(self) -> bool:
        """It has the keyboard."""
        return not self.has_class("-closed")

    @property
    def control(self) -> str:
        """The control that it asks for; empty when it asks for a text."""
        return self._info.name if self._info else ""

    def open(self, info: ControlInfo, value: str, lr: float, refused: str = "") -> None:
        """Ask for a control, starting from `value`, which may have been `refused` for that reason.

        `lr` is what the effective decay is computed with.
        """
        self._info, self._lr, self._refused, self._other = info, lr, (value, refused), None
        self._show(info.label, value)

    def open_text(
        self,
        label: str,
        note: str,
        then: Callable[[str], None],
        value: str = "",
        wrong: Wrong | None = None,
        refused: str = "",
        other: Callable[[int], None] | None = None,
    ) -> None:
        """Ask for a text and hand it to `then`; one with something `wrong` is not taken, and is told why.

        Args:
            label: what is asked for.
            note: what stands beside the input while nothing is wrong.
            then: called with the text once it is entered.
            value: the text to start from.
            wrong: what is wrong with a text, or an empty string.
            refused: why that text was not taken when it was entered before.
            other: asks for another text, the one before (-1) or the next (1), at the arrows up and down.
        """
        self._info, self._lr, self._refused = None, math.nan, (value, refused)
        self._then, self._wrong, self._usual, self._other = then, wrong, note, other
        self._show(label, value)

    def _show(self, label: str, value: str) -> None:
        self.query_one("#prompt-label", Static).update(label)
        field = self.query_one(Field)
        field.value = value
        self._note(value)
        self.remove_class("-closed")
        self.screen.set_focus(field)  # now: Widget.focus() waits for its turn, and the next keys would not be for it

    def close(self) -> None:
        """Put the input away."""
        self.add_class("-closed")
        self.remove_class("-line")
        self.screen.set_focus(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Asked by Textual before each action."""
        return self._other is not None if action == "other" else super().check_action(action, parameters)

    def action_other(self, step: int) -> None:
        """Ask for the text beside this one; what was typed is given up."""
        if self._other is not None:
            self._other(step)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._note(event.value)

    def _enter(self, text: str) -> None:
        if self._info is None:
            if self._wrong is None or not self._wrong(text):
                self.close()
                self._then(text)
        elif reason := unfit(text, self._info):
            self._refused = text, reason
            self._note(text)
        else:
            self.post_message(Typed(self._info.name, float(text), text))
            self.close()

    def _note(self, text: str) -> None:
        """What stands beside the input: what is wrong with its text, what it would do, or what may be done."""
        reason, usual = "", self._usual
        if self._info is not None:
            usual = preview(self.control, text, self._lr)
            reason = unfit(text, self._info) if is_number(text) else ""
        elif self._wrong is not None and text:
            reason = self._wrong(text)
        if text == self._refused[0]:
            reason = reason or self._refused[1]
        self.set_class(bool(reason), "-wrong")
        self.query_one("#prompt-note", Static).update(Content.styled(reason, "$bad") if reason else Content(usual))


def is_number(text: str) -> bool:
    """Whether it can be read as a number, be it out of all bounds."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def unfit(text: str, info: ControlInfo) -> str:
    """Why a text is no value of a control; empty when it is one."""
    if not is_number(text):
        return bad(text)
    try:
        wishes.number(text, info)
    except ConfigError as error:
        return str(error)
    return ""


def bad(text: str) -> str:
    """What is wrong with a text that is no number."""
    return f"{text.strip()!r} is not a number" if text.strip() else "type a number, such as 0.5 or 1e-3"


def preview(control: str, text: str, lr: float) -> str:
    """What the typed value would do, before it is sent."""
    hint = "Enter sends · Esc leaves"
    try:
        value = float(text)
    except ValueError:
        return hint
    if control == "weight_decay" and math.isfinite(value) and value >= 0:
        return f"{effect(lr, value)} · {hint}"
    idle = wording.idle(control, value)
    return f"{idle} · {hint}" if idle else hint


def effect(lr: float, weight_decay: float) -> str:
    """AdamW's decay in words: what a step takes off, and how long a weight takes to halve by it alone."""
    share = lr * weight_decay
    if not share > 0:
        return "no decay"
    if share >= 1:
        return f"{wording.number(share)} per epoch"
    return f"{wording.number(share)} per epoch, half-life {wording.number(-math.log(2) / math.log1p(-share))} epochs"
