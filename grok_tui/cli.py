"""The `grok-tui` command: parse, pick what to do, print every error as one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from grok_tui import __version__, completion, exchange
from grok_tui.errors import ConfigError, GrokTuiError, RefusedError, RunError

if TYPE_CHECKING:
    from grok_tui.config import Config
    from grok_tui.protocol import Command, Reply
    from grok_tui.runs import Run

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


_run_argument = click.argument("run", required=False, shell_complete=completion.run)
_headless = click.option(
    "--headless", is_flag=True, help="No screen: follow the run with a progress bar or plain lines."
)
_once = click.option("--once", is_flag=True, help="Print the present state as text and leave.")
_detach = click.option("--detach", is_flag=True, help="Start it in the background, print its name and leave.")


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
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to train.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads of the trainer.")
@_headless
@_once
@_detach
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    preset: str | None,
    changes: tuple[str, ...],
    device: str,
    threads: int | None,
    headless: bool,
    once: bool,
    detach: bool,
    **shortcuts: str | None,
) -> int | None:
    """Start a run, or open the home screen; see ABOUT for what users read."""
    given = _given(ctx)
    if ctx.invoked_subcommand is not None:
        if given:
            raise click.UsageError(f"{given[0]} does not go with the command {ctx.invoked_subcommand!r}")
        return None
    if preset is None:
        return _without_preset([option for option in given if option != "--once"], once)
    if headless + once + detach > 1:
        raise click.UsageError("--headless, --once and --detach do not go together")
    from grok_tui import config, launch

    settings = config.override(config.preset(preset), _overrides(shortcuts, changes))
    _check_layout(settings)
    if not (headless or once or detach):
        _need_terminal()
    if not detach:
        click.echo(f"starting {settings.name} …", err=True)
    run = launch.start(settings, device=device, threads=threads)
    return _follow(run, headless=headless, once=once, detach=detach)


@cli.command()
@_run_argument
@_once
@_headless
def attach(run: str | None, once: bool, headless: bool) -> int | None:
    """Open a run, living or past; the newest if none is named."""
    if once and headless:
        raise click.UsageError("--headless and --once do not go together")
    found = _find(run)
    if not (once or headless):
        _need_terminal()
    return _follow(found, headless=headless, once=once)


@cli.command()
def runs() -> None:
    """List all runs, newest first."""
    from grok_tui import listing, runs, wording

    found = runs.listing()
    if not found:
        click.echo("no runs yet; start one with grok-tui --preset demo")
        return
    rows = [listing.RUN_COLUMNS, *(listing.run_row(run) for run in found)]
    for line in wording.columns(rows, right=listing.RUN_RIGHT):
        click.echo(line)


@cli.command()
def presets() -> None:
    """List the presets."""
    from grok_tui import config, wording

    for line in wording.columns([(name, found.about) for name, found in config.presets().items()]):
        click.echo(line)


@cli.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("run", shell_complete=completion.run)
@click.argument("control")
@click.argument("value")
def set_control(run: str, control: str, value: str) -> None:
    """Change a control of a living run: weight_decay or lr."""
    from grok_tui.protocol import SetControl

    try:
        number = float(value)
    except ValueError:
        raise click.UsageError(f"{control}: {value!r} is not a number") from None
    found = _find(run)
    reply = _ask(found, SetControl(1, control, number))
    click.echo(f"{found.name}: {reply.text} (epoch {reply.epoch:,})")


@cli.command()
@_run_argument
def pause(run: str | None) -> None:
    """Pause a living run; it keeps its place and its memory."""
    _order(run, "pause")


@cli.command()
@_run_argument
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="auto: the same as before.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads; by default as many as before.")
@click.option(
    "--hook", default="", metavar="COMMAND", help="Run at each change of phase; one of before is not run again."
)
@_headless
@_detach
def resume(run: str | None, device: str, threads: int | None, hook: str, headless: bool, detach: bool) -> int | None:
    """Continue a paused run, or one that was stopped or killed, from its last resume point; then open it.

    Outside a terminal it says so in one line and leaves, as with --detach.
    """
    from grok_tui import launch

    if headless and detach:
        raise click.UsageError("--headless and --detach do not go together")
    found = _find(run)
    if found.alive:
        if hook:
            raise click.UsageError(f"{found.name} is being trained already; stop it first to give it another --hook")
        _order(found.name, "resume")
    else:
        click.echo(f"resuming {found.name} …", err=True)
        launch.resume(found, device=device, threads=threads, hook=hook)
        _hookless(found, hook)
    if headless:
        return _follow(found, headless=True)
    return _follow(found, detach=detach or not _on_terminal())


@cli.command()
@_run_argument
def stop(run: str | None) -> None:
    """Stop a living run; saves a resume point first."""
    _order(run, "stop")


@cli.command()
@click.argument("run", shell_complete=completion.run)
@click.option("--keys", metavar="K,K,...", help="Frequencies, such as 14,35,41; by default the newest recorded.")
def hindsight(run: str, keys: str | None) -> int:
    """Recompute a run's measures over its stored weights with its final key frequencies; training goes on."""
    from grok_tui import recompute

    return recompute.command(_find(run), keys)


@cli.command()
@click.argument("parts", nargs=-1)
@click.option("--measures", is_flag=True, help="Only what each measure costs; the same as the part of that name.")
def bench(parts: tuple[str, ...], measures: bool) -> int:
    """Measure what grok-tui promises, on this machine: steps, cost of watching, keys, bytes. All PARTS, or some."""
    from grok_tui import bench

    return bench.main((*parts, "measures") if measures else parts)


cli.add_command(exchange.take_in)
cli.add_command(exchange.write_out)


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


def _without_preset(given: list[str], once: bool) -> int | None:
    if given:
        raise click.UsageError(f"{given[0]} needs --preset; grok-tui presets lists them")
    if once:
        return _follow(_find(None), once=True)
    _need_terminal()
    return _screen(None)


def _overrides(shortcuts: dict[str, str | None], changes: Iterable[str]) -> list[tuple[str, str]]:
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


def _check_layout(settings: Config) -> None:
    """Refuse a layout that there is none of, before anything is started."""
    if settings.view.layout:
        from grok_tui.ui import layouts

        try:
            layouts.find(settings.view.layout)
        except ConfigError as error:
            raise ConfigError(f"view.layout: {error}") from None


def _hookless(run: Run, hook: str) -> None:
    """Say that the hook of the run's configuration is not run; it may come from somebody else."""
    from grok_tui import wording

    if not hook and run.config.notify.hook:
        click.echo(f"{run.name} goes on {wording.hookless(run.name)}", err=True)


def _on_terminal() -> bool:
    """The screen reads standard input and is drawn on the other two."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _need_terminal() -> None:
    if not _on_terminal():
        raise click.UsageError("the screen needs a terminal; use --headless, --once or --detach without one")


def _find(name: str | None) -> Run:
    from grok_tui import runs

    return runs.find(name)


def _follow(run: Run, *, headless: bool = False, once: bool = False, detach: bool = False) -> int | None:
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
    return _screen(run)


def _screen(run: Run | None) -> int:
    """Show a run, or the home screen, and print what the viewer has to say on leaving."""
    import gc

    gc.disable()  # until the screen is there: collections take a tenth of the start
    from grok_tui.ui.app import GrokApp

    app = GrokApp() if run is None else GrokApp.on(run)
    farewell = app.run()
    if farewell:
        click.echo(farewell)
    return int(app.return_code or 0)


def _ask(run: Run, command: Command) -> Reply:
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


def _order(name: str | None, order: str) -> None:
    from grok_tui.protocol import Order

    run = _find(name)
    reply = _ask(run, Order(1, order))
    click.echo(f"{run.name}: {reply.text} (epoch {reply.epoch:,})")
