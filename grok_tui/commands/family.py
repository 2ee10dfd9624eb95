"""Commands that make branches of runs, and that delete runs or parts of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grok_tui import completion
from grok_tui.commands import common

if TYPE_CHECKING:
    from grok_tui.pruning import Piece
    from grok_tui.runs import Run


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.option(
    "--epoch",
    metavar="N|PHASE",
    shell_complete=completion.phase,
    help="Where they part: an epoch, or where a phase began, such as cleanup or cleanup+500; "
    "by default the last epoch that is recorded.",
)
@click.option("--weight-decay", metavar="X", help="From there on.")
@click.option("--lr", metavar="X", help="Learning rate, from there on.")
@click.option("--epochs", metavar="N", help="How long the branch is trained, counted from epoch 0.")
@click.option(
    "--before",
    type=int,
    metavar="N",
    help="Leave out entry N of the ledger (grok-tui undo RUN --list), and all after it.",
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=completion.key,
    help="Another value of training, measure, record, notify or view, such as measure.every=10; may be repeated.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="auto: the parent's.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads; by default the parent's.")
@click.option("--hook", default="", metavar="COMMAND", help="Run at each change of phase; the parent's is not.")
@common.alone
@common.headless
@common.once
@common.detach
def branch(
    run: str, epoch: str | None, before: int | None, settings: tuple[str, ...], device: str, threads: int | None,
    hook: str, alone: bool, headless: bool, once: bool, detach: bool, **shortcuts: str | None,
) -> int | None:  # fmt: skip
    """Make a run that shares another one's past up to an epoch, and goes its own way from there; then open it.

    A phase given to --epoch is where it began, which is known only later: a rule of a plan acts when it is known.

    The parent is only read, and may go on training. The branch holds its past up to the epoch; weights and resume
    points take no room twice. With nothing changed it equals its parent bit for bit, up to what was changed by hand
    in the parent after that epoch: the rules of a plan are carried on, such changes are not. Outside a terminal this
    says so and leaves, as with --detach.
    """
    from grok_tui import branches, launch, listing

    if headless + once + detach > 1:
        raise click.UsageError("--headless, --once and --detach do not go together")
    parent = common.find(run)
    changes = {name: _number(name, text) for name in ("weight_decay", "lr") if (text := shortcuts.pop(name))}
    given = common.overrides(shortcuts, settings)
    at, phase = (branches.last(parent, before), "") if epoch is None else _epoch(parent, epoch)
    if common.on_terminal():
        click.echo(f"branching {parent.name} at epoch {at:,} …", err=True)
    child = launch.branch(
        parent, at,
        changes=changes, settings=given, before=before, device=device, threads=threads, hook=hook, alone=alone,
    )  # fmt: skip
    own = listing.branched(child)
    click.echo(f"{child.name}: {parent.name} {own}; computed again from epoch {branches.start(child):,}", err=True)
    if phase:
        click.echo(f"{parent.name}: {phase}", err=True)
    if partly := _repeats(parent, child):
        click.echo(f"{child.name}: {partly}", err=True)
    common.idle(child, changes.items())
    common.stacked(child)
    common.hookless(child, hook or dict(given).get("notify.hook", ""))
    quiet = detach or not (headless or once or common.on_terminal())
    return common.follow(child, headless=headless, once=once, detach=quiet)


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.option("--as-if-never", is_flag=True, help="In a branch that begins before it, without it and all after it.")
@click.option("--list", "listed", is_flag=True, help="List what was done to the run, by the ledger's numbers.")
@common.detach
def undo(run: str, as_if_never: bool, listed: bool, detach: bool) -> int | None:
    """Undo the last change of a control: from now on, or as if it had never been.

    From now on, the control of a living run is set back. As if it had never been, a new run is made, as by grok-tui
    branch RUN --before N with the number that --list shows; that takes anything back, not only the last change.
    """
    from grok_tui import comparing, launch, listing, undoing
    from grok_tui.errors import RunError

    if listed and as_if_never:
        raise click.UsageError("--list and --as-if-never do not go together")
    if detach and not as_if_never:
        raise click.UsageError("--detach goes with --as-if-never, which starts a run")
    found = common.find(run)
    if listed:
        for line in _done(found):
            click.echo(line)
        return None
    state = comparing.read(found)
    what = undoing.find(state)
    if what.never is None:
        raise RunError(f"{found.name}: {undoing.nothing(state)}")
    if as_if_never:
        child = launch.branch(found, what.never.epoch, before=what.never.seq)
        click.echo(f"{child.name}: {found.name} without {undoing.said(state, what.never)}", err=True)
        common.stacked(child, choice="")
        return common.follow(child, detach=detach or not common.on_terminal())
    if what.why_not:
        raise RunError(f"{found.name}: {what.why_not}; --as-if-never makes a branch in which it goes on")
    if what.back is None:
        last = undoing.said(state, what.never)
        raise RunError(f"{found.name}: {last} has been taken back; --as-if-never leaves out what was trained with it")
    if not found.alive and listing.run_standing(found) == "finished":
        last = undoing.said(state, what.never)
        raise RunError(f"{found.name} has finished; --as-if-never makes a branch without {last}")
    common.steer(found, str(what.back.data["control"]), float(what.back.data["previous"]))
    return None


def _done(run: Run) -> list[str]:
    """What `branch --before` can leave out."""
    from grok_tui import trunk, wording

    rows = [("entry", "epoch", "done")]
    rows += [(str(e.seq), f"{e.epoch:,}", e.text) for e in trunk.Trunk(run).entries if e.what != "branched"]
    return wording.columns(rows, right=frozenset({0, 1})) if len(rows) > 1 else [f"{run.name}: nothing was done to it"]


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, shell_complete=completion.run)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(runs: tuple[str, ...], yes: bool) -> None:
    """Delete runs, with all that was recorded of them.

    A run that is being trained or is locked is not deleted, nor one whose branches stay.
    """
    from grok_tui import removal, wording

    chosen = list({found.path: found for found in map(common.find, runs)}.values())
    removal.check(chosen)
    names, size = ", ".join(run.name for run in chosen), wording.size(removal.freed(run.path for run in chosen))
    if not yes:
        means = removal.aftermath(chosen)
        if not common.on_terminal():
            told = f"this would delete {names} ({size}); --yes does it without a terminal"
            raise click.UsageError("; ".join((told, *means)))
        for sentence in means:
            click.echo(sentence)
        click.confirm(f"Delete {names} ({size})? There is no way back.", abort=True)
    removal.delete(chosen)
    click.echo(f"deleted {names}: {size} freed")


class Ruled(click.Command):
    """A command whose help states the rules that it goes by."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102 - click's
        from grok_tui import pruning

        with formatter.section("What is deleted"):
            formatter.write_dl(list(pruning.RULES.items()))
        formatter.write_paragraph()
        formatter.write_text(pruning.NEVER)


@click.command(cls=Ruled)
@click.argument("runs", metavar="[RUN...]", nargs=-1, shell_complete=completion.run)
@click.option("--keep-mb", type=click.FloatRange(0), metavar="N", help="Thin out weights to N megabytes in each run.")
@click.option("--yes", is_flag=True, help="Do it; without, it is only listed.")
def prune(runs: tuple[str, ...], keep_mb: float | None, yes: bool) -> None:
    """Free space by stated rules: lists what would go, and with --yes deletes it."""
    from grok_tui import pruning, wording
    from grok_tui import runs as all_runs

    chosen = list({found.path: found for found in map(common.find, runs)}.values()) if runs else all_runs.listing()
    prospect = pruning.look(chosen, keep_mb, beside=not runs)
    pieces = prospect.pieces
    for line in (*_table(pieces), *prospect.stays):
        click.echo(line)
    for run in chosen:
        if why := pruning.spared(run):
            click.echo(f"{run.name}: nothing, it is {why}")
    if not pieces:
        click.echo("nothing to delete")
    elif yes:
        click.echo(f"{wording.size(pruning.carry_out(pieces))} freed")
    else:
        click.echo(f"{wording.size(pruning.frees(pieces))} would be freed; with --yes it is done")


def _table(pieces: list[Piece]) -> list[str]:
    from grok_tui import wording

    if not pieces:
        return []
    rows = [("run", "rule", "deletes", "frees", "keeps")]
    for piece in pieces:
        name = piece.run.name if piece.run else "(hidden)"
        left = ", ".join([piece.left] * bool(piece.left) + [f"{piece.again:,} counted above"] * bool(piece.again))
        rows.append((name, piece.rule, f"{len(piece.paths):,}", wording.size(piece.frees), left))
    return wording.columns(rows, right=frozenset({2, 3}))


def _repeats(parent: Run, child: Run) -> str:
    """How far a branch with nothing changed repeats its parent, where that is not all the way."""
    from grok_tui import ledger, repeating

    own = child.lineage
    if own is None or own.changes or own.without:
        return ""
    done = [entry for entry in ledger.read(parent.ledger) if entry.ok]
    return repeating.until(parent.name, done, own.epoch, child.config.training.epochs)


def _epoch(run: Run, text: str) -> tuple[int, str]:
    """The epoch that was given, as a number or by a phase of the run; and of a phase, where it began and was known."""
    from grok_tui import comparing, placing
    from grok_tui.errors import PlanError

    try:
        return int(text), ""
    except ValueError:
        pass  # a phase, then, or a number as people write it
    try:
        state = comparing.read(run)
        state.ghost = comparing.past(run, {})
        return placing.epoch(state, text), placing.told(state, text)
    except PlanError as error:
        raise PlanError(f"--epoch {error}") from None


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--{name.replace('_', '-')}: {text!r} is not a number") from None
