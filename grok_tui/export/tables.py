"""A run as tables: the series with a row for each epoch, and what happened with a row for each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from grok_tui.export import made
from grok_tui.export.whole import Column, Whole
from grok_tui.series import Bools, Floats, Ints

KINDS = {"epoch": int, "seq": int, "confirmed": int, "rules": int, "time": float, "value": float, "previous": float}
"""Of the columns that are no text."""

KNOWN = ("control", "value", "previous")
"""What of the data of a control's change has a column of its own; the rest, and other data, is JSON in `data`."""

EVENTS = ("epoch", "time", "when", "what", "seq", *KNOWN, "text", "data")
LEDGER = ("seq", "epoch", "time", "when", "what", "ok", *KNOWN, "text", "data")
PHASES = ("phase", "epoch", "confirmed", "rules")


@dataclass(frozen=True)
class Wide:
    """The series side by side: one row for each epoch at which any has a point."""

    epochs: Ints
    columns: tuple[tuple[Column, Floats, Bools], ...]
    """Of each: its values at `epochs`, and whether there is one. A NaN that is there was measured as one."""


@dataclass(frozen=True)
class Rows:
    """Records with the same fields; None where one does not apply."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def wide(columns: Sequence[Column]) -> Wide:
    """The series over all epochs that any of them knows."""
    epochs = np.unique(np.concatenate([column.epochs for column in columns])) if columns else np.zeros(0, np.int64)
    found = []
    for column in columns:
        values, there = np.full(len(epochs), np.nan), np.zeros(len(epochs), np.bool_)
        at = np.searchsorted(epochs, column.epochs)
        values[at], there[at] = column.values, True
        found.append((column, values, there))
    return Wide(epochs.astype(np.int64), tuple(found))


def long(columns: Sequence[Column]) -> tuple[Ints, list[str], list[str], Floats]:
    """The same as one row for each point: epoch, series, reading, value."""
    epochs = np.concatenate([column.epochs for column in columns]) if columns else np.zeros(0, np.int64)
    values = np.concatenate([column.values for column in columns]) if columns else np.zeros(0)
    names = [name for column in columns for name in [column.info.name] * len(column.epochs)]
    readings = [reading for column in columns for reading in [column.reading] * len(column.epochs)]
    return epochs.astype(np.int64), names, readings, values


def events(whole: Whole) -> Rows:
    """What happened."""
    return _rows(EVENTS, made.events(whole))


def ledger(whole: Whole) -> Rows:
    """What was asked of the run, and what became of it."""
    return _rows(LEDGER, made.ledger(whole))


def phases(whole: Whole) -> Rows:
    """The start of each phase."""
    return _rows(PHASES, made.phases(whole))


def _rows(names: tuple[str, ...], records: list[dict[str, Any]]) -> Rows:
    return Rows(names, tuple(tuple(_cell(name, record) for name in names) for record in records))


def _cell(name: str, record: dict[str, Any]) -> Any:
    data = record.get("data", {})
    known = KNOWN if "control" in data else ()
    if name == "when":
        return datetime.fromtimestamp(record["time"], UTC).isoformat(timespec="milliseconds")
    if name == "data":
        rest = {key: value for key, value in data.items() if key not in known}
        return made.text(rest) if rest else None
    value = record[name] if name not in KNOWN else data.get(name) if known else None
    kind = KINDS.get(name, bool if name == "ok" else str)
    return None if value is None else kind(value)
