"""The processes at work on a sweep, known from their first instant on, also while they still load torch.

Who starts one takes a lock in the sweep's `workers/`, which the process inherits and holds until it ends: whatever it
does, and whether its starter lives or not.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grok_tui import holding
from grok_tui.errors import RunError

FOLDER = "workers"

ROOM = 20
"""Bytes for a process's number, taken before there is a process: a disk may be full afterwards."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a process is to hold while it works."""

    fd: int
    """To be inherited."""

    def taken(self, pid: int) -> None:
        """Say which process has inherited it.

        Raises:
            OSError: it cannot be written.
        """
        os.pwrite(self.fd, f"{pid}\n".encode(), 0)


@contextmanager
def post(sweep: Path) -> Iterator[Post]:
    """A post at the sweep in a directory, for the process that is started within the block.

    Raises:
        RunError: it cannot be made.
    """
    folder, name = sweep / FOLDER, uuid.uuid4().hex
    beside, path = folder / f".new-{name}", folder / name
    try:
        folder.mkdir(exist_ok=True)
        _tidy(folder)
        fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        try:
            os.write(fd, b" " * ROOM)
            fcntl.flock(fd, fcntl.LOCK_EX)
            beside.rename(path)
        except OSError as error:
            raise RunError(f"{folder}: cannot be written ({error.strerror})") from None
        yield Post(fd)
    finally:
        os.close(fd)
        beside.unlink(missing_ok=True)
        _tidy(folder)


def living(sweep: Path) -> list[int]:
    """The numbers of the processes at work; 0 of one so new that it is not known yet."""
    return [_pid(path) for path in _posts(sweep / FOLDER) if holding.held(path)]


def _tidy(folder: Path) -> None:
    """Remove the posts of processes that have ended."""
    for path in _posts(folder):
        if not holding.held(path):
            path.unlink(missing_ok=True)


def _posts(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:  # nobody has worked there
        return []


def _pid(path: Path) -> int:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):  # it has just ended
        return 0
    return int(text) if text.isdecimal() else 0
