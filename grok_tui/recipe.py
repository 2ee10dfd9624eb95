"""A run's interventions as a small file that does the same to another run: TOML with one list, `plan`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from grok_tui import config as configs
from grok_tui import feasible, ledger, lineage, plan, record
from grok_tui.config import Config
from grok_tui.errors import PlanError
from grok_tui.ledger import Entry
from grok_tui.plan import exact
from grok_tui.planned import GOING, TOLD, of
from grok_tui.protocol import Hello
from grok_tui.runs import Run
from grok_tui.toml_files import read_tables

_MADE = ("device", "name", "threads", "torch", "python")
"""Of the machine that a run was trained on: what its last digits depend on."""


def text(run: Run, *, as_planned: bool = False) -> str:
    """The recipe of a run.

    Args:
        run: trained now, or not.
        as_planned: with the conditions of its rules, where they would give the epochs at which those came true.

    Raises:
        RecordError: its ledger or its recording cannot be read.
    """
    import tomli_w

    done = living(ledger.read(run.ledger))
    lines = planned(done) if as_planned else interventions(done)
    said = "as planned" if as_planned else "as they were done"
    head = [f"The interventions of {run.name}, {said}.", *_origin(run), *_pauses(done)]
    command = f"grok-tui --preset {run.config.name} --recipe FILE"
    head += [f"Applied to the same configuration it gives the same run: {command}"] * (not as_planned)
    return "".join(f"# {line}\n" for line in head) + tomli_w.dumps({"plan": lines})


def read(path: Path) -> tuple[str, ...]:
    """The rules in a recipe.

    Raises:
        PlanError: the file cannot be read, is no recipe, or has a line that is no rule.
    """
    found = read_tables(path, PlanError).get("plan")
    lines = found.get("lines") if isinstance(found, dict) else found
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise PlanError(f'{path}: no recipe: plan = ["at 6000: set weight_decay 0.3", ...] was expected')
    plan.check(lines, str(path))
    return tuple(lines)


def applied(config: Config, recipe: Path | None, lines: Iterable[str] = ()) -> Config:
    """`config` with a recipe in the place of its own plan, where one is given, and with more lines.

    Raises:
        PlanError: as `read`; or a line is no rule, or none that such a run can keep.
    """
    lines = tuple(lines)
    before = read(recipe) if recipe else config.plan.lines
    feasible.check(config, before, str(recipe or config.name))
    feasible.check(config, lines, "--plan")
    return configs.planning(config, (*before, *lines)) if recipe or lines else config


def living(entries: Iterable[Entry]) -> list[Entry]:
    """What was done to a run, without what was done in epochs that were given up and trained again."""
    found: list[Entry] = []
    for entry in entries:
        if entry.ok and entry.what in TOLD | GOING:
            while found and found[-1].epoch > entry.epoch:
                found.pop()
            found.append(entry)
    return found


def interventions(done: Iterable[Entry]) -> list[str]:
    """Each intervention as a rule at its epoch, in order."""
    return [f"at {entry.epoch}: {action}" for entry in done if (action := _action(entry))]


def planned(done: list[Entry]) -> list[str]:
    """The rules as they were added, and what was done by hand at its epoch."""
    found = [(rule.added, rule.first) for rule in of(done).rules.values()]
    found += [(e.epoch, f"at {e.epoch}: {action}") for e in done if "by" not in e.data and (action := _action(e))]
    return [line for _, line in sorted(found, key=lambda item: item[0])]


def _action(entry: Entry) -> str:
    """What would do the same; empty where nothing needs to be done."""
    data = entry.data
    match entry.what:
        case "changed" if "ended" not in data:
            return f"set {data['control']} {exact(data['value'])}"
        case "scheduled":
            return str(data["schedule"])
        case "checkpoint" | "hook":
            return entry.what
        case "branch":
            return " ".join(["branch", *(f"{name} {exact(value)}" for name, value in data.get("changes", {}).items())])
    return ""


def _origin(run: Run) -> list[str]:
    config = run.config
    chosen = config.optimizer
    begun = lineage.born(run.path, run.frames)
    when = f", started {datetime.fromtimestamp(begun):%Y-%m-%d %H:%M}" if begun else ""
    seeds = f"seeds {config.data.seed} (data) and {config.model.seed} (model)"
    lines = [
        f"preset {config.name}, {seeds}, weight decay {exact(chosen.weight_decay)}, lr {exact(chosen.lr)}, "
        f"{config.training.epochs:,} epochs{when}"
    ]
    frames, _ = record.read(run.frames, limit=1)
    if frames and isinstance(hello := frames[0], Hello):
        made = ", ".join(f"{name} {hello.machine[name]}" for name in _MADE if name in hello.machine)
        lines.append(f"made with grok-tui {hello.version}: {made}")
    return [" ".join(line.split()) for line in lines]


def _pauses(done: Iterable[Entry]) -> list[str]:
    epochs = sorted({entry.epoch for entry in done if entry.what == "paused"})
    if not epochs:
        return []
    told = ", ".join(f"{epoch:,}" for epoch in epochs[:8]) + (", …" if len(epochs) > 8 else "")
    return [f"Paused at {told}: that changes no number, and is left out."]
