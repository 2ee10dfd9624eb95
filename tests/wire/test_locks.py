"""A locked run: who may lock it, and what is refused meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from grok_tui import launch, listing, locks
from grok_tui.errors import RunError
from grok_tui.runs import Run
from tests.wire.watching import watching
from tests.wire.wiring import Trainer, event, points


def test_a_run_is_locked_and_unlocked_and_both_can_be_said_twice(run: Run) -> None:
    assert [locks.lock(run), locks.lock(run), run.locked] == [True, False, True]
    assert (run.path / "LOCKED").read_text().startswith("locked by ")
    assert [locks.unlock(run), locks.unlock(run), run.locked] == [True, False, False]
    assert {path.name for path in run.path.iterdir()} == {"VERSION", "config.toml"}


def test_only_the_owner_of_the_directory_may(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(RunError, match=r"demo-1 belongs to .+: only its owner can lock it"):
        locks.lock(run)
    assert not run.locked
    monkeypatch.undo()
    locks.lock(run)
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(RunError, match="only its owner can unlock it"):
        locks.unlock(run)
    assert run.locked


def test_a_full_disk_leaves_a_run_unlocked_and_nothing_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(run.path.iterdir())

    def full(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match=r"LOCKED: cannot be written \(No space left on device\)"):
        locks.lock(run)
    assert set(run.path.iterdir()) == before


def test_a_locked_run_is_not_resumed_and_the_line_names_what_unlocks_it(run: Run) -> None:
    locks.lock(run)
    with pytest.raises(RunError, match="demo-1 is locked; to change it: grok-tui unlock demo-1"):
        launch.resume(run)
    assert not run.log.exists()


def test_the_listing_shows_which_runs_are_locked(run: Run) -> None:
    assert "⊠" not in listing.run_row(run)[1]
    locks.lock(run)
    assert listing.run_row(run)[1].endswith(" ⊠")


@pytest.mark.usefixtures("looking_often")
async def test_a_viewer_of_a_living_run_hears_of_the_lock_and_of_its_end(trainer: Trainer) -> None:
    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.live, "the start")
        assert not screen.source.locked
        heard = len(screen.batches)
        locks.lock(trainer.run)
        await screen.until(lambda: screen.source.locked, "the lock")
        await screen.until(lambda: len(screen.batches) > heard, "a batch that has the screen drawn")
        trainer.write(points(0))
        locks.unlock(trainer.run)
        await screen.until(lambda: not screen.source.locked, "the unlock")


@pytest.mark.usefixtures("looking_often")
async def test_a_viewer_of_a_run_that_has_ended_hears_of_the_lock(trainer: Trainer) -> None:
    trainer.write(event(7, "stopped"))
    trainer.close()
    async with watching(trainer.run) as screen:
        await screen.until(lambda: screen.has("stopped"), "the end")
        locks.lock(trainer.run)
        await screen.until(lambda: screen.source.locked, "the lock")
