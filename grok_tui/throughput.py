"""How fast the members of a sweep were trained, by the times that their recordings tell. Pure.

What several reached together is set beside one alone only where one of them did train alone: the seconds of members
that shared the machine say how fast each was there, and not how fast it would have been by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from grok_tui.protocol import Event

BEGIN = frozenset({"started", "resumed", "continued"})
END = frozenset({"paused", "stopped", "finished", "failed"})


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a member was trained without a pause, and how many epochs."""

    begin: float
    """Seconds since 1970."""
    end: float
    epochs: int


class Spans:
    """The spans of one member, as its events come. One that a kill has cut off has no end, and counts in none."""

    def __init__(self) -> None:
        self.all: tuple[Span, ...] = ()
        """Another object after each change: it may be read in another thread."""
        self._begun: Event | None = None

    @property
    def open(self) -> float | None:
        """Since when it is trained, as far as is known; None where that has come to its end."""
        return self._begun.time if self._begun else None

    def take(self, event: Event) -> None:
        """Take in an event; most have nothing to do with it."""
        if event.what in BEGIN:
            self._begun = self._begun if event.what == "continued" and self._begun else event
        elif event.what in END and self._begun is not None:
            begun, self._begun = self._begun, None
            if event.time > begun.time and event.epoch > begun.epoch:
                self.all = (*self.all, Span(begun.time, event.time, event.epoch - begun.epoch))


@dataclass(frozen=True, slots=True)
class Throughput:
    """What all members did together."""

    rate: float
    """Model-epochs per second, over the time in which any was trained."""
    seconds: float
    """That time."""
    at_once: float
    """Members in training at a time, in the mean."""
    alone: float
    """Epochs per second of those that trained while no other did; 0 where none did."""


def of(members: Iterable[Spans]) -> Throughput | None:
    """Of all members; None where nothing is known."""
    members = list(members)
    spans = sorted((span for each in members for span in each.all), key=lambda span: span.begin)
    if not spans:
        return None
    cut_off = [each.open for each in members if each.open is not None]  # from then on nobody is known to be alone
    seconds, until = 0.0, -math.inf
    lone: list[Span] = []
    for span, later in zip(spans, [*(span.begin for span in spans[1:]), math.inf], strict=True):
        if until <= span.begin and span.end <= min([later, *cut_off]):
            lone.append(span)
        seconds += max(span.end - max(span.begin, until), 0.0)
        until = max(until, span.end)
    own, by_itself = (sum(span.end - span.begin for span in some) for some in (spans, lone))
    alone = sum(span.epochs for span in lone) / by_itself if lone else 0.0
    return Throughput(sum(span.epochs for span in spans) / seconds, seconds, own / seconds, alone)
