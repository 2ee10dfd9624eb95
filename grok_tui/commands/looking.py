"""Commands that show runs and presets."""

from __future__ import annotations

import sys

import click

from grok_tui import completion
from grok_tui.commands import common


@click.command()
@common.run_argument
@common.once
@common.headless
@common.read_only
def attach(run: str | None, once: bool, headless: bool, read_only: bool) -> int | None:
    """Open a run, living or past; the newest if none is named.

    With --read-only no key steers, resumes, recomputes, notes, branches or deletes.
    """
    if once and headless:
        raise click.UsageError("--headless and --once do not go together")
    found = common.find(run)
    if not (once or headless):
        common.need_terminal()
    return common.follow(found, headless=headless, once=once, read_only=read_only)


@click.command()
@common.run_argument
@click.option("--speed", metavar="SPEED", help="100x as recorded, or 500/s; by default, all of it in a minute.")
@click.option(
    "--from", "since", type=click.IntRange(0), default=0, metavar="EPOCH", help="What was before is there at once."
)
@common.read_only
def replay(run: str | None, speed: str | None, since: int, read_only: bool) -> int:
    """Play a run's recording as if it were live; the newest if none is named.

    Pauses, and the time between a stop and a resume, are skipped. p pauses, < and > are slower and faster. When it is
    over, the run is shown as it is: live when it is still being trained.
    """
    from grok_tui import tempo
    from grok_tui.errors import RunError

    wanted = tempo.parse(speed) if speed else None
    found = common.find(run)
    if since > (end := int(found.state.get("epoch") or since)):
        raise RunError(f"{found.name} has come to epoch {end:,} only: it cannot be played from {since:,} on")
    common.need_terminal()
    return common.screen(found, read_only=read_only, replay=(wanted, since))


@click.command()
@click.option("--tree", is_flag=True, help="As families: branches under their parents, with what was changed.")
def runs(tree: bool) -> None:
    """List all runs, newest first."""
    import shutil

    from grok_tui import listing, runs

    found = runs.listing()
    if not found:
        click.echo("no runs yet; start one with grok-tui --preset demo")
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in listing.table(found, families=tree, width=width):
        click.echo(line)


@click.command()
def presets() -> None:
    """List the presets."""
    from grok_tui import config, wording

    for line in wording.columns([(name, found.about) for name, found in config.presets().items()]):
        click.echo(line)


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.option("--keys", metavar="K,K,...", help="Frequencies, such as 14,35,41; by default the newest recorded.")
def hindsight(run: str, keys: str | None) -> int:
    """Recompute a run's measures over its stored weights with its final key frequencies; training goes on."""
    from grok_tui import recompute

    return recompute.command(common.find(run), keys)
