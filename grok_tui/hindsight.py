"""Hindsight: a run's measures computed again over its stored weights, with its final key frequencies.

Each key set has a recording of its own beside the run's, `hindsight/4-7-13-28.bin`, in the same format. Its
hello names the keys and how many epochs there are; its points come in the order that fills the picture
soonest, not in that of the epochs. The run's own recording is never touched.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from grok_tui import holding, record
from grok_tui.errors import ConfigError, RecordError, RunError
from grok_tui.protocol import PROTOCOL, Array, Hello, Points, SeriesInfo
from grok_tui.runs import Run

SUFFIX = "_hindsight"
"""What the names of the recomputed series end in."""

READING = "hindsight"
"""As `SeriesInfo.reading`, and the table in a hello's configuration that tells such a recording from a run's."""

RULE = 1
"""Raised when the same weights and keys would give other numbers; what older rules gave is then computed again."""

SERIES = (
    SeriesInfo(
        "excluded_loss_hindsight", "excluded", "nats", log=True, reading=READING,
        about="Train loss without the sum directions of the final keys (Nanda et al. 2023, 5.1; logit level).",
    ),
    SeriesInfo(
        "excluded_loss_test_hindsight", "excluded, test", "nats", log=True, reading=READING,
        about="The same on the test pairs.",
    ),
    SeriesInfo(
        "excluded_loss_all_hindsight", "excluded, all", "nats", log=True, reading=READING,
        about="The same on all pairs.",
    ),
    SeriesInfo(
        "restricted_loss_hindsight", "restricted", "nats", log=True, reading=READING,
        about="Test loss of the final keys' sum directions and the constant alone (Nanda et al. 2023, 5.1).",
    ),
    SeriesInfo(
        "restricted_loss_train_hindsight", "restricted, train", "nats", log=True, reading=READING,
        about="The same on the training pairs.",
    ),
    SeriesInfo(
        "restricted_loss_all_hindsight", "restricted, all", "nats", log=True, reading=READING,
        about="The same on all pairs.",
    ),
    SeriesInfo(
        "restricted_accuracy_hindsight", "restricted accuracy", reading=READING,
        about="Share of all pairs that the final keys' sum directions and the constant get right.",
    ),
)  # fmt: skip

RECORDS = 512
"""Records read at a time: some 10 ms, after which the viewer may draw."""

LONGEST = 120
"""Letters of a key set in a file's name."""

HOLD_PATIENCE = holding.PATIENCE
"""Seconds for which a process insists on the lock: `going_on` holds it for an instant when it looks."""

TURN = 24 * 3600.0
"""Seconds for which one waits that is to take its turn."""

GIVE_UP = 5.0
"""Seconds for a process to notice that its result was dropped: it looks after each epoch."""


def directory(run: Run) -> Path:
    """Where the results are."""
    return run.path / READING


def path(run: Run, keys: Sequence[int]) -> Path:
    """The recording of a key set."""
    name = "-".join(map(str, keys))
    if len(name) > LONGEST:
        head = name[: LONGEST - 20].rpartition("-")[0]
        name = f"{head}-and-{len(keys) - head.count('-') - 1}-more-{zlib.crc32(name.encode()):08x}"
    return directory(run) / f"{name}.bin"


def log(run: Run) -> Path:
    """What the processes that recompute have printed."""
    return directory(run) / "log.txt"


def stored(run: Run) -> list[int]:
    """The epochs whose weights are stored."""
    return sorted(int(file.stem) for file in run.weights.glob("*.safetensors") if file.stem.isdecimal())


def said(keys: Sequence[int]) -> str:
    """A key set for the reader."""
    return ("key " if len(keys) == 1 else "keys ") + " ".join(map(str, keys))


def parse(text: str, p: int) -> tuple[int, ...]:
    """Frequencies as typed, "14,35,41", in their order.

    Raises:
        ConfigError: one is no whole number, not of this task, or stands there twice.
    """
    words = [word.strip() for word in text.split(",")]
    most = (p - 1) // 2
    keys = []
    for word in words:
        if not (word.isascii() and word.removeprefix("-").isdigit() and len(word) < 10):
            what = f"{word!r} is not a whole number" if word else "a number is missing"
            raise ConfigError(f"--keys {text!r}: {what}; frequencies such as 14,35,41 were expected")
        k = int(word)
        if not 1 <= k <= most:
            same = f"; {k} is the same wave as {p - k}" if most < k < p else ""
            raise ConfigError(f"--keys {text!r}: {k} is out of bounds: with p = {p} there are 1 to {most}{same}")
        if k in keys:
            raise ConfigError(f"--keys {text!r}: {k} stands there twice")
        keys.append(k)
    return tuple(sorted(keys))


def chosen(run: Run, keys: Sequence[int] | None = None) -> tuple[int, ...]:
    """The keys to recompute with: those given, or the newest that the run has recorded.

    Raises:
        ConfigError: they are not frequencies of the run's task.
        RunError: none are recorded, or no weights are stored.
    """
    found = _recorded_keys(run) if keys is None else parse(",".join(map(str, keys)), run.config.task.p)
    if not stored(run):
        raise RunError(f"{run.name} has no stored weights: there is nothing to look back on")
    if not found:
        raise RunError(f"{run.name} has no key frequencies yet; name some with --keys 14,35,41")
    return found


def _recorded_keys(run: Run) -> tuple[int, ...]:
    """The newest key frequencies in the recording; none when there are none."""
    found: tuple[int, ...] = ()
    position = 0
    while True:
        frames, end = record.read(run.frames, position, RECORDS)
        for frame in frames:
            if isinstance(frame, Array) and frame.name == "key_frequencies":
                found = tuple(frame.values.tolist())
        if end == position:
            return found
        position = end


class Result:
    """One recording of recomputed measures, as far as it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self.hello: Hello | None = None
        self._rows: dict[int, dict[str, float]] = {}

    @property
    def keys(self) -> tuple[int, ...]:
        """The frequencies that it is about."""
        return keys_of(self.hello) if self.hello else ()

    @property
    def rule(self) -> int:
        """The number of the rule that it was computed by; 0 when nothing is known."""
        table = self.hello.config.get(READING) if self.hello else None
        return int(table.get("rule", 0)) if isinstance(table, dict) else 0

    @property
    def epochs(self) -> set[int]:
        """Those that are done."""
        return set(self._rows)

    def read(self, limit: int | None = None) -> bool:
        """Read on, at most `limit` records; whether there was anything.

        Raises:
            RecordError: it cannot be read, or is of a newer grok-tui.
        """
        if self.path.exists() and self.path.stat().st_size < self.position:  # begun anew
            self.position, self.hello, self._rows = 0, None, {}
        frames, end = record.read(self.path, self.position, limit)
        for frame in frames:
            match frame:
                case Hello(protocol=number) if number > PROTOCOL:
                    raise RecordError(f"{self.path}: made by a newer grok-tui")
                case Hello():
                    self.hello = frame
                case Points():
                    for i, epoch in enumerate(frame.epochs.tolist()):
                        self._rows[epoch] = {
                            name: float(column[i]) for name, column in frame.values.items() if name.endswith(SUFFIX)
                        }
        moved, self.position = end > self.position, end
        return moved

    def points(self) -> Points:
        """Everything so far, in the order of the epochs."""
        epochs = sorted(self._rows)
        names = sorted({name for row in self._rows.values() for name in row})
        nan = float("nan")
        columns = {name: np.array([self._rows[e].get(name, nan) for e in epochs], np.float64) for name in names}
        return Points(np.array(epochs, np.int64), columns)


def keys_of(hello: Hello) -> tuple[int, ...]:
    """The frequencies that a hello of such a recording names; none in a run's own."""
    table = hello.config.get(READING)
    keys = table.get("keys") if isinstance(table, dict) else None
    return tuple(k for k in keys if isinstance(k, int)) if isinstance(keys, list | tuple) else ()


def result(run: Run, keys: Sequence[int]) -> Result:
    """What there is with these keys; empty when there is nothing, or nothing that this build would compute.

    Raises:
        RecordError: it cannot be read.
    """
    found = Result(path(run, keys))
    found.read()
    return found if found.rule == RULE else Result(found.path)


class Watch:
    """Looks now and then whether a run's newest result has grown, or another has become the newest."""

    def __init__(self, run: Run) -> None:
        self._directory = directory(run)
        self._seen: tuple[Path, int, int] | None = None
        self._result: Result | None = None
        self.note = ""
        """One line on a result that cannot be shown; empty when all is well."""

    def look(self) -> list[Hello | Points]:
        """The newest result, when it is not the one that was returned last: its hello, and all of its points."""
        newest = _newest(self._directory)
        if newest == self._seen and (newest or not self._result):
            return []
        gone = newest is None and self._result is not None
        if newest is None or self._result is None or newest[0] != self._result.path:
            before = self._result.hello if self._result else None
            self._result = Result(newest[0]) if newest else None
            if gone and before:
                self._seen = None
                return [Hello(PROTOCOL, before.run, before.version, {READING: {"keys": []}}, {}, 0, before.catalogue)]
        if self._result is None:
            self._seen = newest
            return []
        try:
            moved = self._result.read(RECORDS)
            self.note = ""
        except RecordError as error:
            moved, self.note = False, str(error)
        if not moved:  # to the end
            self._seen = newest
            return []
        return [self._result.hello, self._result.points()] if self._result.hello else []


def _newest(place: Path) -> tuple[Path, int, int] | None:
    """The result that was written last, its size, and when that was."""
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.endswith(".bin"):
                    status = entry.stat()
                    found.append((status.st_mtime_ns, entry.name, status.st_size))
    except OSError:  # nobody has recomputed anything
        return None
    if not found:
        return None
    moment, name, size = max(found)
    return place / name, size, moment


def going_on(run: Run) -> tuple[int, ...] | None:
    """The keys of the process that recomputes now; None when none does."""
    lock = directory(run) / "lock"
    if not holding.held(lock):
        return None
    try:
        words = lock.read_text(encoding="utf-8", errors="replace").partition("\n")[2].split()
    except OSError:  # the directory has gone meanwhile
        return None
    return tuple(int(word) for word in words if word.isdecimal())


@contextmanager
def hold(run: Run, keys: Sequence[int], patience: float = HOLD_PATIENCE) -> Iterator[None]:
    """Be the one process that recomputes this run, for the duration of the block.

    Raises:
        RunError: another one still is after `patience` seconds, or the directory cannot be written.
    """
    place = directory(run)
    try:
        place.mkdir(exist_ok=True)
        fd = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunError(f"{place}: cannot be written ({error.strerror})") from None
    try:
        if not holding.taken(fd, patience):
            raise busy(run, going_on(run) or ())
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n{' '.join(map(str, keys))}\n".encode(), 0)
        yield
    except OSError as error:
        raise RunError(f"{place}: cannot be used ({error.strerror})") from None
    finally:
        os.close(fd)


def busy(run: Run, keys: Sequence[int]) -> RunError:
    """What to say when somebody else recomputes."""
    return RunError(f"{run.name} is being recomputed already, with {said(keys)}")


def forget(run: Run) -> None:
    """Drop every result: for when stored weights are given up, and epochs trained again otherwise.

    A process that recomputes has until `GIVE_UP` to notice that its result is gone, and ends.
    """
    deadline = time.monotonic() + GIVE_UP
    while True:
        for file in directory(run).glob("*.bin"):
            file.unlink(missing_ok=True)
        if going_on(run) is None or time.monotonic() > deadline:
            return
        time.sleep(0.02)
