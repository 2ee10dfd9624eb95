"""Every key, once. Feeds the bindings, the bottom line, the help screen, the palette and the README."""

from __future__ import annotations

from textual.binding import BindingType

from grok_tui.ui.key import Key
from grok_tui.ui.other_keys import APP_KEYS, COMPARE_KEYS, HOME_KEYS, RUNS, SWEEP_KEYS
from grok_tui.ui.run_keys import PLACES, RUN_KEYS

__all__ = [
    "APP_KEYS",
    "COMPARE_KEYS",
    "HOME_KEYS",
    "PLACES",
    "RUNS",
    "RUN_KEYS",
    "SWEEP_KEYS",
    "TABLE",
    "Key",
    "bindings",
    "groups",
    "markdown",
]

TABLE: tuple[Key, ...] = (*RUN_KEYS, *APP_KEYS, *HOME_KEYS, *COMPARE_KEYS, *SWEEP_KEYS)


def bindings(rows: tuple[Key, ...]) -> list[BindingType]:
    """The Textual bindings of some rows of the table."""
    return [binding for row in rows for binding in row.bindings]


def groups(rows: tuple[Key, ...] = TABLE) -> dict[str, list[Key]]:
    """The rows by group, in the table's order."""
    found: dict[str, list[Key]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found


def markdown() -> str:
    """The table as the README prints it."""
    lines: list[str] = []
    for group, rows in groups().items():
        lines += [f"**{group}**", "", "| Key | What it does |", "|---|---|"]
        lines += [f"| `{row.shown}` | {row.about} |" for row in rows]
        lines.append("")
    return "\n".join(lines)
