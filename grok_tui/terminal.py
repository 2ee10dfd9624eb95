"""A program in a pseudo-terminal, watched from outside: what it prints, how much, and what is then on the screen.

For `grok-tui bench` and the end-to-end tests. The screen is pyte's, so what is measured is what a user sees.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "left": "\x1b[D",
    "right": "\x1b[C",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "home": "\x1b[H",
    "end": "\x1b[F",
}
"""What a terminal sends for keys that are no character."""


class Terminal:
    """Runs one command at a size of so many columns and rows. A context manager: leaving it ends the command."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, env: Mapping[str, str] | None = None) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fd, inner = pty.openpty()
        self.resize(columns, rows)
        plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            list(command),
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # resizes and hang-ups reach it as signals
            env={**plain, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
        )
        os.close(inner)
        self.received = 0
        """Bytes that the command has printed."""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Pull the terminal away, as a closed window or a lost connection does; the command gets a hang-up."""
        os.close(self._fd)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as dragging a window's corner does."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def press(self, *keys: str) -> None:
        """Type keys: characters, or names from `KEYS`."""
        for key in keys:
            os.write(self._fd, KEYS.get(key, key).encode())

    def read(self, seconds: float) -> int:
        """Take in what the command prints for so long; returns the number of bytes."""
        before, deadline = self.received, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._read_once(left):
            pass
        return self.received - before

    def until(self, seen: Callable[[str], bool], patience: float) -> float | None:
        """Read until `seen` holds of the screen's text; returns the seconds it took, None when it never did."""
        begun = time.monotonic()
        while not seen(self.text):
            left = begun + patience - time.monotonic()
            if left <= 0 or not self._read_once(left):
                return time.monotonic() - begun if seen(self.text) else None
        return time.monotonic() - begun

    def settle(self, quiet: float, patience: float) -> float | None:
        """Read until nothing has come for `quiet` seconds; returns the seconds until the last of it had come.

        What comes is put on the screen afterwards: that takes longer than most programs take to print it. None when
        nothing came in `patience` seconds.
        """
        begun, last, taken = time.monotonic(), None, []
        while time.monotonic() - begun < patience:
            wait = patience if last is None else quiet
            if not select.select([self._fd], [], [], wait)[0]:
                break
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # Linux's end of a pseudo-terminal
                break
            last = time.monotonic()
            taken.append(data)
        for data in taken:
            self.received += len(data)
            self._stream.feed(data)
        return None if last is None else last - begun

    @property
    def text(self) -> str:
        """The screen's lines."""
        return "\n".join(self._screen.display)

    def wait(self, patience: float) -> int:
        """Read until the command has ended; returns its exit code."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read_once(0.1)
        self.read(0.05)
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read_once(self, seconds: float) -> bool:
        """Wait for output and take it in; False once there will be none."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # Linux's end of a pseudo-terminal
            return False
        self.received += len(data)
        self._stream.feed(data)
        return bool(data)
