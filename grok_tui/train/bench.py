"""The trainer's side of `grok-tui bench`: `python -m grok_tui.train.bench`, one line of JSON per finding.

Every rate is a ratio of things timed in turn within one run, because machines are shared and noisy. The
race of the steps is timed by the processor's clock, so what others take of it does not count; what watching
costs is timed by the wall's, with all its waiting, as a share of one and the same stretch of training.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import profile, record_function

from grok_tui import catalogue as measures
from grok_tui import config as configs
from grok_tui import runs
from grok_tui.config import Config
from grok_tui.protocol import PROTOCOL, Catalogue, Hello
from grok_tui.train import machine, steer, textbook
from grok_tui.train.cadence import PER_DECADE, next_multiple
from grok_tui.train.journal import Journal
from grok_tui.train.past import Past
from grok_tui.train.probe import Probe
from grok_tui.train.serve import Server
from grok_tui.train.session import Session
from grok_tui.train.step import HISTORY, Stepper, Steps
from grok_tui.train.task import Table

PRODUCTS = ("aten::mm", "aten::addmm", "aten::addmm_", "aten::bmm", "aten::addmv", "aten::mv")
VIEWERS = 4


def main() -> None:
    """Measure, printing each finding as it is there."""
    torch.set_num_threads(1)
    machine.prepare()
    config = configs.preset("nanda113")
    for finding in (_race(config), _overhead(config), *([_gpu(config)] if torch.cuda.is_available() else [])):
        print(json.dumps(finding), flush=True)


def flops_per_step(config: Config) -> float:
    """Multiplications and additions of a step's matrix products: forward, and twice that backward."""
    p, v, d, m = config.task.p, config.task.vocab, config.model.d_model, config.model.d_mlp
    circuit = 2 * p * d * d + (m + v) * d * d + 2 * p * d * (m + v) + v * d * m
    return 3 * 2 * (config.n_train * m * v + circuit)


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Of all threads of this process; the one that serves viewers counts in full."""
    begun = clock()
    work()
    return clock() - begun


def _race(config: Config) -> dict[str, float]:
    """Steps per second against the textbook loop that evaluates the test set at every epoch; one thread."""
    device = torch.device("cpu")
    table = Table.of(config, device)
    fast = Stepper(config, table, device)
    pairs = torch.stack((table.train_a, table.train_b), 1)
    every = torch.cartesian_prod(torch.arange(table.p), torch.arange(table.p))
    test = every[~table.is_train[(every.sum(1)) % table.p, every[:, 0]]]
    book = textbook.Trainer(config, fast.weights, pairs)

    def textbook_epoch() -> None:
        book.step()
        book.evaluate(test)

    square = torch.randn(2048, 2048)
    fast.advance(3)
    textbook_epoch()
    slow, quick, peak = [], [], []
    for _ in range(5):
        slow.append(_seconds(textbook_epoch))
        quick.append(_seconds(lambda: fast.advance(15)) / 15)
        peak.append(2 * 2048**3 / _seconds(lambda: square @ square))
    with profile() as profiled, record_function("the rest, Python's part too"):
        fast.advance(15)
    times = {event.key: event.self_cpu_time_total * 1e-6 / 15 for event in profiled.key_averages()}
    share = sum(times.get(name, 0.0) for name in PRODUCTS) / sum(times.values())  # of the profile's own time
    products = share * statistics.median(quick)
    gemm = statistics.median(peak)
    return {
        "step_ms": 1e3 * statistics.median(quick),
        "textbook_ms": 1e3 * statistics.median(slow),
        "times_textbook": statistics.median(s / q for s, q in zip(slow, quick, strict=True)),
        "gemm_gflops": gemm / 1e9,
        "products_gflops": flops_per_step(config) / products / 1e9,
        "products_of_gemm": flops_per_step(config) / products / gemm,
    }


def _overhead(config: Config) -> dict[str, float]:
    """What measuring, recording and serving four viewers at the default cadence take of the training rate.

    The share of the loop's time that is not spent in steps, from one measure that takes longer to the next but
    one; comparing it with bare steps before and after would compare the machine's moods.
    """
    close = config.measure.closely_every
    start = next_multiple(round(config.measure.every * PER_DECADE / 2.302585), close)  # past the log-spaced start
    with _training(config) as (session, stepper):
        while session.epoch < start:
            session.turn()
        spent = [0.0]
        step = stepper.advance

        def timed(steps: int) -> None:
            spent[0] += _seconds(lambda: step(steps), time.perf_counter)

        stepper.advance = timed  # type: ignore[method-assign]
        goal = session.epoch + 2 * close
        whole = _seconds(lambda: _turn_until(session, goal), time.perf_counter)
        stepper.advance = step  # type: ignore[method-assign]
    return {
        "viewers": VIEWERS,
        "every": config.measure.every,
        "overhead": 1 - spent[0] / whole,
    }


def _turn_until(session: Session, epoch: int) -> None:
    while session.epoch < epoch:
        session.turn()
    session.settle()


@contextmanager
def _training(config: Config) -> Iterator[tuple[Session, Steps]]:
    """A session in a home of its own, served to viewers in another process that read all they are sent."""
    with tempfile.TemporaryDirectory(prefix="grok-tui-bench-") as home:
        os.environ["GROK_TUI_HOME"] = home
        run = runs.create(config)
        journal = Journal(run)
        session = Session(run, journal, Past(run, []), torch.device("cpu"))
        catalogue = Catalogue(measures.series(config), measures.arrays(config), steer.catalogue(config))
        hello = Hello(PROTOCOL, run.name, "", configs.to_tables(config), {}, config.training.epochs, catalogue)
        journal.write(hello)
        journal.server = Server(Path(home) / "socket", hello)
        readers = [_reader(journal.server.path) for _ in range(VIEWERS)]
        try:
            yield session, session._stepper
        finally:
            journal.close()
            for reader in readers:
                os.waitpid(reader, 0)


def _reader(path: Path) -> int:
    """A process that connects and reads; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        while link.recv(1 << 16):
            pass
    os._exit(0)


def _gpu(config: Config) -> dict[str, float]:
    """Steps per second without measuring, and the whole run with measures, on the first CUDA device."""
    device = torch.device("cuda")
    table = Table.of(config, device)
    stepper = Stepper(config, table, device)
    probe = Probe(config, table)
    stepper.advance(100)
    stepper.wait()

    def bare() -> None:
        stepper.advance(HISTORY // 2)
        stepper.wait()
        stepper.read_losses()

    rate = HISTORY // 2 / statistics.median(_seconds(bare, time.perf_counter) for _ in range(5))
    measured = Stepper(config, table, device)

    def whole() -> None:
        while measured.epoch < config.training.epochs:
            measured.advance(min(config.measure.every, config.training.epochs - measured.epoch))
            measured.read_losses()
            probe.look(measured.weights, measured.epoch % config.measure.closely_every == 0)

    return {"gpu_steps_per_s": rate, "gpu_whole_run_s": _seconds(whole, time.perf_counter)}


if __name__ == "__main__":
    if threading.active_count() > 1:  # forked readers must not inherit a held lock
        sys.exit("bench: more than one thread at the start")
    main()
