"""Runs as rows of text, for `grok-tui runs` and the home screen."""

from __future__ import annotations

import math
from typing import Any

from grok_tui import wording
from grok_tui.runs import Run

RUN_COLUMNS = ("run", "state", "epoch", "test accuracy", "weight decay", "last seen")
RUN_RIGHT = frozenset({2, 3, 4})


def run_row(run: Run) -> tuple[str, ...]:
    """One run under `RUN_COLUMNS`; "–" where nothing is known."""
    if run.problem is not None:
        return (run.name, "✗ unreadable", "–", "–", "–", wording.moment(run.started))
    state = run.state
    standing = run_standing(run)
    epochs = run.config.training.epochs
    return (
        run.name,
        f"{wording.MARKS[standing]} {standing}" + (f" {wording.MARKS['locked']}" if run.locked else ""),
        f"{int(_number(state, 'epoch', 0)):,}/{epochs:,}",
        wording.percent(_latest(state, "test_accuracy")),
        wording.number(_number(state.get("controls", {}), "weight_decay", run.config.optimizer.weight_decay)),
        wording.moment(_number(state, "time", run.started)),
    )


def run_standing(run: Run) -> str:
    """Whether it trains, rests or has ended, by the lock and its last words."""
    said = str(run.state.get("state", ""))
    if run.alive:
        return {"running": "live"}.get(said, said) if said in wording.MARKS else "waiting"
    return said if said in wording.ENDED else "cut off"


def _latest(state: dict[str, Any], name: str) -> float:
    return _number(state.get("values", {}), name, math.nan)


def _number(table: Any, name: str, default: float) -> float:
    found = table.get(name) if isinstance(table, dict) else None
    return float(found) if isinstance(found, int | float) else default
