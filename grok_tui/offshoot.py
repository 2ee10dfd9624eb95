"""A branch that a run's plan asked for: `python -m grok_tui.offshoot RUN_DIRECTORY EPOCH SEQ [CONTROL VALUE]`.

A process of its own, so that nobody's training waits for it. The branch shares its parent's past up to the
parent's ledger entry SEQ, that asked for it; what the parent did after that at the same epoch it does not.
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


def start(run: Run, epoch: int, seq: int, changes: dict[str, float]) -> subprocess.Popen[bytes]:
    """Start making the branch; returns at once.

    Raises:
        LaunchError: the process could not be started.
    """
    words = [sys.executable, "-P", "-m", "grok_tui.offshoot", str(run.path), str(epoch), str(seq)]
    for name, value in changes.items():
        words += [name, repr(value)]
    return launch.detached(words, run)


def first_after(entries: list[Entry], seq: int) -> int | None:
    """The first thing that was done to a run after the entry `seq`; None when nothing was."""
    from grok_tui.trunk import LIFECYCLE

    return min(
        (entry.seq for entry in entries if entry.ok and entry.seq > seq and entry.what not in LIFECYCLE), default=None
    )


def main(words: list[str]) -> int:
    """Make the branch and start its trainer; returns the exit code."""
    run, epoch, seq = Run(Path(words[0])), int(words[1]), int(words[2])
    changes = {name: float(value) for name, value in zip(words[3::2], words[4::2], strict=True)}
    try:
        child = launch.branch(run, epoch, changes=changes, before=first_after(ledger.read(run.ledger), seq))
    except GrokTuiError as error:
        print(f"branch at epoch {epoch:,}: {error}", flush=True)
        return error.exit_code
    print(f"branched {child.name} at epoch {epoch:,}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
