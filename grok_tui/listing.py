"""Runs as rows of text, for `grok-tui runs` and the home screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from grok_tui import config as configs
from grok_tui import lineage, membership, runs, wording
from grok_tui.errors import RunError
from grok_tui.lineage import Lineage
from grok_tui.runs import Run

RUN_COLUMNS = ("run", "state", "epoch", "test accuracy", "weight decay", "last seen")
RUN_RIGHT = frozenset({2, 3, 4})
SHORTER = (*RUN_COLUMNS[:3], "test", "decay", "last seen")
"""The same where there is little room."""

TREE_COLUMNS = (*RUN_COLUMNS, "branched")

SWEEP, AT = "sweep", len(RUN_COLUMNS)
"""The column that stands there when one of the runs belongs to a sweep."""

LEAST = 8
"""Cells in which a sweep can be told from another by the end of its name."""


def run_row(run: Run, standing: str = "") -> tuple[str, ...]:
    """One run under `RUN_COLUMNS`; "–" where nothing is known. `standing`: how it stands, where that is known."""
    if run.problem is not None:
        return (run.name, "✗ unreadable", "–", "–", "–", wording.moment(run.started))
    state = run.state
    standing = standing or run_standing(run)
    begun = run.lineage.epoch if run.lineage else 0
    epochs = run.config.training.epochs
    return (
        run.name,
        f"{wording.MARKS[standing]} {standing}" + (f" {wording.MARKS['locked']}" if run.locked else ""),
        f"{int(_number(state, 'epoch', begun)):,}/{epochs:,}",
        wording.percent(_latest(state, "test_accuracy")),
        wording.number(_number(state.get("controls", {}), "weight_decay", run.config.optimizer.weight_decay)),
        wording.moment(_number(state, "time", run.started)),
    )


def table(found: Sequence[Run], *, families: bool = False, width: int = 0) -> list[str]:
    """Runs line by line, as families or not; with the sweep of each, where one belongs to a sweep.

    That column is cut, and the others are named more shortly, where it keeps a line from a screen of that `width`.
    """
    ordered = tree(found) if families else [("", run) for run in found]
    rows = [tree_row(lines, run) if families else run_row(run) for lines, run in ordered]
    columns = TREE_COLUMNS if families else RUN_COLUMNS
    if not (sweeps := sweeps_of(found)):
        return wording.columns([columns, *rows], right=RUN_RIGHT)
    names = [SWEEP, *(sweeps.get(run.name, ("", 0))[0] for _, run in ordered)]
    lines = wording.columns(_widened([columns, *rows], names), right=RUN_RIGHT)
    if not width or max(map(len, lines)) <= width:
        return lines
    shorter = [(*SHORTER, *columns[AT:]), *rows]
    room = width - max(map(len, wording.columns([row[:AT] for row in shorter]))) - 2
    return wording.columns(_widened(shorter, [ending(name, max(LEAST, room)) for name in names]), right=RUN_RIGHT)


def _widened(rows: Iterable[tuple[str, ...]], names: Iterable[str]) -> list[tuple[str, ...]]:
    return [(*row[:AT], name, *row[AT:]) for row, name in zip(rows, names, strict=True)]


def sweeps_of(found: Iterable[Run]) -> dict[str, tuple[str, int]]:
    """Run's name -> what its sweep is called now, and which member it is; only of those that belong to one."""
    members = {run.name: own for run in found if (own := membership.read(run.path)) is not None}
    there = membership.places(members.values())
    return {
        name: (there[own.id].name if own.id in there else f"{own.sweep}, gone", own.number)
        for name, own in members.items()
    }


def ending(text: str, room: int) -> str:
    """A name in so many cells: its end, where the number is, when it is longer."""
    return text if len(text) <= room else f"…{text[len(text) - room + 1 :]}"


def tree(found: Iterable[Run]) -> list[tuple[str, Run]]:
    """Runs as families: each with the lines that lead to it from its parent, such as "│ └ ".

    A family stands where its first member stood, its branches in the order of their numbers. One whose parent is
    not among the runs is a root: `branched` says of whom it is.
    """
    found = list(found)
    parents = _parents(found)
    children: dict[str, list[Run]] = {}
    for run in sorted(found, key=runs.by_number):
        children.setdefault(parents.get(run.name, ""), []).append(run)
    known = {run.name: run for run in found}
    roots: dict[str, Run] = {}
    for run in found:
        name = run.name
        while name in parents:
            name = parents[name]
        roots[name] = known[name]
    return [row for root in roots.values() for row in (("", root), *_below(root, "", children))]


def tree_row(lines: str, run: Run) -> tuple[str, ...]:
    """A run of a family under `TREE_COLUMNS`, behind the lines that `tree` found."""
    name, *others = run_row(run)
    return (lines + name, *others, branched(run, orphan=not lines))


def branched(run: Run, *, orphan: bool = False) -> str:
    """Where a run left its parent and what was changed there; empty for one that was started by itself."""
    if run.lineage is None:
        return ""
    return (f"of {run.lineage.parent}, which is gone, " if orphan else "") + departure(run.lineage)


def departure(own: Lineage) -> str:
    """Where a branch began and how it differs, such as "at 6,000: weight decay 0.3"."""
    differs = [f"without {own.without}"] if own.without else []
    differs += [f"{configs.CONTROLS.get(name, name)} {wording.number(v)}" for name, v in own.changes.items()]
    differs += [f"{key.removeprefix('training.')} {value}" for key, value in own.settings.items()]
    return f"at {own.epoch:,}" + (f": {', '.join(differs)}" if differs else "")


def run_standing(run: Run) -> str:
    """Whether it trains, rests or has ended, by the lock and its last words."""
    said = str(run.state.get("state", ""))
    if run.alive:
        return {"running": "live"}.get(said, said) if said in wording.MARKS else "waiting"
    if not said and membership.read(run.path) is not None:
        return _unbegun(run)
    return said if said in wording.ENDED else "cut off"


def _unbegun(run: Run) -> str:
    """Of a member in which nobody has trained its sweep knows more: its turn is to come, or it could not be begun."""
    from grok_tui import sweeps  # few runs are such ones

    try:
        member = sweeps.member_of(run)[1]
    except RunError:  # the sweep is gone, or not ours to read
        return "cut off"
    return "failed" if member.state == "failed" else "waiting"


def _latest(state: dict[str, Any], name: str) -> float:
    return _number(state.get("values", {}), name, math.nan)


def _number(table: Any, name: str, default: float) -> float:
    """A number that a table of the directory's holds; what is none, or beyond all bounds, was not written by us."""
    found = table.get(name) if isinstance(table, dict) else None
    if isinstance(found, int | float) and abs(found) < lineage.MOST:  # NaN is not
        return float(found)
    return default


def _parents(found: list[Run]) -> dict[str, str]:
    """The name of each run's parent, where that is among them, and none is its own ancestor."""
    found = sorted(found, key=runs.by_number)
    names = [run.name for run in found]
    born = cache(lambda i: lineage.born(found[i].path, found[i].frames))
    parents: dict[str, str] = {}
    for run in found:
        if (own := run.lineage) is None or (at := lineage.parent(own, names, born)) is None:
            continue
        above = names[at]
        while above != run.name and above in parents:
            above = parents[above]
        if above != run.name:
            parents[run.name] = names[at]
    return parents


def _below(parent: Run, lines: str, children: dict[str, list[Run]]) -> Iterator[tuple[str, Run]]:
    branches = children.get(parent.name, [])
    for child in branches:
        last = child is branches[-1]
        yield lines + ("└ " if last else "├ "), child
        yield from _below(child, lines + ("  " if last else "│ "), children)
