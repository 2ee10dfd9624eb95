"""A run's interventions as a small file that does the same to another run: TOML with one list, `plan`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from grok_tui import again, feasible, ledger, lineage, plan, record, stacking
from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.errors import PlanError
from grok_tui.ledger import Entry
from grok_tui.plan import Action, Branch, Crossing, Entering, Rule, exact
from grok_tui.planned import GOING, TOLD, Planned, of
from grok_tui.protocol import Hello
from grok_tui.runs import Run
from grok_tui.toml_files import read_tables

_MADE = ("device", "name", "threads", "stack", "torch", "python")
"""Of the machine that a run was trained on: what its last digits depend on."""

LAST = "Not come yet when this was written: the last line."


@dataclass(frozen=True, slots=True)
class Lines:
    """What was done to a run, as rules that do it again."""

    rules: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    """What of it is not among them, and what will be different."""


def text(run: Run, *, as_planned: bool = False, family: bool = False) -> str:
    """The recipe of a run.

    Args:
        run: trained now, or not.
        as_planned: with the conditions of its rules, where they would give the epochs at which those came true.
        family: with the branches that its parents asked for before it was branched off.

    Raises:
        RecordError: its ledger or its recording cannot be read.
    """
    import tomli_w

    entries = ledger.read(run.ledger)
    found = lines(run, entries, as_planned=as_planned, family=family)
    said = "as planned" if as_planned else "as they were done"
    head = [f"The interventions of {run.name}, {said}.", *_origin(run), *_pauses(living(entries)), *found.remarks]
    stack, mixed = stacking.manner(run).stack, stacking.mixed(run)
    words = again.start(run.config, stack)
    words = words or ["grok-tui", "--preset", str(run.path / "config.toml"), *again.seated(stack)]
    command = f"{shlex.join(words)} --recipe FILE"
    gives = f"another trajectory, since the run was trained {mixed}, which round otherwise" if mixed else "the same run"
    head += [f"Applied to the same configuration it gives {gives}: {command}"] * (not as_planned)
    return "".join(f"# {line}\n" for line in head) + tomli_w.dumps({"plan": list(found.rules)})


def lines(run: Run, entries: list[Entry], *, as_planned: bool = False, family: bool = False) -> Lines:
    """What was done to a run by its ledger, and what is still to be done to it.

    A branch that it asked for is asked for again: that makes another run, and changes nothing in this one. Those
    that its parents asked for are theirs, unless the whole family is wanted.
    """
    done, config = living(entries), run.config
    born = max((entry.seq for entry in entries if entry.ok and entry.what == "branched"), default=0)
    theirs = [entry for entry in done if entry.what == "branch" and entry.seq < born and not family]
    hooked = [entry for entry in done if entry.what == "hook" and not config.notify.hook]
    done = [entry for entry in done if entry not in theirs and entry not in hooked]
    whole: Callable[[str], str] = str if config.notify.hook else _hookless
    pending = [(line, rule) for rule in of(done).pending if (line := whole(_left(rule)))]
    over = run.state.get("state") == "finished" and not as_planned
    never = [line for line, _ in pending if over or _beyond(line, config)]
    told = _of_branches(theirs)
    told += [f"Never came, and left out: {line}" for line in never]
    if hooked:
        told.append(f"The hook ran at {_epochs(hooked)} by a command that the configuration does not have: left out.")
    if as_planned:
        wanted = planned(done, frozenset(entry.data.get("by") for entry in theirs))
    else:
        kept = [(line, rule) for line, rule in pending if line not in never]
        wanted = [*interventions(done), *(line for line, _ in kept)]
        told += _of_pending(kept)
    found = tuple(line for each in wanted if (line := _fitting(whole(each), config)) and not _beyond(line, config))
    if any(isinstance(action, Branch) for line in found if (rule := _rule(line)) for action in rule.actions):
        told.append("A line with branch starts another run, as it did here, and changes nothing in this one.")
    return Lines(found, tuple(told))


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


def planned(done: list[Entry], parents: Collection[object] = ()) -> list[str]:
    """The rules as they were added, and what was done by hand at its epoch.

    Of the rules with the numbers `parents` the branches are left out, which they made for a parent.
    """
    rules = of(done).rules
    found = [(rule.added, _branchless(rule.first) if rule.id in parents else rule.first) for rule in rules.values()]
    by_hand = [e for e in done if e.data.get("by") not in rules]
    found += [(e.epoch, f"at {e.epoch}: {action}") for e in by_hand if (action := _action(e))]
    return [line for _, line in sorted(found, key=lambda item: item[0]) if line]


def _left(pending: Planned) -> str:
    """What of a rule is still to be done: all, or the rest where the run was killed in between."""
    rule = pending.rule
    return str(replace(rule, actions=rule.actions[pending.done :])) if rule and pending.done else pending.line


def _without(line: str, unwanted: Callable[[Action], bool]) -> str:
    """A rule without some of its actions; empty where it has no others."""
    rule = _rule(line)
    if rule is None or not any(map(unwanted, rule.actions)):
        return line
    actions = tuple(action for action in rule.actions if not unwanted(action))
    return str(replace(rule, actions=actions)) if actions else ""


def _hookless(line: str) -> str:
    return _without(line, lambda action: feasible.hooks([action]))


def _branchless(line: str) -> str:
    return _without(line, lambda action: isinstance(action, Branch))


def _rule(line: str) -> Rule | None:
    try:
        return plan.parse(line)
    except PlanError:  # of a newer version
        return None


def _fitting(line: str, config: Config) -> str:
    """A rule without the branches for which a run of `config` has no epochs left; empty where it has nothing else."""
    rule = _rule(line)
    return _branchless(line) if rule is not None and feasible.childless(rule, config.training.epochs) else line


def _beyond(line: str, config: Config) -> bool:
    """Whether a run of `config` ends before a rule's moment comes, or has no epochs left then for what it asks."""
    rule = _rule(line)
    return rule is not None and bool(feasible.beyond(rule.when, config.training.epochs) or not _fitting(line, config))


def _of_branches(theirs: list[Entry]) -> list[str]:
    """What is said of the branches that the run's parents asked for."""
    if not theirs:
        return []
    return [f"A parent asked for branches at {_epochs(theirs)}: theirs, and left out; --family keeps them."]


def _of_pending(kept: list[tuple[str, Planned]]) -> list[str]:
    """What is said of the rules that may still be carried out."""
    if not kept:
        return []
    told = [f"Not come yet when this was written: the last {len(kept)} lines." if len(kept) > 1 else LAST]
    for line, planned in kept:
        if planned.since and planned.rule and isinstance(planned.rule.when, Entering | Crossing):
            told.append(f"Planned at {planned.since:,}, and looked for from the beginning on here: {line}")
    return told


def _epochs(entries: Iterable[Entry]) -> str:
    found = sorted({entry.epoch for entry in entries})
    return ", ".join(f"{epoch:,}" for epoch in found[:8]) + (", …" if len(found) > 8 else "")


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
    paused = [entry for entry in done if entry.what == "paused"]
    return [f"Paused at {_epochs(paused)}: that changes no number, and is left out."] if paused else []
