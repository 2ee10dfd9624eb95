"""The wheel holds everything that the installed program needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grok_tui import __version__

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = place.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_every_preset(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if name.startswith("grok_tui/presets/")}
    assert packed == {f"grok_tui/presets/{path.name}" for path in (ROOT / "presets").glob("*.toml")}
    assert len(packed) >= 2


def test_the_wheel_has_every_module_and_style(wheel: zipfile.ZipFile) -> None:
    ours = [path for path in (ROOT / "grok_tui").rglob("*") if path.suffix in (".py", ".tcss", ".typed")]
    assert {str(path.relative_to(ROOT)) for path in ours} <= set(wheel.namelist())


def test_the_wheel_installs_one_command_and_it_is_not_called_grok(wheel: zipfile.ZipFile) -> None:
    points = wheel.read(f"grok_tui-{__version__}.dist-info/entry_points.txt").decode()
    assert points.split() == ["[console_scripts]", "grok-tui", "=", "grok_tui.cli:main"]


def test_the_wheel_takes_a_wide_range_of_torch(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"grok_tui-{__version__}.dist-info/METADATA").decode()
    (torch,) = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: torch")]
    assert torch == "Requires-Dist: torch>=2.4"


def test_the_wheel_has_nothing_but_the_package(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {"grok_tui", f"grok_tui-{__version__}.dist-info"}
