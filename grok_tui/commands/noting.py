"""The command that writes down what somebody saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grok_tui import completion
from grok_tui.commands import common

if TYPE_CHECKING:
    from grok_tui.notes import Note


@click.command()
@click.argument("run", shell_complete=completion.run)
@click.argument("text", required=False)
@click.option("--epoch", type=click.IntRange(0), metavar="N", help="The moment that it is about; now by default.")
@click.option("--remove", "id", metavar="ID", help="Take a note back; its first letters are enough.")
def note(run: str, text: str | None, epoch: int | None, id: str | None) -> None:
    """Write a note at a moment of a run, living or past; without a text, list the notes."""
    from grok_tui import notes

    if id is not None and (text is not None or epoch is not None):
        raise click.UsageError("--remove takes a note back: it goes with no text and no --epoch")
    if text is None and epoch is not None:
        raise click.UsageError("--epoch says when a note is about: it needs a text")
    found = common.find(run)
    if id is not None:
        gone = notes.remove(found, id)
        click.echo(f"{found.name}: note {gone.id} at epoch {gone.epoch:,} is gone: {gone.text}")
    elif text is not None:
        kept = notes.add(found, notes.moment(found, epoch), text)
        click.echo(f"{found.name}: note {kept.id} at epoch {kept.epoch:,}")
    else:
        _list(found.name, notes.read(found))


def _list(name: str, found: list[Note]) -> None:
    """Print notes by their epochs."""
    import time

    from grok_tui import wording

    if not found:
        click.echo(f'{name} has no notes; write one with grok-tui note {name} "what you saw"')
        return
    rows = [("id", "epoch", "written", "note")]
    for each in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.time))
        rows.append((each.id, f"{each.epoch:,}", when, each.text))
    for line in wording.columns(rows, right=frozenset({1})):
        click.echo(line)
