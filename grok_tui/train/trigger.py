"""When a living run is recomputed with its final keys: once they have stood still, and at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grok_tui import launch
from grok_tui.errors import GrokTuiError
from grok_tui.runs import Run

STABLE_EPOCHS, STABLE_MEASURES = 2_000, 20
"""For how long the key set must have been the same: the longer of the two."""

CIRCUIT = 0.1
"""Share of the test logits that the keys' cosines must explain before any key is worth a name. Of a run that only
memorises they explain a hundredth, and its dozens of keys are noise."""

AGAIN = 1.25
"""With the same keys once more when the run is so many times as long: ten times in all from 4,000 to 40,000."""


class Start(Protocol):
    """Starts the recomputing, as `launch.hindsight` does."""

    def __call__(self, run: Run, keys: Sequence[int], /, *, wait: bool = False) -> object:
        """With these keys; `wait`: after whoever recomputes now."""


class Trigger:
    """Watches the key set of one run in training and starts the recomputing, which goes on by itself."""

    def __init__(self, run: Run, every: int, start: Start = launch.hindsight) -> None:
        """For measures `every` so many epochs."""
        self.stable = max(STABLE_EPOCHS, STABLE_MEASURES * every)
        """Epochs for which the key set must have been the same."""
        self._run, self._start = run, start
        self._keys: tuple[int, ...] = ()
        self._since = 0
        self._formed = False
        self._asked: tuple[tuple[int, ...], int] | None = None
        """Keys and epoch of the last start that succeeded."""
        self._said = ""

    def saw(self, epoch: int, keys: Sequence[int], test_fve: float) -> bool:
        """Take in one measure; whether the recomputing was started."""
        if tuple(keys) != self._keys:
            self._keys, self._since = tuple(keys), epoch
        self._formed = test_fve >= CIRCUIT
        return self._due(epoch) and self._go(epoch)

    def ended(self, epoch: int) -> bool:
        """The run has ended; whether the recomputing was started. It waits for one with earlier keys."""
        return bool(self._keys) and self._formed and self._go(epoch, wait=True)

    def _due(self, epoch: int) -> bool:
        if not self._keys or not self._formed or epoch - self._since < self.stable:
            return False
        if self._asked is None or self._asked[0] != self._keys:
            return True
        return epoch >= max(self._asked[1] + self.stable, AGAIN * self._asked[1])

    def _go(self, epoch: int, *, wait: bool = False) -> bool:
        try:
            self._start(self._run, self._keys, wait=wait)
        except GrokTuiError as error:  # no reason to stop training; the next measure tries again
            if str(error) != self._said:
                print(f"hindsight at epoch {epoch:,}: {error}", flush=True)
            self._said = str(error)
            return False
        self._asked, self._said = (self._keys, epoch), ""
        return True
