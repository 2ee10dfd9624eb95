"""What a sweep's screen needs of each member's recording, read as it grows: test accuracy, and the phases.

Attention patterns and other large arrays, nine tenths of a recording, are stepped over without being read.
"""

from __future__ import annotations

import math
import os
import zlib
from typing import IO, cast

from grok_tui import codec
from grok_tui.course import STEERED, Course
from grok_tui.errors import ProtocolError
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run
from grok_tui.science.phases import PhaseFold, Sample
from grok_tui.series import Series

RECORDS = 4000
"""Records in one look: a tenth of a second."""

_HEAD, _PEEK = 8, 24
_PER_SAMPLE = {
    "test_loss": "test_loss",
    "test_accuracy": "test_accuracy",
    "restricted_loss": "restricted_loss",
    "excluded_loss": "excluded_loss",
    "excluded_loss_key_free": "excluded_key_free",
    "test_fve": "test_fve",
    "sum_of_squares": "sum_of_squares",
}
"""Series of a measure -> the field of `Sample`."""


class Track:
    """One run's way, as far as its recording was read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config
        self.accuracy = Series()
        """Test accuracy."""
        self.phases = PhaseFold(self.config.chance)
        self.epoch = 0
        """Of the last measure."""
        self._position = 0
        self._samples: list[Sample] = []
        self._courses = {name: Course(float(getattr(self.config.optimizer, name))) for name in ("weight_decay", "lr")}
        self._losses = b""
        """The newest record of train losses, not unpacked before a measure asks for it."""

    def look(self, records: int = RECORDS) -> bool:
        """Read on, some records at most; whether there was anything new."""
        before = self._position
        try:
            with self.run.frames.open("rb", buffering=1 << 16) as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(self._position)
                while records and self._next(file, size):
                    records -= 1
        except (OSError, ProtocolError):  # gone, or damaged: the run's own screen says what is wrong with it
            pass
        return self._position != before

    def _next(self, file: IO[bytes], size: int) -> bool:
        """Take in one record, if there is a whole one."""
        head = file.read(_HEAD)
        length = int.from_bytes(head[:4], "big")
        end = self._position + _HEAD + length
        if len(head) < _HEAD or not length or end > size:
            return False
        start = file.read(min(length, _PEEK))
        if b"\xa5array" in start or b"\xa5hello" in start:
            file.seek(end)
        else:
            payload = start + file.read(length - len(start))
            if zlib.crc32(payload).to_bytes(4, "big") != head[4:]:
                return False
            self._take(payload, start)
        self._position = end
        return True

    def _take(self, payload: bytes, start: bytes) -> None:
        if b"\xa6points" in start:
            if b"test_loss" in payload:
                self._measured(cast(Points, codec.unpack(payload)))
            elif b"train_loss" in payload:
                self._losses = payload
        elif b"\xa5event" in start:
            event = cast(Event, codec.unpack(payload))
            if event.what in STEERED and (course := self._courses.get(str(event.data.get("control")))) is not None:
                course.take(event.epoch, event.what, event.data)

    def _measured(self, points: Points) -> None:
        train = cast(Points, codec.unpack(self._losses)).values if self._losses else {}
        self.accuracy.add(points.epochs, points.values["test_accuracy"])
        for i, epoch in enumerate(points.epochs.tolist()):
            known = {field: float(points.values[n][i]) for n, field in _PER_SAMPLE.items() if n in points.values}
            known |= {name: float(train[name][-1]) for name in ("train_loss", "train_accuracy") if name in train}
            fields = dict.fromkeys((*_PER_SAMPLE.values(), "train_loss", "train_accuracy"), math.nan) | known
            controls = {name: course.at(epoch) for name, course in self._courses.items()}
            self._add(Sample(epoch=epoch, **fields, **controls))

    def _add(self, sample: Sample) -> None:
        if self._samples and sample.epoch <= self._samples[-1].epoch:  # given up, and trained again
            self._samples = [kept for kept in self._samples if kept.epoch < sample.epoch]
            self.phases = PhaseFold(self.config.chance)
            for kept in self._samples:
                self.phases.add(kept)
        self._samples.append(sample)
        self.phases.add(sample)
        self.epoch = sample.epoch
