"""Commands that keep a run as it is."""

from __future__ import annotations

import click

from grok_tui import completion
from grok_tui.commands import common


@click.command("lock")
@click.argument("run", shell_complete=completion.run)
def lock_run(run: str) -> None:
    """Lock a run: its training goes on, and nobody changes it until it is unlocked.

    Its trainer refuses every command: set, pause, resume, stop, checkpoint, plan. A run that has ended is not
    resumed, and a locked run is not deleted or pruned. Looking, notes, hindsight and branches are as before: notes and
    hindsight are written into files of their own, and leave the recording and the weights as they are. Only the owner
    of the run's directory may lock and unlock it.
    """
    from grok_tui import locks

    found = common.find(run)
    fresh = locks.lock(found)
    click.echo(f"{found.name} is locked{'' if fresh else ' already'}; to change it: grok-tui unlock {found.name}")


@click.command("unlock")
@click.argument("run", shell_complete=completion.run)
def unlock_run(run: str) -> None:
    """Unlock a run: it may be changed again."""
    from grok_tui import locks

    found = common.find(run)
    click.echo(f"{found.name} is unlocked" if locks.unlock(found) else f"{found.name} is not locked")
