"""`grok-tui bench`: the numbers that grok-tui promises, measured on this machine from outside.

Each line says what was measured, the number, and what it should be. Rates are ratios of things timed in
turn; the screen is measured at a pseudo-terminal, as a user's terminal sees it.
"""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from grok_tui import __version__, launch, runs, scrubbing
from grok_tui import config as configs
from grok_tui.errors import GrokTuiError
from grok_tui.protocol import PROTOCOL, Array, Catalogue, ControlInfo, Event, Hello, Points, SeriesInfo
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.terminal import Terminal

COLUMNS, ROWS = 120, 40
PROGRAM = [sys.executable, "-m", "grok_tui"]
PATIENCE = 60.0

OTHERS = 40
"""Series of a run beside those that the main screen shows."""

MAPS = {
    "attention_pattern": (4, 113, 113),
    "neuron_maps": (6, 113, 113),
    "logits_2d": (113, 113),
    "W_E": (128, 113),
    "neuron_fve": (512,),
}
"""The large arrays of a run of nanda113, with their shapes."""

Made = Callable[[int, int], Iterator[Array]]
"""The arrays of an epoch; told how many epochs the run has."""


def main(parts: tuple[str, ...] = ()) -> int:
    """Run the parts named, or all of `PARTS`; returns 1 when a number falls short of what it should be."""
    reached = True
    for name in parts or tuple(PARTS):
        if name not in PARTS:
            raise GrokTuiError(f"there is no part {name!r} of the bench; there are {', '.join(PARTS)}")
        for line in PARTS[name]():
            print(line.text, flush=True)
            reached = reached and line.reached
    return 0 if reached else 1


class Line:
    """One finding: what, how much, and what it should be."""

    def __init__(self, what: str, value: str, wanted: str, reached: bool) -> None:
        self.reached = reached
        self.text = f"{'ok   ' if reached else 'SHORT'} {what:<62} {value:>22}   {wanted}"


def _training() -> Iterator[Line]:
    """The step against the textbook, and what watching costs."""
    words = [sys.executable, "-m", "grok_tui.train.bench"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_plain()) as process:
        found: dict[str, float] = {}
        for text in process.stdout or ():
            found |= json.loads(text)
    if process.returncode:
        raise GrokTuiError(f"the training bench ended with exit code {process.returncode}")
    times, share = found["times_textbook"], found["products_of_gemm"]
    speed = f"{1000 / found['step_ms']:.1f} /s, {times:.1f} x"
    yield Line("steps on one thread, against the textbook loop with its test set", speed, "15 x or more", times >= 15)
    rate = f"{found['products_gflops']:.0f} of {found['gemm_gflops']:.0f} GFLOP/s, {share:.0%}"
    yield Line("matrix products, of this machine's GEMM rate", rate, "75 % or more", share >= 0.75)
    cost, every = found["overhead"], int(found["every"])
    what = f"measuring (every {every}), recording, serving {int(found['viewers'])} viewers"
    yield Line(what, f"{cost:.1%}", "5 % of the rate or less", cost <= 0.05)
    if "gpu_steps_per_s" in found:
        steps, whole = found["gpu_steps_per_s"], found["gpu_whole_run_s"]
        yield Line("steps on the GPU", f"{steps:,.0f} /s", "4,000 /s or more", steps >= 4000)
        yield Line("40,000 epochs with measures on the GPU", f"{whole:.1f} s", "30 s or less", whole <= 30)


def _measures() -> Iterator[Line]:
    """What each measure takes of the training between two of its turns."""
    words = [sys.executable, "-m", "grok_tui.train.costs"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_plain())
    if done.returncode:
        raise GrokTuiError(f"the bench of the measures ended with exit code {done.returncode}")
    found = json.loads(done.stdout)
    total = 0.0
    for key, every in (("each_ms", found["every"]), ("close_ms", found["closely_every"])):
        for name, ms in sorted(found[key].items(), key=lambda item: -item[1]):
            share = ms / (every * found["step_ms"])
            total += share
            yield Line(name, f"{ms:.1f} ms, {share:.2%}", f"every {every} epochs", True)
    yield Line("all measures at the default cadences", f"{total:.1%}", "5 % of the training or less", total <= 0.05)


def _start() -> Iterator[Line]:
    """How long until the program is there."""
    took = [_timed([*PROGRAM, "--help"]) for _ in range(7)]
    typical = statistics.median(took)
    yield Line("grok-tui --help", f"{typical:.3f} s", "below 0.25 s", typical < 0.25)
    with _home():
        run = finished_run(40_000)
        first, idle = [], 0
        for _ in range(3):
            with _viewer(run) as terminal:
                seconds = terminal.until(_shows_a_run, PATIENCE)
                first.append(math.inf if seconds is None else seconds)
                terminal.read(2.0)
                idle += terminal.read(3.0)
        typical = statistics.median(first)
        yield Line("first frame of a finished 40,000-epoch run", f"{typical:.2f} s", "below 1 s", typical < 1)
        yield Line("bytes to the terminal in 9 s of a finished run", f"{idle}", "0", idle == 0)


def _live() -> Iterator[Line]:
    """What a viewer costs while nanda113 trains at the default number of threads."""
    with _home(), _trained(configs.preset("nanda113")) as run, _viewer(run) as terminal:
        if terminal.until(_shows_a_run, PATIENCE) is None:
            raise GrokTuiError("the viewer showed nothing")
        terminal.read(5.0)
        process, seconds = psutil.Process(terminal.process.pid), 20.0
        before = sum(process.cpu_times()[:2])
        rate = terminal.read(seconds) / seconds / 1000
        share = (sum(process.cpu_times()[:2]) - before) / seconds
        what = f"live at {COLUMNS}x{ROWS}: "
        yield Line(what + "bytes to the terminal", f"{rate:.1f} kB/s", "30 kB/s or less", rate <= 30)
        yield Line(what + "the viewer's share of a core", f"{share:.1%}", "10 % or less", share <= 0.10)
        terminal.press("p")
        if terminal.until(lambda text: "paused" in text.splitlines()[0], PATIENCE) is None:
            raise GrokTuiError("the run did not pause")
        terminal.read(2.0)
        idle = terminal.read(5.0)
        yield Line("bytes to the terminal in 5 s of a paused run", f"{idle}", "0", idle == 0)


def _keys() -> Iterator[Line]:
    """From the key press to the trainer's confirmed value on the screen, training on every core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with _home(), _trained(configs.preset("nanda113"), threads=cores) as run, _viewer(run) as terminal:
        if terminal.until(_shows_a_run, PATIENCE) is None:
            raise GrokTuiError("the viewer showed nothing")
        took = []
        for number in range(60):
            terminal.read(0.3 + 0.037 * (number % 7))  # at every phase of steps, measures and redraws
            key, value = ("+", "2") if number % 2 == 0 else ("-", "1")
            terminal.press(key)
            seconds = terminal.until(lambda text, value=value: _confirmed(text) == value, PATIENCE)  # type: ignore[misc]
            took.append(math.inf if seconds is None else 1000 * seconds)
        took.sort()
        middle, high = took[len(took) // 2], took[math.ceil(0.95 * len(took)) - 1]
        what = f"key to confirmed weight decay, training on {cores} cores"
        yield Line(what, f"{middle:.0f} ms, 95th {high:.0f} ms", "95th percentile below 150 ms", high < 150)


def _stack() -> Iterator[Line]:
    """Model-epochs per second: several models in one step, and in processes of their own, against one at a time."""
    words = [sys.executable, "-m", "grok_tui.train.stack_bench"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_plain()) as process:
        for text in process.stdout or ():
            found = json.loads(text)
            value = f"{found['stacked']:,.1f} model-epochs/s, {found['times']:.2f} x"
            if "processes" in found:
                what = f"{found['preset']}: {found['processes']} processes, against one"
                yield Line(what, value, "what a sweep uses on a CPU", True)
                continue
            what = f"{found['preset']}, {found['count']} in a step on {found['device']}, against one at a time"
            on_gpu = found["device"] == "cuda" and found["count"] > 1
            wanted = "more than 1 x: what a sweep uses on a GPU" if on_gpu else "on a CPU only with --stack"
            yield Line(what, value, wanted, not on_gpu or found["times"] > 1)
    if process.returncode:
        raise GrokTuiError(f"the bench of stacks ended with exit code {process.returncode}")


def _scrub() -> Iterator[Line]:
    """What a step of the time cursor takes, with every array that there is and at two sizes."""
    for layout in ("main", "circuit"):
        with _home():
            run = finished_run(40_000, layout, scrubbing.spectra, scrubbing.circuit)
            for columns, rows in ((120, 40), (200, 60)):
                with _viewer(run, columns, rows) as terminal:
                    if terminal.until(_shows_all, PATIENCE) is None:
                        raise GrokTuiError("the viewer showed nothing")
                    terminal.read(2.0)
                    found = scrubbing.steps(terminal)
                what = f"a step of the cursor, {layout} at {columns}x{rows}"
                value = f"{found.middle:.0f} ms, 95th {found.high:.0f} ms"
                yield Line(what, value, "95th percentile below 50 ms", found.high < 50)
                what = f"after a held key, {layout} at {columns}x{rows}"
                yield Line(what, f"{found.late:.0f} ms", "below 150 ms: nothing queues", found.late < 150)


PARTS: dict[str, Callable[[], Iterator[Line]]] = {
    "training": _training,
    "measures": _measures,
    "start": _start,
    "live": _live,
    "keys": _keys,
    "scrub": _scrub,
    "stack": _stack,
}


def _confirmed(text: str) -> str:
    """The weight decay in the status line; "" while one is asked for."""
    found = re.search(r"(?:weight decay|wd) ([0-9.e-]+)(?! *→)", text.splitlines()[0])
    return found[1] if found else ""


def _shows_a_run(text: str) -> bool:
    """The status line names an epoch and a chart has drawn its curves in braille."""
    return "epoch" in text.splitlines()[0] and sum("\u2801" <= sign <= "\u28ff" for sign in text) > 20


def _shows_all(text: str) -> bool:
    """The whole of a finished run has been read."""
    return "finished" in text.splitlines()[0]


def _viewer(run: Run, columns: int = COLUMNS, rows: int = ROWS) -> Terminal:
    return Terminal([*PROGRAM, "attach", run.name], columns, rows, {"GROK_TUI_HOME": os.environ["GROK_TUI_HOME"]})


def _plain() -> dict[str, str]:
    """The environment without what would make several threads of one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_"))}


def _timed(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


@contextmanager
def _home() -> Iterator[None]:
    """A home of its own for the bench's runs."""
    before = os.environ.get("GROK_TUI_HOME")
    with tempfile.TemporaryDirectory(prefix="grok-tui-bench-") as path:
        os.environ["GROK_TUI_HOME"] = path
        try:
            yield
        finally:
            if before is None:
                del os.environ["GROK_TUI_HOME"]
            else:
                os.environ["GROK_TUI_HOME"] = before


@contextmanager
def _trained(config: configs.Config, threads: int | None = None) -> Iterator[Run]:
    """A run in training, ended afterwards."""
    run = launch.start(config, threads=threads)
    try:
        yield run
    finally:
        trainer = psutil.Process(run.pid)
        trainer.kill()
        trainer.wait(10)


def _even(epoch: int, _epochs: int) -> Iterator[Array]:
    """Small arrays, the same at each epoch."""
    yield Array(epoch, "fourier_W_E", np.ones((2, 56), np.float32))
    yield Array(epoch, "alpha", np.ones(56, np.float32))


def _even_maps(epoch: int, _epochs: int) -> Iterator[Array]:
    yield from (Array(epoch, name, np.ones(shape, np.float16)) for name, shape in MAPS.items())


def finished_run(epochs: int, layout: str = "", small: Made = _even, large: Made = _even_maps) -> Run:
    """A run directory with a recording of so many epochs, in frames as a trainer writes them; curves are made up."""
    settings: list[tuple[str, str | float]] = [("training.epochs", epochs), ("view.layout", layout)]
    config = configs.override(configs.preset("nanda113"), settings)
    run = runs.create(config)
    recorder = Recorder(run.frames)
    shown = ("test_loss", "restricted_loss", "excluded_loss", "excluded_loss_key_free", "sum_of_squares", "test_fve")
    names = (*shown, *(f"another_{number}" for number in range(OTHERS)))
    series = tuple(
        SeriesInfo(name, name, log=True) for name in ("train_loss", "train_accuracy", "test_accuracy", *names)
    )
    catalogue = Catalogue(series, (), (ControlInfo("weight_decay", "weight decay", 1.0, 0.0, 1000.0),))
    tables = configs.to_tables(config)
    recorder.append(Hello(PROTOCOL, run.name, __version__, tables, {"device": "cpu"}, epochs, catalogue))
    for start in range(0, epochs, 10):
        at = np.arange(start, min(start + 10, epochs))
        losses = 5 * np.exp(-at / 300) + 1e-7
        recorder.append(Points(at, {"train_loss": losses, "train_accuracy": 1 - losses / 6}))
        if start % config.measure.every == 0:
            share = 1 / (1 + np.exp((start - 0.25 * epochs) / (0.02 * epochs)))
            found = {name: np.array([25 * share + 1e-6]) for name in names} | {"test_accuracy": np.array([1 - share])}
            recorder.append(Points(np.array([start]), found))
            for array in small(start, epochs):
                recorder.append(array)
        if start % config.measure.closely_every == 0:
            for array in large(start, epochs):
                recorder.append(array)
    recorder.append(Event(epochs, "finished", f"finished at epoch {epochs:,}", time.time()))
    recorder.close()
    Path(run.path / "state.json").write_text(json.dumps({"epoch": epochs, "epochs": epochs, "state": "finished"}))
    return run
