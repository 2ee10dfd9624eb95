"""Every colour, once: a dark and a light theme on the colours of Okabe and Ito, which the colour-blind tell apart.

Style sheets name them as variables (`$train`, `$test`, ...). Nothing is told by colour alone: lines differ in
stroke and marker too, phases in letter and pattern, key frequencies carry a mark. A heat map's ramp is ordered
by lightness, away from the screen's background; where colours are few, glyphs take its place.
"""

from __future__ import annotations

from textual.theme import Theme

DARK_HEAT = """
    #1a2038 #1d2b4e #1e3664 #1f417a #1f5087 #1e5e95 #1b6da2 #1e809d
    #269295 #3ba28b #5ab17f #74bf70 #94ca66 #b6d460 #d5de57 #f4e74a
"""
LIGHT_HEAT = """
    #f2f0e2 #e3e6ac #ccdc96 #b0d290 #93c88a #79bc8d #61ae95 #48a09b
    #2e91a0 #29819e #26709c #235f99 #22528a #20447b #1e376c #1b2a5e
"""
"""From least to most, in even steps of lightness (OKLab)."""

DARK_SIGNED = """
    #8fd2ff #71b8ea #539fd4 #3387bf #2d6e9d #2a567a #283f55
    #26292f #4b3a28 #6e4c23 #915f21 #b5721b #ce8c37 #e7a851 #ffc56b
"""
LIGHT_SIGNED = """
    #00355e #0d4e7d #1d689c #3384bb #619ecb #8ab9da #bad3e3
    #edece6 #eccaaa #e3aa78 #d38a51 #c26a24 #a65312 #883d07 #6b2800
"""
"""From the most negative through 0 to the most positive."""

DARK_RUNS = "#2482fa #e69f00 #25ddaa #cc60b0 #f7ff35 #fb3223 #a8acff #c8ffff"
LIGHT_RUNS = "#2f69d8 #ad5c1a #125a36 #7d007d #462d00 #b80050 #725591 #0a0f29"
"""Of runs that are compared, as far apart as eight can be to every eye; each has a number and a stroke too."""


def _steps(heat: str, signed: str, runs: str) -> dict[str, str]:
    """The ramps as tokens: heat-0, ..., signed-0, ...; and the runs: run-1, ..."""
    ramps = {"heat": heat.split(), "signed": signed.split()}
    found = {f"{name}-{step}": colour for name, ramp in ramps.items() for step, colour in enumerate(ramp)}
    return found | {f"run-{nth}": colour for nth, colour in enumerate(runs.split(), 1)}


DARK_TOKENS = {
    "train": "#56b4e9",
    "train-weak": "#3f7fa8",
    "test": "#e69f00",
    "test-weak": "#a8741a",
    "restricted": "#3fc995",
    "restricted-weak": "#2a9d6f",
    "excluded": "#e879c4",
    "excluded-weak": "#b0509c",
    "other": "#f0e442",
    "other-weak": "#a39b38",
    "muted": "#8b93a1",
    "ink": "#14171c",
    "axis": "#5f6875",
    "mark": "#f0e442",
    "note": "#c3a6ff",
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
    **_steps(DARK_HEAT, DARK_SIGNED, DARK_RUNS),
}

LIGHT_TOKENS = {
    "train": "#0067a5",
    "train-weak": "#3d86b8",
    "test": "#b04a00",
    "test-weak": "#bf7440",
    "restricted": "#007a3a",
    "restricted-weak": "#3f9468",
    "excluded": "#a02a90",
    "excluded-weak": "#b050a0",
    "other": "#6b5f00",
    "other-weak": "#8a7d30",
    "muted": "#5d6570",
    "ink": "#fbfaf7",
    "axis": "#8f97a1",
    "mark": "#7a5c00",
    "note": "#6a3fb5",
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
    **_steps(LIGHT_HEAT, LIGHT_SIGNED, LIGHT_RUNS),
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
