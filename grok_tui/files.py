"""Files that are written beside their place and renamed, so that each is whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from grok_tui.errors import ExchangeError

Write = Callable[[Path], None]
"""Writes its content to the path that it is given."""


def place(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Put one file in its place, in that of the one before; with `sync` it is on the disk itself then.

    Raises:
        OSError: the disk would not take it; what was there is there, and nothing beside it.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def write(files: Mapping[Path, bytes | Write], *, force: bool = False) -> None:
    """Write files: all of them whole, or none. What is there already is replaced only with `force`.

    Raises:
        ExchangeError: one is there, or cannot be written; what was there stays as it was.
    """
    check(files, force=force)
    parts = {file: file.with_name(f".{file.name}.{os.getpid()}.part") for file in files}
    placed: list[Path] = []
    try:
        for file, part in parts.items():
            _fill(part, files[file])
        for file, part in parts.items():
            new = not file.exists()
            part.replace(file)
            placed += [file] if new else []
    except OSError as error:
        for file in placed:
            file.unlink(missing_ok=True)
        raise ExchangeError(f"{next(iter(files))}: cannot be written ({error.strerror or error})") from None
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)


def check(files: Mapping[Path, object], *, force: bool = False) -> None:
    """Pass if these files may be written: before anything that takes long.

    Raises:
        ExchangeError: one is there already, or has no folder to be in.
    """
    for file in files:
        if file.is_dir():
            raise ExchangeError(f"{file} is a folder; the name of a file was expected")
        if not file.parent.is_dir():
            raise ExchangeError(f"{file.parent}: no such folder")
        if not force and (file.exists() or file.is_symlink()):
            raise ExchangeError(f"{file} is there already; give another name, or --force to replace it")


def _fill(part: Path, content: bytes | Write) -> None:
    if callable(content):
        content(part)
    else:
        part.write_bytes(content)
    with part.open("rb") as file:
        os.fsync(file.fileno())  # some file systems say only here that they are full
