"""How "=" attends to the first number, in each head, over all pairs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from grok_tui.protocol import Array
from grok_tui.series import Floats
from grok_tui.ui.panes.maps import MapsPane
from grok_tui.ui.panes.waiting import entry
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Words
from grok_tui.ui.widgets.heatmap import HeatMap, Maps, Scale

PER_PERIOD = 3.0
"""Pixels that a period of a wave needs to be seen as one."""


class AttentionPane(MapsPane):
    """Attention becomes a wave over the pairs, of one key frequency in each head."""

    title: ClassVar[str] = "Attention to a"
    look_for: ClassVar[str] = "each head turns into waves of one frequency"
    figure: ClassVar[str] = "Nanda et al. 2023, Figs. 4, 9"
    arrays: ClassVar[tuple[str, ...]] = ("attention_pattern", "attention_frequency", "attention_head_fve")

    def drawn(self, found: Array, others: tuple[Array | None, ...], at: str) -> tuple[tuple[Words, ...], Maps]:
        frequency, explained = others
        values = found.values.astype(np.float64)
        ks = [int(entry(frequency, head, 0)) for head in range(len(values))]
        shares = [entry(explained, head, np.nan) for head in range(len(values))]
        scale = tenths(values)
        maps = tuple(
            HeatMap(each, scale, titles(f"head {h}", f"{h}", k, share), finest=PER_PERIOD * k)
            for h, (each, k, share) in enumerate(zip(values, ks, shares, strict=True))
        )
        return _summary(at, ks, shares), Maps(maps, what='attention of "=" to a')


def titles(name: str, short: str, k: int, share: float) -> tuple[str, ...]:
    """What stands above a map of one frequency, from long to short."""
    wave = f"k {k}" if k > 0 else "no k"
    known = f" · {share:.0%}" if share == share else ""
    return f"{name} · {wave}{known}", f"{short} · {wave}{known}", f"{name} · {wave}", f"{short} · {wave}", wave


def tenths(values: Floats) -> Scale:
    """A scale for shares that several maps have in common; its ends are tenths, so that it seldom moves."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Scale(0.0, 1.0)
    low, high = np.floor(finite.min() * 10 + 1e-3) / 10, np.ceil(finite.max() * 10 - 1e-3) / 10
    return Scale(float(low), float(max(high, low + 0.1)))


def _summary(at: str, ks: list[int], shares: list[float]) -> tuple[Words, ...]:
    """The heads' frequencies, and how much of their pattern is one wave."""
    listed = " ".join(map(str, ks))
    lead = ((at, Token.CURSOR | BOLD),) if at else ()
    known = [share for share in shares if share == share]
    mean = f", one wave explains {np.mean(known):.0%} of its scores" if known else ""
    name = f"{len(ks)} heads at frequencies " if len(ks) > 1 else "a head at frequency "
    return (
        (*lead, (name, Token.MUTED), (listed, Token.KEY | BOLD), (mean, Token.MUTED)),
        (*lead, (name, Token.MUTED), (listed, Token.KEY | BOLD)),
        (*lead, ("k ", Token.MUTED), (listed, Token.KEY | BOLD)),
        (*lead, (f"{len(ks)} heads", Token.MUTED)),
    )
