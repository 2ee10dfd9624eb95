"""What is to be done with a run, and when: plans, goals, limits, and recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grok_tui import completion
from grok_tui.commands import common

if TYPE_CHECKING:
    from collections.abc import Callable

    from grok_tui.planned import Planned
    from grok_tui.runs import Run
    from grok_tui.science.phases import Phase

_LINE = {"ignore_unknown_options": True}
"""An arrow (->) in a line is no option."""


@click.command(context_settings=_LINE)
@click.argument("run", shell_complete=completion.run)
@click.argument("line", nargs=-1)
def plan(run: str, line: tuple[str, ...]) -> None:
    """Add a rule to a living run, or list its rules: pending and fired.

    A rule on a phase acts when the phase is known, which is later than where it began; a branch goes to where it began.

    \b
      grok-tui plan demo-1 "at 6000: set weight_decay 0.3"
      grok-tui plan demo-1 "when cleanup: checkpoint; set weight_decay linear 0 over 3000"
      grok-tui plan demo-1 "when test_accuracy > 0.5: pause"
      grok-tui plan demo-1 unplan 2
    """  # noqa: D301 - the character by which click leaves the lines as they are
    if line:
        common.tell(run, " ".join(line))
        return
    from grok_tui import ledger, listing, planned, wording

    found = common.find(run)
    plans = planned.of(ledger.read(found.ledger))
    if not plans.rules and plans.goal is None:
        click.echo(f'{found.name} has no plan; add to it: grok-tui plan {found.name} "when cleanup: pause"')
        return
    began = _beginnings(found, plans.fired)
    over = ", never came" if listing.run_standing(found) == "finished" else ""
    rows = [(str(rule.id), rule.line, f"since {rule.added:,}{over}") for rule in plans.pending]
    rows += [
        (
            str(rule.id),
            rule.line,
            f"failed at {rule.fired:,}: {rule.failed}" if rule.failed else f"done at {rule.fired:,}{began(rule)}",
        )
        for rule in plans.fired
    ]
    if plans.goal:
        rows.append(("", f"{plans.goal.until}: pause", f"since {plans.goal.since:,}{over}"))
    for row in wording.columns(rows, right=frozenset({0})):
        click.echo(row)


def _beginnings(run: Run, fired: list[Planned]) -> Callable[[Planned], str]:
    """What tells of a rule that acted at a phase where that had begun."""
    from grok_tui import comparing, placing, plan, planned
    from grok_tui.errors import GrokTuiError

    def phase(rule: Planned) -> Phase | None:
        read = planned.Planned(rule.id, rule.first, rule.since).rule
        return read.when.phase if read and isinstance(read.when, plan.Entering) else None

    if not any(map(phase, fired)):
        return lambda _: ""
    try:
        state = comparing.read(run)
    except GrokTuiError as error:  # the rules are the ledger's: they are told without the recording, too
        click.echo(f"where phases began is unknown: {error}", err=True)
        return lambda _: ""

    def said(rule: Planned) -> str:
        asked = phase(rule)
        told = placing.called(state, asked, rule.fired) if asked else ""
        return f"; {told}" if told else ""

    return said


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.argument("epochs", required=False, default="1", metavar="[N]")
def step(run: str, epochs: str) -> None:
    """Have a living run take N epochs, or one, and pause."""
    common.tell(run, f"run {epochs}")


@click.command(context_settings=_LINE)
@click.argument("run", shell_complete=completion.run)
@click.argument("when", nargs=-1, required=True)
def until(run: str, when: tuple[str, ...]) -> None:
    """Have a living run go on until an epoch, a phase or a condition, and pause there.

    \b
      grok-tui until demo-1 6000
      grok-tui until demo-1 cleanup
      grok-tui until demo-1 "test_loss < 1"
    """  # noqa: D301 - the character by which click leaves the lines as they are
    common.tell(run, f"until {' '.join(when)}")


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.argument("rate", metavar="N|off")
def limit(run: str, rate: str) -> None:
    """Limit a living run to N epochs per second, to be watched; off takes that back, and so does a resume."""
    common.tell(run, f"limit {rate}")


@click.command()
@common.run_argument
@click.option("--as-planned", is_flag=True, help="Keep the conditions of rules, for another seed to meet on its own.")
@click.option("--family", is_flag=True, help="Keep the branches that its parents asked for, too.")
def recipe(run: str | None, as_planned: bool, family: bool) -> None:
    """Print a run's interventions as a file that --recipe applies to another run."""
    from grok_tui import recipe

    click.echo(recipe.text(common.find(run), as_planned=as_planned, family=family), nl=False)
