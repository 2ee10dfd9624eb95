"""A file in its place: whole, or as it was, with nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grok_tui import files
from grok_tui.errors import ConfigError, RunError
from grok_tui.ui import layouts
from tests.wire.wiring import make_run


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_is_replaced_by_the_next(tmp_path: Path) -> None:
    for data in (b"one", b"two"):
        files.place(tmp_path / "a", data, sync=True)
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", data)]


@pytest.mark.parametrize(("of", "name"), [(os, "fsync"), (Path, "replace"), (Path, "open")])
def test_what_the_disk_does_not_take_leaves_the_file_as_it_was(
    tmp_path: Path, of: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.place(tmp_path / "a", b"one")
    with monkeypatch.context() as patch:
        patch.setattr(of, name, refuse)
        with pytest.raises(OSError, match="No space"):
            files.place(tmp_path / "a", b"two", sync=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"one")]


SAVING: dict[str, tuple[type[Exception], Callable[[], object]]] = {
    "state": (RunError, lambda: make_run().write_state({"epoch": 1})),
    "layout": (ConfigError, lambda: layouts.save(layouts.SHIPPED[0], "mine")),
}


@pytest.mark.parametrize("what", SAVING)
def test_a_disk_that_takes_nothing_and_lets_nothing_be_removed_is_one_clear_line(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that has become read-only."""
    wrong, save = SAVING[what]
    place = files.place

    def on_a_dead_disk(*args: object, **more: object) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            patch.setattr(Path, "unlink", refuse)
            place(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "place", on_a_dead_disk)
    with pytest.raises(wrong, match=r"cannot be written \(No space left on device\)"):
        save()
