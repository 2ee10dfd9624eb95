"""What a run's speed and its last digits depend on besides its configuration: device, threads, allocator."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
from pathlib import Path
from typing import Any

import torch

from grok_tui import stacking
from grok_tui.errors import LaunchError

MAX_THREADS = 8
"""Of the machine's cores, at most: a step is 30 ms of small matrix products, which do not scale further."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's names, from malloc.h."""


def prepare() -> None:
    """Set this process up for training: exact products, no subnormals, freed memory kept."""
    torch.set_float32_matmul_precision("highest")  # TF32 off: it changes the tail of the loss
    torch.set_flush_denormal(True)  # moments of dead neurons decay into subnormals, which are slow
    if platform.libc_ver()[0] == "glibc":  # or a step's 20 MB come as new pages each time: an eighth of its time
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(M_TRIM_THRESHOLD, 256 << 20)


def pick_device(name: str, before: str) -> torch.device:
    """The device of that name; for "auto" the one that the run was trained on `before`, or else the best.

    Raises:
        LaunchError: it is not here.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise LaunchError(
            "--device cuda: this torch sees no CUDA device; use --device cpu, or install a CUDA build of torch"
        )
    if name == "auto" and before == "cuda" and not torch.cuda.is_available():
        raise LaunchError("was trained on CUDA, which is not here; --device cpu goes on, with other rounding")
    if name == "auto":
        name = before or ("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def use_threads(wanted: int | None, before: int | None) -> int:
    """As many as wanted, or as `before`: another number rounds otherwise. For a new run, leave the viewer a core.

    Two threads on two busy cores are slower than one.

    Raises:
        LaunchError: out of bounds.
    """
    wanted = wanted if wanted is not None else before
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = wanted if wanted is not None else max(1, min(MAX_THREADS, cores - 1))
    if not 1 <= threads <= 1024:
        raise LaunchError(f"--threads {threads}: 1 or more were expected; this machine has {cores} cores")
    torch.set_num_threads(threads)
    return threads


def describe(device: torch.device, threads: int) -> dict[str, Any]:
    """What the numbers depend on besides the configuration."""
    return {
        "device": device.type,
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu(),
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "host": socket.gethostname(),
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of it is not as it was `before`, in words."""
    found = [
        f"{name} {now.get(name)}, not {was}" for name, was in before.items() if name != "stack" and now.get(name) != was
    ]
    stacked, was = (stacking.count(machine) for machine in (now, before))
    if stacked != was:
        found.append(f"{stacking.said(stacked)}, not {stacking.said(was)}")
    return found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux, or a processor without a name
        return platform.processor() or platform.machine()
