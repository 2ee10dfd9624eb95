"""Looks through a run directory that came from somebody else, before it becomes a run here. Nothing in it is run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grok_tui import config as configs
from grok_tui import hindsight, ledger, record, runs
from grok_tui import lineage as lineages
from grok_tui.course import STEERED
from grok_tui.errors import GrokTuiError, PackError
from grok_tui.protocol import PROTOCOL, Event, Hello
from grok_tui.runs import Run
from grok_tui.state import RunState

HEADER = 1 << 22
"""Bytes of a safetensors header: ours have 1 KB."""

DTYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes of a number."""

RECORDS = 1024
"""Records read at a time."""


def inspect(run: Run) -> None:
    """Pass if everything in the run's directory can be read as what it is.

    Raises:
        PackError: something cannot; says what.
    """
    try:
        runs.check(run.path)
        _config(run)
        end = _recording(run)
        _ledger(run)
        for file in sorted(hindsight.directory(run).glob("*.bin")):
            _records(file, RunState())
    except PackError:
        raise
    except GrokTuiError as error:
        raise PackError(str(error).replace(f"{run.path}/", "").replace(f"{run.path}: ", "")) from None
    for name in ("state.json", lineages.FILE):
        _json(run.path / name)
    _lineage(run, end)
    for file in (*run.weights.glob("*"), *run.resume_points.glob("*")):
        tensors(file)


def tensors(file: Path) -> None:
    """Pass if `file` is a whole safetensors file of the epoch that it is named after: by its header alone.

    Raises:
        PackError: it is not.
    """
    name = f"{file.parent.name}/{file.name}"
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 2 <= length <= min(HEADER, size - 8):
            raise PackError(f"{name} is no safetensors file")
        text = opened.read(length)
    try:
        header = json.loads(text)
        epoch = int(header.pop("__metadata__")["epoch"])
        ends = sorted(_tensor(each) for each in header.values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PackError(f"{name} has no safetensors header that can be read") from None
    if epoch != int(file.stem):
        raise PackError(f"{name} holds weights of epoch {epoch:,}"[:120])
    at = 0
    for start, end in ends:
        if start != at:
            raise PackError(f"{name}: its tensors overlap, or leave gaps")
        at = end
    if not ends or at != size - 8 - length:
        raise PackError(f"{name} is cut short, or has more in it than tensors")


def _tensor(each: dict[str, Any]) -> tuple[int, int]:
    """Where a tensor stands in the file; its bytes are those of its shape."""
    (start, end), shape = each["data_offsets"], each["shape"]
    if not all(type(n) is int and n >= 0 for n in (start, end, *shape)):
        raise ValueError(each)
    if end - start != math.prod(shape) * DTYPES[each["dtype"]]:
        raise ValueError(each)
    return start, end


def _config(run: Run) -> None:
    """The configuration parses; what of it is shown has no control characters, and a hook stays a text."""
    config = run.config
    for text in (config.name, config.about):
        _printable(text, "config.toml")


def _recording(run: Run) -> int:
    """Pass if it can be shown; returns the epoch up to which training is recorded."""
    state = RunState()
    _records(run.frames, state)
    if state.hello is None:
        raise PackError("frames.bin begins with no hello")
    configs.from_tables(dict(state.hello.config), "frames.bin")
    losses = state.series.get("train_loss")
    return int(losses.epochs[-1]) + 1 if losses else 0


def _lineage(run: Run, end: int) -> None:
    """A branch names a run as its parent, and has that one's past in its own recording."""
    if lineages.broken(run.path):
        raise PackError(f"{lineages.FILE} does not say of which run it is a branch")
    if run.lineage is not None and run.lineage.epoch > end:
        at = run.lineage.epoch
        raise PackError(f"{lineages.FILE}: a branch from epoch {at:,} that is recorded up to epoch {end:,}")


def _records(file: Path, state: RunState) -> None:
    """Pass if every record can be read, and folded as a viewer would."""
    size = file.stat().st_size
    position, first = 0, True
    while position < size:
        frames, end = record.read(file, position, RECORDS)
        if end == position:
            raise PackError(f"{file.name} cannot be read from byte {position:,} on")
        for frame in frames:
            if first and not isinstance(frame, Hello):
                raise PackError(f"{file.name} begins with no hello")
            if isinstance(frame, Hello) and frame.protocol > PROTOCOL:
                raise PackError(f"{file.name}: made by a newer grok-tui (protocol {frame.protocol})")
            first = False
            _fold(state, frame, file.name)
        position = end


def _fold(state: RunState, frame: Any, name: str) -> None:
    if isinstance(frame, Event):
        for text in (frame.what, frame.text):
            _printable(text, name)
        if frame.what in STEERED:
            _steered(frame.data, name)
    try:
        state.apply(frame)
    except Exception as error:  # whatever it is: a viewer would end with it
        raise PackError(f"{name}: a {frame.kind} in it cannot be shown ({type(error).__name__})") from None


def _ledger(run: Run) -> None:
    """Every change is one that a trainer could repeat."""
    for entry in ledger.read(run.ledger):
        _printable(entry.text, "ledger.jsonl")
        if entry.ok and entry.what in STEERED:
            _steered(entry.data, "ledger.jsonl")


def _steered(data: Mapping[str, Any], where: str) -> None:
    control = str(data.get("control"))[:40]
    if control not in configs.CONTROLS:
        raise PackError(f"{where}: there is no control {control!r}")
    for name in ("value", "previous"):
        if name in data or name == "value":
            configs.check(f"optimizer.{control}", data.get(name), f"{where}: {control}")


def _json(file: Path) -> None:
    if not file.exists():
        return
    try:
        found = json.loads(file.read_bytes())
        if isinstance(found, dict):
            _plain(found, file.name)
            return
    except (ValueError, RecursionError):
        pass  # said below, as for what is no table
    raise PackError(f"{file.name} is not JSON")


def _plain(value: Any, where: str) -> None:
    """Pass if all texts can be shown, and all numbers are numbers."""
    match value:
        case dict():
            for key, item in value.items():
                _printable(key, where)
                _plain(item, where)
        case list():
            for item in value:
                _plain(item, where)
        case str():
            _printable(value, where)
        case int() | float() if not abs(value) < lineages.MOST:  # nor is NaN
            raise PackError(f"{where} holds {str(value)[:20]} for a number")


def _printable(text: str, where: str) -> None:
    """A control character could make a terminal do what nobody asked for."""
    if any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        raise PackError(f"{where} has control characters in a text that is shown")
