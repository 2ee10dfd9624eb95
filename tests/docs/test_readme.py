"""The README says what the code does."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from grok_tui import __version__, config
from grok_tui.cli import cli
from grok_tui.ui import keys

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands between a heading and the next."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {title!r}"
    return found.group(1)


def rows(text: str) -> list[tuple[str, str]]:
    """(code, sentence) of each row of the tables in `text`."""
    return re.findall(r"^\| `(.+?)` \| (.+?) \|$", text, re.MULTILINE)


def test_the_readme_has_every_key_and_no_other() -> None:
    assert rows(section("Keys")) == [(row.shown, row.about) for group in keys.groups().values() for row in group]


def test_the_readme_has_every_command_with_its_help_and_no_other() -> None:
    table = dict(rows(section("Commands")))
    named = {
        words[1]: about for words, about in ((key.split(), value) for key, value in table.items()) if len(words) > 1
    }
    del named["--preset"]
    assert set(named) == set(cli.commands)
    for name, command in cli.commands.items():
        assert command.help
        sentence = command.help.split("\n\n")[0].replace("\n", " ").strip().rstrip(".")
        assert named[name] == sentence


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", README, re.MULTILINE)
    assert len(tables) > 8
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_the_script_that_writes_them_has_nothing_to_write() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "readme.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr


def test_options_named_in_the_readme_exist() -> None:
    known = {opt for command in (cli, *cli.commands.values()) for param in command.params for opt in param.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(re.findall(r"grok-tui[^`\n]*|`--[^`]*`", README))))
    assert named >= {"--preset", "--once", "--set"}
    assert named <= known | {"--help"}


def test_the_readmes_overrides_are_accepted() -> None:
    assert "--set data.fraction=0.4" in README
    assert config.override(config.preset("nanda113"), [("data.fraction", "0.4")]).data.fraction == 0.4


def test_presets_named_in_the_readme_exist() -> None:
    assert set(re.findall(r"--preset ([a-z0-9]+)", README)) == set(config.presets())


def test_it_says_in_its_first_lines_whose_grokking_is_meant() -> None:
    top = README.split("\n## ")[0]
    assert "Power et al. 2022" in top
    assert "not xAI's Grok" in top


def test_ci_runs_the_readmes_own_test_line() -> None:
    line = next(line for line in section("Tests").splitlines() if line.startswith("python3 -m venv"))
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "constraints.txt" in line
    assert line.endswith("-m pytest")
    assert line not in script, "it is read from the README, not repeated"
    extract = next(part for part in script.splitlines() if part.startswith("line=$("))
    found = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", extract.removesuffix(" || {") + '\necho "$line"'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == line
    assert stat.S_IMODE((ROOT / ".ci" / "run").stat().st_mode) & 0o111


def test_its_pictures_are_those_of_whole_screens() -> None:
    shown = (
        ("Accuracy", "Losses", "Fourier norms of W_E", "Phase", "Weight decay", "Events", "nanda113-"),
        ("nanda113-1.1", "branched, wd 0", "parent nanda113-1", "stalled", "gen"),
        ("Attention to a", "Neurons", "Logits in the 2D Fourier basis", "Embedding", "nanda113-"),
    )
    for name, expected in zip(re.findall(r"!\[[^\]]*\]\((\S+)\)", README), shown, strict=True):
        text = "".join(ET.parse(ROOT / name).getroot().itertext()).replace("\xa0", " ")
        for words in expected:
            assert words in text, (name, words)


def test_links_lead_somewhere() -> None:
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), target


def test_the_changelog_has_this_version() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == __version__


def test_the_constraints_pin_every_requirement_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pins)
    assert "torch==2.13.0" in pins
    names = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["dev"]]
    required = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~ ]", item)[0]).lower() for item in wanted}
    assert required - {"grok-tui"} <= names


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".ci/run", "Makefile"])
def test_no_paths_of_a_machine_stand_in_what_users_read(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(work|home|root|tmp|Users)/", text)
