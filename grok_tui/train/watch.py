"""Changes of phase while the run goes on: told in the recording, and to a command of the user's.

What is recorded is what these rules said then, with their version. Viewers derive the phases anew and show
their own.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from grok_tui import samples
from grok_tui.config import Config
from grok_tui.course import STEERED, Courses
from grok_tui.protocol import Event, Points, Stored
from grok_tui.samples import Phases
from grok_tui.science.phases import RULES, Phase, PhaseFold, Sample

AT_ONCE = 8
"""Hook commands that may be running; while so many are, none is started."""

SAID = 200
"""Characters of a failed hook's last words that go into the log."""

_ORDER = {
    Phase.FITTING: 0,
    Phase.MEMORIZATION: 1,
    Phase.CIRCUIT_FORMATION: 2,
    Phase.CLEANUP: 3,
    Phase.GENERALIZED: 4,
    Phase.DIRECT: 4,
}
"""In which order a run usually comes to the phases. A stall or a decline may come at any time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The run has entered another phase."""

    epoch: int
    """When it became known."""
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    """phase, previous, placed, confirmed, rules, why (the evidence in words): as in the event."""


class PhaseWatch:
    """Folds what is recorded, as a viewer does, and says when the phase has changed."""

    def __init__(self, config: Config) -> None:
        self._phases = Phases(config.chance)
        self._latest: dict[str, float] = {}
        self._courses = Courses.of(config)

    @property
    def _fold(self) -> PhaseFold:
        return self._phases.newest

    @property
    def boundaries(self) -> list[int]:
        """The epochs where phases began, as far as is known."""
        return [boundary.epoch for boundary in self._fold.boundaries]

    @property
    def present(self) -> Phase:
        """The phase that the run is in."""
        return self._fold.phase

    def called(self, epoch: int) -> dict[Phase, int]:
        """The present phase, and those that were called at `epoch`, each with the epoch at which it was called."""
        found = self._fold.boundaries
        return {b.phase: b.confirmed for b in found if b.confirmed == epoch or b is found[-1]}

    def gone_by(self, phase: Phase) -> str:
        """Why the run will not come to a phase as runs usually go; empty when it may."""
        found = self._fold.boundaries
        now = next((b.phase for b in reversed(found) if b.phase is not Phase.STALLED), Phase.FITTING)
        if now is Phase.DEGRADED:  # it may learn anew, from memorization on
            over = phase is Phase.FITTING
        else:
            over = _ORDER.get(phase, len(_ORDER)) < _ORDER.get(now, 0) and phase is not now
        if not over:
            return ""
        been = next((b.epoch for b in reversed(found) if b.phase is phase), None)
        here = f"the run is now {self.present}, since epoch {found[-1].epoch:,}"
        return (
            f"{phase} is over: it began at epoch {been:,}, and {here}"
            if been is not None
            else (f"{phase} comes before {now}: {here}")
        )

    def as_turn(self, epoch: int, text: str) -> Turn:
        """What a hook is told that is run for another reason than a change of phase."""
        begun = self._fold.boundaries[-1].epoch if self._fold.boundaries else 0
        data = {"phase": self.present.value, "previous": "", "placed": begun, "confirmed": epoch}
        return Turn(epoch, text, data | {"rules": RULES, "why": [text]})

    def catch_up(self, frames: Iterable[Stored]) -> list[Turn]:
        """Fold what was recorded before; returns the turns of its last measure that a kill kept untold.

        Those before it were told then, by the rules of then.
        """
        last: list[Turn] = []
        told = set()
        for frame in frames:
            if isinstance(frame, Event) and frame.what == "phase":
                told.add((frame.data.get("phase"), frame.data.get("placed")))
            turns = self.apply(frame)
            if isinstance(frame, Points) and "test_loss" in frame.values:
                last = turns
        return [turn for turn in last if (turn.data["phase"], turn.data["placed"]) not in told]

    def apply(self, frame: Stored) -> list[Turn]:
        """Take in a recorded frame; the changes of phase that it made known."""
        if isinstance(frame, Event) and frame.what in STEERED:
            self._courses.take(frame.epoch, frame.what, frame.data)
            return []
        if not isinstance(frame, Points):
            return []
        turns = []
        for i, epoch in enumerate(frame.epochs.tolist()):
            self._latest |= {name: float(v[i]) for name, v in frame.values.items() if name in samples.SERIES}
            if "test_loss" in frame.values:
                turns += self.add(samples.sample(epoch, self._latest, self._courses))
        return turns

    def add(self, sample: Sample) -> list[Turn]:
        """Take in the measures of one epoch; the changes of phase that it made known."""
        self._phases.cut(sample.epoch)  # given up, and trained again
        before = self._fold.boundaries
        self._phases.add(sample)
        turns = []
        previous = before[-1].phase.value if before else ""
        for boundary in self._fold.boundaries[len(before) :]:
            if previous:  # the first phase is no change
                phase, why = boundary.phase.value, list(self._fold.call.evidence)
                data = {"phase": phase, "previous": previous, "placed": boundary.epoch, "confirmed": boundary.confirmed}
                text = f"{phase} since epoch {boundary.epoch:,}"
                turns.append(Turn(sample.epoch, text, data | {"rules": RULES, "why": why}))
            previous = boundary.phase.value
        return turns


class Hook:
    """A shell command of the user's, run at each change of phase. It can neither hold up nor end the training."""

    def __init__(self, command: str, run_dir: Path, log: Callable[[str], None]) -> None:
        self._command, self._run_dir, self._log = command, run_dir, log
        self._running: list[tuple[subprocess.Popen[bytes], IO[bytes], str]] = []

    @property
    def given(self) -> bool:
        """There is a command."""
        return bool(self._command)

    def call(self, turn: Turn) -> None:
        """Start the command for a turn, detached, with what happened in its environment."""
        phase = str(turn.data["phase"])
        if not self._command:
            return
        if self.look() >= AT_ONCE:
            self._log(f"hook for {phase} not started: {AT_ONCE} earlier ones are still running")
            return
        told = {
            "RUN": self._run_dir.name,
            "RUN_DIR": self._run_dir,
            "PHASE": phase,
            "PREVIOUS": turn.data["previous"],
            "EPOCH": turn.epoch,
            "PLACED": turn.data["placed"],
            "RULES": turn.data["rules"],
            "WHY": "; ".join(turn.data["why"]),
        }
        settings = [f"GROK_TUI_{name}={value}" for name, value in told.items()]
        words = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would hold the command up
        try:
            process = subprocess.Popen(
                ["/usr/bin/env", *settings, "/bin/sh", "-c", self._command],
                cwd=self._run_dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=words,
                start_new_session=True,
            )
        except OSError as error:
            words.close()
            self._log(f"hook for {phase} failed: {error.strerror}")
            return
        self._running.append((process, words, phase))

    def look(self) -> int:
        """How many commands are running. One line in the log for each that has ended and failed; waits for none."""
        still = []
        for process, words, phase in self._running:
            if (status := process.poll()) is None:
                still.append((process, words, phase))
                continue
            if status:
                self._log(f"hook for {phase} failed with status {status}{_last_line(words)}")
            words.close()
        self._running = still
        return len(still)


def _last_line(words: IO[bytes]) -> str:
    words.seek(max(words.seek(0, 2) - 4 * SAID, 0))
    lines = words.read().decode("utf-8", "replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "")
    shown = "".join(c for c in said if c.isprintable())[:SAID].strip()
    return f": {shown}" if shown else ""
