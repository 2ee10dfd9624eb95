"""What the data of events and ledger entries must be that are acted on: the files may be somebody else's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

LATEST = 250_000_000_000
"""Seconds since 1970 up to which there are dates to tell them as."""

MOST = 1 << 62
"""Whole numbers beyond it are nobody's epoch or number."""

Check = Callable[[Any], bool]


def moment(value: object) -> bool:
    """A time that can be told as a date."""
    return number(value) and 0 <= value <= LATEST  # type: ignore[operator]


def number(value: object) -> bool:
    """A finite number that fits a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < MOST if isinstance(value, int) else math.isfinite(value)


def whole(value: object) -> bool:
    """An epoch, or the number of an entry or a rule."""
    return type(value) is int and 0 <= value < MOST


def text(value: object) -> bool:
    """A text of which a terminal would obey nothing."""
    return isinstance(value, str) and value.isprintable()


def numbers(value: object) -> bool:
    """Control -> value."""
    return isinstance(value, dict) and all(text(name) and number(each) for name, each in value.items())


BY: dict[str, Check] = {"by": whole, "part": whole}
"""Which rule did it, and which of its actions that is."""

VALUE: dict[str, Check] = {"control": text, "value": number, "previous": number, **BY}

KNOWN: dict[str, dict[str, Check]] = {
    "changed": VALUE,
    "scheduled": VALUE | {"schedule": text},
    "planned": {"id": whole, "line": text},
    "unplanned": {"id": whole},
    "fired": {"id": whole},
    "branch": {"changes": numbers, **BY},
    "checkpoint": {"file": text, **BY},
    "hook": BY,
    "continued": {"until": text, **BY},
    "paused": BY,
    "branched": {"parent": text, "epoch": whole},
    "offshoot": {"wish": whole, "child": text},
    "amiss": {"wish": whole, "child": text},
    "phase": {"phase": text, "placed": whole, "confirmed": whole},
}
"""What happened -> what is known of it, and what that must be where it is said."""

NEEDED: dict[str, tuple[str, ...]] = {
    "changed": ("control", "value"),
    "scheduled": ("control", "value", "schedule"),
}
"""What must be said of it."""


def wrong(what: str, data: Mapping[str, Any]) -> str:
    """What of `data` is not as it must be, or is missing; empty when all is well."""
    for name in NEEDED.get(what, ()):
        if name not in data:
            return f"{what} without {name}"
    for name, check in KNOWN.get(what, {}).items():
        if name in data and not check(data[name]):
            return f"{what} with {data[name]!r:.40} for {name}"
    return ""
