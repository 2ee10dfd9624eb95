"""Train, test, restricted and excluded loss."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes import lines
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.chart import Chart
from grok_tui.ui.widgets.plot import Plot

ORDER = (
    "excluded_loss",
    "excluded_loss_key_free",
    "restricted_loss",
    "excluded_loss_hindsight",
    "restricted_loss_hindsight",
    "train_loss",
    "test_loss",
)
"""Later ones are drawn on top. Losses that are announced and not named here come first, when their names end in
"_loss": what comes after that says which pairs or frequencies, and belongs to other panes."""


class LossesPane(Pane):
    """The progress measures: they move while train and test loss stand still."""

    title: ClassVar[str] = "Losses"
    look_for: ClassVar[str] = "restricted falls and excluded rises long before test loss falls"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 7"

    def parts(self) -> ComposeResult:
        yield Chart()

    def sees(self, state: RunState, view: View) -> Hashable:
        return super().sees(state, view), state.final_keys, state.recomputed

    def present(self, state: RunState, view: View) -> None:
        losses = [info.name for info in state.catalogue.series if info.unit == "nats" and info.name.endswith("_loss")]
        extra = [name for name in losses if name not in ORDER]
        found = [line for name in (*extra, *ORDER) if (line := lines.line(state, name))]
        self.note(lines.reading(state, found, self.size.width))
        chance = (state.chance, f"chance, ln {state.modulus}", "chance") if state.modulus else None
        self.query_one(Chart).show(
            Plot(
                tuple(found),
                lines.epochs(state, view),
                log=view.log_y,
                marks=lines.marks(state),
                cursor=view.cursor,
                level=chance,
            )
        )
