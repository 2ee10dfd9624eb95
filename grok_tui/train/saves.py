"""What a run in training keeps of itself: weights, and resume points, of which it goes on from the last.

Both are kept within the run's budget on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from grok_tui import hindsight, thinning
from grok_tui.errors import RecordError
from grok_tui.runs import Run
from grok_tui.train import checkpoint
from grok_tui.train.cadence import next_multiple, next_snapshot
from grok_tui.train.past import Past
from grok_tui.train.step import Steps


class Saves:
    """The weights and resume points of one run in training."""

    def __init__(self, run: Run, stepper: Steps, sync: Callable[[], None], marked: Callable[[], Iterable[int]]) -> None:
        """`sync` brings the recording up to the present epoch and to the disk; near `marked` epochs most is kept."""
        self._run, self._stepper, self._sync, self._marked = run, stepper, sync, marked
        self._record = run.config.record

    @property
    def resume_path(self) -> Path:
        """Where the resume point of the present epoch is, or would be."""
        return self._run.resume_points / f"{self._stepper.epoch:08d}.safetensors"

    @property
    def _weights_path(self) -> Path:
        return self._run.weights / f"{self._stepper.epoch:08d}.safetensors"

    def go_back(self, past: Past) -> int:
        """Go back to the last resume point that can be read; the epoch it is of, 0 where there is none."""
        if past.gave_up:
            hindsight.forget(self._run)
            for path in (*self._run.resume_points.glob("*.safetensors"), *self._run.weights.glob("*.safetensors")):
                if path.stem.isdecimal() and int(path.stem) > past.end:
                    path.unlink()
        for path in sorted(self._run.resume_points.glob("*.safetensors"), reverse=True):
            try:
                state, epoch = checkpoint.read(path)
            except RecordError as error:
                broken = path.rename(path.with_suffix(".broken"))
                print(f"{error}; kept as {broken.name}, trying the one before", flush=True)
                continue
            self._stepper.load_state(state)
            return epoch
        return 0

    def next(self, epoch: int) -> int:
        """The first epoch later than `epoch` at which something is to be saved."""
        return min(next_snapshot(epoch, self._record.weights_every), next_multiple(epoch, self._record.resume_every))

    def save_what_is_due(self, *, last: bool) -> None:
        """Save what is to be kept of the present epoch, and is not yet; of the run's last one all."""
        epoch = self._stepper.epoch
        kept = next_snapshot(epoch - 1, self._record.weights_every) == epoch
        if (last or kept) and not self._weights_path.exists():
            self.save_weights()
        if epoch and (last or epoch % self._record.resume_every == 0) and not self.resume_path.exists():
            self.save_resume_point()

    def save_weights(self) -> None:
        """Save the present weights."""
        weights = {name: tensor.detach().cpu() for name, tensor in self._stepper.weights.items()}
        checkpoint.write(self._weights_path, weights, self._stepper.epoch)
        self._thin()

    def save_resume_point(self) -> Path:
        """Save all that the next step depends on."""
        self._sync()  # a resume point is never ahead of the recording, not even after a power cut
        checkpoint.write(self.resume_path, self._stepper.state(), self._stepper.epoch)
        self._thin()
        return self.resume_path

    def _thin(self) -> None:
        """Keep what is stored within the run's budget."""
        thinning.thin(self._run, self._record.disk_mb, {*self._marked()})
