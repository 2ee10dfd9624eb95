"""How a sweep stands now, from its file, its members' last words and their recordings. Read again as they grow."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grok_tui import grok_times, listing, sweeps, throughput, wording, workers
from grok_tui.config import Config
from grok_tui.errors import RunError
from grok_tui.grok_times import Sign, Spread, Time
from grok_tui.runs import Run
from grok_tui.sweeps import Contents, Member, Sweep
from grok_tui.tracks import Track

SEVERAL = 1.05
"""Members in training at a time from which on it is said how many."""

BREATH = 0.2
"""Seconds of reading after which what was read may be drawn."""

RECORDS = 1000
"""Of one member's recording at a time: 20 ms."""

OVER = frozenset({"finished", "ended", "failed", "stopped", "cut off", "gone"})
"""Standings of members that nobody trains now."""

DONE = frozenset({"finished", "ended"})
"""Standings of members that were trained as far as they were to be."""

NEVER = "○"
"""In place of the mark of such a member, where it stands beside a time that was not reached."""

MARKS = wording.MARKS | {"ended": "✓", "gone": "?", "live": "●"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One member now."""

    member: Member
    run: Run | None
    state: str
    """waiting, live, paused, replaying, finished, ended, stopped, failed, cut off, or gone (its run was deleted)."""
    epoch: int
    epochs: int
    rate: float
    why: str = ""

    @property
    def training(self) -> bool:
        """Epochs are coming."""
        return self.state in ("live", "replaying")

    @property
    def done(self) -> bool:
        """Nothing more is to come of it by itself."""
        return self.state in ("finished", "ended")


class SweepState:
    """Everything that its screen and its table show. `look` reads files: call it in a thread."""

    def __init__(self, sweep: Sweep) -> None:
        """Read what the sweep is.

        Raises:
            RunError: it cannot be read.
        """
        self.sweep = sweep
        self.contents: Contents = sweep.read()
        self.alive = False
        """Its runner is at work."""
        self.starting = False
        """It is not, but a process is that has begun nothing yet: a runner, or one that still loads torch."""
        self.standings: dict[int, Standing] = {}
        self.tracks: dict[int, Track] = {}
        self._epochs = {m.number: self.contents.config(m).training.epochs for m in self.contents.members}
        self._written: tuple[int, int] | None = None
        self._unread: list[int] = []
        """Members whose recordings are to be looked at next."""

    def look(self) -> bool:
        """Read what is new, for a while; whether there is more to read at once."""
        self.alive = self.sweep.alive
        self._read()
        self.standings = {member.number: self._standing(member) for member in self.contents.members}
        self.starting = not self.alive and self._starting()
        until = time.monotonic() + BREATH
        self._unread = self._unread or list(self.standings)
        while self._unread and time.monotonic() < until:
            number = self._unread.pop(0)
            run = self.standings[number].run
            if run is not None and self._follow(number, run):
                self._unread.append(number)  # until there is nothing new
        return bool(self._unread)

    def _starting(self) -> bool:
        if not (posts := workers.living(self.sweep.path)):
            return False
        busy = {standing.run.pid for standing in self.standings.values() if standing.run and standing.run.alive}
        return not busy.issuperset(posts)

    def _read(self) -> None:
        """The file, if it is another than before."""
        found = self.sweep.file.stat() if self.sweep.file.exists() else None
        written = (found.st_mtime_ns, found.st_ino) if found else None
        if written is None or written != self._written:
            self.contents, self._written = self.sweep.read(), written

    def _follow(self, number: int, run: Run) -> bool:
        """Read on in a member's recording; whether something was new."""
        if number not in self.tracks or self.tracks[number].run != run:
            try:
                self.tracks[number] = Track(run)
            except RunError:  # said where the run itself is opened
                return False
        return self.tracks[number].look(RECORDS)

    def _standing(self, member: Member) -> Standing:
        run = sweeps.run_of(self.contents, member)
        epochs = self._epochs[member.number]
        if run is None:
            state = "gone" if member.run else "failed" if member.state == "failed" else "waiting"
            return Standing(member, None, state, 0, epochs, 0.0, member.why)
        said = run.state
        alive = run.alive
        state = listing.run_standing(run) if said or alive else "waiting"
        if not alive and member.state in ("failed", "ended"):
            state = member.state
        epoch, rate = (said.get(name) for name in ("epoch", "rate"))
        return Standing(
            member,
            run,
            state,
            int(epoch) if isinstance(epoch, int | float) else 0,
            epochs,
            float(rate) if alive and isinstance(rate, int | float) else 0.0,
            "" if alive else member.why,
        )

    def time(self, number: int, sign: Sign) -> Time | None:
        """When a member showed a sign, or up to when it did not; None where nothing is known of it."""
        track, standing = self.tracks.get(number), self.standings.get(number)
        if track is None or standing is None:
            return None
        if (found := grok_times.when(track, sign)) is not None:
            return Time(found)
        return Time(track.epoch, reached=False) if len(track.accuracy) else None

    def over_seeds(self, numbers: Iterable[int], sign: Sign) -> Spread | None:
        """The spread over some members; one that failed before the sign says nothing about it."""
        times = []
        for number in numbers:
            found = self.time(number, sign)
            if found is not None and (found.reached or self.standings[number].state != "failed"):
                times.append(found)
        return grok_times.over_seeds(times)

    @property
    def rate(self) -> float:
        """Model-epochs per second: all members in training together."""
        return sum(standing.rate for standing in self.standings.values() if standing.training)

    @property
    def left(self) -> float:
        """Seconds to the end, at the present rate; NaN when nothing moves."""
        rest = sum(s.epochs - s.epoch for s in self.standings.values() if s.state not in OVER)
        return rest / self.rate if self.rate > 0 else math.nan

    @property
    def over(self) -> bool:
        """Nobody works at it any more."""
        return not (self.alive or self.starting or any(s.training for s in self.standings.values()))

    def count(self, *states: str) -> int:
        """Members that stand so."""
        return sum(standing.state in states for standing in self.standings.values())

    def progress(self) -> Iterator[str]:
        """Done, running, failed, rate, time left: each in words, the most needed first."""
        total = len(self.contents.members)
        yield f"{self.count('finished', 'ended')} of {total} done"
        for states, name in (
            (("live", "replaying"), "running"),
            (("paused",), "paused"),
            (("waiting",), "waiting"),
            (("failed",), "failed"),
            (("stopped",), "stopped"),
            (("cut off",), "cut off"),
            (("gone",), "deleted"),
        ):
            if count := self.count(*states):
                yield f"{count} {name}"
        if self.rate > 0:
            yield f"{wording.rate(self.rate)} model-epochs/s"
            if self.alive and math.isfinite(self.left):
                yield f"{wording.duration(self.left)} left"
        else:
            yield from self._reached()

    def _reached(self) -> Iterator[str]:
        """How fast it went, once it stands still: together, how many at a time, and one alone where one was."""
        if (found := throughput.of(track.spans for track in self.tracks.values())) is None:
            return
        yield f"{wording.rate(found.rate)} model-epochs/s over {wording.duration(found.seconds)}"
        if found.at_once > SEVERAL:
            yield f"{found.at_once:.1f} at a time"
            if found.alone and len({_shape(track.config) for track in self.tracks.values()}) == 1:
                yield f"one alone {wording.rate(found.alone)} epochs/s"


def _shape(config: Config) -> tuple[object, ...]:
    """What the work of an epoch depends on."""
    model = config.model
    return config.task.p, config.n_train, model.d_model, model.n_heads, model.d_mlp, config.measure


def heading(state: SweepState) -> str:
    """How the sweep as a whole stands, with a sign."""
    if state.alive:
        return "● running"
    if state.starting:
        return "… starting"
    if all(standing.done for standing in state.standings.values()):
        return "✓ done"
    if any(standing.training for standing in state.standings.values()):
        return "✂ its runner is gone; members go on"
    return "■ not running" if state.count("waiting", "stopped", "cut off") else "✗ ended with failures"
