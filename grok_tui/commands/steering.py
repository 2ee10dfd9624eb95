"""Commands to a run's trainer."""

from __future__ import annotations

import click

from grok_tui import completion
from grok_tui.commands import common


@click.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("run", shell_complete=completion.run)
@click.argument("control")
@click.argument("value")
def set_control(run: str, control: str, value: str) -> None:
    """Change a control of a living run: weight_decay or lr.

    wd means weight_decay, here and in plans.
    """
    from grok_tui import config

    try:
        number = float(value)
    except ValueError:
        raise click.UsageError(f"{control}: {value!r} is not a number") from None
    common.steer(common.find(run), config.control(control), number)


@click.command()
@common.run_argument
def pause(run: str | None) -> None:
    """Pause a living run; it keeps its place and its memory."""
    common.order(run, "pause")


@click.command()
@common.run_argument
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="auto: the same as before.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads; by default as many as before.")
@click.option(
    "--hook", default="", metavar="COMMAND", help="Run at each change of phase; one of before is not run again."
)
@common.alone
@common.headless
@common.detach
def resume(
    run: str | None, device: str, threads: int | None, hook: str, alone: bool, headless: bool, detach: bool
) -> int | None:
    """Continue a paused run, or one that was stopped or killed, from its last resume point; then open it.

    Outside a terminal it says so in one line and leaves, as with --detach.
    """
    from grok_tui import launch, locks

    if headless and detach:
        raise click.UsageError("--headless and --detach do not go together")
    found = common.find(run)
    if found.alive:
        if hook:
            raise click.UsageError(f"{found.name} is being trained already; stop it first to give it another --hook")
        common.order(found.name, "resume")
    else:
        locks.check(found)
        click.echo(f"resuming {found.name} …", err=True)
        launch.resume(found, device=device, threads=threads, hook=hook, alone=alone)
        common.stacked(found)
        common.hookless(found, hook)
    if headless:
        return common.follow(found, headless=True)
    return common.follow(found, detach=detach or not common.on_terminal())


@click.command()
@common.run_argument
def stop(run: str | None) -> None:
    """Stop a living run; saves a resume point first."""
    common.order(run, "stop")
