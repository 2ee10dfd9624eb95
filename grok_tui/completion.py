"""What the shell offers when tab is pressed."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def preset_names() -> list[str]:
    """Of the presets that come with the package."""
    from grok_tui import paths

    return sorted(path.stem for path in paths.presets_dir().glob("*.toml"))


def preset(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Presets by name, or a file."""
    files = [CompletionItem(typed, type="file")] if not typed or "/" in typed or "." in typed else []
    return [CompletionItem(name) for name in preset_names() if name.startswith(typed)] + files


def run(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The names of runs that begin so."""
    from grok_tui import runs

    return [found.name for found in runs.listing() if found.name.startswith(typed)]


def key(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """Keys of a preset, dotted."""
    from grok_tui import config

    known = config.keys()
    return [f"{name}=" for name in known if name.startswith(typed)]


def phase(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """Phases by the first word of their names, which is enough."""
    from grok_tui.science.phases import Phase

    return [word for each in Phase if (word := each.value.split()[0]).startswith(typed)]
