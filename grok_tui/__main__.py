"""`python -m grok_tui`: the same as the `grok-tui` command."""

from __future__ import annotations

from grok_tui.cli import main

main()
