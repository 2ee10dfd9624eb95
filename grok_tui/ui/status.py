"""The status line: which run, how it stands, how far, how fast, which phase. Only what fits, most needed first."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from grok_tui import wording
from grok_tui.state import RunState

GAP = 3

_STYLES = {
    "live": "$good",
    "replaying": "$accent",
    "finished": "$good",
    "paused": "$warn",
    "stopped": "$warn",
    "reading": "$muted",
    "waiting": "$muted",
    "failed": "$bad",
    "cut off": "$bad",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing the line says: its forms, longest first, and its rank; high ranks are shortened and dropped first."""

    rank: int
    forms: tuple[str, ...]
    style: str = ""


def pieces(state: RunState, link: str, asked: tuple[float, ...]) -> list[Piece]:
    """What there is to say of a run, in the order of the line."""
    standing = wording.standing(state.state, link)
    device = str(state.hello.machine.get("device", "")) if state.hello else ""
    status = state.status
    rate = status.rate if status and standing in ("live", "replaying") else 0.0
    known = state.phases.last is not None
    call = state.phases.call
    found = [
        Piece(1, (state.run or "no run yet",), "bold"),
        Piece(8, (device,), "$muted"),
        Piece(0, (f"{wording.MARKS[standing]} {standing}",), f"bold {_STYLES[standing]}"),
        Piece(2, _progress(state)),
        Piece(5, (f"{wording.rate(rate)} epochs/s", f"{wording.rate(rate)}/s") if rate else ()),
        Piece(6, _left(state, rate)),
        Piece(3, (call.phase.value + (" (spike)" if call.spike else ""),) if known else (), "bold $accent"),
        Piece(4, _decay(state, asked)),
    ]
    return [piece for piece in found if piece.forms and piece.forms[0]]


def _progress(state: RunState) -> tuple[str, ...]:
    if not state.epochs:
        return ()
    return (f"epoch {state.epoch:,} of {state.epochs:,}", f"{state.epoch:,}/{state.epochs:,}", f"{state.epoch:,}")


def _left(state: RunState, rate: float) -> tuple[str, ...]:
    left = wording.left(state.epoch, state.epochs, rate)
    return (f"{left} left",) if left else ()


def _decay(state: RunState, asked: tuple[float, ...]) -> tuple[str, ...]:
    if state.control("weight_decay") is None:
        return ()
    value = wording.number(state.control_value("weight_decay"))
    if asked:
        value += f" → {wording.number(asked[-1])} asked"
    return (f"weight decay {value}", f"wd {value}")


def fit(pieces: list[Piece], width: int, gap: int = GAP) -> list[tuple[str, str]]:
    """(text, style) of the pieces in at most `width` cells: shortened first, then left out."""
    form = dict.fromkeys(pieces, 0)

    def length() -> int:
        return sum(len(piece.forms[i]) + gap for piece, i in form.items()) - gap

    for piece in sorted(pieces, key=lambda p: -p.rank):
        while length() > width and form[piece] + 1 < len(piece.forms):
            form[piece] += 1
    for piece in sorted(pieces, key=lambda p: -p.rank):
        if length() > width and len(form) > 1:
            del form[piece]
    return [(piece.forms[i], piece.style) for piece, i in form.items()]


class StatusLine(Static):
    """The first line of the screen; sends nothing to the terminal while it says the same."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._said: Content | None = None

    def show(self, state: RunState, link: str, asked: tuple[float, ...]) -> None:
        """Say how the run stands."""
        said = line(pieces(state, link, asked), self.size.width - 2)
        if said != self._said:
            self._said = said
            self.update(said, layout=False)


def line(found: list[Piece], width: int) -> Content:
    """The pieces that fit as one line."""
    parts = [Content.styled(text, style) if style else Content(text) for text, style in fit(found, max(width, 1))]
    return Content(" " * GAP).join(parts)
