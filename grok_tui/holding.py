"""A lock file: whether somebody holds it, and holding it. The kernel lets go of it when its holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grok_tui.errors import RunError

PATIENCE = 1.0
"""Seconds for which one insists on the lock: `held` has it for an instant when it looks."""


def held(path: Path) -> bool:
    """Somebody holds it now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: nobody can hold one
        return False
    finally:
        os.close(fd)
    return False


@contextmanager
def hold(path: Path, text: str, busy: Callable[[], str]) -> Iterator[None]:
    """Hold it for the duration of the block, with `text` in the file.

    Raises:
        RunError: another has it (says what `busy` returns), or it cannot be written.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        if not taken(fd):
            raise RunError(busy())
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, text.encode(), 0)
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror})") from None
        yield
    finally:
        os.close(fd)


def taken(fd: int, patience: float = PATIENCE) -> bool:
    """Whether the lock of an open file is now ours; insists for so many seconds, and looks less often as they pass.

    Raises:
        RunError: there are no locks here.
    """
    deadline, pause = time.monotonic() + patience, 0.01
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
        except OSError as error:
            raise RunError(f"this file system has no locks ({error.strerror}); put GROK_TUI_HOME on another") from None
        time.sleep(pause)
        pause = min(1.1 * pause, 0.5)
