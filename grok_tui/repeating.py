"""How far a branch with nothing changed repeats its parent: up to what was done to that by hand after the branch.

A branch carries its parent's past on, and the rules that were planned then. What somebody did to the parent
later is not done to it. No IO.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from grok_tui.course import STEERED
from grok_tui.ways import NAMES
from grok_tui.wording import number


class Deed(Protocol):
    """An entry of a ledger, or the event that tells of it."""

    @property
    def epoch(self) -> int:
        """At which it was done."""

    @property
    def what(self) -> str:
        """As `protocol.Event.what`."""

    @property
    def text(self) -> str:
        """For the reader."""

    @property
    def data(self) -> dict[str, Any]:
        """As `protocol.Event.data`."""


def until(parent: str, deeds: Iterable[Deed], epoch: int, end: int) -> str:
    """To where a branch at an epoch, trained up to `end`, repeats its parent, and how not; empty where all the way."""
    later = _later(deeds, epoch, end)
    if not later:
        return ""
    first, *more = later
    others = f", and {len(more)} more that came later" if more else ""
    return f"as {parent} until {first.epoch:,}, then {_said(first)}{others}"


def _later(deeds: Iterable[Deed], epoch: int, end: int) -> list[Deed]:
    """What was done between the two epochs by nothing that the branch has too, oldest first."""
    found: list[Deed] = []
    carried: set[object] = set()
    for deed in deeds:
        if deed.what == "planned" and deed.epoch <= epoch:
            carried.add(deed.data.get("id"))
        if deed.what not in STEERED | {"unplanned"}:
            continue
        while found and found[-1].epoch > deed.epoch:
            found.pop()  # of epochs that were given up, and trained again from here on
        if epoch < deed.epoch < end and _counts(deed, carried):
            found.append(deed)
    return found


def _counts(deed: Deed, carried: set[object]) -> bool:
    data = deed.data
    if deed.what == "unplanned":
        return data.get("id") in carried
    moved = deed.what == "scheduled" or data.get("value") != data.get("previous")
    return moved and "ended" not in data and data.get("by") not in carried


def _said(deed: Deed) -> str:
    data = deed.data
    if deed.what == "unplanned":
        return f"with its plan {data.get('id')}, which was taken back"
    name = str(data.get("control"))
    label = NAMES.get(name, name)
    before, after = data.get("previous"), data.get("value")
    if deed.what == "changed" and isinstance(before, int | float) and isinstance(after, int | float):
        return f"without its {label} {number(float(before))} → {number(float(after))}"
    return f"without its {deed.text.replace(name, label, 1)}"
