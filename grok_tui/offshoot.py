"""A branch that a run's plan asked for: `python -m grok_tui.offshoot RUN_DIRECTORY EPOCH SEQ [CONTROL VALUE]`.

A process of its own, so that nobody's training waits for it. The branch shares its parent's past up to the
parent's ledger entry SEQ, which asks for it: what was done afterwards is not its own, not even at the same epoch.
Its output goes into the parent's log.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grok_tui import launch
from grok_tui.errors import GrokTuiError
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


def main(words: list[str]) -> int:
    """Make the branch and start its trainer; returns the exit code."""
    run, epoch, seq = Run(Path(words[0])), int(words[1]), int(words[2])
    changes = {name: float(value) for name, value in zip(words[3::2], words[4::2], strict=True)}
    try:
        child = launch.branch(run, epoch, changes=changes, asked=seq)
    except GrokTuiError as error:
        print(f"branch at epoch {epoch:,}: {error}", flush=True)
        return error.exit_code
    print(f"branched {child.name} at epoch {epoch:,}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
