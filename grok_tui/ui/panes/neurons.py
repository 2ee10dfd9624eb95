"""What single neurons do, over all pairs: the best-explained one of each of the largest clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from grok_tui import wording
from grok_tui.protocol import Array
from grok_tui.ui.panes.attention import PER_PERIOD, titles
from grok_tui.ui.panes.maps import MapsPane
from grok_tui.ui.panes.waiting import entry
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Words
from grok_tui.ui.widgets.heatmap import HeatMap, Maps, Scale, linear


class NeuronsPane(MapsPane):
    """A neuron of the circuit is a polynomial of waves of one frequency, and looks like a quilt."""

    title: ClassVar[str] = "Neurons"
    look_for: ClassVar[str] = "noise and stripes become quilts of one frequency each"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 4"
    arrays: ClassVar[tuple[str, ...]] = ("neuron_maps", "neuron_maps_index", "neuron_frequency", "neuron_fve")
    none_yet: ClassVar[str] = "no neuron follows a wave yet"

    def drawn(self, found: Array, others: tuple[Array | None, ...], at: str) -> tuple[tuple[Words, ...], Maps]:
        index, frequency, explained = others
        maps = []
        for row, values in enumerate(found.values.astype(np.float64)):
            neuron = int(entry(index, row, -1))
            k, share = int(entry(frequency, neuron, 0)), entry(explained, neuron, np.nan)
            scale = linear(values)
            long, short = (f"neuron {neuron}", f"#{neuron}") if neuron >= 0 else (f"map {row + 1}", "")
            top = (f"{words} · to {wording.number(scale.high)}" for words in titles(long, short, k, share)[:2])
            maps.append(HeatMap(values, scale, (*top, *titles(long, short, k, share)), finest=PER_PERIOD * k))
        signed = any(each.scale.kind == "signed" for each in maps)
        if signed:  # one ramp for all, or 0 would have two colours
            maps = [_signed(each) for each in maps]
        ends = ("least" if signed else "0", "most")
        return _summary(at, len(maps)), Maps(tuple(maps), ends=ends, what="activation, each on its own scale")


def _summary(at: str, clusters: int) -> tuple[Words, ...]:
    """Whose neurons they are."""
    count = f"{clusters} clusters" if clusters > 1 else "the largest cluster"
    lead = (at, Token.CURSOR | BOLD)
    long = f"the best-explained neuron of {count}: its frequency, and how much of it that explains"
    return tuple((lead, (text, Token.MUTED)) for text in (long, long.partition(":")[0], f"best of {count}", count))


def _signed(each: HeatMap) -> HeatMap:
    """The same on a scale from the most negative to the most positive."""
    return replace(each, scale=Scale(-each.scale.high, each.scale.high, "signed"))
