"""The `grok-tui` command: parse, pick what to do, print every error as one line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grok_tui import __version__, completion
from grok_tui.commands import (
    common,
    comparing,
    exchange,
    family,
    guarding,
    looking,
    noting,
    planning,
    sharing,
    steering,
    sweeping,
)
from grok_tui.errors import GrokTuiError

INTERRUPTED = 130

ABOUT = """A lab bench for grokking: the late, sudden generalization of small networks (Power et al. 2022).
Not xAI's Grok.

It trains in the background and draws in the terminal: a network memorizes, forms a circuit and cleans up,
and you change its weight decay with a key. Closing the screen does not stop the training.

\b
  grok-tui                          choose a preset or a run
  grok-tui --preset demo            a first look, under a minute
  grok-tui --preset nanda113        the mainline of Nanda et al. 2023
  grok-tui attach                   back to the newest run
"""

EPILOG = """Keys: press ? on any screen. Where runs are kept: GROK_TUI_HOME, else the platform's state directory.

Completion: eval "$(_GROK_TUI_COMPLETE=bash_source grok-tui)", or zsh_source, or for fish
_GROK_TUI_COMPLETE=fish_source grok-tui | source"""


class Commands(click.Group):
    """The subcommands; a preset's name in their place is met with the right spelling."""

    def resolve_command(  # noqa: D102 - click's own
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and args[0] in completion.preset_names():
            raise click.UsageError(f"{args[0]!r} is a preset, not a command: grok-tui --preset {args[0]}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=ABOUT,
    epilog=EPILOG,
)
@click.version_option(__version__, "-V", "--version", prog_name="grok-tui")
@click.option("--preset", metavar="NAME|FILE", shell_complete=completion.preset, help="Start this experiment.")
@click.option("--weight-decay", metavar="X", help="Instead of the preset's.")
@click.option("--lr", metavar="X", help="Learning rate, instead of the preset's.")
@click.option("--seed", metavar="N", help="Of the split and of the initial weights.")
@click.option("--epochs", metavar="N", help="How long.")
@click.option("--measure-every", metavar="N", help="Epochs between measures.")
@click.option(
    "--set",
    "changes",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.key,
    help="Any other value of the preset, such as data.fraction=0.4; may be repeated.",
)
@click.option(
    "--plan",
    "lines",
    metavar="LINE",
    multiple=True,
    help='A rule, such as "when cleanup: set weight_decay 0"; may be repeated.',
)
@click.option(
    "--recipe",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The interventions of another run, as grok-tui recipe prints them, in the place of the preset's plan.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to train.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads of the trainer.")
@click.option(
    "--stack",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="As in a stack of N: what a sweep trained in one is repeated bit for bit, by itself, with the empty seats.",
)
@common.headless
@common.once
@common.detach
@common.read_only
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    preset: str | None,
    changes: tuple[str, ...],
    lines: tuple[str, ...],
    recipe: Path | None,
    device: str,
    threads: int | None,
    stack: int | None,
    headless: bool,
    once: bool,
    detach: bool,
    read_only: bool,
    **shortcuts: str | None,
) -> int | None:
    """Start a run, or open the home screen; see ABOUT for what users read."""
    given = _given(ctx)
    if ctx.invoked_subcommand is not None:
        if given:
            raise click.UsageError(f"{given[0]} does not go with the command {ctx.invoked_subcommand!r}")
        return None
    if preset is None:
        alone = {"--once", "--read-only"}
        return _without_preset([option for option in given if option not in alone], once, read_only)
    if read_only:
        raise click.UsageError("--read-only does not start a run; without --preset it opens the home screen")
    if headless + once + detach > 1:
        raise click.UsageError("--headless, --once and --detach do not go together")
    from grok_tui import config, launch

    settings = config.override(config.preset(preset), common.overrides(shortcuts, changes))
    if lines or recipe:
        from grok_tui import recipe as recipes

        settings = recipes.applied(settings, recipe, lines)
    common.check_layout(settings)
    if not (headless or once or detach):
        common.need_terminal()
    if not detach:
        click.echo(f"starting {settings.name} …", err=True)
    run = launch.start(settings, device=device, threads=threads, stack=stack or 0)
    return common.follow(run, headless=headless, once=once, detach=detach)


@cli.command()
@click.argument("parts", nargs=-1)
@click.option("--measures", is_flag=True, help="Only what each measure costs; the same as the part of that name.")
def bench(parts: tuple[str, ...], measures: bool) -> int:
    """Measure what grok-tui promises, on this machine: steps, cost of watching, keys, bytes. All PARTS, or some."""
    from grok_tui import bench

    return bench.main((*parts, "measures") if measures else parts)


for _module in (looking, comparing, noting, steering, planning, family, sweeping, guarding, exchange, sharing):
    for _command in vars(_module).values():
        if isinstance(_command, click.Command):
            cli.add_command(_command)


def main() -> None:
    """Run the command; every error that a user can cause is one line on stderr and an exit code."""
    try:
        code = cli.main(prog_name="grok-tui", standalone_mode=False)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except GrokTuiError as error:
        _fail(str(error), error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(text: str, code: int) -> None:
    click.echo("grok-tui: " + " ".join(text.split()), err=True)
    sys.exit(code)


def _given(ctx: click.Context) -> list[str]:
    """The options that were typed, as they are spelled."""
    typed = (click.core.ParameterSource.COMMANDLINE,)
    found = [p for p in ctx.command.params if p.name and ctx.get_parameter_source(p.name) in typed]
    return [p.opts[-1] for p in found]


def _without_preset(given: list[str], once: bool, read_only: bool) -> int | None:
    if given:
        raise click.UsageError(f"{given[0]} needs --preset; grok-tui presets lists them")
    if once:
        return common.follow(common.find(None), once=True)
    common.need_terminal()
    return common.screen(None, read_only=read_only)
