"""Bars in eighths of a cell, and the spectrum of an embedding: cosines upwards, sines downwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grok_tui.series import Floats
from grok_tui.ui.widgets.axis import grown_value, linear_ticks
from grok_tui.ui.widgets.cells import BOLD, REVERSE, Cells, Token, cut
from grok_tui.ui.widgets.grid import CellGrid

EIGHTHS = " ▁▂▃▄▅▆▇█"

TABLE = 26
"""Columns that the table of key frequencies needs beside the bars."""

FEW = 4
"""Key frequencies are named below their bars only when they are at most one in so many."""

NO_SPECTRUM = "no spectrum yet"


def bar_rows(values: Floats, height: int) -> list[str]:
    """Bars standing on the floor, one column each: `values` are shares of `height` rows, top row first.

    What is not zero shows at least an eighth of a cell.
    """
    share = np.nan_to_num(np.asarray(values, float), nan=0.0, posinf=1.0, neginf=0.0)
    filled = np.maximum(np.rint(np.clip(share, 0, 1) * height * 8), share > 0).astype(int)
    return ["".join(EIGHTHS[min(max(f - 8 * row, 0), 8)] for f in filled) for row in range(height - 1, -1, -1)]


def hanging_rows(values: Floats, height: int) -> list[str]:
    """Bars hanging from the ceiling. A partly filled cell is the *empty* part's block, to be drawn in reverse."""
    standing = bar_rows(values, height)[::-1]
    return [row.translate(_HANG) for row in standing]


_HANG = str.maketrans({EIGHTHS[n]: EIGHTHS[8 - n] for n in range(1, 8)})


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Norms per frequency k = 1..n, and what is known of the key frequencies."""

    norms: Floats
    """[2, n]: cosines, sines."""
    keys: frozenset[int]
    alpha: Floats | None = None
    """[n]: how strongly each speaks in the logits."""

    @property
    def top(self) -> float:
        """The height of a full bar."""
        return grown_value(float(np.nanmax(self.norms, initial=0.0)))


@dataclass(frozen=True, slots=True)
class Layout:
    """How n frequencies lie in so many cells."""

    group: int
    """Neighbouring frequencies in a bar, which shows the largest."""
    stride: int
    """Columns from one bar to the next."""
    count: int
    """Bars."""
    kind: str
    """"mirrored": cosines up, sines down. "paired": side by side. "joint": one bar for both."""

    def columns(self, index: int) -> slice:
        """Those of a bar; wider bars leave a gap."""
        return slice(index * self.stride, index * self.stride + max(self.stride - 1, 1))

    @property
    def width(self) -> int:
        """Columns of all bars."""
        return self.count * self.stride


def layout(n: int, width: int, height: int) -> Layout:
    """As wide bars as fit; neighbours are grouped when not even one column each does."""
    group = -(-n // max(width, 1))
    count = -(-n // group)
    stride = min(width // count, 4)
    kind = "mirrored" if height >= 6 else "paired" if stride >= 3 else "joint"
    return Layout(group, stride, count, kind)


class Bars(CellGrid):
    """A spectrum that is drawn again when it is given another."""

    spectrum: Spectrum | None = None
    missing: str = NO_SPECTRUM

    def show(self, spectrum: Spectrum | None, missing: str = NO_SPECTRUM) -> None:
        """Draw `spectrum`, or say what is missing."""
        self.spectrum, self.missing = spectrum, missing
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        return picture(self.spectrum, width, height, self.missing)


def picture(spectrum: Spectrum | None, width: int, height: int, missing: str = NO_SPECTRUM) -> Cells:
    """The spectrum in so many cells: the bars, the frequencies' names, and their numbers where there is room."""
    cells = Cells(width, height)
    if spectrum is None or not spectrum.norms.size:
        text = cut(missing, width)
        cells.text((width - len(text)) // 2, height // 2, text, Token.MUTED)
        return cells
    if not cells.chars.size:
        return cells
    plan = layout(spectrum.norms.shape[1], width, height)
    rows = height - int(height >= 3)
    keys = {(k - 1) // plan.group for k in spectrum.keys}
    if plan.kind == "joint":
        both = _grouped(np.hypot(*spectrum.norms)[None, :], plan.group)[0]
        _bars(cells, bar_rows(both / _joint_top(spectrum), rows), plan, 0, keys, Token.COS)
    else:
        cosines, sines = _grouped(spectrum.norms, plan.group) / spectrum.top
        if plan.kind == "paired":
            _bars(cells, bar_rows(cosines, rows), plan, 0, keys, Token.COS, part=0)
            _bars(cells, bar_rows(sines, rows), plan, 0, keys, Token.SIN, part=1)
        else:
            above = (rows + 1) // 2
            _bars(cells, bar_rows(cosines, above), plan, 0, keys, Token.COS)
            _bars(cells, hanging_rows(sines, rows - above), plan, above, keys, Token.SIN, hanging=True)
    if rows < height:
        _names(cells, plan, rows, spectrum)
    if width - plan.width >= TABLE:
        _table(cells, plan.width + 2, 0, spectrum)
    return cells


def note(spectrum: Spectrum, width: int, height: int) -> str:
    """What the bars of a picture of that size mean, in what fits its width."""
    plan = layout(spectrum.norms.shape[1], width, height)
    top = _joint_top(spectrum) if plan.kind == "joint" else spectrum.top
    what = {"mirrored": "cos up, sin down", "paired": "cos left, sin right", "joint": "cos with sin"}[plan.kind]
    grouped = f"each the largest of {plan.group}, " if plan.group > 1 else ""
    forms = (f"{grouped}{what}, full height {top:g}", f"{grouped}{what}", grouped.removesuffix(", ") or what)
    return next((form for form in forms if len(form) <= width - 2), "")


def _joint_top(spectrum: Spectrum) -> float:
    return grown_value(float(np.nanmax(np.hypot(*spectrum.norms), initial=0.0)))


def _grouped(norms: Floats, group: int) -> Floats:
    """The largest of each `group` neighbours: [r, n] -> [r, ceil(n / group)]."""
    short = -norms.shape[1] % group
    padded = np.pad(np.nan_to_num(norms, nan=0.0, posinf=0.0, neginf=0.0), ((0, 0), (0, short)))
    return np.asarray(padded.reshape(len(norms), -1, group).max(axis=2), float)


def _bars(
    cells: Cells,
    rows: list[str],
    plan: Layout,
    y: int,
    keys: set[int],
    token: Token,
    *,
    part: int | None = None,
    hanging: bool = False,
) -> None:
    """Draw rows of blocks, a bar's width each; or only its left or right `part`."""
    count, wide = len(rows[0]) if rows else 0, max(plan.stride - 1, 1) if part is None else 1
    bar = np.arange(count).repeat(wide)
    x = bar * plan.stride + np.tile(np.arange(wide), count) + (part or 0)
    bar, x = bar[x < cells.width], x[x < cells.width]
    colours = np.array([Token.KEY if index in keys else token for index in range(count)], np.uint16)
    for row, line in enumerate(rows[: max(cells.height - y, 0)]):
        blocks = np.frombuffer(line.encode("utf-32-le"), np.uint32)[bar]
        drawn = blocks != ord(" ")
        turned = np.where((blocks != ord("█")) & hanging, REVERSE, 0).astype(np.uint16)
        cells.chars[y + row, x[drawn]] = blocks[drawn]
        cells.styles[y + row, x[drawn]] = (colours[bar] | turned)[drawn]


def _names(cells: Cells, plan: Layout, y: int, spectrum: Spectrum) -> None:
    """Mark the key frequencies below their bars, by name where there is room; then round ones."""
    n = spectrum.norms.shape[1]
    few = len(spectrum.keys) * FEW <= n
    for k in sorted(spectrum.keys):
        if k <= n and not (few and _name(cells, plan, y, k, Token.KEY | BOLD)):
            place = plan.columns((k - 1) // plan.group)
            x = (place.start + place.stop - 1) // 2
            if cells.free(x, y, 1):
                cells.text(x, y, "▴", Token.KEY | BOLD)
    for value in linear_ticks(1, n, max(plan.width // 8, 2)):
        _name(cells, plan, y, int(value), Token.MUTED)


def _name(cells: Cells, plan: Layout, y: int, k: int, style: int) -> bool:
    """Write a frequency below its bar if nothing is near; returns whether it was."""
    label = f"{k}"
    place = plan.columns((k - 1) // plan.group)
    x = min(max((place.start + place.stop - len(label)) // 2, 0), cells.width - len(label))
    before, after = max(x - 1, 0), min(x + len(label) + 1, cells.width)
    if not cells.free(before, y, after - before):
        return False
    cells.text(x, y, label, style)
    return True


def _table(cells: Cells, x: int, y: int, spectrum: Spectrum) -> None:
    """The key frequencies in numbers, the strongest first."""
    n = spectrum.norms.shape[1]
    strength = spectrum.alpha if spectrum.alpha is not None else np.hypot(*spectrum.norms)
    keys = sorted((k for k in spectrum.keys if k <= min(n, len(strength))), key=lambda k: -strength[k - 1])
    cells.text(x, y, f"{'k':>3}{'cos':>7}{'sin':>6}{'alpha' if spectrum.alpha is not None else '':>8}", Token.MUTED)
    for row, k in enumerate(keys, y + 1):
        cos, sin = spectrum.norms[:, k - 1]
        alpha = f"{strength[k - 1]:8.2f}" if spectrum.alpha is not None else ""
        cells.text(x, row, f"{k:>3}", Token.KEY | BOLD)
        cells.text(x + 3, row, f"{cos:7.2f}{sin:6.2f}{alpha}")
