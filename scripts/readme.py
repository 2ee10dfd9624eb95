"""Carries keys and subcommands into README.md, from the code; with --check, only says whether they are there."""

from __future__ import annotations

import sys
from pathlib import Path

from grok_tui.cli import cli
from grok_tui.ui import keys

README = Path(__file__).parent.parent / "README.md"
ENTRY = (
    ("grok-tui", "Choose a preset or a run"),
    ("grok-tui --preset NAME", "Start a run; NAME is a preset's name or the path of a TOML file"),
)


def commands() -> str:
    """The subcommands as a table."""
    rows = list(ENTRY)
    for name, command in sorted(cli.commands.items()):
        context = command.make_context(name, [], resilient_parsing=True)
        usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
        about = (command.help or "").split("\n\n")[0].replace("\n", " ").strip().rstrip(".")
        rows.append((f"grok-tui {name} {usage}".strip().replace("|", "\\|"), about))  # a bare one ends a table's cell
    return "\n".join(
        ["| Command | What it does |", "|---|---|", *(f"| `{shown}` | {about} |" for shown, about in rows)]
    )


def rewritten(text: str) -> str:
    """The README with both sections as the code has them."""
    for section, content in (("keys", keys.markdown()), ("commands", commands())):
        before, _, rest = text.partition(f"<!-- {section} -->\n")
        after = rest.partition(f"<!-- /{section} -->")[2]
        text = f"{before}<!-- {section} -->\n{content.rstrip()}\n<!-- /{section} -->{after}"
    return text


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = rewritten(before)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if before == after else "README.md does not say what the code says: make readme")
    README.write_text(after, encoding="utf-8")
