"""Commands that hand a run to somebody else, and take one in."""

from __future__ import annotations

import click

from grok_tui import completion
from grok_tui.commands import common


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.argument("file", type=click.Path(), required=False)
@click.option("--without-weights", is_flag=True, help="Much smaller; branches of it start from epoch 0.")
@click.option("--family", is_flag=True, help="Every ancestor and branch too, whole.")
@click.option("--alone", is_flag=True, help="Not even the ancestors' recordings, which are its ghosts.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def pack(run: str, file: str | None, without_weights: bool, family: bool, alone: bool, force: bool) -> None:
    """Write a run into one file, RUN.grok, that another machine can replay, branch and compare.

    A living run is packed as it stands. The recordings of a branch's ancestors come along, without their weights.
    """
    from pathlib import Path

    from grok_tui import packing

    if family and alone:
        raise click.UsageError("--family and --alone do not go together")
    who: packing.Family = "all" if family else "none" if alone else "ancestors"
    found = common.find(run)
    done = packing.pack(found, Path(file) if file else None, weights=not without_weights, family=who, force=force)
    rest = f", with {', '.join(done.runs[1:])}" if done.runs[1:] else ""
    click.echo(
        f"{found.name}, epoch {done.epoch:,}{rest}: {done.count:,} files, {done.size / 1e6:,.1f} MB in {done.file}"
    )
    click.echo(f"  on another machine: grok-tui unpack {done.file.name}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--name", metavar="NAME", help="What to call the run; its own name otherwise.")
def unpack(file: str, name: str | None) -> None:
    """Make a run of a file that grok-tui pack wrote: checked first, and nothing in it is executed.

    A name that is taken gets the next free number. What is damaged or not a pack leaves nothing behind.
    """
    from pathlib import Path

    from grok_tui import packing

    run, *family = packing.unpack(Path(file), name)
    click.echo(
        f"{run.name} is here" + (f", and of its family {', '.join(each.name for each in family)}" if family else "")
    )
    if run.config.notify.hook:
        click.echo("  its configuration names a hook, which is kept as a text and never run")
    click.echo(f"  look: grok-tui attach {run.name}")
