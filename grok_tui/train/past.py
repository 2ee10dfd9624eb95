"""What a run's directory already holds when its trainer starts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grok_tui import record
from grok_tui.course import STEERED
from grok_tui.ledger import Entry
from grok_tui.protocol import Array, Event, Hello, Points
from grok_tui.runs import Run

BEGUN = ("started", "resumed", "branched")
"""What begins a stretch of training."""


class Past:
    """The recorded epochs of a run, for going on from them. Empty for a new run."""

    def __init__(self, run: Run, entries: list[Entry]) -> None:
        frames, _ = record.read(run.frames)
        losses = [f for f in frames if isinstance(f, Points) and "train_loss" in f.values]
        measures = [f for f in frames if isinstance(f, Points) and "test_loss" in f.values]
        greetings = [frame for frame in frames if isinstance(frame, Hello)]
        self.machine: dict[str, Any] = greetings[-1].machine if greetings else {}
        """What the run was trained on last."""
        self.frames = [frame for frame in frames if isinstance(frame, Points | Event)]
        """Oldest first."""
        self.exists = bool(greetings)
        self.end = int(losses[-1].epochs[-1]) + 1 if losses else 0
        """The epoch up to which training is recorded, and not given up."""
        self.losses: NDArray[np.float64] = np.full(self.end, np.nan)
        """The recorded train loss of each epoch up to `end`."""
        for frame in losses:  # epochs that were trained again after a divergence stand twice: the last word counts
            kept = frame.epochs < self.end
            self.losses[frame.epochs[kept]] = frame.values["train_loss"][kept]
        self.latest = {name: float(v[-1]) for frame in losses + measures for name, v in frame.values.items() if len(v)}
        """The last recorded value of each series."""
        self.measured = int(measures[-1].epochs[-1]) if measures else -1
        """The last epoch whose measures are recorded."""
        self.look = {name: float(v[-1]) for name, v in measures[-1].values.items()} if measures else {}
        """What was measured there."""
        self.changes: list[Entry] = []
        """The ledger's changes of controls and the begins of their schedules, oldest first."""
        for entry in entries:
            if entry.ok and entry.what in STEERED:
                while self.changes and self.changes[-1].epoch > entry.epoch:
                    self.changes.pop()  # of epochs that were given up, and trained again from here on
                self.changes.append(entry)
        self.gave_up = False
        """The recording's end is not finite, and is not counted."""
        self.diverged = self._give_up_what_diverged()
        """The changes after which the loss ceased to be finite, oldest first."""
        keys = [f.values.tolist() for f in frames if isinstance(f, Array) and f.name == "key_frequencies"]
        self.keys: list[int] = keys[-1] if keys and not self.gave_up else []
        """The key frequencies that were recorded last, and count."""
        self.entries = [entry for entry in entries if entry.ok and not (self.gave_up and entry.epoch > self.end)]
        """All that was done, but for what was given up."""
        self.known = max([self.end, *(entry.epoch for entry in self.changes)])
        """The epoch up to which something is known: after a power cut the ledger can be ahead of the recording."""
        told_events = [frame for frame in frames if isinstance(frame, Event)]
        told = max((event.seq for event in told_events), default=0)
        self.untold = [entry for entry in entries if entry.ok and entry.seq > told]
        """Interventions of the ledger that a kill kept out of the recording."""
        self.branched = next((e.what for e in reversed(told_events) if e.what in BEGUN), "") == "branched"
        """It is a branch that nobody has trained yet."""
        self.finished = any(event.what == "finished" for event in told_events)
        self.since: list[str] = []
        """What the run is trained on now that is not as it was, in words."""
        self._from = -1
        self._differs_at = -1

    def _give_up_what_diverged(self) -> list[Entry]:
        """Count the recording up to the last change before its losses ceased to be finite, or to their beginning."""
        bad = np.flatnonzero(~np.isfinite(self.losses))
        if not len(bad):
            return []
        self.gave_up = True
        before = [entry.epoch for entry in self.changes if entry.epoch <= bad[0]]
        self.end = before[-1] if before else 0
        self.changes = [entry for entry in self.changes if entry.epoch <= self.end]
        self.measured = min(self.measured, self.end)
        return [entry for entry in self.changes if entry.epoch == self.end] if before else []

    def compare(self, first: int, losses: NDArray[np.float64]) -> None:
        """Hold losses that were computed again, from epoch `first` on, against the recorded ones."""
        if not len(losses):
            return
        if self._from < 0:
            self._from = first
        same = self.losses[first : first + len(losses)] == losses
        if self._differs_at < 0 and not same.all():
            self._differs_at = first + int(np.argmin(same))

    def verdict(self) -> str:
        """What the comparison found, once the recorded epochs are through."""
        span = f"epochs {max(self._from, 0):,} to {self.end:,} computed again"
        if self._differs_at < 0:
            return f"{span}: equal to the recording, bit for bit"
        why = ", ".join(self.since) or "other hardware or threads?"
        return f"{span}: they differ from the recording from epoch {self._differs_at:,} on ({why})"
