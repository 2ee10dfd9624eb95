"""`grok-tui export` for everything that needs no torch: picks the format, writes the files, says which."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from grok_tui import files
from grok_tui.errors import ExchangeError
from grok_tui.export import texts, whole
from grok_tui.export.whole import Whole
from grok_tui.files import Write
from grok_tui.runs import Run

ENDINGS = {"csv": ".csv", "parquet": ".parquet", "json": ".json"}
"""What the names of files of a format end in."""


def need(package: str) -> None:
    """Pass if a package that not everybody needs is installed.

    Raises:
        ExchangeError: it is not; says how to get it.
    """
    if importlib.util.find_spec(package) is None:
        raise ExchangeError(f"this needs {package}, which is not installed: pip install 'grok-tui[share]'")


def export(run: Run, program: str, file: Path, *, long: bool = False, maps: bool = False, force: bool = False) -> str:
    """Write a run for another program; returns what there is to say of it.

    Raises:
        ExchangeError: a file is there already, cannot be written, or a package is missing; nothing is left.
        RecordError: there is nothing to write, or it cannot be read.
    """
    if program == "tensorboard":
        return _tensorboard(whole.read(run), file, force=force)
    if file.suffix != ENDINGS[program]:
        raise ExchangeError(f"{file}: {ENDINGS[program]} was expected at its end")
    files.check({file: b""}, force=force)
    if program == "parquet":
        need("pyarrow")
    found = whole.read(run)
    content = _content(found, program, file, long=long, maps=maps)
    files.write(content, force=force)
    omitted = texts.left_out(found) if program == "json" and not maps else []
    rest = f"\n  left out: the maps {', '.join(omitted)}; --maps writes them too" if omitted else ""
    return _said(found, list(content)) + rest


def _tensorboard(found: Whole, folder: Path, *, force: bool) -> str:
    from grok_tui.export import tensorboard

    new = not folder.exists()
    path = tensorboard.place(found, folder, force=force)
    try:
        files.write({path: tensorboard.as_tensorboard(found)}, force=force)
    except ExchangeError:
        if new:
            folder.rmdir()
        raise
    return _said(found, [path]) + f"; rounded to float32\n  look: tensorboard --logdir {folder}"


def _content(found: Whole, program: str, file: Path, *, long: bool, maps: bool) -> dict[Path, bytes | Write]:
    if program == "json":
        return dict(texts.as_json(found, file, maps=maps))
    if program == "csv":
        return dict(texts.as_csv(found, file, long=long))
    from grok_tui.export import parquet

    return parquet.as_parquet(found, file, long=long)


def _said(found: Whole, paths: list[Path]) -> str:
    count = len(found.columns)
    listed = ", ".join(path.name for path in paths[1:] if path.suffix != ".json")
    line = f"{found.run.name}, epoch {found.state.epoch:,}: {count} series in {paths[0]}"
    line += f"; beside it {listed}" if listed else ""
    line += "".join(
        f"\n  how it was made, which a csv cannot hold: {path.name}" for path in paths[1:] if path.suffix == ".json"
    )
    return line + (f"\n  {found.damage}" if found.damage else "")
