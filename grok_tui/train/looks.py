"""What is seen of a run in training: recorded, told as changes of phase, and left to whoever recomputes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grok_tui.protocol import Points
from grok_tui.runs import Run
from grok_tui.train.circuit import Parameters
from grok_tui.train.journal import Journal
from grok_tui.train.past import Past
from grok_tui.train.probe import Probe
from grok_tui.train.spikes import Spikes
from grok_tui.train.task import Table
from grok_tui.train.trigger import Trigger
from grok_tui.train.watch import Hook, PhaseWatch, Turn


class Looks:
    """The eyes on one run in training."""

    def __init__(self, run: Run, journal: Journal, past: Past, table: Table, hook: str) -> None:
        """Going on from `past`; `hook` is run at each change of phase."""
        self._journal = journal
        self._probe = Probe(run.config, table)
        self._trigger = Trigger(run, run.config.measure.every)
        self._spikes = Spikes(run.config.measure.every, past.measured)
        self._keys = past.keys
        self.phases = PhaseWatch(run.config)
        self.hook = Hook(hook, run.path, self._hook_failed)
        self._epoch = past.end
        self._untold = self.phases.catch_up(past.frames)

    def begin(self) -> None:
        """Tell what nobody was told yet."""
        self._tell(self._untold)

    def trained(self, losses: NDArray[np.float64]) -> None:
        """The train losses of the next epochs, also of those that are recorded already."""
        self._spikes.saw(losses)

    def look(self, epoch: int, weights: Parameters, closely: bool) -> dict[str, float]:
        """Measure, record what is found and act on it; returns the numbers."""
        findings = self._probe.look(weights, closely)
        numbers = findings.numbers | {"train_spike": self._spikes.look(epoch)}
        self._keys = self._journal.arrays(epoch, findings.arrays, self._keys)
        # the numbers last: they say that this look is whole, and a resume takes it again where they are missing
        self.record(Points(np.array([epoch]), {name: np.array([value]) for name, value in numbers.items()}))
        self._trigger.saw(epoch, self._keys, numbers["test_fve"])
        return numbers

    def record(self, frame: Points) -> None:
        """Record it, and what it makes known of the phases."""
        self._journal.write(frame)
        self._epoch = int(frame.epochs[-1])
        self.hook.look()
        self._tell(self.phases.apply(frame))

    def ended(self, epoch: int) -> None:
        """The run has come to its end."""
        self._trigger.ended(epoch)

    def _hook_failed(self, line: str) -> None:
        print(line, flush=True)
        self._journal.event(self._epoch, "amiss", line)

    def _tell(self, turns: list[Turn]) -> None:
        for turn in turns:
            self._journal.event(turn.epoch, "phase", turn.text, **turn.data)
            self.hook.call(turn)
