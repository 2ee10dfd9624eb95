"""Where runs, sockets and presets live. The only module that reads the environment."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grok_tui.errors import LinkError, RunError

SOCKET_LIMIT = 100
"""Bytes of a unix socket's path: 108 on Linux and 104 on macOS, with the closing zero."""


def home() -> Path:
    """The directory of everything grok-tui keeps: `GROK_TUI_HOME`, else the platform's state directory."""
    if chosen := os.environ.get("GROK_TUI_HOME"):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_state_dir("grok-tui", appauthor=False))


def runs_dir() -> Path:
    """The directory that holds one directory per run; made when first needed.

    Raises:
        RunError: it can be neither made nor written.
    """
    path = home() / "runs"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be made ({error.strerror}); set GROK_TUI_HOME to a writable directory"
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise RunError(f"{path}: not writable; set GROK_TUI_HOME to a writable directory")
    return path


def presets_dir() -> Path:
    """The presets shipped with the package, or those of a source checkout."""
    packaged = Path(str(resources.files("grok_tui"))) / "presets"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "presets"


def layouts_dir() -> Path:
    """The layouts that the user has saved: under `GROK_TUI_HOME`, else the platform's configuration directory.

    It need not exist.
    """
    if os.environ.get("GROK_TUI_HOME"):
        return home() / "layouts"
    import platformdirs

    return Path(platformdirs.user_config_dir("grok-tui", appauthor=False)) / "layouts"


def socket_path(run_dir: Path) -> Path:
    """The socket of the run in `run_dir`: short, and distinct for each directory.

    Raises:
        LinkError: the directory for sockets is not this user's alone.
    """
    name = hashlib.sha256(str(run_dir.resolve()).encode()).hexdigest()[:16] + ".sock"
    path = _runtime_dir() / name
    if len(os.fsencode(path)) > SOCKET_LIMIT:
        path = _private(Path("/tmp") / f"grok-tui-{os.getuid()}") / name
    return path


def _runtime_dir() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir() and os.access(base, os.W_OK):
        return _private(Path(base) / "grok-tui")
    if sys.platform == "darwin":  # per user and private already, but too long with a subdirectory of its own
        return _private(Path(tempfile.gettempdir()) / "grok-tui")
    return _private(Path("/tmp") / f"grok-tui-{os.getuid()}")


def _private(path: Path) -> Path:
    """`path` as a directory that only this user can enter."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise LinkError(f"{path}: no place for sockets ({error.strerror})") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise LinkError(f"{path}: belongs to someone else; sockets need a directory of your own")
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path
