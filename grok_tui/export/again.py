"""The command that makes a run again: the same numbers, whatever was done to it by hand."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from grok_tui import again, config, ledger, recipe, runs, stacking
from grok_tui.errors import ConfigError, RunError
from grok_tui.ledger import Entry
from grok_tui.lineage import Lineage
from grok_tui.plan import exact
from grok_tui.runs import Run

BRANCH = "grok-tui branch "
"""How a command begins that goes on as the parent did, also as in a stack."""

DEEDS = frozenset({"planned", "unplanned", "fired", "changed", "scheduled", "branch", "hook"})
"""What was done to a run, and is handed down to its branches."""


def command(run: Run, tables: Mapping[str, Any], entries: Iterable[Entry]) -> str:
    """The command for a run with this configuration and this ledger; empty where there is none.

    A branch is branched off again where that gives the same; else all is done anew from epoch 0, which needs no parent.
    """
    done = [entry for entry in entries if entry.ok]
    try:
        if run.lineage is not None and (short := _branched(run, run.lineage, done)):
            return short
        wanted = config.from_tables(dict(tables), "the run")
        by_hand = _by_hand(recipe.living(done), _configured(done))
        lines = recipe.lines(run, done).rules if by_hand else wanted.plan.lines
        return again.planned(wanted, lines, stacking.manner(run).stack)
    except (ConfigError, RunError):  # of a newer grok-tui: its configuration stands beside this
        return ""


def differs(run: Run, command: str) -> str:
    """Why the run that the command makes is not the same to the last digit; empty where it is, on the same machine."""
    mixed = stacking.mixed(run)
    if not mixed or not command or command.startswith(BRANCH):
        return ""
    return f"trained {mixed}: these round otherwise, and one way alone leads elsewhere in the end"


def _branched(run: Run, own: Lineage, done: list[Entry]) -> str:
    """The command that branches a run off its parent once more; empty where that would not give the same."""
    parent = runs.parent(run)
    if parent is None:
        return ""
    born = max(i for i, entry in enumerate(done) if entry.what == "branched")
    there = [entry for entry in ledger.read(parent.ledger) if entry.ok]
    if _told(done[:born]) != _told(entry for entry in recipe.living(there) if entry.epoch <= own.epoch):
        return ""  # some of what was done there is not the branch's
    if _by_hand(done[born + 1 + len(own.changes) :], _configured(done)):
        return ""
    changes = [word for name, value in own.changes.items() for word in (f"--{name.replace('_', '-')}", exact(value))]
    settings = [word for key, value in own.settings.items() for word in ("--set", f"{key}={value}")]
    alone = ["--alone"] if stacking.manner(run).stack == 1 < stacking.manner(parent).stack else []
    return BRANCH + shlex.join([parent.name, "--epoch", str(own.epoch), *changes, *settings, *alone])


def _told(done: Iterable[Entry]) -> list[tuple[int, str, str]]:
    return [(entry.epoch, entry.what, entry.text) for entry in done if entry.what in DEEDS]


def _configured(done: Iterable[Entry]) -> frozenset[object]:
    """The numbers of the rules that the configuration holds."""
    return frozenset(entry.data["id"] for entry in done if entry.what == "planned" and "preset" in entry.data)


def _by_hand(done: Iterable[Entry], configured: Collection[object]) -> bool:
    """Whether anything was done that the rules of the configuration do not do by themselves."""
    for entry in done:
        match entry.what:
            case "unplanned":
                return True
            case "planned" if entry.data.get("id") not in configured:
                return True
            case "changed" | "scheduled" | "branch" | "hook" | "checkpoint":
                if entry.data.get("by") not in configured and "ended" not in entry.data:
                    return True
    return False
