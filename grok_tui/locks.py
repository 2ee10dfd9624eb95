"""A run that is locked: its owner wants nothing about its training changed, by slip or by anybody else.

While the file `LOCKED` stands in its directory, its trainer goes on and refuses every command, and nobody resumes,
deletes or prunes the run. What only looks at it, or writes beside it, is as before: hindsight, notes, branches.
A signal from the system still ends the trainer, with its resume point saved.
"""

from __future__ import annotations

import os
import pwd
import time

from grok_tui.errors import RunError
from grok_tui.runs import Run


def lock(run: Run) -> bool:
    """Lock a run; whether it was not locked before.

    Raises:
        RunError: it belongs to somebody else, or the file cannot be written; then it is as it was.
    """
    _only_the_owner(run, "lock")
    if run.locked:
        return False
    beside = run.path / f".LOCKED-{os.getpid()}"
    try:
        beside.write_text(f"locked by {_called(os.geteuid())} on {time.strftime('%Y-%m-%d %H:%M')}\n", encoding="utf-8")
        beside.replace(run.lock_sign)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RunError(f"{run.lock_sign}: cannot be written ({error.strerror})") from None
    return True


def unlock(run: Run) -> bool:
    """Unlock a run; whether it was locked.

    Raises:
        RunError: it belongs to somebody else, or the file cannot be removed.
    """
    _only_the_owner(run, "unlock")
    try:
        run.lock_sign.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RunError(f"{run.lock_sign}: cannot be removed ({error.strerror})") from None
    return True


def check(run: Run) -> None:
    """Pass if the run may be changed.

    Raises:
        RunError: it is locked; names the command that unlocks it.
    """
    if run.locked:
        raise RunError(refusal(run.name))


def refusal(name: str) -> str:
    """What whoever wants to change a locked run is told."""
    return f"{name} is {remedy(name)}"


def remedy(name: str) -> str:
    """The same where the run is named already."""
    return f"locked; to change it: grok-tui unlock {name}"


def _only_the_owner(run: Run, verb: str) -> None:
    owner = run.path.stat().st_uid
    if owner != os.geteuid():
        raise RunError(f"{run.name} belongs to {_called(owner)}: only its owner can {verb} it")


def _called(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a user without an entry, as in a container
        return f"user {uid}"
