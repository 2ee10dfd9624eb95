"""Every colour, once: a dark and a light theme on the colours of Okabe and Ito, which the colour-blind tell apart.

Style sheets name them as variables (`$train`, `$test`, ...). Nothing is told by colour alone: lines differ in
stroke and marker too, phases in letter and pattern, key frequencies carry a mark.
"""

from __future__ import annotations

from textual.theme import Theme

DARK_TOKENS = {
    "train": "#56b4e9",
    "test": "#e69f00",
    "restricted": "#3fc995",
    "restricted-weak": "#2a9d6f",
    "excluded": "#e879c4",
    "excluded-weak": "#b0509c",
    "other": "#f0e442",
    "muted": "#8b93a1",
    "axis": "#5f6875",
    "mark": "#f0e442",
    "cursor": "#ffffff",
    "pending": "#f0e442",
    "cos": "#5f87d7",
    "sin": "#8f6fdf",
    "key": "#ff9e3d",
    "good": "#3fc995",
    "warn": "#f0e442",
    "bad": "#ff6f52",
    "phase-fitting": "#9aa3b0",
    "phase-memorization": "#e69f00",
    "phase-circuit": "#56b4e9",
    "phase-cleanup": "#e879c4",
    "phase-generalized": "#3fc995",
    "phase-direct": "#b8d957",
    "phase-stalled": "#7d8694",
    "phase-degraded": "#ff6f52",
}

LIGHT_TOKENS = {
    "train": "#0067a5",
    "test": "#b04a00",
    "restricted": "#007a3a",
    "restricted-weak": "#3f9468",
    "excluded": "#a02a90",
    "excluded-weak": "#b050a0",
    "other": "#6b5f00",
    "muted": "#5d6570",
    "axis": "#8f97a1",
    "mark": "#7a5c00",
    "cursor": "#000000",
    "pending": "#7a5c00",
    "cos": "#4a7fc0",
    "sin": "#7f62b8",
    "key": "#c24a00",
    "good": "#007a3a",
    "warn": "#7a5c00",
    "bad": "#b3261e",
    "phase-fitting": "#5d6570",
    "phase-memorization": "#b04a00",
    "phase-circuit": "#0067a5",
    "phase-cleanup": "#a02a90",
    "phase-generalized": "#007a3a",
    "phase-direct": "#5a6b00",
    "phase-stalled": "#666e79",
    "phase-degraded": "#b3261e",
}

DARK = Theme(
    name="bench-dark",
    dark=True,
    primary="#56b4e9",
    secondary="#e879c4",
    accent="#e69f00",
    warning="#f0e442",
    error="#ff6f52",
    success="#3fc995",
    foreground="#d8dce2",
    background="#14171c",
    surface="#191d23",
    panel="#242a32",
    variables=DARK_TOKENS,
)

LIGHT = Theme(
    name="bench-light",
    dark=False,
    primary="#0067a5",
    secondary="#a02a90",
    accent="#b04a00",
    warning="#7a5c00",
    error="#b3261e",
    success="#007a3a",
    foreground="#1d2127",
    background="#fbfaf7",
    surface="#f4f3ef",
    panel="#e6e5e0",
    variables=LIGHT_TOKENS,
)

THEMES = (DARK, LIGHT)


def tokens(dark: bool) -> dict[str, str]:
    """Our variables for a theme that is not ours; for `App.get_theme_variable_defaults`."""
    return DARK_TOKENS if dark else LIGHT_TOKENS
