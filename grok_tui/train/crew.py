"""How a sweep's members share the machine: processes, threads, and models that share each step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from grok_tui import launch, stacking, sweeps, workers
from grok_tui.config import Config
from grok_tui.errors import LaunchError, RecordError
from grok_tui.runs import Run
from grok_tui.stacking import Manner
from grok_tui.sweeps import Contents, Member, Sweep

STACK = 16
"""Models that share a step on a GPU, at most."""

BESIDE = 0.5
"""Of a GPU's free memory, what one stack may take: others use it too."""

PROCESS = 600 << 20
"""Bytes that a trainer takes besides its models, in memory and, with CUDA's own, on a GPU."""

Load = list[Member]
"""Members that one process trains."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who trains the members."""

    jobs: int
    """Processes at a time."""
    threads: int
    """Of each."""
    stack: int
    """Models that share a process's steps."""
    device: str

    @classmethod
    def of(cls, contents: Contents, members: Sequence[Member]) -> Crew:
        """As asked for; what was left open, by this machine's cores or its GPU's memory.

        Raises:
            LaunchError: a GPU was asked for and there is none.
        """
        asked, count = contents.options, max(len(members), 1)
        free = gpu_memory(asked.device)
        room = cores()
        if free is None:
            stack = max(asked.stack, 1)
            jobs = asked.jobs or max(1, min(room, -(-count // stack)))
        else:
            largest = max((memory(contents.config(member)) for member in members), default=1)
            stack = asked.stack or max(1, min(STACK, count, int(BESIDE * free / largest)))
            jobs = asked.jobs or 1
        return cls(jobs, asked.threads or max(1, min(8, room // jobs)), stack, "cpu" if free is None else "cuda")

    @property
    def said(self) -> str:
        """The same in words, for the log."""
        each = f", {self.stack} models in each" if self.stack > 1 else ""
        return f"{self.jobs} at a time on {self.device}{each}, {self.threads} threads each"

    def start(self, runs: Sequence[Run], sweep: Sweep) -> subprocess.Popen[bytes] | None:
        """Start training them; returns the process that has several of them, or None.

        Raises:
            RunError: somebody is training one of them, or it cannot be read.
            LaunchError: a trainer did not come up.
        """
        if len(runs) > 1:
            return self._together(runs, sweep)
        for run in runs:
            begun = run.frames.exists()  # with as many threads as before: then it goes on bit for bit
            threads = None if begun else self.threads
            hook = "" if begun else run.config.notify.hook  # of one that was begun the directory may be another's
            device = "auto" if begun else self.device
            with workers.post(sweep.path) as post:
                launch.resume(run, device=device, threads=threads, hook=hook, post=post)
        return None

    def lacks(self, contents: Contents, load: Sequence[Member]) -> str:
        """Why the machine has no room for one more process, beside those that keep theirs; empty when it has."""
        models = sum(sorted((memory(contents.config(member)) for member in load), reverse=True)[: self.stack])
        free = gpu_memory(self.device) if self.device == "cuda" else int(psutil.virtual_memory().available)
        need = PROCESS + models
        return (
            "" if free is None or need <= free else f"about {need / 1e9:.1f} GB is needed, {free / 1e9:.1f} GB is free"
        )

    def _together(self, runs: Sequence[Run], sweep: Sweep) -> subprocess.Popen[bytes]:
        before = max(map(stacking.manner, runs))  # a load's members agree in it, but for those that were not begun
        seats, threads = before.stack or min(self.stack, len(runs)), before.threads or self.threads
        words = [sys.executable, "-P", "-m", "grok_tui.train.together", "--seats", str(seats)]
        words += ["--device", self.device, "--threads", str(threads), *(str(run.path) for run in runs)]
        try:
            with sweep.log.open("ab") as log, workers.post(sweep.path) as post:
                return launch.spawn(words, sweep.path, log, post=post)
        except OSError as error:
            raise LaunchError(f"{sweep.name}: a stack could not be started ({error.strerror})") from None


def loads(contents: Contents, members: Sequence[Member], crew: Crew) -> list[Load]:
    """Members for each process, in order: one each, or as many as a process has turns for where shapes agree.

    Those that were begun keep to such as were trained like them, so that they go on bit for bit.
    """
    if crew.stack == 1:
        return [[member] for member in members]
    groups: dict[tuple[object, ...], dict[Manner, Load]] = {}
    for member in members:
        alike = groups.setdefault(shape(contents.config(member)), {})
        alike.setdefault(_before(contents, member), []).append(member)
    found: list[Load] = []
    for alike in groups.values():
        found += _loads(alike, crew)
    return found


def _before(contents: Contents, member: Member) -> Manner:
    run = sweeps.run_of(contents, member)
    try:
        return stacking.manner(run) if run is not None else Manner(0, 0)
    except RecordError:  # by itself it fails by itself, when its turn comes
        return Manner(1, 0)


def _loads(alike: dict[Manner, Load], crew: Crew) -> list[Load]:
    """Of members of one shape; those that were not begun join the largest stack that was."""
    new, stacked = alike.pop(Manner(0, 0), []), [manner for manner in alike if manner.stack > 1]
    if new:
        alike.setdefault(max(stacked, default=Manner(0, 0)), []).extend(new)
    found: list[Load] = []
    for manner, group in alike.items():
        if manner.stack == 1:  # it was alone
            found += [[member] for member in group]
            continue
        parts = max(1, min(crew.jobs, -(-len(group) // crew.stack)))
        found += [group[part::parts] for part in range(parts)]
    return found


def shape(config: Config) -> tuple[object, ...]:
    """What models must agree in to share a step."""
    model, adam = config.model, config.optimizer
    sizes = (config.task.kind, config.task.p, config.n_train, model.kind, model.d_model, model.n_heads, model.d_mlp)
    return (*sizes, adam.beta1, adam.beta2, adam.eps, adam.warmup)


def cores() -> int:
    """Physical ones that may be used, less one for the viewers; at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable) - 1)


def memory(config: Config) -> int:
    """Bytes that one model in training takes, with the looks inside: a generous estimate."""
    p, model = config.task.p, config.model
    row = model.d_mlp + 2 * p
    weights = 4 * (model.d_model * (4 * model.d_model + 2 * model.d_mlp + 3 * p) + 2 * p * model.n_heads * row)
    look = 6 * 8 * p**3 + 4 * p * p * row
    return 8 * weights + 6 * 4 * config.n_train * row + look


def gpu_memory(device: str) -> int | None:
    """Free bytes on the GPU, if `device` means one; torch is asked only where there is a sign of one.

    Raises:
        LaunchError: one was asked for, and there is none.
    """
    if device == "cpu" or (device == "auto" and not Path("/dev/nvidiactl").exists()):
        return None
    code = "import torch,json; print(json.dumps(torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    free = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None
    if free is None and device == "cuda":
        raise LaunchError("--device cuda: this torch sees no CUDA device; use --device cpu")
    return int(free) if free is not None else None
