"""What the tests of branches share: runs with a past, and doors that note what was asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grok_tui.protocol import Event, Frame, Status
from grok_tui.runs import Run
from grok_tui.sources import Link, Scripted
from grok_tui.ui.doors import Doors
from grok_tui.ui.ghost import Origin
from tests.ui import story
from tests.ui.family import CHILD, PARENT, SINCE, child, parent

POINTS = (0, 4000, 5900)


@dataclass
class World:
    """A parent and what is made of it; no disk, no trainer."""

    sources: dict[str, Scripted] = field(default_factory=dict)
    made: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    trouble: Exception | None = None

    def doors(self) -> Doors:
        return Doors(
            find=lambda name: Run(Path(name)),
            source=self.source,
            branch=self.branch,
            points=lambda _: POINTS,
            origin=self.origin,
        )

    def source(self, run: Run) -> Scripted:
        return self.sources[run.name]

    def branch(self, run: Run, epoch: int, **wish: Any) -> Run:
        if self.trouble:
            raise self.trouble
        self.made.append((run.name, epoch, wish))
        return Run(Path(CHILD))

    def origin(self, place: str) -> Origin | None:
        if self.trouble:
            raise self.trouble
        return self.origins.get(Path(place).name)


def scripted(frames: Iterable[Frame], place: str = PARENT, link: Link = "live") -> Scripted:
    source = Scripted(frames, link=link)
    source.place = place
    return source


def world(**more: Any) -> World:
    """With the child's source at hand, which opens once it is made."""
    made = World(**more)
    made.sources = {CHILD: scripted(child(6500), CHILD), PARENT: scripted(parent(9000))}
    return made


def origin() -> dict[str, Origin]:
    return {CHILD: Origin(Run(Path(PARENT)), SINCE)}


def changed(epoch: int, seq: int, previous: float, value: float, control: str = "weight_decay") -> Event:
    data = {"control": control, "value": value, "previous": previous}
    return Event(epoch, "changed", f"{control} {previous:g} → {value:g}", 0.0, seq, data)


def steered(*events: Event, until: int = 9000, state: str = "running") -> list[Frame]:
    told = [frame for frame in story.frames(until=until) if not isinstance(frame, Status)]
    return [*told, *events, Status(until, state, 45.0, {"weight_decay": 1.0, "lr": 1e-3}, 9)]
