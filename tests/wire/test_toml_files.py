"""TOML that anybody may have written: presets, runs, recipes, layouts, sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grok_tui import config, recipe, runs
from grok_tui.errors import ConfigError, GrokTuiError, PlanError, PresetError, RunError
from grok_tui.sweeps import Sweep
from grok_tui.ui import layouts
from tests.wire.wiring import make_run

READERS: dict[type[GrokTuiError], Callable[[Path], object]] = {
    PresetError: config.load,
    PlanError: recipe.read,
    ConfigError: layouts.load,
    RunError: lambda path: Sweep(path.parent).read(),
}
BAD = {
    "torn": b"[task",
    "no text": b"\xff\xfe",
    "too deep": b"x = " + b"[" * 60_000,
    "too long a number": b"x = 1" + b"0" * 10_000,
    "a folder": None,
}


@pytest.mark.parametrize("wrong", READERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_file_that_is_no_toml_is_named_in_one_line(
    tmp_path: Path, content: bytes | None, wrong: type[GrokTuiError]
) -> None:
    path = tmp_path / "sweep.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(wrong) as error:
        READERS[wrong](path)
    assert type(error.value) is wrong
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_preset_that_is_not_there_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match="no such preset file"):
        config.load(tmp_path / "gone.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        recipe.read(tmp_path / "gone.toml")


def test_one_damaged_run_keeps_no_other_from_being_listed() -> None:
    damaged, sound = make_run(), make_run("demo-2")
    (damaged.path / "config.toml").write_bytes(BAD["too deep"] or b"")
    assert {run.name: run.problem is None for run in runs.listing()} == {damaged.name: False, sound.name: True}
