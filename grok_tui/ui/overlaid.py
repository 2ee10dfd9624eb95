"""What the compare screen draws: each run's curves on one axis, in its own colour, stroke and number."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from grok_tui import comparing, ways, wording
from grok_tui.aligning import START, Alignment
from grok_tui.hindsight import SUFFIX
from grok_tui.series import Series
from grok_tui.ui.kinship import Kinship
from grok_tui.ui.members import Member
from grok_tui.ui.panes import decay
from grok_tui.ui.panes import lines as curves
from grok_tui.ui.view import View
from grok_tui.ui.widgets.axis import Epochs, Values
from grok_tui.ui.widgets.overlay import Picture, Reading
from grok_tui.ui.widgets.plot import Level, Line, Mark, Plot


@dataclass(frozen=True, slots=True)
class Curve:
    """A series that is compared, a chart for each."""

    name: str
    title: str
    log: bool = False
    values: Values | None = None
    percent: bool = False
    level: bool = False
    """The loss of a uniform guess is drawn across it."""
    steps: bool = False
    other: str = ""
    """Which to draw where not all runs were recomputed with final keys; the series itself when empty."""


CURVES = (
    Curve("test_accuracy", "test accuracy", values=Values(0.0, 1.0), percent=True),
    Curve("test_loss", "test loss", log=True, level=True),
    Curve("restricted_loss", "restricted loss", log=True, level=True),
    Curve("excluded_loss", "excluded loss", log=True, level=True, other="excluded_loss_key_free"),
    Curve("sum_of_squares", "sum of squares of the weights"),
    Curve("weight_decay", "weight decay", steps=True),
    Curve("train_loss", "train loss", log=True, level=True),
)


@dataclass(slots=True)
class Comparison:
    """The members, as they are looked at now. Each key's effect is another view, alignment or emphasis."""

    members: list[Member]
    alignment: Alignment = START
    view: View = field(default_factory=View)
    emphasis: Member | None = None
    """The run that stands out; None: all alike."""
    origin: int = 0
    """Epochs of the axis left of its 0. The view counts from the axis's start: it knows no negative epochs."""
    kinship: Kinship = field(default_factory=Kinship)

    def zeros(self) -> dict[Member, int]:
        """Each run's epoch at 0 of the axis; without those that cannot be aligned so."""
        found = {member: self._zero(member) for member in self.members if member.state.hello}
        return {member: zero for member, zero in found.items() if zero is not None}

    def _zero(self, member: Member) -> int | None:
        return member.state.derived(("zero", self.alignment), lambda: self.alignment.zero(member.state))

    @property
    def lacking(self) -> list[Member]:
        """Those that are known, and have nothing to be aligned by."""
        return [member for member in self.members if member.state.hello and self._zero(member) is None]

    def settle(self) -> None:
        """Bring the axis's start up to what is known now; what is zoomed, and the cursor, stay where they are on it."""
        self.kinship.settle(self.members)
        before = 0 if self.view.log_x else max(self.zeros().values(), default=0)
        self.view, self.origin = _pushed(self.view, before - self.origin), before

    @property
    def newest(self) -> int:
        """The last epoch of any run, counted as the view counts."""
        return max((m.state.epoch - zero for m, zero in self.zeros().items()), default=0) + self.origin

    @property
    def epochs(self) -> Epochs:
        """The axis that all charts share."""
        origin = self.origin
        ends = [max(m.state.epochs, m.state.epoch) - zero for m, zero in self.zeros().items()]
        axis = self.view.epochs(self.newest, max(ends, default=0) + origin or math.inf)
        return Epochs(axis.start - origin, axis.end - origin, axis.log)

    @property
    def cursor(self) -> int | None:
        """Where on the axis the cursor is."""
        return None if self.view.cursor is None else self.view.cursor - self.origin

    def seen(self) -> Hashable:
        """Changes whenever a run has, or how all are looked at; the axis apart."""
        runs = tuple((m.state.derived("stamp", object), m.standing, m.read.is_set(), m.trouble) for m in self.members)
        return self.alignment, self.emphasis, runs

    def axis(self) -> Hashable:
        """Changes whenever the axis or the cursor moves."""
        return self.epochs, self.cursor

    def align(self, alignment: Alignment) -> None:
        """Tell the runs from another moment: what was zoomed means something else then."""
        self.alignment = alignment
        self.view, self.origin = self.view.reset(), 0
        for member in self.members:
            member.forget()

    def picture(self, curve: Curve, chosen: bool = False, alone: bool = False) -> Picture:
        """One chart as it is now; one that is alone says from where its runs are told, for no table beside it does."""
        zeros, cursor = self.zeros(), self.cursor
        name, note = self._reading(curve, list(zeros))
        if alone and self.alignment != START:
            note = f"{note}, {self.alignment.label}" if note else self.alignment.label
        lines: list[Line] = []
        for member, zero in zeros.items():
            series = series_of(member, name)
            if series is None or not len(series):
                continue
            weak = self.emphasis not in (None, member)
            line = Line(member.run.name, member.sign, member.moved(series, zero), member.token, member.stroke,
                        member.sign, weak=weak, steps=curve.steps)  # fmt: skip
            lines.append(line)
        lines.sort(key=lambda line: not line.weak)  # what stands out is drawn on top
        levels = _chances(zeros) if curve.level else ()
        plot = Plot(tuple(lines), self.epochs, values=curve.values, log=curve.log and self.view.log_y,
                    marks=self._marks(zeros), cursor=cursor, legend=False, levels=levels, across=self.alignment.label,
                    empty="not measured" if zeros else "reading …")  # fmt: skip
        head = f"{cursor:,}" if cursor is not None else "newest"
        return Picture(curve.title, note, plot, head, self._readings(curve, name, zeros), chosen)

    def _reading(self, curve: Curve, drawn: Sequence[Member]) -> tuple[str, str]:
        """Which series to draw for all, and what to say of it: readings of two kinds cannot be compared."""
        final = f"{curve.name}{SUFFIX}"
        if not any(m.state.info(curve.name) and m.state.info(curve.name).reading for m in drawn):  # type: ignore[union-attr]
            return curve.name, ""
        done = [m for m in drawn if final in m.state.series and m.state.keys_are_final and _whole(m)]
        if drawn and len(done) == len(drawn):
            return final, "final keys"
        some = f"; {len(done)} of {len(drawn)} have final keys" if done else ""
        return (curve.other, f"key-free{some}") if curve.other else (curve.name, f"provisional keys{some}")

    def _readings(self, curve: Curve, name: str, zeros: dict[Member, int]) -> tuple[Reading, ...]:
        """Every run's value at the cursor, or its newest, the largest first."""
        drawn, cursor = list(zeros), self.cursor
        values = [value_of(m, name, None if cursor is None else cursor + zero) for m, zero in zeros.items()]
        told = wording.percent if curve.percent else wording.number
        return tuple(Reading(drawn[i].sign, told(values[i]), self.style(drawn[i])) for i in comparing.order(values))

    def style(self, member: Member) -> int:
        """How a run is written: dim while another one stands out."""
        line = Line("", "", _EMPTY, member.token, weak=self.emphasis not in (None, member))
        return line.style

    def _marks(self, zeros: dict[Member, int]) -> tuple[Mark, ...]:
        """The changes of the run that stands out, and the moment that all are aligned by."""
        found = [Mark(0, self.alignment.name)] if self.alignment != START else []
        if self.emphasis in zeros and self.emphasis is not None:
            zero = zeros[self.emphasis]
            found += [replace(mark, epoch=mark.epoch - zero) for mark in curves.marks(self.emphasis.state)]
        return tuple(found)


_EMPTY = Series()


def _chances(members: Iterable[Member]) -> tuple[Level, ...]:
    """The loss of a uniform guess, for each modulus; it says which where there are several."""
    found = {member.state.modulus: member.state.chance for member in members if member.state.modulus}
    if len(found) == 1:
        return tuple((chance, "chance", "") for chance in found.values())
    return tuple((chance, f"chance, ln {p}", f"ln {p}") for p, chance in sorted(found.items()))


def series_of(member: Member, name: str) -> Series | None:
    """A series by name; a control's is made of its confirmed values."""
    state = member.state
    if name in ways.NAMES:
        return state.derived(("history", name), lambda: decay.history(state, name))
    return state.series.get(name)


def value_of(member: Member, name: str, epoch: float | None) -> float:
    """A value at an epoch, or the newest; NaN before the first and beyond the last."""
    state = member.state
    if name not in ways.NAMES:
        return comparing.value_at(state, name, epoch)
    if epoch is not None and not 0 <= epoch <= state.epoch:
        return math.nan
    return decay.in_force(state, name, None if epoch is None else int(epoch))


def _whole(member: Member) -> bool:
    done, total = member.state.recomputed
    return done >= total


def _pushed(view: View, by: int) -> View:
    """The view over an axis that begins `by` epochs earlier."""
    zoom = (max(view.zoom[0] + by, 0.0), max(view.zoom[1] + by, 1.0)) if view.zoom else None
    return replace(view, zoom=zoom, cursor=None if view.cursor is None else max(view.cursor + by, 0))
