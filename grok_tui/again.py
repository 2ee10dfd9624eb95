"""The command that starts a run of a configuration. No IO but for the shipped presets."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from grok_tui import config as configs
from grok_tui.config import Config


def start(config: Config, stack: int = 1) -> list[str]:
    """The words that start such a run, but for its plan; none where its preset is not among the shipped ones.

    `stack`: how many models shared its steps.
    """
    shipped = configs.presets()
    if config.name not in shipped:
        return []
    before, after = configs.to_tables(shipped[config.name]), configs.to_tables(config)
    words = ["grok-tui", "--preset", config.name]
    for section, table in after.items():
        for key, value in table.items() if isinstance(table, dict) and section != "plan" else ():
            if value != before[section][key]:
                words += ["--set", f"{section}.{key}={_typed(value)}"]
    return [*words, *seated(stack)]


def seated(stack: int) -> list[str]:
    """The words that have a run trained as in a stack."""
    return ["--stack", str(stack)] if stack > 1 else []


def planned(config: Config, lines: Iterable[str], stack: int = 1) -> str:
    """The command that starts such a run with this plan; empty where there is none that a line could hold."""
    words, lines = start(config, stack), tuple(lines)
    own = configs.presets()[config.name].plan.lines if words else ()
    if not words or lines[: len(own)] != own:  # --plan adds to what the preset has
        return ""
    if len(lines) > configs.limits("plan.lines")["lines"]:
        return ""
    return shlex.join([*words, *(word for line in lines[len(own) :] for word in ("--plan", line))])


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
