"""`grok-tui import` and `grok-tui export`: checkpoints of other programs in, a run's numbers and weights out.

Checkpoints need torch, so another process does that work and prints what there is to say.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grok_tui import completion

if TYPE_CHECKING:
    from grok_tui.runs import Run

CHARTS = ("svg", "png", "pdf")
TARGETS = ("csv", "parquet", "json", "tensorboard", *CHARTS, "transformerlens")
"""What a run can be written for."""

SPLITS = ("published", "torch-randperm")
"""As `config.Data.split`, here to keep --help fast; a test compares them."""


@click.command("import", short_help="Show checkpoints made elsewhere as a run.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--name", metavar="NAME", help="What to call the run; the first file's name otherwise.")
@click.option("--epoch", type=click.IntRange(0), metavar="N", help="Of a single checkpoint that does not say.")
@click.option("--fraction", metavar="X", help="Share of the pairs that it was trained on; 0.3 if nothing says.")
@click.option("--data-seed", metavar="N", help="Of the split; 0 if nothing says.")
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Who shuffled the pairs: the published code, or torch as in TransformerLens' demo (seed 598).",
)
@click.option("--weight-decay", metavar="X", help="It was trained with; only shown.")
@click.option("--lr", metavar="X", help="Its learning rate; only shown.")
def take_in(files: tuple[str, ...], name: str | None, epoch: int | None, **given: str | None) -> int:
    """Show checkpoints of others as a finished run: of Nanda et al.'s training code, or of TransformerLens.

    FILE is a .pth, .pt or .safetensors with a state dict, a published full_run_data.pth with many, or a folder
    of files named after their epochs. Nothing in a file is run. What grok-tui export wrote beside a file is read
    too. The training pairs are not in a checkpoint: say which they were, or those of the published mainline are
    assumed, and the run says so.
    """
    keys = {
        "fraction": "data.fraction",
        "data_seed": "data.seed",
        "split": "data.split",
        "weight_decay": "optimizer.weight_decay",
        "lr": "optimizer.lr",
    }
    words = ["import", *_option("--name", name), *_option("--epoch", epoch)]
    words += [f"--set={keys[key]}={value}" for key, value in given.items() if value is not None]
    return _run([*words, "--", *files])


@click.command("export", short_help="Write a run's numbers, or its weights, for other programs.")
@click.argument("run", shell_complete=completion.run)
@click.argument("file", type=click.Path())
@click.option("--to", "program", type=click.Choice(TARGETS), help="By default what FILE's ending says.")
@click.option("--long", is_flag=True, help="csv, parquet: a row for each point, not for each epoch.")
@click.option("--maps", is_flag=True, help="json: the large arrays too.")
@click.option("--pane", "panes", multiple=True, metavar="NAME", help="svg, png, pdf: a pane or a series; or several.")
@click.option("--log-x", is_flag=True, help="svg, png, pdf: epochs on a logarithmic axis.")
@click.option("--epoch", type=click.IntRange(0), metavar="N", help="transformerlens: of the stored ones; or the last.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def write_out(
    run: str,
    file: str,
    program: str | None,
    epoch: int | None,
    panes: tuple[str, ...],
    log_x: bool,
    force: bool,
    **tables: bool,
) -> int | None:
    """Write a run for other programs: its numbers, its charts, or its weights for TransformerLens.

    csv, parquet: a table of all series, each with its reading, and beside it tables of the ledger, the events, the
    phases and (parquet) the arrays. json: all in one. tensorboard: FILE is a folder for its --logdir. svg, png,
    pdf: charts for print, as grok-tui figure draws them. Each says how it was made: command, configuration, seeds,
    versions, machine, ledger.

    transformerlens: a HookedTransformer's state dict, as .pth, .pt or .safetensors, and its configuration beside it,
    as FILE.json: grok-tui import reads that too. The logits are the same, up to rounding.
    """
    program = program or _meant(Path(file).suffix)
    _fitting(program, epoch=epoch, pane=panes, log_x=log_x, **tables)
    if program == "transformerlens":
        return _run(["export", *_option("--epoch", epoch), *(["--force"] if force else []), "--", run, file])
    from grok_tui.commands import common
    from grok_tui.export import out

    found = common.find(run)
    if program in CHARTS:
        click.echo(_charts(found, program, Path(file), panes, log_x=log_x, force=force))
    else:
        click.echo(out.export(found, program, Path(file), force=force, **tables))
    return None


def _charts(run: Run, program: str, file: Path, panes: tuple[str, ...], *, log_x: bool, force: bool) -> str:
    from grok_tui.errors import ExchangeError
    from grok_tui.export import out

    out.need("matplotlib")
    if file.suffix != f".{program}":
        raise ExchangeError(f"{file}: .{program} was expected at its end")
    from grok_tui.figures import out as figures

    return figures.charts(run, file, panes, log_x=log_x, force=force)


def _meant(ending: str) -> str:
    """The program that reads files of that kind."""
    if ending[1:] in (*CHARTS, "csv", "parquet", "json"):
        return ending[1:]
    if ending in (".pth", ".pt", ".safetensors"):
        return "transformerlens"
    raise click.UsageError(f"--to is needed where FILE's ending does not say it: one of {', '.join(TARGETS)}")


def _fitting(program: str, **given: object) -> None:
    """Refuse an option that this program's files cannot follow."""
    fits = {"long": ("csv", "parquet"), "maps": ("json",), "pane": CHARTS, "log_x": CHARTS, "epoch": TARGETS[-1:]}
    for name, value in given.items():
        if value not in (None, False, ()) and program not in fits[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --to {program}")


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [f"{name}={value}"]


def _run(words: list[str]) -> int:
    """Wait for the process, also while it removes what it had begun when it is interrupted."""
    from grok_tui import launch
    from grok_tui.errors import LaunchError

    command = [sys.executable, "-P", "-m", "grok_tui.train.exchange", *words]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=launch.environment())
    except OSError as error:
        raise LaunchError(f"torch's process could not be started ({error.strerror})") from None
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
