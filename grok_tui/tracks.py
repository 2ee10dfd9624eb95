"""What a sweep's screen needs of each member's recording, read as it grows: test accuracy, and the phases.

Attention patterns and other large arrays, nine tenths of a recording, are stepped over without being read.
"""

from __future__ import annotations

import math
import os
import zlib
from typing import IO, cast

import numpy as np

from grok_tui import codec, samples
from grok_tui.course import STEERED, Courses
from grok_tui.errors import ProtocolError
from grok_tui.protocol import Event, Points
from grok_tui.runs import Run
from grok_tui.samples import SERIES, Phases
from grok_tui.science.phases import PhaseFold
from grok_tui.series import Series
from grok_tui.throughput import Spans

RECORDS = 4000
"""Records in one look: a tenth of a second."""

_HEAD, _PEEK = 8, 24


class Track:
    """One run's way, as far as its recording was read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config
        self.accuracy = Series()
        """Test accuracy. Another object after a look that found more: who draws it in another thread keeps it whole."""
        self.below: tuple[Series, Series] = Series(), Series()
        """Test loss, and train accuracy as it was known then; others after a look that found more, as `accuracy` is."""
        self.epoch = 0
        """Of the last measure."""
        self._position = 0
        self._growing = Series()
        """Test accuracy, as it is read."""
        self._growing_below = Series(), Series()
        self._phases = Phases(self.config.chance)
        self._courses = Courses.of(self.config)
        self.spans = Spans()
        """When it was trained."""
        self._losses = b""
        """The newest record of train losses, not unpacked before a measure asks for it."""

    @property
    def phases(self) -> PhaseFold:
        """The phase by everything that was read."""
        return self._phases.newest

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
        if self._growing.version != self.accuracy.version:
            loss, learned = self._growing_below
            self.accuracy, self.below = self._growing.copy(), (loss.copy(), learned.copy())
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
            self.spans.take(event)
            if event.what in STEERED:
                self._courses.take(event.epoch, event.what, event.data)

    def _measured(self, points: Points) -> None:
        train = cast(Points, codec.unpack(self._losses)).values if self._losses else {}
        self._growing.add(points.epochs, points.values["test_accuracy"])
        learned = float(train["train_accuracy"][-1]) if "train_accuracy" in train else math.nan
        for series, values in zip(
            self._growing_below, (points.values["test_loss"], np.full(len(points.epochs), learned)), strict=True
        ):
            series.add(points.epochs, values)
        for i, epoch in enumerate(points.epochs.tolist()):
            known = {name: float(points.values[name][i]) for name in SERIES if name in points.values}
            known |= {name: float(train[name][-1]) for name in ("train_loss", "train_accuracy") if name in train}
            self._phases.add(samples.sample(epoch, known, self._courses))
            self.epoch = epoch
