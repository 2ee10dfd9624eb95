"""The numbers' embedding on planes: the circles that form in it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult

from grok_tui.series import Floats
from grok_tui.state import RunState
from grok_tui.ui.panes.base import Pane
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import looked_at, not_yet, when
from grok_tui.ui.projections import aligning, around, powers, principal_axes, seen, share, strongest, wave_axes, winds
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import BOLD, Token
from grok_tui.ui.widgets.heading import Heading
from grok_tui.ui.widgets.scatter import Plane, Scatter, room

MOST = 6
"""Frequencies whose planes are shown at most."""


class EmbeddingPane(Pane):
    """The numbers arrange themselves on circles, one for each key frequency."""

    title: ClassVar[str] = "Embedding"
    look_for: ClassVar[str] = "a cloud becomes circles: neighbours on one are 1/k apart (mod p)"
    figure: ClassVar[str] = "Nanda et al. 2023, Sec. 5.1; Liu et al. 2022, Fig. 1"

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._before: Floats | None = None
        """The numbers on the principal plane in the last frame, to which the next is aligned."""

    def parts(self) -> ComposeResult:
        yield Heading()
        yield Scatter()

    def sees(self, state: RunState, view: View) -> Hashable:
        newest = state.array("W_E")
        return looked_at(state, view, "W_E"), newest and newest.epoch

    def present(self, state: RunState, view: View) -> None:
        now, newest = array_at(state, "W_E", view.cursor), state.array("W_E")
        heading, picture = self.query_one(Heading), self.query_one(Scatter)
        if now is None or newest is None or now.values.ndim != 2 or now.values.shape[1] < 3:
            heading.say()
            picture.show((), not_yet(state, "W_E", view.cursor))
            return
        present, last = (array.values.astype(np.float64) for array in (now, newest))
        ks = strongest(last, MOST)
        shown = max(room(*picture.size, len(ks) + 1)[0], 1)
        planes, held = self._planes(present, last, sorted(ks[: max(shown - 1, 1)]), shown > 1)
        at = (when(now.epoch, view), Token.CURSOR | BOLD)
        axes = f", seen along the axes of epoch {newest.epoch:,}" if now is not newest else ""
        what = "numbers on the planes of the strongest frequencies" if shown > 1 else "numbers on the strongest plane"
        heading.say(
            (at, (f"{what} ({held:.0%} of the variance){axes}", Token.MUTED)),
            (at, (f"{held:.0%} of the variance{axes}", Token.MUTED)),
            (at, (f"{held:.0%} of the variance", Token.MUTED)),
            (at, (f"{held:.0%}", Token.MUTED)),
        )
        picture.show(planes)

    def _planes(self, present: Floats, last: Floats, ks: list[int], principal: bool) -> tuple[tuple[Plane, ...], float]:
        """The planes of some frequencies, by number, so that they seldom change places; the principal one last."""
        held, planes = powers(present), []
        for k in ks:
            axes = wave_axes(last, k)
            points, part = seen(present, axes), f"{held[k - 1]:.0%}"
            titles = (f"frequency {k} · {part}", f"k {k} · {part}", f"k {k}")
            order = around(len(points), k)
            line = order if winds(points, order) else None
            planes.append(Plane(points, _reach(points, seen(last, axes)), titles, line))
        if principal:
            axes = self._principal(last)
            points = seen(present, axes)
            part = f"{share(points, present):.0%}"
            titles = (f"principal plane · {part}", f"PCA · {part}", "PCA")
            planes.append(Plane(points, _reach(points, seen(last, axes)), titles))
        return tuple(planes), float(sum(held[k - 1] for k in ks))

    def _principal(self, last: Floats) -> Floats:
        """The principal directions of the newest frame, turned to look like those of the frame before.

        Those of the first frame are turned towards the plane of its strongest frequency, which has no free sign.
        """
        axes = principal_axes(last)
        there = seen(last, axes)
        before = self._before
        if before is None or before.shape != there.shape:
            before = seen(last, wave_axes(last, strongest(last, 1)[0]))
        turn = aligning(there, before)
        self._before = there @ turn
        return np.asarray(axes @ turn)


def _reach(*frames: Floats) -> float:
    """Axes that hold all of the frames' points."""
    return float(np.nanmax(np.hypot(*np.concatenate(frames).T), initial=0.0))
