"""The language of plans: what is to be done with a run, and when. One line is one rule.

    at 6000: set weight_decay 0.3
    when cleanup: checkpoint; set weight_decay linear 1 -> 0 over 3000
    when test_accuracy > 0.5: pause

The same lines stand in presets and recipes, are typed at the prompt and on the command line, and are kept in
the ledger. `str` of whatever was read is the line that says it shortest; reading that gives the same again.
Conditions are looked at when the run is measured, after the epoch at which their rule was added: a rule acts
at the first measured epoch at which its condition holds, once. So the same run does the same again, however
it is paused, resumed or watched.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from grok_tui.config import limits
from grok_tui.errors import PlanError
from grok_tui.science.phases import Phase


@dataclass(frozen=True, slots=True)
class At:
    """At an epoch: the step from it is the first to feel what is done."""

    epoch: int

    def __str__(self) -> str:
        return f"at {self.epoch}"


@dataclass(frozen=True, slots=True)
class In:
    """So many epochs from now."""

    epochs: int

    def __str__(self) -> str:
        return f"in {self.epochs}"


@dataclass(frozen=True, slots=True)
class Entering:
    """While the run is in a phase, as it is called; with `after`, so many epochs after it was called."""

    phase: Phase
    after: int = 0

    def __str__(self) -> str:
        return f"when {self.phase}{_later(self.after)}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A measured series is below or above a value; with `after`, so many epochs after that was seen."""

    series: str
    below: bool
    value: float
    after: int = 0

    def __str__(self) -> str:
        return f"when {self.series} {'<' if self.below else '>'} {exact(self.value)}{_later(self.after)}"

    def holds(self, value: float) -> bool:
        """Whether it is true of `value`; of NaN it is not."""
        return value < self.value if self.below else value > self.value


@dataclass(frozen=True, slots=True)
class Set:
    """A control's new value."""

    control: str
    value: float

    def __str__(self) -> str:
        return f"set {self.control} {exact(self.value)}"


@dataclass(frozen=True, slots=True)
class Ramp:
    """A control goes from one value to another, along a line or half a cosine. Then it stays there."""

    control: str
    kind: str
    """linear, cosine or warmup: a line that begins at 0 unless told otherwise."""
    start: float | None
    """None: where the control is when it begins."""
    end: float
    over: int
    """Epochs."""

    def __str__(self) -> str:
        from_ = "" if self.start is None else f"{exact(self.start)} -> "
        return f"set {self.control} {self.kind} {from_}{exact(self.end)} over {self.over}"

    @property
    def length(self) -> float:
        """Epochs until it has come to its last value."""
        return self.over

    def begun(self, present: float) -> Ramp:
        """The same, with its first value filled in."""
        return self if self.start is not None else replace(self, start=0.0 if self.kind == "warmup" else present)

    def value(self, after: int) -> float:
        """The control's value so many epochs after the beginning."""
        first = self.start or 0.0
        share = after / self.over
        if share >= 1:
            return self.end
        if self.kind == "cosine":
            return self.end + (first - self.end) * 0.5 * (1 + math.cos(math.pi * share))
        return first + (self.end - first) * share


@dataclass(frozen=True, slots=True)
class Stairs:
    """A control is multiplied by a factor every so many epochs, within the control's bounds."""

    control: str
    start: float | None
    factor: float
    every: int
    times: int = 0
    """How many steps; 0 for no end."""

    def __str__(self) -> str:
        from_ = "" if self.start is None else f"{exact(self.start)} "
        times = f" times {self.times}" if self.times else ""
        return f"set {self.control} step {from_}*{exact(self.factor)} every {self.every}{times}"

    @property
    def length(self) -> float:
        """Epochs until it has come to its last value."""
        return self.every * self.times if self.times else math.inf

    def begun(self, present: float) -> Stairs:
        """The same, with its first value filled in."""
        return self if self.start is not None else replace(self, start=present)

    def value(self, after: int) -> float:
        """The control's value so many epochs after the beginning."""
        steps = after // self.every
        bounds = limits(f"optimizer.{self.control}")
        try:
            found = (self.start or 0.0) * self.factor ** (min(steps, self.times) if self.times else steps)
        except OverflowError:
            found = math.inf
        return float(min(max(found, bounds["low"]), bounds["high"]))


@dataclass(frozen=True, slots=True)
class Do:
    """One of `DEEDS`."""

    name: str

    def __str__(self) -> str:
        return self.name


DEEDS = ("pause", "continue", "checkpoint", "hook", "stop")


@dataclass(frozen=True, slots=True)
class Branch:
    """A new run that shares the past up to here, with a control changed or none. It does not do what follows."""

    control: str = ""
    value: float = math.nan

    def __str__(self) -> str:
        return f"branch {self.control} {exact(self.value)}" if self.control else "branch"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Branch) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


@dataclass(frozen=True, slots=True)
class Limit:
    """Epochs per second, at most; 0 for no limit. It changes no result."""

    rate: float

    def __str__(self) -> str:
        return f"limit {exact(self.rate)}" if self.rate else "limit off"


When = At | In | Entering | Crossing
Schedule = Ramp | Stairs
Action = Set | Ramp | Stairs | Do | Branch | Limit


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to be done, and when: now, if nothing is said."""

    when: When | None
    actions: tuple[Action, ...]

    def __str__(self) -> str:
        done = "; ".join(map(str, self.actions))
        return f"{self.when}: {done}" if self.when else done

    def planned(self, epoch: int) -> Rule:
        """The same, as it is kept by a run that is at `epoch`: "in 500" is then an epoch."""
        return replace(self, when=placed(self.when, epoch)) if self.when else self


@dataclass(frozen=True, slots=True)
class Go:
    """Continue, and pause at the given moment."""

    until: When

    def __str__(self) -> str:
        match self.until:
            case In(epochs=epochs):
                return f"run {epochs}"
            case At(epoch=epoch):
                return f"until {epoch}"
        return f"until {str(self.until).removeprefix('when ')}"


@dataclass(frozen=True, slots=True)
class Unplan:
    """Take back the rule of that number."""

    id: int

    def __str__(self) -> str:
        return f"unplan {self.id}"


Line = Rule | Go | Unplan
"""Whatever may be asked of a run in one line."""


def read(line: str, series: Collection[str] | None = None) -> Line:
    """What a line asks for: a rule, or an order such as `run 100`, `until cleanup`, `unplan 3`.

    Args:
        line: as it was typed.
        series: those that the run announces; None where they are not known here.

    Raises:
        PlanError: it is not of this language, or a value is out of its control's bounds.
    """
    from grok_tui.plan_reader import Reader

    return Reader(line, series).line()


def parse(line: str, series: Collection[str] | None = None) -> Rule:
    """The rule that a line of a preset, a recipe or a plan says.

    Raises:
        PlanError: as `read`; or it is an order, which only a run that is being trained can take.
    """
    from grok_tui.plan_reader import Reader

    return Reader(line, series).rule()


def moment(text: str) -> When:
    """The moment that a text names, as it stands after `until`.

    Raises:
        PlanError: it names none.
    """
    from grok_tui.plan_reader import Reader

    return Reader(text).moment()


def check(lines: Iterable[str], source: str) -> None:
    """Pass if all the lines of a configuration are rules; which series a run announces its trainer knows.

    Raises:
        PlanError: one is not; names `source`.
    """
    for line in lines:
        try:
            parse(line)
        except PlanError as error:
            raise PlanError(f"{source}: {error}") from None


def placed(when: When, epoch: int) -> When:
    """`when`, as it is kept by a run that is at `epoch`."""
    return At(epoch + when.epochs) if isinstance(when, In) else when


def exact(value: float) -> str:
    """The shortest text that reads as the same number."""
    return repr(float(value)).removesuffix(".0")


def _later(after: int) -> str:
    return f" + {after}" if after else ""
