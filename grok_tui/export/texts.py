"""Series, ledger, events and phases as CSV, with how they were made beside them as JSON; or all as one JSON."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from grok_tui.export import made, tables
from grok_tui.export.tables import Rows
from grok_tui.export.whole import Whole
from grok_tui.protocol import Array
from grok_tui.series import Bools, Floats

SMALL = 4096
"""Numbers of an array above which JSON has it only when maps are asked for."""

NOT_FINITE = 'NaN is null; infinities are the texts "Infinity" and "-Infinity"'


def as_csv(whole: Whole, file: Path, *, long: bool = False) -> dict[Path, bytes]:
    """The tables as CSV: `file` has the series. An empty cell was not measured, NaN was, as NaN."""
    columns = whole.columns
    content = _long(whole) if long else _wide(whole)
    named = [
        each | ({} if long else {"column": c.heading})
        for each, c in zip(made.series(whole, columns), columns, strict=True)
    ]
    about = made.made(whole) | {"series": named, "cells": "empty: not measured; NaN: measured so"}
    return {
        file: content.encode(),
        file.with_suffix(".events.csv"): _csv(tables.events(whole)).encode(),
        file.with_suffix(".ledger.csv"): _csv(tables.ledger(whole)).encode(),
        file.with_suffix(".phases.csv"): _csv(tables.phases(whole)).encode(),
        file.with_suffix(".about.json"): made.text(about, indent=2).encode() + b"\n",
    }


def as_json(whole: Whole, file: Path, *, maps: bool = False) -> dict[Path, bytes]:
    """Everything in one object; each series has its own epochs."""
    columns = whole.columns
    series = {
        column.info.name: made.described(whole, column)
        | {"epochs": column.epochs.tolist(), "values": column.values.tolist()}
        for column in columns
    }
    arrays = {
        name: {"axis": axis, "about": about, "snapshots": [_array(each) for each in found if maps or _small(each)]}
        for name, found in whole.arrays.items()
        for axis, about in [_about(whole, name)]
    }
    everything = {
        "how": made.made(whole) | {"not_finite": NOT_FINITE},
        "series": series,
        "events": made.events(whole),
        "arrays": {name: known for name, known in arrays.items() if known["snapshots"]},
    }
    return {file: made.text(everything).encode() + b"\n"}


def left_out(whole: Whole) -> list[str]:
    """The arrays that JSON has only when maps are asked for."""
    return sorted(name for name, found in whole.arrays.items() if not all(map(_small, found)))


def _wide(whole: Whole) -> str:
    table = tables.wide(whole.columns)
    names = ",".join(["epoch", *(column.heading for column, _, _ in table.columns)])
    cells = [list(map(str, table.epochs.tolist()))] + [_cells(values, there) for _, values, there in table.columns]
    return "\n".join([names, *map(",".join, zip(*cells, strict=True))]) + "\n"


def _cells(values: Floats, there: Bools) -> list[str]:
    """Each number with all of its digits, as few as bring it back."""
    found = [""] * len(values)
    at = np.flatnonzero(there)
    for i, value in zip(at.tolist(), values[at].tolist(), strict=True):
        found[i] = number(value)
    return found


def number(value: float) -> str:
    """As Python, R, pandas and Excel read it: shortest text that is the same float64."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"


def _long(whole: Whole) -> str:
    rows = zip(*(part if isinstance(part, list) else part.tolist() for part in tables.long(whole.columns)), strict=True)
    lines = [f"{epoch},{name},{reading},{number(value)}" for epoch, name, reading, value in rows]
    return "\n".join(["epoch,series,reading,value", *lines]) + "\n"


def _csv(table: Rows) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.names)
    for row in table.rows:
        writer.writerow("" if cell is None else number(cell) if isinstance(cell, float) else cell for cell in row)
    return out.getvalue()


def _small(array: Array) -> bool:
    return array.values.size <= SMALL


def _array(array: Array) -> dict[str, Any]:
    return {"epoch": array.epoch, "shape": list(array.values.shape), "values": array.values.tolist()}


def _about(whole: Whole, name: str) -> tuple[str, str]:
    info = next((info for info in whole.state.catalogue.arrays if info.name == name), None)
    return (info.axis, info.about) if info else ("", "")
