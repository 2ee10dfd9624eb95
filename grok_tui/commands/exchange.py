"""`grok-tui import` and `grok-tui export`: checkpoints of other programs, in and out.

Both need torch, so another process does the work and prints what there is to say.
"""

from __future__ import annotations

import subprocess
import sys

import click

from grok_tui import completion

TARGETS = ("transformerlens",)
"""The programs that a run's weights can be written for."""

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


@click.command("export", short_help="Write a run's weights for TransformerLens.")
@click.argument("run", shell_complete=completion.run)
@click.option(
    "--to",
    "program",
    type=click.Choice(TARGETS),
    default=TARGETS[0],
    show_default=True,
    help="The program that is to read it.",
)
@click.option("--epoch", type=click.IntRange(0), metavar="N", help="Of the stored ones; the last one otherwise.")
@click.argument("file", type=click.Path())
def write_out(run: str, program: str, epoch: int | None, file: str) -> int:  # noqa: ARG001 - there is only one
    """Write a run's weights for TransformerLens, as a HookedTransformer's state dict: .pth, .pt or .safetensors.

    Its configuration, and where and how it was trained, is written beside it, as FILE.json: grok-tui import reads
    that too. The logits are the same, up to rounding.
    """
    return _run(["export", *_option("--epoch", epoch), "--", run, file])


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
