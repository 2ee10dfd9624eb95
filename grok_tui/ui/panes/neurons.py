"""What single neurons do, over all pairs: the best-explained one of each of the largest clusters."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui import wording
from grok_tui.state import RunState
from grok_tui.ui.panes.attention import PER_PERIOD, titles
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import entry, looked_at, not_yet, when, with_it
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading
from grok_tui.ui.widgets.heatmap import HeatMap, HeatMaps, Maps, Scale, linear

NAMES = ("neuron_maps", "neuron_maps_index", "neuron_frequency", "neuron_fve")


class NeuronsPane(Pane):
    """A neuron of the circuit is a polynomial of waves of one frequency, and looks like a quilt."""

    title: ClassVar[str] = "Neurons"
    look_for: ClassVar[str] = "noise and stripes become quilts of one frequency each"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 4"

    def parts(self) -> ComposeResult:
        yield Heading()
        yield HeatMaps()

    def sees(self, state: RunState, view: View) -> Hashable:
        return looked_at(state, view, *NAMES)

    def present(self, state: RunState, view: View) -> None:
        maps = array_at(state, NAMES[0], view.cursor)
        index, frequency, explained = with_it(state, maps, *NAMES[1:])
        heading, pictures = self.query_one(Heading), self.query_one(HeatMaps)
        if maps is None or maps.values.ndim != 3 or not len(maps.values):
            heading.say()
            missing = not_yet(state, NAMES[0], view.cursor) if maps is None else "no neuron follows a wave yet"
            pictures.show(Maps(missing=missing))
            return
        found = []
        for row, values in enumerate(maps.values.astype(np.float64)):
            neuron = int(entry(index, row, -1))
            k, share = int(entry(frequency, neuron, 0)), entry(explained, neuron, np.nan)
            scale = linear(values)
            long, short = (f"neuron {neuron}", f"#{neuron}") if neuron >= 0 else (f"map {row + 1}", "")
            top = (f"{words} · to {wording.number(scale.high)}" for words in titles(long, short, k, share)[:2])
            found.append(HeatMap(values, scale, (*top, *titles(long, short, k, share)), finest=PER_PERIOD * k))
        count = f"{len(found)} clusters" if len(found) > 1 else "the largest cluster"
        at = (when(maps.epoch, view), Token.CURSOR | BOLD)
        heading.say(
            (
                at,
                (f"the best-explained neuron of {count}: its frequency, and how much of it that explains", Token.MUTED),
            ),
            (at, (f"the best-explained neuron of {count}", Token.MUTED)),
            (at, (f"best of {count}", Token.MUTED)),
            (at, (count, Token.MUTED)),
        )
        signed = any(each.scale.kind == "signed" for each in found)
        if signed:  # one ramp for all, or 0 would have two colours
            found = [_signed(each) for each in found]
        pictures.show(
            Maps(tuple(found), ends=("least" if signed else "0", "most"), what="activation, each on its own scale")
        )


def _signed(each: HeatMap) -> HeatMap:
    """The same on a scale from the most negative to the most positive."""
    return replace(each, scale=Scale(-each.scale.high, each.scale.high, "signed"))
