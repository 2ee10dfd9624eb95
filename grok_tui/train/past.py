"""What a run's directory already holds when its trainer starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grok_tui import record
from grok_tui.ledger import Entry
from grok_tui.protocol import Event, Hello, Points
from grok_tui.runs import Run


class Past:
    """The recorded epochs of a run, for going on from them. Empty for a new run."""

    def __init__(self, run: Run, entries: list[Entry]) -> None:
        frames, _ = record.read(run.frames)
        losses = [f for f in frames if isinstance(f, Points) and "train_loss" in f.values]
        measures = [f for f in frames if isinstance(f, Points) and "test_loss" in f.values]
        self._losses: NDArray[np.float64] = np.concatenate([f.values["train_loss"] for f in losses] or [np.empty(0)])
        self.exists = any(isinstance(frame, Hello) for frame in frames)
        self.end = int(losses[-1].epochs[-1]) + 1 if losses else 0
        """The epoch up to which training is recorded."""
        self.measured = int(measures[-1].epochs[-1]) if measures else -1
        """The last epoch whose measures are recorded."""
        self.changes = [entry for entry in entries if entry.ok and entry.what == "changed"]
        """The ledger's changes of controls, oldest first."""
        told = max((frame.seq for frame in frames if isinstance(frame, Event)), default=0)
        self.untold = [entry for entry in entries if entry.ok and entry.seq > told]
        """Interventions of the ledger that a kill kept out of the recording."""
        self.finished = any(isinstance(frame, Event) and frame.what == "finished" for frame in frames)
        self._from = -1
        self._differs_at = -1

    def compare(self, first: int, losses: NDArray[np.float64]) -> None:
        """Hold losses that were computed again, from epoch `first` on, against the recorded ones."""
        if not len(losses):
            return
        if self._from < 0:
            self._from = first
        same = self._losses[first : first + len(losses)] == losses
        if self._differs_at < 0 and not same.all():
            self._differs_at = first + int(np.argmin(same))

    def verdict(self) -> str:
        """What the comparison found, once the recorded epochs are through."""
        span = f"epochs {max(self._from, 0):,} to {self.end:,} computed again"
        if self._differs_at < 0:
            return f"{span}: equal to the recording, bit for bit"
        return f"{span}: they differ from the recording from epoch {self._differs_at:,} on (other hardware or threads?)"
