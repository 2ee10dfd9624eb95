"""A branch that a run's plan asked for: `python -m grok_tui.offshoot RUN_DIRECTORY EPOCH SEQ [CONTROL VALUE]`.

A process of its own, so that nobody's training waits for it. The branch shares its parent's past up to the
parent's ledger entry SEQ, which asks for it: what was done afterwards is not its own, not even at the same epoch.
Its output goes into the parent's log, and what became of the wish into `offshoots/SEQ.json` beside it, which is
locked meanwhile: so however often a wish is looked after, there is one branch at most, and none once it is deleted.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from grok_tui import branches, launch, runs
from grok_tui.errors import GrokTuiError, RunError
from grok_tui.runs import Run

LONGEST = 300
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A branch that a run asked for."""

    epoch: int
    seq: int
    """The number in the run's ledger under which it did."""
    changes: dict[str, float]
    """Controls that are to have another value from there on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a wish."""

    child: str = ""
    """The branch, which may have been deleted since; empty when there never was one."""
    failed: str = ""
    """Why there is none, or why it is not trained; empty when all is well."""


def start(run: Run, wish: Wish) -> subprocess.Popen[bytes]:
    """Start making the branch, or finding out that it was made; returns at once.

    Raises:
        LaunchError: the process could not be started.
    """
    words = [sys.executable, "-P", "-m", "grok_tui.offshoot", str(run.path), str(wish.epoch), str(wish.seq)]
    for name, value in wish.changes.items():
        words += [name, repr(value)]
    return launch.detached(words, run)


def outcome(run: Run, wish: Wish, code: int) -> Outcome:
    """What became of a wish, by the words of the process that ended with this code."""
    try:
        said = _said(_paper(run, wish.seq).read_bytes())
    except OSError:  # there was no room for its words
        said = Outcome()
    if said.failed or (said.child and not code):
        return said
    child = _made(run, wish)  # it was cut short: what is there speaks for itself
    name = child.name if child else said.child
    if child and (child.alive or child.state):
        return Outcome(name)
    return Outcome(name, "its process " + (f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"))


def carry_out(run: Run, wish: Wish) -> Outcome:
    """Make the branch if nobody has, and start its trainer if nobody did; says what became of it, also on paper."""
    try:
        with _alone(run, wish) as paper:
            before = _said(os.pread(paper, 1 << 16, 0))
            child = _made(run, wish)
            if child is None and before.child:  # and was deleted since
                return before

            def note(said: Outcome) -> Outcome:
                return _write(paper, said)

            return _brought_up(run, wish, child, note)
    except OSError as error:
        return Outcome(failed=f"{error.filename or run.path}: cannot be written ({error.strerror})")
    except GrokTuiError as error:
        return Outcome(failed=str(error)[:LONGEST])


def remember(run: Run, seq: int, child: str) -> None:
    """Write down that a branch was made, before it is deleted; its maker may have been killed before it could."""
    path = _paper(run, seq)
    with suppress(OSError):  # no reason to keep what is to be deleted: its room may be wanted
        path.parent.mkdir(exist_ok=True)
        with path.open("a+b") as paper:
            paper.seek(0)
            if not _said(paper.read()).child:
                _write(paper.fileno(), Outcome(child))


def main(words: list[str]) -> int:
    """Carry out a wish; returns the exit code."""
    changes = {name: float(value) for name, value in zip(words[3::2], words[4::2], strict=True)}
    wish = Wish(int(words[1]), int(words[2]), changes)
    found = carry_out(Run(Path(words[0])), wish)
    if found.failed:
        print(f"branch at epoch {wish.epoch:,}: {found.failed}", flush=True)
        return 1
    print(f"branched {found.child} at epoch {wish.epoch:,}", flush=True)
    return 0


def _brought_up(run: Run, wish: Wish, child: Run | None, note: Callable[[Outcome], Outcome]) -> Outcome:
    name = child.name if child else ""
    try:
        child = child or branches.create(run, wish.epoch, wish.changes, asked=wish.seq)
        name = child.name
        note(Outcome(name))  # before anything else can go wrong: it was made, whatever comes
        if not child.state and not child.alive:
            launch.resume(child)
    except GrokTuiError as error:
        return note(Outcome(name, str(error)[:LONGEST]))
    except Exception as error:  # whatever it is: the run that asked must hear of it
        traceback.print_exc()
        return note(Outcome(name, f"{type(error).__name__}: {error}"[:LONGEST]))
    return Outcome(name)


def _made(run: Run, wish: Wish) -> Run | None:
    """The branch, where it is there already."""
    return next((each for each in runs.children(run) if each.lineage and each.lineage.asked == wish.seq), None)


def _paper(run: Run, seq: int) -> Path:
    return run.path / "offshoots" / f"{seq}.json"


@contextmanager
def _alone(run: Run, wish: Wish) -> Iterator[int]:
    """Be the one who looks after a wish, for the duration of the block; waits until another has done so."""
    path = _paper(run, wish.seq)
    path.parent.mkdir(exist_ok=True)
    paper = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(paper, fcntl.LOCK_EX)
        except OSError as error:
            raise RunError(f"this file system has no locks ({error.strerror})") from None
        yield paper
    finally:
        os.close(paper)


def _said(data: bytes) -> Outcome:
    """What stands on paper; nothing where that is not whole."""
    try:
        found = json.loads(data)
        child, failed = found.get("child"), found.get("failed")
    except (ValueError, AttributeError, RecursionError):
        return Outcome()
    return Outcome(_shown(child), _shown(failed))


def _shown(text: object) -> str:
    return "".join(c for c in text[:LONGEST] if c.isprintable()) if isinstance(text, str) else ""


def _write(paper: int, said: Outcome) -> Outcome:
    data = json.dumps(asdict(said)).encode() + b"\n"
    try:
        os.ftruncate(paper, 0)
        os.pwrite(paper, data, 0)
        os.fsync(paper)
    except OSError as error:  # it is looked for among the branches, then
        with suppress(OSError):  # the log's disk is full too
            print(f"what became of a branch cannot be written down ({error.strerror})", flush=True)
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
