"""What several commands share: how a run is found, shown and asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from grok_tui import completion
from grok_tui.errors import ConfigError, RefusedError, RunError

if TYPE_CHECKING:
    from grok_tui.config import Config
    from grok_tui.protocol import Command, Reply
    from grok_tui.runs import Run
    from grok_tui.ui.app import GrokApp, Replay

run_argument = click.argument("run", required=False, shell_complete=completion.run)
headless = click.option(
    "--headless", is_flag=True, help="No screen: follow the run with a progress bar or plain lines."
)
once = click.option("--once", is_flag=True, help="Print the present state as text and leave.")
read_only = click.option("--read-only", is_flag=True, help="Only look: nothing in this viewer changes anything.")
detach = click.option("--detach", is_flag=True, help="Start it in the background, print its name and leave.")
alone = click.option(
    "--alone", is_flag=True, help="By itself also where its past was computed in a stack: faster, not bit for bit."
)


def stacked(run: Run, choice: str = "; --alone does without, and is another trajectory") -> None:
    """Say that a run that was just started is trained as in a stack, what that costs, and the `choice` there is."""
    from grok_tui import stacking

    if (models := stacking.manner(run).stack) > 1:
        click.echo(f"{run.name}: {stacking.price(models)}{choice}", err=True)


def hookless(run: Run, hook: str) -> None:
    """Say that the hook of the run's configuration is not run; it may come from somebody else."""
    from grok_tui import wording

    if not hook and run.config.notify.hook:
        click.echo(f"{run.name} goes on {wording.hookless(run.name)}", err=True)


def idle(run: Run, values: Iterable[tuple[str, float]]) -> None:
    """Say of the controls' new values with which of them the run learns nothing."""
    from grok_tui import wording

    for said in filter(None, (wording.idle(control, value) for control, value in values)):
        click.echo(f"{run.name}: learning rate: {said}", err=True)


def on_terminal() -> bool:
    """The screen reads standard input and is drawn on the other two."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def need_terminal() -> None:
    """Pass if there is a terminal for the screen.

    Raises:
        UsageError: there is none.
    """
    if not on_terminal():
        raise click.UsageError("the screen needs a terminal; use --headless, --once or --detach without one")


def find(name: str | None) -> Run:
    """The run of that name; the newest for None.

    Raises:
        RunError: there is none.
    """
    from grok_tui import runs

    return runs.find(name)


def follow(
    run: Run, *, headless: bool = False, once: bool = False, detach: bool = False, read_only: bool = False
) -> int | None:
    """Show a run in the way that was asked for: on the screen unless told otherwise."""
    if detach:
        click.echo(f"{run.name} is training; look: grok-tui attach {run.name}; stop: grok-tui stop {run.name}")
        return None
    if headless:
        from grok_tui import headless as following

        return following.follow(run)
    if once:
        from grok_tui.ui import once as printing

        click.echo(printing.text(run))
        return None
    return screen(run, read_only=read_only)


def screen(run: Run | None, *, read_only: bool = False, replay: Replay | None = None) -> int:
    """Show a run, or the home screen, and print what the viewer has to say on leaving."""
    import gc

    gc.disable()  # until the screen is there: collections take a tenth of the start
    from grok_tui.ui.app import GrokApp

    return shown(GrokApp.on(run, read_only=read_only, replay=replay))


def shown(app: GrokApp) -> int:
    """Run the viewer, and print what it has to say on leaving."""
    farewell = app.run()
    if farewell:
        click.echo(farewell)
    return int(app.return_code or 0)


def ask(run: Run, command: Command) -> Reply:
    """The trainer's agreement.

    Raises:
        RefusedError: it did not agree.
        RunError: nobody is training the run.
    """
    from grok_tui import listing, sources

    if not run.alive:
        if listing.run_standing(run) == "finished":
            raise RunError(f"{run.name} has finished its {run.config.training.epochs:,} epochs")
        raise RunError(f"{run.name} is not being trained now; grok-tui resume {run.name} continues it")
    reply = sources.ask(run, command)
    if not reply.ok:
        raise RefusedError(f"{run.name}: {reply.text}")
    return reply


def order(name: str | None, order: str) -> None:
    """Have a run's trainer carry out an order, and print its answer."""
    from grok_tui.protocol import Order

    run = find(name)
    reply = ask(run, Order(1, order))
    click.echo(f"{run.name}: {reply.text} (epoch {reply.epoch:,})")


def steer(run: Run, control: str, value: float) -> None:
    """Have a run's trainer give a control another value, and print its answer."""
    from grok_tui.protocol import SetControl

    reply = ask(run, SetControl(1, control, value))
    click.echo(f"{run.name}: {reply.text} (epoch {reply.epoch:,})")
    idle(run, [(control, value)])


def tell(name: str, line: str) -> None:
    """Have a run's trainer carry out, or plan, what a line says, and print its answer.

    Raises:
        PlanError: the line cannot be read; said before anybody is asked.
    """
    from grok_tui import plan
    from grok_tui.protocol import Plan

    asked = plan.read(line)
    run = find(name)
    reply = ask(run, Plan(1, line))
    click.echo(f"{run.name}: {reply.text} (epoch {reply.epoch:,})")
    if isinstance(asked, plan.Rule):
        idle(run, [(each.control, each.value) for each in asked.actions if isinstance(each, plan.Set | plan.Branch)])


def overrides(shortcuts: dict[str, str | None], changes: Iterable[str]) -> list[tuple[str, str]]:
    """(key, text) of what was given for a preset: by options of their own, and by --set.

    Raises:
        UsageError: a change is not KEY=VALUE.
    """
    keys = {
        "weight_decay": ("optimizer.weight_decay",),
        "lr": ("optimizer.lr",),
        "seed": ("data.seed", "model.seed"),
        "epochs": ("training.epochs",),
        "measure_every": ("measure.every",),
    }
    found = [(key, text) for name, text in shortcuts.items() if text is not None for key in keys[name]]
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise click.UsageError(f"--set {change!r}: KEY=VALUE was expected, such as data.fraction=0.4")
        found.append((key.strip(), text.strip()))
    return found


def check_layout(settings: Config) -> None:
    """Refuse a layout that there is none of, before anything is started."""
    if settings.view.layout:
        from grok_tui.ui import layouts

        try:
            layouts.find(settings.view.layout)
        except ConfigError as error:
            raise ConfigError(f"view.layout: {error}") from None
