"""How well one frequency explains each neuron, and which frequencies they follow."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import looked_at, not_yet, when, with_it
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading
from grok_tui.ui.widgets.histogram import Clusters, Histogram

NAMES = ("neuron_fve", "neuron_frequency", "key_frequencies")


class ClustersPane(Pane):
    """Neurons gather in clusters, each of one key frequency."""

    title: ClassVar[str] = "Neurons by frequency"
    look_for: ClassVar[str] = "neurons move beyond the line, into as many clusters as there are keys"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 5"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield Histogram()

    def sees(self, state: RunState, view: View) -> Hashable:
        return looked_at(state, view, *NAMES)

    def present(self, state: RunState, view: View) -> None:
        explained = array_at(state, NAMES[0], view.cursor)
        frequency, keys = with_it(state, explained, *NAMES[1:])
        heading, picture = self.query_one(Heading), self.query_one(Histogram)
        if explained is None or frequency is None or explained.values.shape != frequency.values.shape:
            heading.say()
            picture.show(None, not_yet(state, NAMES[0], view.cursor))
            return
        clusters = Clusters(
            explained.values.ravel().astype(np.float64),
            frequency.values.ravel().astype(np.int64),
            keys=frozenset(keys.values.ravel().tolist()) if keys is not None else frozenset(),
        )
        at = (when(explained.epoch, view), Token.CURSOR | BOLD)
        above, all_ = (f"{clusters.above}", Token.KEY | BOLD), len(clusters.explained)
        heading.say(
            (
                at,
                above,
                (f" of {all_} neurons have {clusters.line:.0%} of their variance from one frequency", Token.MUTED),
            ),
            (at, above, (f" of {all_} neurons above {clusters.line:.0%}", Token.MUTED)),
            (at, above, (f" of {all_}", Token.MUTED)),
        )
        picture.show(clusters)
