"""`grok-tui sweep`: many runs as one experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from grok_tui import completion
from grok_tui.commands import common

if TYPE_CHECKING:
    from grok_tui.sweeps import Sweep


def _names(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    from grok_tui import sweeps

    return [CompletionItem(sweep.name) for sweep in sweeps.listing() if sweep.name.startswith(typed)]


def _new(function: click.decorators.FC) -> click.decorators.FC:
    """The options that make a sweep."""
    options = (
        click.option("--preset", metavar="NAME|FILE", shell_complete=completion.preset, help="Start a sweep of this."),
        click.option("--weight-decay", metavar="X,X,...", help="An axis of the grid."),
        click.option("--lr", metavar="X,X,...", help="An axis: learning rates."),
        click.option("--fraction", metavar="X,X,...", help="An axis: shares of the pairs to train on."),
        click.option("--vary", metavar="KEY=V,V,...", multiple=True, help="An axis: any key of the preset."),
        click.option("--seeds", type=click.IntRange(1), metavar="N", help="An axis: seeds 0 to N-1."),
        click.option("--seed", metavar="N,N,...", help="An axis: these seeds."),
        click.option("--epochs", metavar="N", help="How long each member trains."),
        click.option("--measure-every", metavar="N", help="Epochs between measures."),
        click.option(
            "--set",
            "changes",
            metavar="KEY=VALUE",
            multiple=True,
            shell_complete=completion.key,
            help="Another value of the preset, for all members.",
        ),
        click.option("--plan", "lines", metavar="LINE", multiple=True, help="A rule for every member, as for a run."),
        click.option(
            "--stop-when-grokked",
            "after",
            type=click.IntRange(0),
            metavar="N",
            help="End a member N epochs after it was seen to have generalized.",
        ),
        click.option("--name", metavar="NAME", help="What to call the sweep."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where to train."),
        click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads of each process."),
        click.option(
            "--jobs",
            type=click.IntRange(1),
            metavar="N",
            help="Processes that train at a time; one that is paused lets another begin, and goes on beside it.",
        ),
        click.option("--stack", type=click.IntRange(1), metavar="N", help="Models that share each step."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command(short_help="Run a grid of runs, or open one.")
@click.argument("name_", metavar="[SWEEP]", required=False, shell_complete=_names)
@_new
@click.option("--resume", is_flag=True, help="Continue a sweep that was stopped or cut off.")
@click.option("--stop", is_flag=True, help="Stop a sweep; each member saves a resume point.")
@click.option("--list", "list_", is_flag=True, help="List all sweeps.")
@common.headless
@common.once
@common.detach
@common.read_only
@click.pass_context
def sweep(
    ctx: click.Context,
    /,
    name_: str | None,
    preset: str | None,
    headless: bool,
    once: bool,
    detach: bool,
    resume: bool,
    stop: bool,
    list_: bool,
    read_only: bool,
    **options: Any,
) -> int | None:
    """Run a grid of runs, several at a time, and watch them on one screen; without --preset, open the newest one.

    The members are ordinary runs: attach to one, branch it, compare them. One that fails does not stop the
    others. The sweep outlives the terminal. Values are separated by commas, as in --weight-decay 0.3,1,3.
    """
    if read_only and (preset or resume or stop):
        raise click.UsageError("--read-only only looks: it does not go with --preset, --resume or --stop")
    if (resume or stop or list_ or name_) and (preset or _given(ctx)):
        raise click.UsageError("an existing sweep keeps its grid; --preset and what belongs to it start a new one")
    if sum((headless, once, detach, stop, list_)) > 1:
        raise click.UsageError("--headless, --once, --detach, --stop and --list do not go together")
    from grok_tui import sweep_lists, sweeps

    if list_:
        for line in sweep_lists.all_sweeps():
            click.echo(line)
        return None
    if preset is None and _given(ctx):
        raise click.UsageError(f"{_given(ctx)[0]} needs --preset; grok-tui presets lists them")
    if not (headless or once or detach or stop):
        common.need_terminal()
    found = sweeps.find(name_) if preset is None else _create(preset, **options)
    if stop:
        from grok_tui import sweep_launch

        click.echo(sweep_launch.stop(found))
        return None
    if resume or preset is not None:
        from grok_tui import sweep_launch

        sweep_launch.start(found)
    return _follow(found, headless=headless, once=once, detach=detach, read_only=read_only)


def _given(ctx: click.Context) -> list[str]:
    """The options of a new sweep that were typed."""
    old = {"name_", "preset", "resume", "stop", "list_", "headless", "once", "detach", "read_only"}
    typed = click.core.ParameterSource.COMMANDLINE
    found = [p for p in ctx.command.params if p.name and p.name not in old]
    return [p.opts[-1] for p in found if p.name and ctx.get_parameter_source(p.name) is typed]


def _create(
    preset: str,
    *,
    vary: tuple[str, ...],
    seeds: int | None,
    seed: str | None,
    changes: tuple[str, ...],
    lines: tuple[str, ...],
    after: int | None,
    name: str | None,
    device: str,
    threads: int | None,
    jobs: int | None,
    stack: int | None,
    **shortcuts: str | None,
) -> Sweep:
    """The sweep that was asked for, every member checked."""
    from grok_tui import config, grids, sweeps

    options = {
        "optimizer.weight_decay": shortcuts["weight_decay"],
        "optimizer.lr": shortcuts["lr"],
        "data.fraction": shortcuts["fraction"],
    }
    axes = grids.axes(options, vary, seeds, seed)
    if not axes:
        raise click.UsageError("a sweep varies something: --weight-decay, --lr, --fraction, --vary, --seeds or --seed")
    fixed = common.overrides({key: shortcuts[key] for key in ("epochs", "measure_every")}, changes)
    base = config.override(config.preset(preset), fixed)
    if after is not None:
        phases = ("generalized", "direct generalization")
        lines = (*lines, *(f"when {phase} + {after}: stop" for phase in phases))
    if lines:
        from grok_tui import plan

        plan.check(lines, "--plan")  # whether a member can keep them depends on the member: `places` looks
        base = config.planning(base, (*base.plan.lines, *lines))
    common.check_layout(base)
    places = grids.places(base, axes, [key for key, _ in fixed])
    return sweeps.create(base, axes, places, sweeps.Options(device, threads or 0, jobs or 0, stack or 0), name)


def _follow(found: Sweep, *, headless: bool, once: bool, detach: bool, read_only: bool) -> int | None:
    from grok_tui import sweep_lists

    if detach:
        click.echo(
            f"{found.name} is running; look: grok-tui sweep {found.name}; stop: grok-tui sweep {found.name} --stop"
        )
        return None
    if once:
        for line in sweep_lists.table(found):
            click.echo(line)
        return None
    if headless:
        return sweep_lists.follow(found, click.echo)
    import gc

    gc.disable()  # until the screen is there, as for a run
    from grok_tui.ui.app import GrokApp

    app = GrokApp.on_sweep(found, read_only=read_only)
    if farewell := app.run():
        click.echo(farewell)
    return int(app.return_code or 0)
