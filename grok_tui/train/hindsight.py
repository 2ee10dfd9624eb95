"""Recompute a run's measures with its final keys: `python -m grok_tui.train.hindsight RUN_DIRECTORY`.

A process of its own at the lowest priority, on one thread. It reads what a trainer leaves behind and writes
beside it, so training does not notice. Whatever ends it, the next one goes on from there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from grok_tui import __version__, hindsight
from grok_tui import config as configs
from grok_tui.errors import GrokTuiError, LaunchError, RecordError, RunError
from grok_tui.protocol import PROTOCOL, Catalogue, Hello, Points
from grok_tui.record import Recorder, damage
from grok_tui.runs import Run

LOWEST = 19
"""Of priorities: it runs in what the trainer and the viewer leave."""


def main(arguments: list[str] | None = None) -> int:
    """Recompute one run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train.hindsight", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--keys", default=None, help="frequencies, such as 14,35,41; by default the newest recorded")
    parser.add_argument("--wait", action="store_true", help="take turns with one that recomputes already")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal is gone; the run is not
    os.nice(LOWEST)
    try:
        run = Run(given.run.absolute())
        wanted = None if given.keys is None else hindsight.parse(given.keys, run.config.task.p)
        keys = hindsight.chosen(run, wanted)
        with hindsight.hold(run, keys, hindsight.TURN if given.wait else hindsight.HOLD_PATIENCE):
            recompute(run, keys, lambda text: print(text, flush=True))
    except GrokTuiError as error:
        print(f"grok-tui: {error}", flush=True)
        return error.exit_code
    except Exception as error:  # the process ends here: who started it reads one line, the log has the rest
        traceback.print_exc()
        print(f"grok-tui: {type(error).__name__}: {error}", flush=True)
        return LaunchError.exit_code
    return 0


def recompute(run: Run, keys: Sequence[int], say: Callable[[str], None]) -> int:
    """Add to the key set's recording every stored epoch that it lacks; returns how many were added.

    Raises:
        RecordError: the disk would not take it. What was written stays.
        RunError: the results were dropped meanwhile.
    """
    recorder, done = _opened(run, keys)
    mark = _mark(recorder.path)
    left_out: set[int] = set()
    added = 0
    try:
        if todo := _missing(run, done):  # or nothing is imported, and nothing written
            from grok_tui.train.reading import Reading  # only now: torch, at low priority, when there is work

            reading = Reading(run.config, keys)
        while todo:  # a living run may have stored more meanwhile
            recorder.append(_hello(run, keys, len(done | set(todo))))
            for epoch in coarse_to_fine(todo):
                if _mark(recorder.path) != mark:
                    raise RunError(f"{run.name}: the results were dropped, for epochs are trained again otherwise")
                try:
                    row = reading.of_file(run.weights / f"{epoch:08d}.safetensors")
                except RecordError as error:
                    left_out.add(epoch)
                    say(f"epoch {epoch:,} is left out: {error}")
                    continue
                recorder.append(Points(np.array([epoch]), {name: np.array([value]) for name, value in row.items()}))
                done.add(epoch)
                added += 1
            todo = _missing(run, done | left_out)
        if left_out:
            recorder.append(_hello(run, keys, len(done)))
        recorder.sync()
    finally:
        recorder.close()
    say(f"{hindsight.said(keys)}: {len(done):,} epochs, {added:,} of them new")
    return added


def _mark(path: Path) -> tuple[int, int] | None:
    """Which file has that name now."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def coarse_to_fine(epochs: Sequence[int]) -> list[int]:
    """The last, the first, the middle, the quarters, ...: so that the picture is whole early."""
    stride = 1
    while stride < len(epochs):
        stride *= 2
    order: dict[int, None] = {}
    if epochs:
        order[epochs[-1]] = None
    while stride:
        order.update(dict.fromkeys(epochs[::stride]))
        stride //= 2
    return list(order)


def _missing(run: Run, done: set[int]) -> list[int]:
    return [epoch for epoch in hindsight.stored(run) if epoch not in done]


def _opened(run: Run, keys: Sequence[int]) -> tuple[Recorder, set[int]]:
    """The key set's recording and its epochs; begun anew when it is damaged or of another rule."""
    path = hindsight.path(run, keys)
    path.parent.mkdir(exist_ok=True)
    if damage(path) is not None:  # it can be computed again
        path.unlink()
    found = hindsight.result(run, keys)
    if not found.epochs:
        path.unlink(missing_ok=True)
    recorder = Recorder(path)
    os.utime(path)  # the newest is what viewers show: that which was asked for last
    return recorder, found.epochs


def _hello(run: Run, keys: Sequence[int], total: int) -> Hello:
    """The first record, again whenever there are more epochs: which keys, by which rule, how many epochs."""
    table = {"keys": list(keys), "rule": hindsight.RULE, "total": total}
    config = configs.to_tables(run.config) | {hindsight.READING: table}
    return Hello(
        PROTOCOL, run.name, __version__, config, {"device": "cpu", "threads": 1},
        run.config.training.epochs, Catalogue(hindsight.SERIES),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
