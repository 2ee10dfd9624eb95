"""Start a trainer, or what recomputes: a process in a session of its own, that outlives whoever started it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import grok_tui
from grok_tui import feasible, locks, runs
from grok_tui import hindsight as results
from grok_tui.config import Config
from grok_tui.errors import GrokTuiError, LaunchError, RunError
from grok_tui.runs import Run

if TYPE_CHECKING:
    from grok_tui.workers import Post

PATIENCE = 60.0
"""Seconds for a trainer to listen: importing torch from a cold disk takes most of them."""

GRACE = 5.0
"""Seconds for one that did not listen in time to end itself."""


def start(config: Config, *, device: str = "auto", threads: int | None = None, stack: int = 0) -> Run:
    """Make a run and start its trainer; returns when the trainer listens. Blocks: call it in a thread.

    `stack`: it is trained bit for bit as in a stack of so many models; 0 and 1 are alone.

    Raises:
        PlanError: its plan has a line that cannot be read, or that such a run cannot keep.
        RunError: the run directory cannot be made.
        LaunchError: the trainer ended, or did not listen in time. Nothing is left when nothing was recorded.
    """
    feasible.check(config, config.plan.lines, config.name)
    run = runs.create(config)
    with _or_nothing_left(run):
        _launch(run, device, threads, config.notify.hook, None, stack)
    return run


def branch(
    parent: Run,
    epoch: int,
    *,
    changes: Mapping[str, float] | None = None,
    settings: Iterable[tuple[str, str]] = (),
    before: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    hook: str = "",
    alone: bool = False,
) -> Run:
    """Make a branch of a run, as `branches.create`, and start its trainer; returns when the trainer listens.

    Blocks: call it in a thread. As on a resume the parent's hook is not run, and device and threads are the parent's,
    and the stack, unless `alone`.

    Raises:
        GrokTuiError: as `branches.create`.
        LaunchError: the trainer ended, or did not listen in time. Nothing is left when nothing was recorded.
    """
    from grok_tui import branches  # it reads recordings, which starting a run does not

    settings = tuple(settings)
    hook = hook or dict(settings).get("notify.hook", "")
    run = branches.create(parent, epoch, changes, settings, before)
    with _or_nothing_left(run):
        _launch(run, device, threads, hook, None, int(alone))
    return run


@contextmanager
def _or_nothing_left(run: Run) -> Iterator[None]:
    """Remove a new run whose trainer is called off, or does not come and has recorded nothing."""

    def recorded() -> int:
        return run.frames.stat().st_size if run.frames.exists() else 0

    shared = recorded()  # by a branch, with its parent
    try:
        yield
    except KeyboardInterrupt:  # before anybody saw it
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    except LaunchError:
        if recorded() == shared:
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def resume(
    run: Run,
    *,
    device: str = "auto",
    threads: int | None = None,
    hook: str = "",
    post: Post | None = None,
    alone: bool = False,
) -> None:
    """Start a trainer on a run that has none; returns when it listens. Blocks: call it in a thread.

    The hook that stands in the run's configuration is not run: the directory may come from somebody else.
    `post`: what the trainer holds, when it works for a sweep.
    `alone`: also where its past was computed in a stack, and would not be repeated bit for bit.

    Raises:
        RunError: it is locked, somebody is training in it, or this build cannot read it.
        LaunchError: the trainer ended, or did not listen in time. The recording is as it was.
    """
    runs.check(run.path)
    locks.check(run)
    if run.state.get("state") == "finished":
        raise RunError(f"{run.name} has finished its {run.config.training.epochs:,} epochs")
    if run.alive:
        raise RunError(f"{run.name} is being trained already, by process {run.pid}")
    _launch(run, device, threads, hook, post, int(alone))


@dataclass(frozen=True, slots=True)
class Recomputing:
    """What became of the wish to see a run with its final keys."""

    keys: tuple[int, ...]
    text: str
    """The same for the reader."""
    process: subprocess.Popen[bytes] | None = None
    """The one that was started; None when there is nothing left to do, or another is at it."""


def hindsight(run: Run, keys: Sequence[int] | None = None, *, wait: bool = False) -> Recomputing:
    """Recompute a run's measures with these keys, or with the newest recorded, in a process of its own.

    Returns at once; `hindsight.Watch` sees what comes. With nothing left to compute, no process is started.
    With `wait` one is started although another recomputes: it takes its turn, and its result is the newest.
    Reads the recording to find the keys: call it in a thread where somebody waits for a key press.

    Raises:
        ConfigError: the keys are not frequencies of the run's task.
        RunError: no keys are recorded, no weights are stored, or (without `wait`) others recompute with other keys.
        RecordError: what there is cannot be read.
        LaunchError: the process could not be started.
    """
    chosen = results.chosen(run, keys)
    others = results.going_on(run)
    if others is not None and not wait:
        if others != chosen:
            raise results.busy(run, others)
        return Recomputing(chosen, f"already recomputing with {results.said(chosen)}")
    file = results.path(run, chosen)
    left = len(set(results.stored(run)) - results.result(run, chosen).epochs)
    if not left and others is None:
        with suppress(FileNotFoundError):  # dropped this instant
            os.utime(file)  # the newest is what viewers show
        return Recomputing(chosen, f"nothing new to recompute with {results.said(chosen)}")
    words = [sys.executable, "-P", "-m", "grok_tui.train.hindsight", str(run.path)]
    words += ["--keys", ",".join(map(str, chosen)), *(["--wait"] if wait else [])]
    try:
        file.parent.mkdir(exist_ok=True)
        with results.log(run).open("ab") as log:
            process = spawn(words, run.path, log, {"OMP_NUM_THREADS": "1"})
    except OSError as error:
        raise LaunchError(f"{run.name}: hindsight could not be started ({error.strerror})") from None
    return Recomputing(chosen, f"recomputing {left:,} epochs with {results.said(chosen)}", process)


def command(run: Run, device: str, threads: int | None, hook: str = "", stack: int = 0) -> list[str]:
    """The trainer's command line."""
    words = [sys.executable, "-P", "-m", "grok_tui.train", str(run.path), "--device", device]
    words += [f"--stack={stack}"] if stack else []
    words += [] if threads is None else ["--threads", str(threads)]
    return [*words, f"--hook={hook}"] if hook else words


def _launch(run: Run, device: str, threads: int | None, hook: str, post: Post | None = None, stack: int = 0) -> None:
    try:
        with run.log.open("ab") as log:
            before = log.tell()
            process = spawn(command(run, device, threads, hook, stack), run.path, log, post=post)
    except OSError as error:
        raise LaunchError(f"{run.name}: the trainer could not be started ({error.strerror})") from None
    try:
        _wait(run, process, before)
    except KeyboardInterrupt:
        _end(process)
        raise


def spawn(
    words: list[str],
    place: Path,
    log: IO[bytes],
    settings: dict[str, str] | None = None,
    post: Post | None = None,
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, that stands in `place`, prints into `log` and holds its `post`.

    Raises:
        OSError: it could not be started.
    """
    process = subprocess.Popen(
        words,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=place,
        env=environment() | (settings or {}),
        pass_fds=[post.fd] if post else [],
    )
    if post is not None:
        try:
            post.taken(process.pid)
        except OSError:
            process.kill()
            raise
    # A thread that waits for it: no zombie stays when it ends before us, and it outlives us when it does not.
    threading.Thread(target=process.wait, name=f"wait for {place.name}", daemon=True).start()
    return process


def detached(words: list[str], run: Run) -> subprocess.Popen[bytes]:
    """A process in a session of its own that does something for a run, and prints into its log.

    Raises:
        LaunchError: it could not be started.
    """
    try:
        with run.log.open("ab") as log:
            return spawn(words, run.path, log)
    except OSError as error:
        raise LaunchError(f"{run.name}: {words[3]} could not be started ({error.strerror})") from None


def _wait(run: Run, process: subprocess.Popen[bytes], before: int) -> None:
    """Until the trainer listens; `before` is where its part of the log begins."""
    deadline = time.monotonic() + PATIENCE
    while not _listens(run):
        if (code := process.poll()) is not None:
            if code == 0:  # a short run: finished before we looked
                return
            raise LaunchError(f"{run.name} did not start: {reason(run.log, before, code)}")
        if time.monotonic() > deadline:
            _end(process)
            raise LaunchError(f"{run.name} did not start within {PATIENCE:g} s: {reason(run.log, before, None)}")
        time.sleep(0.02)


def _listens(run: Run) -> bool:
    """Somebody accepts connections where the trainer said that it would be."""
    if not run.alive:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(run.socket))
        except (OSError, GrokTuiError):
            return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def reason(log: Path, start: int, code: int | None, who: str = "the trainer") -> str:
    """The last line that was printed after byte `start`, or how `who` ended when it printed nothing."""
    lines = log.read_bytes()[start:].decode(errors="replace").split("\n")
    if said := [line.strip() for line in lines if line.strip()]:
        return said[-1].removeprefix("grok-tui: ")[:300]
    if code is None:
        return f"{who} said nothing"
    return f"{who} was killed by signal {-code}" if code < 0 else f"{who} ended with exit code {code}"


def environment() -> dict[str, str]:
    """Ours, in which another Python finds this very package: an installed one, or a checkout.

    Places that PYTHONPATH names in relation to our directory stay those: the other Python may stand in a run's
    directory, which somebody else may have made, and must load nothing from there.
    """
    root = Path(grok_tui.__file__).parent.parent
    places = [str(Path(place).absolute()) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    if root.name not in ("site-packages", "dist-packages"):
        places.insert(0, str(root))
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return settings | ({"PYTHONPATH": os.pathsep.join(places)} if places else {})
