"""The command that compares runs."""

from __future__ import annotations

import click

from grok_tui import completion
from grok_tui.commands import common


@click.command()
@click.argument("runs", nargs=-1, required=True, shell_complete=completion.run)
@click.option(
    "--align",
    metavar="MOMENT",
    default="epoch",
    help="Where the runs' 0 is: epoch, change (the first), change:2, last-change, memorization, circuit, cleanup, "
    "generalized, direct, stalled, degraded, branch.",
)
@common.once
@common.read_only
def compare(runs: tuple[str, ...], align: str, once: bool, read_only: bool) -> int | None:
    """Lay two to eight runs over each other: curves, phases, a table, and only what differs in their configuration.

    With --once: the table, what differs, and what each change did, as text.
    """
    from grok_tui import aligning, comparing
    from grok_tui.errors import RunError

    alignment = aligning.parse(align)
    found = comparing.unique([common.find(name) for name in runs])
    if wrong := comparing.wrong(found):
        raise RunError(wrong)
    if not once:
        common.need_terminal()
        from grok_tui.ui.app import GrokApp
        from grok_tui.ui.doors import Doors, only_looking

        doors = only_looking(Doors()) if read_only else Doors()
        return common.shown(GrokApp(doors=doors, compared=(found, alignment)))
    from grok_tui import sidebyside

    for line in sidebyside.lines(found, alignment):
        click.echo(line)
    return None
