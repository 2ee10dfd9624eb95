"""What a change did: the run against its parent from where they parted on; before and after where there is none."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from grok_tui import around, effects, wording
from grok_tui.effects import Effect
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut, wrap
from grok_tui.ui.widgets.grid import CellGrid

Line = tuple[str, int]
"""A text and its style."""

NOTHING = (
    "Nothing was changed yet. A change is told here before and after it; in a branch, against the parent: "
    "what would have happened without it."
)

MORE = "m shows all"


class EffectPane(Pane):
    """The numbers of a branch beside its parent's, and one sentence."""

    title: ClassVar[str] = "Effect of a change"
    of_now: ClassVar[bool] = True
    look_for: ClassVar[str] = "only against its parent is a difference an effect; before and after is not one"

    def parts(self) -> ComposeResult:
        yield Said()

    def present(self, state: RunState, view: View) -> None:  # noqa: ARG002 - of the whole run, wherever the cursor is
        said = self.query_one(Said)
        said.lines = lines(state, max(said.size.width, 20))
        self.note(MORE if len(said.lines) > said.size.height > 0 else "")
        said.redraw()


def lines(state: RunState, width: int) -> tuple[Line, ...]:
    """Everything there is to say, in lines of at most so many cells."""
    ghost = state.ghost
    found: list[Line] = []
    if ghost is not None:
        told = state.derived(("effect", ghost.since), lambda: effects.of(state, ghost.state, ghost.since))
        found += against(told, ghost.state.run, width)
    changes = state.derived("around", lambda: tuple(around.every(state, ghost.since if ghost is not None else -1)))
    for nth, change in enumerate(changes):
        if found or nth:
            found.append(("", 0))
        first, *rest = around.told(change)
        found += [(text, Token.TEXT) for text in wrap(first, width)]
        found += [(cut(text, width), Token.MUTED) for text in rest]
    return tuple(found) or tuple((text, Token.MUTED) for text in wrap(NOTHING, width))


def against(told: Effect, parent: str, width: int) -> list[Line]:
    """A branch against its parent."""
    found: list[Line] = [(text, Token.MUTED) for text in wrap(told.cause, width)]
    found += [(text, Token.KEY | BOLD) for text in wrap(told.sentence, width)]
    if told.rows:
        rows = [("", "here", parent, "difference")]
        rows += [(row.name, row.here, row.there, row.difference) for row in told.rows]
        aligned = wording.columns(rows, right=frozenset({1, 2}))
        found += [(cut(text, width), Token.TEXT if y else Token.MUTED) for y, text in enumerate(aligned)]
    found += [(text, Token.WARN) for caveat in told.caveats for text in wrap(caveat, width)]
    return found


class Said(CellGrid):
    """Lines of text, as many as there is room for."""

    lines: tuple[Line, ...] = ()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        for y, (text, style) in enumerate(self.lines[:height]):
            cells.text(0, y, text, style)
        return cells
