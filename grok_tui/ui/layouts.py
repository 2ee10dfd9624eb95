"""Layouts, shipped and saved: a name, an ordered list of panes, and how they share the screen at each size."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import lcm
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grok_tui import files, paths
from grok_tui.errors import ConfigError
from grok_tui.toml_files import read_tables
from grok_tui.ui import panes

SIZES = ("tiny", "small", "medium", "large")
"""Below 60 columns; up to 33 rows; above; and from 160 columns. 80x24 is small, 120x40 medium, 200x60 large."""

MOST = 9
"""Panes in a layout: there is a number key for each."""

LEAST_WIDE, LEAST_HIGH = 35, 9
"""Cells of a pane, where the panes are arranged by rule."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of pane names; one that stands in several cells next to each other fills them all."""

    rows: tuple[tuple[str, ...], ...]
    heights: tuple[str, ...] = ()
    """One for each row, as style sheets write them; all alike when empty."""

    @property
    def columns(self) -> int:
        """Cells in a row."""
        return len(self.rows[0])

    @property
    def shown(self) -> tuple[str, ...]:
        """The panes in the order in which they fill the grid."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def span(self, name: str) -> tuple[int, int] | None:
        """(columns, rows) that a pane fills; None when it has no place."""
        wide = max((row.count(name) for row in self.rows), default=0)
        return (wide, sum(name in row for row in self.rows)) if wide else None


@dataclass(frozen=True, slots=True)
class Layout:
    """Panes that are looked at together."""

    name: str
    panes: tuple[str, ...]
    about: str = ""
    short: str = ""
    """What it is about, for narrow screens."""
    grids: Mapping[str, Grid] = field(default_factory=lambda: MappingProxyType({}))
    """By size; where there is none, the panes are arranged by rule."""

    def grid(self, width: int, height: int) -> Grid:
        """How the panes share a screen of that size; what has no room is left out."""
        if height < 16:  # too flat for more than one row
            return Grid((self.panes[: 1 if width < 60 else 2],))
        return self.grids.get(size(width, height)) or arranged(self.panes, width, height)

    def replaced(self, old: str, new: str) -> Layout:
        """The same with another pane in the place of `old`."""

        def put(names: Sequence[str]) -> tuple[str, ...]:
            return tuple(new if name == old else name for name in names)

        grids = {size: replace(grid, rows=tuple(map(put, grid.rows))) for size, grid in self.grids.items()}
        return replace(self, panes=put(self.panes), grids=MappingProxyType(grids))


def size(width: int, height: int) -> str:
    """Which of `SIZES` a screen has."""
    if width < 60:
        return "tiny"
    if width >= 160:
        return "large"
    return "small" if height < 34 else "medium"


def arranged(names: Sequence[str], width: int, height: int) -> Grid:
    """As many panes as a screen has room for, in rows that are as even as can be."""
    most = max(width // LEAST_WIDE, 1)
    rows = max((height - 2) // LEAST_HIGH, 1)
    columns = min(most, 1 if width < 60 else 2 if width < 160 and len(names) <= 2 * rows else 3)
    shown = names[: columns * rows]
    rows = -(-len(shown) // columns)
    counts = [len(shown) // rows + (nth < len(shown) % rows) for nth in range(rows)]
    cells, left, found = lcm(*counts), list(shown), []
    for count in counts:
        found.append(tuple(name for name in left[:count] for _ in range(cells // count)))
        del left[:count]
    return Grid(tuple(found))


def _grid(*rows: str, heights: str = "") -> Grid:
    return Grid(tuple(tuple(row.split()) for row in rows), tuple(heights.split()))


MAIN = Layout(
    "main",
    ("accuracy", "losses", "fourier", "phase", "decay", "events"),
    "the story of a run: accuracy, losses, frequencies, phase, weight decay, events",
    "the story of a run",
    MappingProxyType(
        {
            "tiny": _grid("accuracy", "losses", "phase", heights="1fr 1fr 6"),
            "small": _grid("accuracy losses", "fourier phase", "decay phase", heights="12fr 6fr 4fr"),
            "medium": _grid("accuracy losses", "fourier phase", "decay events", heights="8fr 6fr 5fr"),
            "large": _grid(
                "accuracy accuracy accuracy losses losses losses",
                "fourier fourier phase phase decay decay",
                "fourier fourier phase phase events events",
                heights="3fr 1fr 1fr",
            ),
        }
    ),
)

SHIPPED: tuple[Layout, ...] = (
    MAIN,
    Layout(
        "progress",
        ("progress", "phase", "accuracy"),
        "the four progress measures over the whole run (Nanda et al. 2023, Fig. 7)",
        "four measures (Fig. 7)",
        MappingProxyType(
            {
                "tiny": _grid("progress"),
                "small": _grid("progress"),
                "medium": _grid("progress progress", "phase accuracy", heights="1fr 11"),
                "large": _grid("progress progress", "phase accuracy", heights="1fr 16"),
            }
        ),
    ),
    Layout(
        "circuit",
        ("fourier", "attention", "neurons", "logits", "clusters", "embedding"),
        "inside the network: embedding, attention, neurons, logits (Fig. 3, 4, 5)",
        "inside the network",
    ),
    Layout(
        "frequencies",
        ("alpha", "excluded", "ablation", "interference", "fourier", "output"),
        "each frequency by itself: how strong, how needed, how they add up (Fig. 14, 15, 6, 8, 3)",
        "each frequency by itself",
    ),
    Layout(
        "checks",
        ("accuracy", "margins", "restricted", "weights", "structure"),
        "whether to believe it: margins behind the accuracy, leaks, slingshots, clock or pizza",
        "whether to believe it",
    ),
)


def every() -> tuple[list[Layout], list[str]]:
    """Shipped and saved layouts, and a line on each saved one that cannot be used."""
    found, bad = list(SHIPPED), []
    for path in sorted(paths.layouts_dir().glob("*.toml")):
        try:
            found.append(load(path))
        except ConfigError as error:
            bad.append(str(error))
    return found, bad


def find(name: str) -> Layout:
    """The layout of that name.

    Raises:
        ConfigError: there is none, or its file cannot be used.
    """
    for layout in SHIPPED:
        if layout.name == name:
            return layout
    path = paths.layouts_dir() / f"{name}.toml"
    if _NAME.fullmatch(name) and path.exists():
        return load(path)
    known = [layout.name for layout in every()[0]]
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise ConfigError(f"layout {name!r} is not known; {hint}")


def save(layout: Layout, name: str) -> Layout:
    """Keep a layout under a name of the user's; one saved under it before is replaced.

    Raises:
        ConfigError: the name is no good, or the file cannot be written.
    """
    import tomli_w

    name = name.strip()
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r}: a layout's name is small letters, digits, - and _")
    if any(name == shipped.name for shipped in SHIPPED):
        raise ConfigError(f"{name!r} is a layout of grok-tui's own; take another name")
    kept = replace(layout, name=name, about=f"saved: {', '.join(layout.panes)}", short="saved")
    path = paths.layouts_dir() / f"{name}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.place(path, tomli_w.dumps(_tables(kept)).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
    return kept


def load(path: Path) -> Layout:
    """The layout in a TOML file.

    Raises:
        ConfigError: it is no layout; says why in a line.
    """
    tables = read_tables(path, ConfigError)
    names = _names(tables.pop("panes", None), path)
    about = tables.pop("about", "")
    for key in tables:
        if key not in SIZES:
            raise ConfigError(f"{path}: {key!r} is not known; known: panes, about, {', '.join(SIZES)}")
    if not isinstance(about, str):
        raise ConfigError(f"{path}: about is text, not {about!r}")
    grids = {size: _read(table, names, f"{path}: [{size}]") for size, table in tables.items()}
    return Layout(path.stem, names, about, grids=MappingProxyType(grids))


def _tables(layout: Layout) -> dict[str, Any]:
    tables: dict[str, Any] = {"about": layout.about, "panes": list(layout.panes)}
    for size, grid in layout.grids.items():
        tables[size] = {"rows": [" ".join(row) for row in grid.rows]}
        if grid.heights:
            tables[size]["heights"] = list(grid.heights)
    return tables


def _names(names: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(names, list) or not 0 < len(names) <= MOST:
        raise ConfigError(f"{path}: panes is a list of 1 to {MOST} names of panes")
    for name in names:
        if name not in panes.NAMES:
            raise ConfigError(f"{path}: pane {name!r} is not known; known: {', '.join(panes.NAMES)}")
    if len(set(names)) < len(names):
        raise ConfigError(f"{path}: panes names one pane twice")
    return tuple(names)


def _read(table: Any, names: tuple[str, ...], where: str) -> Grid:
    """A grid whose panes are rectangles, in the order of the list: other ones would not be drawn as written."""
    rows = table.get("rows") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, str) and row.split() for row in rows):
        raise ConfigError(f'{where}: rows is a list such as ["accuracy losses", "phase phase"]')
    heights = table.get("heights", [])
    wanted = all(isinstance(height, str) and re.fullmatch(r"[1-9]\d*(fr)?", height) for height in heights)
    if not wanted or len(heights) not in (0, len(rows)):
        raise ConfigError(f'{where}: heights has one for each row, such as "2fr" (a share) or "8" (rows)')
    grid = Grid(tuple(tuple(row.split()) for row in rows), tuple(heights))
    if len({len(row) for row in grid.rows}) > 1:
        raise ConfigError(f"{where}: all rows have as many names as the first")
    if unknown := [name for name in grid.shown if name not in names]:
        raise ConfigError(f"{where}: {unknown[0]!r} is not among panes")
    if list(grid.shown) != [name for name in names if name in grid.shown]:
        raise ConfigError(f"{where}: the panes stand in another order than in panes")
    for name in grid.shown:
        if not _is_rectangle(grid, name):
            raise ConfigError(f"{where}: {name} does not fill a rectangle")
    return grid


def _is_rectangle(grid: Grid, name: str) -> bool:
    places = [(x, y) for y, row in enumerate(grid.rows) for x, found in enumerate(row) if found == name]
    (left, top), (right, bottom) = places[0], places[-1]
    return places == [(x, y) for y in range(top, bottom + 1) for x in range(left, right + 1)]
