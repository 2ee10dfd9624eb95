"""What the parts of the run screen know of it. Each part is a module; the screen itself puts them together."""

from __future__ import annotations

from grok_tui.sources import Source
from grok_tui.state import RunState
from grok_tui.ui.bottom import Hints, Prompt
from grok_tui.ui.screens.guarded import Guarded
from grok_tui.ui.steer import Requests
from grok_tui.ui.view import View


class Part(Guarded):
    """A part of the run screen. How things are drawn and said is the screen's own."""

    source: Source
    state: RunState
    view: View
    requests: Requests

    @property
    def standing(self) -> str:
        """How the run stands, in a word."""
        raise NotImplementedError

    def draw_panes(self) -> None:
        """Show every pane what there is."""
        raise NotImplementedError

    def draw_now(self) -> None:
        """Draw everything at once: panes and status line."""
        raise NotImplementedError

    def echo(self) -> None:
        """Draw at once what was asked for or has been confirmed; the charts can wait for their time."""
        raise NotImplementedError

    def say_beside(self, *texts: str) -> None:
        """Tell the first of these that fits in one line beside the keys: a second line would move the panes."""
        raise NotImplementedError

    @property
    def hints(self) -> Hints:
        """The bottom line."""
        return self.query_one(Hints)

    @property
    def prompt(self) -> Prompt:
        """The input that may take its place."""
        return self.query_one(Prompt)
