"""How many neurons one frequency explains how well, and how many follow each frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grok_tui.series import Floats, Ints
from grok_tui.ui.widgets.axis import grown_value
from grok_tui.ui.widgets.bars import bar_rows
from grok_tui.ui.widgets.cells import BOLD, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

BESIDE = 64
"""Columns from which both pictures lie beside each other."""

GAP = 3

PARTS = " ▏▎▍▌▋▊▉█"

NO_ROOM = "needs more room"


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Neurons, each with the frequency that explains it best."""

    explained: Floats
    """[m]: the share of its variance."""
    frequency: Ints
    """[m]"""
    line: float = 0.85
    keys: frozenset[int] = frozenset()

    @property
    def above(self) -> int:
        """Neurons above the line."""
        return int((self.explained > self.line).sum())

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """(frequency, neurons above the line), the largest cluster first."""
        ks, counts = np.unique(self.frequency[self.explained > self.line], return_counts=True)
        return sorted(zip(ks.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))


class Histogram(CellGrid):
    """Clusters that are drawn again when others are given."""

    clusters: Clusters | None = None
    missing: str = ""

    def show(self, clusters: Clusters | None, missing: str = "") -> None:
        """Draw `clusters`, or say what is missing."""
        self.clusters, self.missing = clusters, missing
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.clusters, width, height, self.missing)


def picture(clusters: Clusters | None, width: int, height: int, missing: str = "") -> Cells:
    """The histogram and the clusters, beside or below each other, or the one of them that fits."""
    cells = Cells(width, height)
    if clusters is None or height < 2 or width < 12:
        text = cut(missing if clusters is None else NO_ROOM, width)
        cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
    elif width >= BESIDE:
        left = (width - GAP) * 3 // 5
        cells.put(0, 0, histogram(clusters, left, height))
        cells.put(left + GAP, 0, bars(clusters, width - left - GAP, height))
    elif height >= 10:
        above = height * 3 // 5
        cells.put(0, 0, histogram(clusters, width, above - 1))
        cells.put(0, above, bars(clusters, width, height - above))
    else:
        cells.put(0, 0, histogram(clusters, width, height) if height >= 4 else bars(clusters, width, height))
    return cells


def histogram(clusters: Clusters, width: int, height: int) -> Cells:
    """Neurons by the share of their variance that one frequency explains, from 0 to 1; the line where it belongs."""
    cells = Cells(width, height)
    rows = height - 1
    wide = 2 if width >= 60 else 1
    bins = max(width // wide, 1)
    shares = np.clip(np.nan_to_num(clusters.explained), 0, 1)
    counts = np.bincount(np.minimum((shares * bins).astype(int), bins - 1), minlength=bins)
    top = grown_value(float(counts.max(initial=1)))
    line = int(clusters.line * bins)
    for y, text in enumerate(bar_rows(counts / top, rows)):
        cells.text(0, y, "".join(block * wide for block in text[:line]), Token.COS)
        cells.text(line * wide, y, "".join(block * wide for block in text[line:]), Token.KEY)
    x = line * wide
    for y in range(rows):
        if cells.free(x, y, 1):
            cells.text(x, y, "┊", Token.MARK)
    for share in (clusters.line, 0.0, 1.0, 0.5, 0.25):
        label = f"{share:g}"
        start = min(max(round(share * bins) * wide - len(label) // 2, 0), width - len(label))
        if cells.free(max(start - 1, 0), rows, min(len(label) + 2, width - max(start - 1, 0))):
            cells.text(start, rows, label, Token.MARK if share == clusters.line else Token.MUTED)
    said = f"full height: {top:g} neurons"
    if rows >= 2 and cells.free(0, 0, len(said) + 1):
        cells.text(0, 0, said, Token.MUTED)
    return cells


def bars(clusters: Clusters, width: int, height: int) -> Cells:
    """A bar for each frequency's neurons above the line, the largest first; the rest in the last row."""
    cells = Cells(width, height)
    sizes = clusters.sizes
    fit = height - 1 if len(sizes) > height - 1 or height > len(sizes) else height
    shown, hidden = sizes[:fit], sizes[fit:]
    top = grown_value(float(sizes[0][1])) if sizes else 1.0
    room = max(width - 6 - len(f" {sizes[0][1]}" if sizes else ""), 1)
    for y, (k, count) in enumerate(shown):
        style = Token.KEY if k in clusters.keys else Token.COS
        cells.text(0, y, f"k {k:<3}", style | BOLD)
        eighths = max(round(count / top * room * 8), 1)
        bar = "█" * (eighths // 8) + PARTS[eighths % 8].strip()
        end = cells.text(6, y, bar, style)
        cells.text(end + 1, y, f"{count}", Token.TEXT)
    rest = f"{len(clusters.explained) - clusters.above} below the line"
    if hidden:
        rest = f"+{len(hidden)} of {hidden[0][1]} or fewer; {rest}"
    if len(shown) < height:
        cells.text(0, len(shown), cut(rest, width), Token.MUTED)
    return cells
