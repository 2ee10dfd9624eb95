"""What a chart shows: lines, marks, axes. Frozen; the chart only draws it."""

from __future__ import annotations

from dataclasses import dataclass

from grok_tui import wording
from grok_tui.series import Series
from grok_tui.ui.widgets.axis import Epochs, Values
from grok_tui.ui.widgets.cells import DIM, Token
from grok_tui.ui.widgets.strokes import Stroke

WEAKER = {
    Token.TRAIN: Token.TRAIN_WEAK,
    Token.TEST: Token.TEST_WEAK,
    Token.RESTRICTED: Token.RESTRICTED_WEAK,
    Token.EXCLUDED: Token.EXCLUDED_WEAK,
    Token.OTHER: Token.OTHER_WEAK,
    Token.CONTROL: Token.OTHER_WEAK,
}
"""A dimmed colour turns grey on a terminal of 16; these keep their hue."""


FLAG = "⚑"
"""The sign of a note."""

EPOCH = "epoch"
"""What the horizontal axis counts where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Shade:
    """The same series of the run that this one branched from: dim, behind the line."""

    series: Series
    since: int
    """The epoch from which on it is drawn: up to there both are one."""
    names: tuple[str, ...]
    """Whose it is, for the legend: longest first."""

    def read(self, epoch: float) -> float | None:
        """Its value at `epoch`; None where both are one, or before its first point."""
        found = self.series.at(epoch) if epoch >= self.since else None
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Line:
    """One series in a chart."""

    name: str
    short: str
    series: Series
    token: Token
    stroke: Stroke = Stroke.SOLID
    marker: str = ""
    """One cell, set on the line now and then."""
    notes: tuple[str, ...] = ("", "", "")
    """Which reading it is, for the legend: long, in a word, and as a sign."""
    weak: bool = False
    """A reading that may still change its meaning: drawn dim."""
    steps: bool = False
    """The value holds until the next one."""
    digits: int = 0
    """Decimals of the read-out; as many as needed when 0."""
    said: str | None = None
    """What the legend says of it in place of a value."""
    ghost: Shade | None = None

    @property
    def style(self) -> int:
        """Its colour; a weaker one when it is provisional."""
        return self.weaker if self.weak else self.token

    @property
    def weaker(self) -> int:
        """The colour of its ghost."""
        return WEAKER.get(self.token, self.token | DIM)

    def read(self, epoch: float | None) -> str:
        """Its value at `epoch`, or its newest."""
        if self.said is not None:
            return self.said
        found = self.series.at(epoch) if epoch is not None else None
        return self.said_of(found[1] if found else float("nan") if epoch is not None else self.series.last)

    def said_of(self, value: float) -> str:
        """One of its values, or of its ghost's, as its read-out writes it."""
        return f"{value:.{self.digits}f}" if self.digits and value == value else wording.number(value)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an epoch: a vertical line with a few letters."""

    epoch: int
    label: str = ""
    token: Token = Token.MARK
    flag: bool = False
    """Somebody's note: a flag at the top of a line of another stroke."""

    @property
    def stroke(self) -> str:
        """One cell of its line."""
        return "╎" if self.flag else "┊"


Level = tuple[float, str, str]
"""A reference value, with a long and a short name for it."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What a chart shows."""

    lines: tuple[Line, ...]
    """The last is drawn on top; the legend names them from last to first."""
    epochs: Epochs
    values: Values | None = None
    """None: as much as the lines need."""
    log: bool = False
    marks: tuple[Mark, ...] = ()
    cursor: int | None = None
    legend: bool = True
    level: Level | None = None
    """A value drawn across."""
    levels: tuple[Level, ...] = ()
    """Several of them, in place of one."""
    across: str = EPOCH
    """What the horizontal axis counts."""
    empty: str = "no data yet"
    """What to say while no line has a point."""
