"""How a file was made: what a reader needs to make it again, and to know what its numbers are."""

from __future__ import annotations

import json
import math
import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from grok_tui import __version__, hindsight
from grok_tui.export import again
from grok_tui.export.whole import Column, Whole

READINGS = {
    "measured": "of the weights and the data alone",
    "key-free": "of all frequencies: no choice of keys is involved",
    "provisional": "with the key frequencies of that epoch; they may change until the run has settled",
    "hindsight": "computed again over the stored weights with the keys of the end",
    "control": "set, not measured: its value in the step from that epoch on",
}
"""What the reading of a series means."""


def made(whole: Whole) -> dict[str, Any]:
    """How the run and this file were made, as plain values."""
    hello, state = whole.state.hello, whole.state
    assert hello is not None  # `whole.read` has seen to it
    command_again = again.command(whole.run, hello.config, whole.ledger)
    return {
        "made_with": f"grok-tui {__version__}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
        "run": whole.run.name,
        "preset": hello.config.get("name", ""),
        "lineage": asdict(whole.run.lineage) if whole.run.lineage else None,
        "again": command_again,
        "again_differs": again.differs(whole.run, command_again),
        "seeds": {name: state.setting(section, "seed") for name, section in (("data", "data"), ("model", "model"))},
        "epoch": state.epoch,
        "configured_epochs": state.epochs,
        "state": state.state,
        "configuration": hello.config,
        "trained": [{"grok_tui": greeting.version, "machine": greeting.machine} for greeting in whole.greetings],
        "final_keys": list(state.final_keys),
        "damage": whole.damage,
        "ledger": ledger(whole),
        "phases": phases(whole),
        "readings": READINGS,
    }


def series(whole: Whole, columns: list[Column]) -> list[dict[str, Any]]:
    """What each series is; a recomputed one with the frequencies that it is about."""
    return [described(whole, column) for column in columns]


def described(whole: Whole, column: Column) -> dict[str, Any]:
    """What one series is."""
    info = column.info
    known: dict[str, Any] = {"name": info.name, "label": info.label, "unit": info.unit, "reading": column.reading}
    if info.reading == hindsight.READING:
        known["keys"] = list(whole.state.final_keys)
    return known | {"about": info.about}


def ledger(whole: Whole) -> list[dict[str, Any]]:
    """What was done to the run, and what was refused."""
    return [asdict(entry) for entry in whole.ledger]


def events(whole: Whole) -> list[dict[str, Any]]:
    """What happened in the run."""
    return [
        {"epoch": e.epoch, "time": e.time, "what": e.what, "text": e.text, "seq": e.seq, "data": e.data}
        for e in whole.state.events
    ]


def phases(whole: Whole) -> list[dict[str, Any]]:
    """The start of each phase by the present rules, which may be newer than those of the run's day."""
    from grok_tui.science.phases import RULES

    return [
        {"phase": str(b.phase), "epoch": b.epoch, "confirmed": b.confirmed, "rules": RULES}
        for b in whole.state.phases.boundaries
    ]


def command() -> str:
    """What was typed to make the file."""
    return shlex.join(["grok-tui", *sys.argv[1:]])


def plain(value: Any) -> Any:
    """`value` as JSON can say it: NaN is null, infinities are texts."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def text(value: Any, indent: int | None = None) -> str:
    """`value` as JSON."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)
