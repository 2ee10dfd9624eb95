"""How numbers, times and states are said, in one place for screen, lines and listings. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

ENDED = frozenset({"finished", "stopped", "failed"})
"""States after which no more epochs come without a resume."""

MARKS = {
    "live": "●",
    "running": "●",
    "paused": "‖",
    "replaying": "↻",
    "replay": "⏵",
    "replay paused": "⏸",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
    "cut off": "✂",
    "reading": "…",
    "waiting": "…",
    "locked": "⊠",
    "read-only": "⊙",
}
"""A sign before each state, so that no state differs from another by colour alone."""


def number(value: float) -> str:
    """A control's value or a loss, short: 3 significant digits; "–" where there is none."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:,.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def size(count: int) -> str:
    """Bytes; a MB is 2^20 of them, as in `record.disk_mb`."""
    for unit, scale in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:,.1f} {unit}"
    return f"{count} B"


def percent(share: float) -> str:
    """An accuracy; 100 % only when it is exact."""
    if not math.isfinite(share):
        return "–"
    if share < 1:
        share = min(share, 0.9999)
    return f"{share:.2%}" if 0.99 <= share < 1 else f"{share:.1%}"


def points(share: float) -> str:
    """A difference of two accuracies."""
    return f"{100 * share:+.2g} points" if abs(share) < 0.1 else f"{100 * share:+.0f} points"


def rate(value: float) -> str:
    """Epochs per second."""
    if not math.isfinite(value) or value <= 0:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """A time span in at most two units, rounded to the nearest of the smaller; in seconds where a minute is coarse."""
    if not math.isfinite(seconds):
        return "–"
    whole = round(max(0.0, seconds))
    minutes, hours = round(whole / 60), round(whole / 3600)
    if whole < 120:
        return f"{max(whole, 1) if seconds > 0 else 0} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(seconds: float, now: datetime | None = None) -> str:
    """A time of day, with its date when that is another day. Absolute, so that a list of runs stands still."""
    if not seconds:
        return "–"
    try:
        then, now = datetime.fromtimestamp(seconds), now or datetime.now()
    except (OverflowError, ValueError, OSError):  # no year that a calendar has
        return "–"
    if then.date() == now.date():
        return f"today {then:%H:%M}"
    return f"{then:%d %b %H:%M}" if then.year == now.year else f"{then:%d %b %Y}"


def left(epoch: int, epochs: int, per_second: float) -> str:
    """How long until the last epoch; empty when that cannot be said."""
    if per_second <= 0 or epochs <= epoch:
        return ""
    return duration((epochs - epoch) / per_second)


def standing(state: str, link: str) -> str:
    """How a run stands for its reader, from its last known state and the link to its trainer."""
    if link == "replay":
        return "replay paused" if state == "paused" else "replay"
    if state in ENDED:
        return state
    if link == "live":
        return {"running": "live", "": "waiting"}.get(state, state)
    return link if link == "cut off" else "waiting" if not state else "reading"


def farewell(run: str, standing: str, epoch: int) -> str:
    """What a viewer says of the run when it leaves: that it goes on, and how to come back."""
    match standing:
        case "live" | "replaying":
            return f"{run} goes on training; come back: grok-tui attach {run}"
        case "paused":
            return f"{run} stays paused at epoch {epoch:,}; come back: grok-tui attach {run}"
        case "replay" | "replay paused":
            return f"{run} was replayed up to epoch {epoch:,}; as it is: grok-tui attach {run}"
        case "finished":
            return f"{run} is finished; look again: grok-tui attach {run}"
        case "stopped":
            return f"{run} is stopped at epoch {epoch:,}; continue it: grok-tui resume {run}"
        case "failed" | "cut off":
            verb = "failed" if standing == "failed" else "was cut off"
            return f"{run} {verb} at epoch {epoch:,}; continue it: grok-tui resume {run}"
    return f"{run} is in its own process; come back: grok-tui attach {run}"


def hookless(run: str) -> str:
    """What is said when a run that has a hook goes on without it."""
    return f"without its hook; to have one, stop it, then: grok-tui resume {run} --hook COMMAND"


def idle(control: str, value: float) -> str:
    """What is to be known of a value with which a run learns nothing; empty for any other."""
    return "nothing is learnt at 0: no weight moves" if control == "lr" and value == 0 else ""


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows as lines with aligned columns, two spaces between them; those in `right` are aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
