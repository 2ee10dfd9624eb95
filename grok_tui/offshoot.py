"""A branch that a run's plan asked for: `python -m grok_tui.offshoot RUN_DIRECTORY EPOCH SEQ RULE [CONTROL VALUE]`.

A process of its own, so that nobody's training waits for it. The branch shares its parent's past up to the
parent's ledger entry SEQ, by which RULE asked for it (0 for none); what that rule did afterwards is not its own.
Its output goes into the parent's log.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grok_tui import launch, ledger
from grok_tui.errors import GrokTuiError
from grok_tui.ledger import Entry
from grok_tui.runs import Run
from grok_tui.trunk import LIFECYCLE


def start(run: Run, epoch: int, seq: int, rule: int, changes: dict[str, float]) -> subprocess.Popen[bytes]:
    """Start making the branch; returns at once.

    Raises:
        LaunchError: the process could not be started.
    """
    words = [sys.executable, "-P", "-m", "grok_tui.offshoot", str(run.path), str(epoch), str(seq), str(rule)]
    for name, value in changes.items():
        words += [name, repr(value)]
    return launch.detached(words, run)


def rest(entries: list[Entry], seq: int, rule: int) -> int | None:
    """The first thing that a rule did after its entry `seq`, of what a branch may have; None when there is none."""
    for entry in entries:
        who = entry.data.get("id" if entry.what == "fired" else "by")
        if entry.ok and entry.seq > seq and who == rule and entry.what not in LIFECYCLE:
            return entry.seq
    return None


def main(words: list[str]) -> int:
    """Make the branch and start its trainer; returns the exit code."""
    run, (epoch, seq, rule) = Run(Path(words[0])), map(int, words[1:4])
    changes = {name: float(value) for name, value in zip(words[4::2], words[5::2], strict=True)}
    try:
        child = launch.branch(run, epoch, changes=changes, before=rest(ledger.read(run.ledger), seq, rule))
    except GrokTuiError as error:
        print(f"branch at epoch {epoch:,}: {error}", flush=True)
        return error.exit_code
    print(f"branched {child.name} at epoch {epoch:,}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
