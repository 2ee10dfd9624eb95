"""Which phase of grokking a run is in, folded from its measured numbers. Standard library only.

    fitting -> memorization -> circuit formation -> cleanup -> generalized

Fitting may lead to direct generalization instead; memorization and circuit formation may stall; what was
learned may degrade. The rules are a state machine with hysteresis. A boundary is placed where it happened
and carries the epoch at which it became known. No rule uses the restricted loss or accuracy (a lookup
table scores well on both), nor key frequencies, nor anything from the end of the run.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from grok_tui.science import phase_words

RULES_VERSION = 1
"""Raised when the same numbers may lead to another phase."""

MEMORIZED = 0.999
"""Train accuracy from which the training set counts as learned."""

DELAYED = 1.5
"""Test loss, in units of chance, beyond which generalization is no longer direct."""

DELAY = 4.0
"""So many times the epoch at which train loss fell below 1, with test loss still above chance, is a delay too."""

PEAK_FALL = 0.01
"""Share of its peak by which test loss must have fallen before the peak is believed."""

FVE_RISE, FVE_FACTOR = 0.02, 1.5
"""How far the leak-free share of the test logits' variance must have risen above its level at the peak."""

EXCLUDED_FACTOR = 1.25
"""How far the key-free excluded loss must have risen above its floor."""

STABLE_NORM, STABLE_LOSS = 0.025, 1.0
"""Relative change of the sum of squared weights, and change of ln test loss, per 1/(lr x decay), that are flat."""

STALL_EPOCHS = 3000
"""A stall is not called on fewer epochs than this, nor on fewer than 3/(lr x decay)."""

STALL_LOSS, STALL_FVE = 0.01, 0.005
"""Fall of ln test loss and rise of the leak-free share within that window that are still a stall."""

SPIKE, SPIKE_OVER, SPIKE_EPOCHS = 10.0, 3.0, 200
"""Train loss above 10 times its median over 200 epochs is a spike, until it is back within 3 times."""

STREAK, LONG_STREAK = 3, 5
"""Samples in a row that confirm a crossing; that confirm a state."""


class Phase(StrEnum):
    """What the run is doing."""

    FITTING = "fitting"
    MEMORIZATION = "memorization"
    CIRCUIT_FORMATION = "circuit formation"
    CLEANUP = "cleanup"
    GENERALIZED = "generalized"
    DIRECT = "direct generalization"
    STALLED = "stalled"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Sample:
    """The measures at one epoch; NaN where one is unknown."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    restricted_loss: float
    excluded_loss: float
    excluded_key_free: float
    """Train loss without any of the (a+b)-directions."""
    test_fve: float
    """Share of the centred test logits' variance explained by cos(w_k(a+b-c)), fitted on test pairs only."""
    sum_of_squares: float
    weight_decay: float
    lr: float


@dataclass(frozen=True, slots=True)
class Boundary:
    """The start of a phase."""

    phase: Phase
    epoch: int
    """Where it happened."""
    confirmed: int
    """When it was known."""


@dataclass(frozen=True, slots=True)
class Call:
    """The present phase and why."""

    phase: Phase
    since: int
    evidence: tuple[str, ...]
    next: str
    """What would end the phase, with the number now."""
    spike: bool
    """Train loss has jumped; the phase is held until it is back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A level and the epoch at which it was seen."""

    epoch: int
    value: float


class Streak:
    """For how many samples in a row something has been true, and since when."""

    def __init__(self) -> None:
        self.began = 0
        self.length = 0

    def add(self, epoch: int, true: bool) -> None:
        """Take in the newest sample's answer."""
        if true and not self.length:
            self.began = epoch
        self.length = self.length + 1 if true else 0


class Trace:
    """The recent past of one number: at most about 64 points however long the window is."""

    def __init__(self) -> None:
        self._points: deque[Mark] = deque()

    def add(self, epoch: int, value: float, window: float) -> None:
        """Take in a value and forget what is older than `window` epochs. A NaN leaves no trace."""
        points = self._points
        if not math.isfinite(value):
            return
        if len(points) > 1 and epoch - points[-2].epoch < window / 64:
            points.pop()
        points.append(Mark(epoch, value))
        while len(points) > 1 and epoch - points[1].epoch >= window:
            points.popleft()

    def clear(self) -> None:
        """Begin anew."""
        self._points.clear()

    @property
    def start(self) -> int:
        """The epoch of the oldest point; the fold asks only when there is one."""
        return self._points[0].epoch

    def change(self, window: float) -> float:
        """From the mean of the window's first quarter to that of its last; NaN before the window is full."""
        points = self._points
        if len(points) < 4 or points[-1].epoch - points[0].epoch < window:
            return math.nan
        begin, end = points[0].epoch, points[-1].epoch
        quarter = (end - begin) / 4
        first = fmean(p.value for p in points if p.epoch <= begin + quarter)
        last = fmean(p.value for p in points if p.epoch >= end - quarter)
        return last - first


class PhaseFold:
    """Folds samples into the phases. `chance` is the loss of a uniform guess, ln p; NaN while unknown."""

    def __init__(self, chance: float) -> None:
        self.chance = chance
        self.phase = Phase.FITTING
        self.last: Sample | None = None
        """The newest sample, spikes included."""
        self.spike = False
        self.delayed = False
        """Test loss has gone where direct generalization does not go."""
        self.peak = Mark(0, math.nan)
        """Of test loss, since the training set was learned or the fit began."""
        self.peak_fve = math.nan
        self.floor = Mark(0, math.nan)
        """Of the key-free excluded loss since memorization."""
        self.fitted = Mark(0, math.nan)
        """Where train loss first fell below 1."""
        self._boundaries: list[Boundary] = []
        self._recent: deque[Sample] = deque(maxlen=LONG_STREAK)
        self._train: deque[Mark] = deque()
        self._streaks: defaultdict[str, Streak] = defaultdict(Streak)
        self._under = Phase.MEMORIZATION
        """The phase that a stall interrupts."""
        self._was_good = False
        self._collapsed = False
        self._log_test, self._fve, self._norm = Trace(), Trace(), Trace()
        self._flat_log_test = Trace()

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The start of each phase so far, in order."""
        return tuple(self._boundaries)

    @property
    def call(self) -> Call:
        """The present phase, with its evidence in words."""
        since = self._boundaries[-1].epoch if self._boundaries else 0
        return Call(self.phase, since, phase_words.evidence(self), phase_words.next_step(self), self.spike)

    @property
    def scale(self) -> float:
        """Epochs in which weight decay alone shrinks the weights e-fold, 1/(lr x decay); 1,000 where it does not."""
        rate = self.last.lr * self.last.weight_decay if self.last else math.nan
        return min(max(1 / rate, 1.0), 1e9) if rate > 1e-9 else 1000.0

    @property
    def stall_window(self) -> float:
        """Epochs without movement that make a stall."""
        return max(STALL_EPOCHS, 3 * self.scale)

    def level(self, name: str) -> float:
        """The median of a measure's last three samples: one odd number decides nothing."""
        found = [v for s in list(self._recent)[-STREAK:] if math.isfinite(v := getattr(s, name))]
        return median(found) if found else math.nan

    def add(self, sample: Sample) -> None:
        """Take in the measures of one epoch. Epochs that were seen before leave no trace."""
        if self.last is not None and sample.epoch <= self.last.epoch:
            return
        if self.last is None:
            self._boundaries.append(Boundary(Phase.FITTING, sample.epoch, sample.epoch))
        elif _changed(self.last.weight_decay, sample.weight_decay) or _changed(self.last.lr, sample.lr):
            self._restart(sample.epoch)
        self.last = sample
        self.spike = self._is_spike(sample)
        if not self.spike:
            self._recent.append(sample)
            self._follow()
            self._observe(sample)
            self._step(sample)

    def _is_spike(self, sample: Sample) -> bool:
        """Whether train loss stands out from its own recent past, itself not counted."""
        past, loss = self._train, sample.train_loss
        limit = SPIKE_OVER if self.spike else SPIKE
        usual = median(mark.value for mark in past) if len(past) >= STREAK else math.nan
        if math.isfinite(loss):
            past.append(Mark(sample.epoch, loss))
        while len(past) > LONG_STREAK and sample.epoch - past[0].epoch > SPIKE_EPOCHS:
            past.popleft()
        return usual > 0 and loss > limit * usual and self.phase is not Phase.FITTING

    def _follow(self) -> None:
        """Bring peak, floor and windows up to the newest samples."""
        last = self._recent[-1]
        middle = self._recent[-2] if len(self._recent) >= STREAK else last
        test, fve, excluded = (self.level(n) for n in ("test_loss", "test_fve", "excluded_key_free"))
        if math.isnan(self.fitted.value) and last.train_loss < 1:
            self.fitted = Mark(last.epoch, last.train_loss)
        if self._before_circuit() and not test <= self.peak.value and math.isfinite(test):
            self.peak, self.peak_fve = Mark(middle.epoch, test), fve
        if self.phase is not Phase.FITTING and not excluded >= self.floor.value and math.isfinite(excluded):
            self.floor = Mark(middle.epoch, excluded)
        if test > self.chance and (
            test > DELAYED * self.chance or (self.fitted.value < 1 and last.epoch > DELAY * max(self.fitted.epoch, 1))
        ):
            self.delayed = True
        if self.phase is not Phase.FITTING:
            self._log_test.add(last.epoch, _log(last.test_loss), self.stall_window)
            self._fve.add(last.epoch, last.test_fve, self.stall_window)
            self._flat_log_test.add(last.epoch, _log(last.test_loss), self.scale)
            self._norm.add(last.epoch, _log(last.sum_of_squares), self.scale)

    def _observe(self, sample: Sample) -> None:
        """Ask the newest sample everything that the rules may want to know of the last few."""
        learned = sample.train_accuracy >= MEMORIZED
        answers = {
            "learned": learned,
            "lost": sample.train_accuracy < 0.9,
            "below chance": sample.test_loss < self.chance and sample.train_accuracy >= 0.99,
            "above chance": sample.test_loss > 1.25 * self.chance,
            "circuit": self.circuit_grows(),
            "no circuit": self.level("test_fve") < self.peak_fve + FVE_RISE / 4,
            "solved": learned and sample.test_accuracy >= MEMORIZED,
            "good": sample.test_accuracy >= 0.95,
            "bad": sample.test_accuracy < 0.9,
        }
        for name, true in answers.items():
            self._streaks[name].add(sample.epoch, true)

    def _step(self, sample: Sample) -> None:
        """Apply the rules of the present phase."""
        match self.phase:
            case Phase.FITTING:
                self._learn()
            case Phase.DEGRADED:
                self._recover(sample)
            case _ if self._held("lost", LONG_STREAK):
                self._collapsed = True
                self._enter(Phase.DEGRADED, self._began("lost"))
            case Phase.MEMORIZATION | Phase.STALLED:
                self._grow(sample)
            case Phase.CIRCUIT_FORMATION:
                self._fall()
            case _:
                self._settle()

    def _learn(self) -> None:
        """Fitting: is the training set learned, and did the test set come with it?"""
        if self._held("learned", 2):
            direct = not self.delayed and self.level("test_loss") < self.chance
            self._enter(Phase.DIRECT if direct else Phase.MEMORIZATION, self._began("learned"))

    def _grow(self, sample: Sample) -> None:
        """Memorization, or a stall: does a general solution grow behind it?"""
        below = self._held("below chance", STREAK)
        if below and not self.delayed:
            self._enter(Phase.DIRECT, self._began("below chance"))
        elif self._under is Phase.CIRCUIT_FORMATION and below:
            self._fall()
        elif self._under is not Phase.CIRCUIT_FORMATION and self._held("circuit", STREAK):
            self._enter(Phase.CIRCUIT_FORMATION, self.peak.epoch)
            self._fall()
        elif below and self._held("solved", LONG_STREAK):  # without weight decay, or by a road that shows no circuit
            self._enter(Phase.GENERALIZED, self._began("solved"))
        else:
            self._stall(sample)

    def _fall(self) -> None:
        """Circuit formation: has test loss fallen through chance?"""
        if self._held("below chance", STREAK):
            self._enter(Phase.CLEANUP, self._began("below chance"))
        elif self._held("no circuit", LONG_STREAK):
            self._enter(Phase.MEMORIZATION, self._began("no circuit"))
        else:
            self._stall(self._recent[-1])

    def _settle(self) -> None:
        """Cleanup and after: has it come to rest, and does it stay?"""
        self._was_good = self._was_good or self._held("good", LONG_STREAK)
        above = self._held("above chance", LONG_STREAK)
        if self._was_good and self._held("bad", LONG_STREAK):
            self._enter(Phase.DEGRADED, self._began("bad"))
        elif self.phase is Phase.CLEANUP and above:
            self._enter(Phase.CIRCUIT_FORMATION, self._began("above chance"))
        elif self.phase is Phase.DIRECT and above and self.delayed:
            self._enter(Phase.MEMORIZATION, self._began("above chance"))
        elif self.phase is Phase.CLEANUP and self._held("solved", LONG_STREAK) and self.is_flat():
            self._enter(Phase.GENERALIZED, max(self._began("solved"), self._norm.start))

    def _stall(self, sample: Sample) -> None:
        """Call a stall, or call it off."""
        loss, fve = self._log_test.change(self.stall_window), self._fve.change(self.stall_window)
        if self.phase is Phase.STALLED and (loss < -2 * STALL_LOSS or fve > 2 * STALL_FVE):
            self._enter(self._under, sample.epoch)
        elif self.phase is not Phase.STALLED and loss > -STALL_LOSS and not fve > STALL_FVE:
            self._under = self.phase
            self._enter(Phase.STALLED, self._log_test.start)

    def _recover(self, sample: Sample) -> None:
        """Degraded: is it back, or does it learn anew?"""
        learned = self._held("learned", LONG_STREAK)
        if learned and self._held("good", LONG_STREAK):
            self._enter(Phase.GENERALIZED, self._began("good"))
        elif learned and self._collapsed and self._held("bad", LONG_STREAK):
            self.peak, self.peak_fve = Mark(sample.epoch, self.level("test_loss")), self.level("test_fve")
            self._collapsed = self._was_good = False
            self._enter(Phase.MEMORIZATION, self._began("learned"))

    def circuit_grows(self) -> bool:
        """Whether all the leak-free signs of a general solution are there, and something that drives it."""
        test, fve, excluded = (self.level(n) for n in ("test_loss", "test_fve", "excluded_key_free"))
        return (
            self.delayed
            and self.decays()
            and test <= (1 - PEAK_FALL) * self.peak.value
            and fve >= max(self.peak_fve + FVE_RISE, FVE_FACTOR * self.peak_fve)
            and excluded >= EXCLUDED_FACTOR * self.floor.value
        )

    def decays(self) -> bool:
        """Whether there is weight decay, as far as is known."""
        return self.last is not None and not self.last.weight_decay <= 0

    def is_flat(self) -> bool:
        """Whether weights and test loss have come to rest over one decay time."""
        return (
            abs(self._norm.change(self.scale)) < 0.75 * STABLE_NORM
            and abs(self._flat_log_test.change(self.scale)) < 0.75 * STABLE_LOSS
        )

    def _before_circuit(self) -> bool:
        return self.phase in (Phase.FITTING, Phase.MEMORIZATION) or (
            self.phase is Phase.STALLED and self._under is Phase.MEMORIZATION
        )

    def _held(self, name: str, count: int) -> bool:
        return self._streaks[name].length >= count

    def _began(self, name: str) -> int:
        return self._streaks[name].began

    def _enter(self, phase: Phase, epoch: int) -> None:
        assert self.last is not None
        epoch = min(max(epoch, self._boundaries[-1].epoch), self.last.epoch)
        self._boundaries.append(Boundary(phase, epoch, self.last.epoch))
        self.phase = phase

    def _restart(self, epoch: int) -> None:
        """A control was changed: what was flat or still under the old value says nothing of the new one."""
        for trace in (self._log_test, self._fve, self._norm, self._flat_log_test):
            trace.clear()
        if self.phase is Phase.STALLED:
            self._boundaries.append(Boundary(self._under, epoch, epoch))
            self.phase = self._under


def _changed(before: float, now: float) -> bool:
    return before != now and not (math.isnan(before) and math.isnan(now))


def _log(value: float) -> float:
    return math.log(value) if 0 < value < math.inf else math.nan
