"""What a user wants of a branch, as it was typed. No IO, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from grok_tui import placing, repeating, wording
from grok_tui.errors import ConfigError
from grok_tui.protocol import ControlInfo
from grok_tui.state import RunState


@dataclass(frozen=True, slots=True)
class Wish:
    """A branch that may be made."""

    epoch: int
    changes: dict[str, float] = field(default_factory=dict)
    """Controls that are to have another value from there on."""
    epochs: int = 0
    """How far it is to train; as far as its parent when 0."""
    before: int | None = None
    """The ledger's entry from which on nothing is kept."""

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """What of the configuration is to be otherwise."""
        return (("training.epochs", str(self.epochs)),) if self.epochs else ()


def recorded(state: RunState) -> int:
    """The last epoch that is recorded: a status may be ahead of the recording."""
    return max((int(series.epochs[-1]) for series in state.series.values() if len(series)), default=0)


def held(state: RunState, control: str, epoch: int) -> str:
    """The value that was in force at an epoch, as it stands in an input; empty where none is known."""
    value = state.control_at(control, epoch)
    return f"{value:g}" if value == value else ""


def wished(state: RunState, epoch: str, values: Mapping[str, str], epochs: str) -> Wish:
    """The branch that the typed texts ask for; only what differs from the parent is a change.

    Raises:
        ConfigError: a text says nothing that a branch could be made of.
    """
    at = begin(state, epoch)
    if at > (newest := recorded(state)):
        raise ConfigError(f"epoch {at:,}: {state.run} is recorded up to {newest:,}")
    changes = {}
    for info in state.catalogue.controls:
        if values[info.name].strip() == held(state, info.name, at) != "":  # as it was, digits that are not shown too
            continue
        value = number(values[info.name], info)
        if value != state.control_at(info.name, at):
            changes[info.name] = value
    until = whole(epochs, "train until", 1)
    if until <= at:
        raise ConfigError(f"train until {until:,}: more than the {at:,} epochs that it begins with")
    return Wish(at, changes, until if until != state.epochs else 0)


def begin(state: RunState, text: str) -> int:
    """The epoch at which a branch is to begin, as typed: a number, or a phase that the run came to.

    Raises:
        ConfigError: it is neither.
    """
    return placing.epoch(state, text) if _is_word(text) else whole(text, "epoch", 0)


def whole(text: str, what: str, least: int) -> int:
    """A whole number as people write it: 6000, 6,000 or 6_000.

    Raises:
        ConfigError: it is none, or too small.
    """
    plain = text.replace(",", "").replace("_", "").strip()
    if not plain.isascii() or not plain.isdigit() or len(plain) > 12 or int(plain) < least:
        raise ConfigError(f"{what} {text.strip()!r}: a whole number from {least} on was expected")
    return int(plain)


def number(text: str, info: ControlInfo) -> float:
    """A control's value as it was typed.

    Raises:
        ConfigError: it is no number, or out of the control's bounds.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not info.low <= value <= info.high or math.isinf(value):
        low, high = wording.number(info.low), wording.number(info.high)
        raise ConfigError(f"{info.label} {text.strip()!r}: a number from {low} to {high} was expected")
    return value


def again(points: tuple[int, ...], epoch: int, typed: str = "") -> str:
    """From which resume point a branch at an epoch starts, and what that costs; where a word was typed, which epoch."""
    start = max((point for point in points if point <= epoch), default=0)
    if _is_word(typed):
        return f"epoch {epoch:,}: " + (f"{epoch - start:,} epochs" if epoch > start else "nothing") + " computed again"
    where = f"resume point {start:,}" if start else "the beginning"
    return f"{where}: {epoch - start:,} epochs computed again" if epoch > start else f"{where}: nothing computed again"


def said(state: RunState, wish: Wish) -> str:
    """What a branch does otherwise than its parent."""
    told = []
    for name, value in wish.changes.items():
        info = state.control(name)
        before = wording.number(state.control_at(name, wish.epoch))
        told.append(f"{info.label if info else name} {before} → {wording.number(value)}")
    if told:
        return ", ".join(told)
    partly = repeating.until(state.run, state.events, wish.epoch, wish.epochs or state.epochs)
    return f"no change: {partly or 'a control, which repeats its parent bit for bit'}"


def _is_word(text: str) -> bool:
    return text.strip()[:1].isalpha()
