"""Series, ledger, events, phases and arrays as Parquet; each file carries how it was made in its metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from grok_tui.export import made, tables
from grok_tui.export.tables import KINDS, Rows
from grok_tui.export.whole import Whole
from grok_tui.files import Write

KEY = b"grok-tui"
"""Of the schema's metadata: JSON, as `made.made`."""


def as_parquet(whole: Whole, file: Path, *, long: bool = False) -> dict[Path, bytes | Write]:
    """The tables; `file` has the series. A null was not measured, a NaN was, as NaN."""
    how = {KEY: made.text(made.made(whole)).encode()}
    content = {
        file: _long(whole) if long else _wide(whole),
        file.with_suffix(".events.parquet"): _rows(tables.events(whole)),
        file.with_suffix(".ledger.parquet"): _rows(tables.ledger(whole)),
        file.with_suffix(".phases.parquet"): _rows(tables.phases(whole)),
        file.with_suffix(".arrays.parquet"): _arrays(whole),
    }
    return {path: _writer(table.replace_schema_metadata(how)) for path, table in content.items()}


def _writer(table: pa.Table) -> Write:
    return lambda path: parquet.write_table(table, path, compression="zstd")


def _wide(whole: Whole) -> pa.Table:
    table = tables.wide(whole.columns)
    fields, columns = [pa.field("epoch", pa.int64(), nullable=False)], [pa.array(table.epochs)]
    for column, values, there in table.columns:
        known = {key: str(value) for key, value in made.described(whole, column).items()}
        fields.append(pa.field(column.heading, pa.float64(), metadata=known))
        columns.append(pa.array(values, mask=~there, from_pandas=False))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _long(whole: Whole) -> pa.Table:
    epochs, names, readings, values = tables.long(whole.columns)
    return pa.table(
        {
            "epoch": pa.array(epochs),
            "series": pa.array(names).dictionary_encode(),
            "reading": pa.array(readings).dictionary_encode(),
            "value": pa.array(values, from_pandas=False),
        }
    )


def _rows(table: Rows) -> pa.Table:
    kinds = {int: pa.int64(), float: pa.float64()}
    columns: dict[str, Any] = {}
    for i, name in enumerate(table.names):
        kind = pa.bool_() if name == "ok" else kinds.get(KINDS.get(name, str), pa.string())
        columns[name] = pa.array([row[i] for row in table.rows], kind)
    return pa.table(columns)


def _arrays(whole: Whole) -> pa.Table:
    """One row for each array at an epoch: its values in the order of its shape, the last axis fastest."""
    found = [array for _, arrays in sorted(whole.arrays.items()) for array in arrays]
    values = [array.values.astype(np.float64).ravel() for array in found]  # of half precision too: nothing is lost
    ends = np.concatenate([[0], np.cumsum([len(each) for each in values])]).astype(np.int64)
    flat = np.concatenate([np.zeros(0), *values])
    return pa.table(
        {
            "epoch": pa.array([array.epoch for array in found], pa.int64()),
            "name": pa.array([array.name for array in found], pa.string()).dictionary_encode(),
            "dtype": pa.array([str(array.values.dtype) for array in found], pa.string()).dictionary_encode(),
            "shape": pa.array([list(array.values.shape) for array in found], pa.list_(pa.int64())),
            "values": pa.LargeListArray.from_arrays(pa.array(ends), pa.array(flat, from_pandas=False)),
        }
    )
