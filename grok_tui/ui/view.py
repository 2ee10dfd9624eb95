"""What part of a run is looked at, and how. Frozen; each key's effect is a new view."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grok_tui.ui.widgets.axis import Epochs, grown

LEAST = 10.0
"""Epochs that a zoom shows at least."""

NEAR = 1e-6
"""Share of an epoch's number that rounding on a logarithmic axis may cost."""

REACH = 2.0
"""How far the axis of the whole run reaches at most, in lengths of the run, where the parent's curves go on beyond it.

To the end of the parent, a child that left it early would have a sixth of the axis, five columns of a narrow screen.
A logarithmic axis has room for all of it.
"""

STEPS = 100
"""The cursor and a pan move by this part of what is shown."""


@dataclass(frozen=True, slots=True)
class View:
    """The axes, the epochs and the cursor, shared by all panes.

    `newest` is always the run's last known epoch, and `ahead` the last one of curves that go on beyond it; 0 where
    there are none.
    """

    log_x: bool = False
    log_y: bool = True
    """For losses; accuracies and controls stay linear."""
    zoom: tuple[float, float] | None = None
    """(first, last) epoch; None for the whole run."""
    cursor: int | None = None
    """The epoch whose values are read out."""
    follows: bool = False
    """The zoom's right end was at the newest epoch: it stays there, and the window keeps its width."""

    def epochs(self, newest: float, most: float = float("inf"), ahead: float = 0.0) -> Epochs:
        """The horizontal axis now; `most` is the epoch at which the run will end."""
        if self.zoom is None:
            return Epochs(0.0, grown(self._last(newest, ahead), most), self.log_x)
        axis = Epochs(*self.zoom, self.log_x)
        if not self.follows or newest <= axis.end + NEAR * max(newest, 1):
            return axis
        width = axis.unit(axis.end) - axis.unit(axis.start)
        step = width / 50  # it slides in steps, so that most redraws change a few cells only
        slid = -(-(axis.unit(newest) - axis.unit(axis.end)) // step) * step
        return self._axis(axis.unit(axis.start) + slid, axis.unit(axis.end) + slid)

    def zoom_in(self, newest: float, at: float | None = None, factor: float = 2.0, ahead: float = 0.0) -> View:
        """Show a `factor` less around epoch `at`: by default the cursor, else the newest epoch or the middle."""
        axis, last = self.epochs(newest, ahead=ahead), newest if self.zoom else self._last(newest, ahead)
        at_newest = self.follows or not self.zoom  # where the axis may reach beyond what there is
        left, right = axis.unit(axis.start), axis.unit(min(axis.end, max(last, LEAST)) if at_newest else axis.end)
        width = (right - left) / factor
        centre = at if at is not None else self.cursor
        middle = (left + right) / 2 if centre is None else axis.unit(centre)
        if centre is None and (self.follows or self.zoom is None):
            middle = min(right, axis.unit(max(newest, LEAST))) - width / 2
        start = min(max(middle - width / 2, left), right - width)
        return self._zoomed(self._axis(start, start + width), newest)

    def zoom_out(self, newest: float, factor: float = 2.0, ahead: float = 0.0) -> View:
        """Show a `factor` more; the whole run when that is all there is."""
        if self.zoom is None:
            return self
        axis, last = self.epochs(newest), max(self._last(newest, ahead), LEAST)
        left, right, end = axis.unit(axis.start), axis.unit(axis.end), axis.unit(last)
        width = (right - left) * factor
        if width >= end - 1e-9:
            return replace(self, zoom=None, follows=False)
        middle = right - width / 2 if self.follows else (left + right) / 2
        start = min(max(middle - width / 2, 0.0), max(end, right) - width)
        return self._zoomed(self._axis(start, start + width), newest)

    def zoom_by(self, newest: float, at: float, factor: float, ahead: float = 0.0) -> View:
        """Show a `factor` less, with epoch `at` where it is; a factor below 1 shows more."""
        axis, last = self.epochs(newest, ahead=ahead), max(self._last(newest, ahead), LEAST)
        left, right, end = axis.unit(axis.start), axis.unit(axis.end), axis.unit(last)
        width, share = (right - left) / factor, axis.share(at)
        if width >= end - 1e-9:
            return replace(self, zoom=None, follows=False)
        start = min(max(axis.unit(at) - share * width, 0.0), max(end, right) - width)
        return self._zoomed(self._axis(start, start + width), newest)

    def pan(self, newest: float, steps: float) -> View:
        """Move a zoom by `steps` hundredths of its width, left when negative; no further than the run."""
        if self.zoom is None:
            return self
        axis = self.epochs(newest)
        left, right = axis.unit(axis.start), axis.unit(axis.end)
        by = steps * (right - left) / STEPS
        by = min(max(by, -left), max(axis.unit(newest) - right, 0.0))
        return self._zoomed(self._axis(left + by, right + by), newest)

    def move_cursor(self, newest: int, steps: float, ahead: float = 0.0) -> View:
        """Move the cursor by `steps` hundredths of what is shown, at least an epoch; a zoom comes along."""
        if self.cursor is None:
            return self.place_cursor(newest)
        axis = self.epochs(newest, ahead=ahead)
        width = axis.unit(axis.end) - axis.unit(axis.start)
        target = round(axis.epoch(axis.unit(self.cursor) + steps * width / STEPS))
        if target == self.cursor and steps:
            target += 1 if steps > 0 else -1
        moved = replace(self, cursor=min(max(target, 0), newest))
        return moved._followed(newest)

    def place_cursor(self, newest: int, at: float | None = None) -> View:
        """Set the cursor to epoch `at`; by default to the newest that is shown."""
        epoch = round(self.epochs(newest).end if at is None else at)
        return replace(self, cursor=min(max(epoch, 0), newest))

    def jump(self, newest: int, epoch: int) -> View:
        """Move the cursor to an epoch, wherever it is; a zoom comes along."""
        return self.place_cursor(newest, epoch)._followed(newest)

    def without_cursor(self) -> View:
        """Put the cursor away."""
        return replace(self, cursor=None)

    def toggle_log_x(self) -> View:
        """The epochs on a logarithmic axis, or a linear one."""
        return replace(self, log_x=not self.log_x)

    def toggle_log_y(self) -> View:
        """The losses on a logarithmic axis, or a linear one."""
        return replace(self, log_y=not self.log_y)

    def reset(self) -> View:
        """The whole run, without a cursor; the axes stay."""
        return replace(self, zoom=None, cursor=None, follows=False)

    def _last(self, newest: float, ahead: float) -> float:
        """The last epoch that the whole view has to show."""
        return max(newest, ahead if self.log_x else min(ahead, REACH * newest))

    def _followed(self, newest: float) -> View:
        """The zoom moved just far enough to show the cursor."""
        if self.zoom is None or self.cursor is None:
            return self
        axis = self.epochs(newest)
        cursor, left, right = axis.unit(self.cursor), axis.unit(axis.start), axis.unit(axis.end)
        by = min(cursor - left, 0.0) + max(cursor - right, 0.0)
        return self._zoomed(self._axis(left + by, right + by), newest) if by else self

    def _axis(self, left: float, right: float) -> Epochs:
        """The axis between two units of this view's own scale."""
        scale = Epochs(0.0, 1.0, self.log_x)
        return Epochs(max(scale.epoch(left), 0.0), scale.epoch(right), self.log_x)

    def _zoomed(self, axis: Epochs, newest: float) -> View:
        start, end = axis.start, axis.end
        if end - start < LEAST:
            middle = max((start + end) / 2, LEAST / 2)
            start = min(middle - LEAST / 2, newest)
            end = start + LEAST
        return replace(self, zoom=(start, end), follows=end >= newest - NEAR * max(newest, 1))
