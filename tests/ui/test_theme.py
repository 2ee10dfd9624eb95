"""Colours that can be read, and told apart where there are few of them."""

from __future__ import annotations

import itertools
import math

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from grok_tui.ui import theme
from grok_tui.ui.panes import STYLES
from grok_tui.ui.widgets.cells import HEATS, SIGNS, Token
from grok_tui.ui.widgets.sweep_grid import DARK_STEPS

SERIES = ("train", "test", "restricted", "excluded", "other")


def ratio(one: Color, other: Color) -> float:
    """The contrast of two colours as WCAG 2 defines it."""

    def luminance(colour: Color) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
def test_text_is_legible(each: Theme) -> None:
    background = Color.parse(each.background or "")
    faint = {"axis", "cos", "sin"} | {name for name in each.variables if name.endswith("-weak")}
    for name, value in each.variables.items():
        if name.startswith(("heat-", "signed-")) or name == "ink":
            continue  # these fill cells, and that is what is written in the far half of them
        contrast = ratio(Color.parse(value), background)
        assert contrast >= (3.0 if name in faint - {"axis"} else 2.5 if name == "axis" else 4.5), name


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
def test_what_is_written_on_a_heat_ramp_is_legible(each: Theme) -> None:
    for step in range(HEATS):
        ink = each.variables["ink"] if step >= DARK_STEPS else each.foreground or ""
        assert ratio(Color.parse(ink), Color.parse(each.variables[f"heat-{step}"])) >= 3.0, step


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
@pytest.mark.parametrize("system", [ColorSystem.STANDARD, ColorSystem.EIGHT_BIT], ids=["16", "256"])
def test_series_keep_colours_of_their_own(each: Theme, system: ColorSystem) -> None:
    names = SERIES[:4] if system is ColorSystem.STANDARD else SERIES
    found = {Color.parse(each.variables[name]).rich_color.downgrade(system).number for name in names}
    assert len(found) == len(names)


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
@pytest.mark.parametrize("system", [None, ColorSystem.EIGHT_BIT], ids=["true", "256"])
def test_ramps_are_ordered_by_lightness_away_from_the_background(each: Theme, system: ColorSystem | None) -> None:
    def contrast(name: str) -> float:
        colour = Color.parse(each.variables[name]).rich_color
        colour = colour.downgrade(system) if system else colour
        return ratio(Color(*colour.get_truecolor()), Color.parse(each.background or ""))

    middle = SIGNS // 2
    heat = [contrast(f"heat-{step}") for step in range(HEATS)]
    above = [contrast(f"signed-{step}") for step in range(middle, SIGNS)]
    below = [contrast(f"signed-{step}") for step in range(middle, -1, -1)]
    for ramp in (heat, above, below):
        slack = 1.0 if system is None else 0.88  # 256 colours are no even ramp
        assert all(after > before * slack for before, after in itertools.pairwise(ramp))
        assert ramp[-1] > 5 * ramp[0]
        assert len({round(step, 2) for step in ramp}) >= (len(ramp) if system is None else 5)


def seen(colour: Color, eye: str) -> tuple[float, ...]:
    """A colour in OKLab as an eye without one kind of cone sees it (Machado et al. 2009)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    red, green, blue = (
        min(max(sum(part * c for part, c in zip(row, linear, strict=True)), 0.0), 1.0) for row in EYES[eye]
    )
    cones = (
        (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3),
        (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3),
        (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3),
    )
    rows = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    return tuple(sum(part * cone for part, cone in zip(row, cones, strict=True)) for row in rows)


EYES = {
    "every cone": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
@pytest.mark.parametrize("eye", EYES)
def test_eight_runs_can_be_told_apart_by_every_eye(each: Theme, eye: str) -> None:
    found = [seen(Color.parse(each.variables[f"run-{n}"]), eye) for n in range(1, 9)]
    assert min(math.dist(one, other) for one, other in itertools.combinations(found, 2)) > 0.07


@pytest.mark.parametrize("each", theme.THEMES, ids=lambda each: each.name)
def test_runs_keep_colours_of_their_own_where_there_are_few(each: Theme) -> None:
    runs = [Color.parse(each.variables[f"run-{n}"]).rich_color for n in range(1, 9)]
    assert len({run.downgrade(ColorSystem.EIGHT_BIT).number for run in runs}) == 8
    sixteen = [run.downgrade(ColorSystem.STANDARD).number for run in runs]
    assert len(set(sixteen[:4])) == 4
    assert len(set(sixteen)) >= 6


def test_both_themes_have_the_same_tokens() -> None:
    assert set(theme.DARK_TOKENS) == set(theme.LIGHT_TOKENS)
    assert theme.tokens(True) is theme.DARK_TOKENS


def test_every_token_has_a_colour_in_both_themes_and_none_is_written_outside_them() -> None:
    for token in Token:
        assert token.variable == "foreground" or token.variable in theme.DARK_TOKENS
    sheet = STYLES.read_text(encoding="utf-8")
    assert "#" not in sheet
