"""The norms of the embedding's Fourier components."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui.protocol import Array
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.bars import NO_SPECTRUM, Bars, Spectrum, note
from grok_tui.ui.widgets.cells import BOLD, Cells, Token
from grok_tui.ui.widgets.grid import CellGrid


class FourierPane(Pane):
    """The circuit in the weights: of all frequencies, a few grow and the others vanish."""

    matrix: ClassVar[str] = "fourier_W_E"
    title: ClassVar[str] = "Fourier norms of W_E"
    look_for: ClassVar[str] = "a few frequencies grow and the others vanish: cosines up, sines down"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 3"

    def parts(self) -> ComposeResult:
        yield Keys(classes="heading")
        yield Bars()

    def present(self, state: RunState, view: View) -> None:
        norms, keys, alpha = (array_at(state, name, view.cursor) for name in (self.matrix, "key_frequencies", "alpha"))
        heading, spectrum = self.query_one(Keys), None
        if norms is not None and norms.values.ndim == 2 and len(norms.values) == 2:
            chosen = frozenset(int(k) for k in keys.values.ravel()) if keys is not None else frozenset()
            strength = alpha.values.ravel().astype(np.float64) if alpha is not None else None
            spectrum = Spectrum(norms.values.astype(np.float64), chosen, strength)
        heading.spectrum = spectrum
        final = spectrum is not None and tuple(sorted(spectrum.keys)) == state.final_keys and state.keys_are_final
        heading.reading = "final" if final else "provisional"
        heading.epoch = norms.epoch if norms is not None and view.cursor is not None else None
        heading.redraw()
        bars = self.query_one(Bars)
        self.note(note(spectrum, *bars.size) if spectrum and bars.size.area else "")
        bars.show(spectrum, missing(state, self.matrix, view.cursor))


def missing(state: RunState, name: str, cursor: int | None) -> str:
    """Why there is no spectrum at the cursor."""
    found = state.arrays.get(name)
    return f"first measured at epoch {found[0].epoch:,}" if found and cursor is not None else NO_SPECTRUM


class Keys(CellGrid):
    """The key frequencies in a line."""

    spectrum: Spectrum | None = None
    epoch: int | None = None
    reading: str = "provisional"

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        if self.spectrum is None:
            return cells
        x = cells.text(0, 0, f"at {self.epoch:,}  ", Token.CURSOR | BOLD) if self.epoch is not None else 0
        count, listed = len(self.spectrum.keys), " ".join(map(str, sorted(self.spectrum.keys)))
        names = (f"{count} {self.reading} key frequencies: ", f"{count} {self.reading} keys: ", "keys: ")
        name = next((name for name in names if x + len(name) + len(listed) <= width), "")
        if name or not count:
            x = cells.text(x, 0, name or names[1].rstrip(": "), Token.MUTED)
            cells.text(x, 0, listed, Token.KEY | BOLD)
        else:
            x = cells.text(x, 0, f"{count}", Token.KEY | BOLD)
            cells.text(x, 0, f" {self.reading} keys of {self.spectrum.norms.shape[1]}", Token.MUTED)
        return cells


def array_at(state: RunState, name: str, epoch: int | None) -> Array | None:
    """The newest array of that name, or the newest up to `epoch`."""
    found = state.arrays.get(name, [])
    if epoch is None:
        return found[-1] if found else None
    index = bisect_right(found, epoch, key=lambda array: array.epoch)
    return found[index - 1] if index else None
