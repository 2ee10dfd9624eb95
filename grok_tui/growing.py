"""A file that only grows, written by one process: a recording, a ledger. Whatever happens, its end is where it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from grok_tui.errors import RecordError


class Growing:
    """The one writer of such a file. Whatever is torn at its end is cut off first."""

    def __init__(self, path: Path, whole: Callable[[Path], int]) -> None:
        """Open `path` for appending, and make it when it is not there; `whole` says how many bytes of it are sound.

        Raises:
            RecordError: it cannot be opened, or what `whole` raises.
        """
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RecordError(f"{path}: cannot be written ({error.strerror})") from None
        try:
            self.position = whole(path)
            """Where what is appended next will begin, in bytes."""
            self.torn = os.fstat(self._fd).st_size - self.position
            """Bytes that were cut off on opening."""
            os.ftruncate(self._fd, self.position)
        except (OSError, RecordError) as error:
            os.close(self._fd)
            raise RecordError(str(error)) from None

    def extend(self, data: bytes, *, sync: bool = False) -> None:
        """Write it whole, and with `sync` onto the disk itself, or leave the file as it was.

        Raises:
            RecordError: the disk is full, or the file cannot be written for another reason.
        """
        rest, done = memoryview(data), 0
        try:
            while done < len(rest):
                done += os.pwrite(self._fd, rest[done:], self.position + done)
            if sync:
                os.fsync(self._fd)
        except OSError as error:
            with suppress(OSError):  # what was written of it is a torn end; the next one overwrites it
                os.ftruncate(self._fd, self.position)
            raise self._refusal(error) from None
        self.position += done

    def sync(self) -> None:
        """Wait until the disk itself has everything: survives not only a kill but a power cut.

        Raises:
            RecordError: the disk says that it could not.
        """
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._refusal(error) from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _refusal(self, error: OSError) -> RecordError:
        return RecordError(f"{self.path}: cannot be written ({error.strerror})")
