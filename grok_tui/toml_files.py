"""TOML files, which anybody may have written: their tables, or one line on what is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from grok_tui.errors import GrokTuiError


def read_tables(path: Path, wrong: type[GrokTuiError], missing: str = "") -> dict[str, Any]:
    """The tables of a TOML file; `missing` is what is said where there is none.

    Raises:
        GrokTuiError: of the kind `wrong`; the file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        absent = isinstance(error, FileNotFoundError) and missing
        raise wrong(f"{path}: {absent or f'cannot be read ({error.strerror})'}") from None
    except RecursionError:
        raise wrong(f"{path}: not TOML that can be read: lists or tables within each other without end") from None
    except ValueError as error:  # also bytes that are no text, and numbers of more digits than Python reads
        raise wrong(f"{path}: not TOML: {error}") from None
