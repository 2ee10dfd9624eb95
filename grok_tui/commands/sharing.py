"""Commands that hand a run to somebody else, take one in, and draw it for print."""

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
@click.argument("runs", nargs=-1, shell_complete=completion.run, metavar="RUN...")
@click.option("--like", metavar="NAME", help="Which; nanda-fig7 by default, compare for several runs.")
@click.option("--out", "file", type=click.Path(), metavar="FILE", help="An .svg, .png or .pdf.")
@click.option("--epoch", type=click.IntRange(0), metavar="N", help="As the run was at that epoch.")
@click.option("--log-x", is_flag=True, help="Epochs on a logarithmic axis.")
@click.option("--list", "listed", is_flag=True, help="Which figures there are; and what RUN lacks for them.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def figure(
    runs: tuple[str, ...], like: str | None, file: str | None, epoch: int | None, log_x: bool, listed: bool, force: bool
) -> None:
    """Draw a figure of the papers from a recording, for print.

    Phases are shaded, interventions marked, and each line names its reading. The file carries how it was made.
    """
    from pathlib import Path

    from grok_tui.export.out import need

    need("matplotlib")
    from grok_tui import wording
    from grok_tui.figures import out

    found = [common.find(name) for name in runs]
    if listed:
        for line in wording.columns(out.listing(found[0] if found else None)):
            click.echo(line)
        return
    if not found:
        raise click.UsageError("the name of a run was expected; grok-tui runs lists them")
    click.echo(out.figure(found, like, Path(file) if file else None, epoch=epoch, log_x=log_x, force=force))


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
