"""Which phase of grokking a run is in, folded from its measured numbers. Standard library only.

    fitting -> memorization -> circuit formation -> cleanup -> generalized

Fitting may lead to direct generalization instead; memorization, circuit formation and cleanup may stall; what was
learned may degrade. The rules are a state machine with hysteresis. A boundary is placed where it happened
and carries the epoch at which it became known. No rule uses the restricted loss or accuracy (a lookup
table scores well on both), nor key frequencies, nor anything from the end of the run.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from grok_tui.science import phase_limits as limits
from grok_tui.science import phase_words
from grok_tui.science.classes import ClassFold
from grok_tui.science.phase_words import Fact
from grok_tui.science.windows import Hand, Mark, Streak, Trace, Usual, log

RULES = 4
"""Raised when the same numbers may lead to another phase."""


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
    facts: tuple[Fact, ...]
    """What speaks for it, the strongest first."""
    next: str
    """What would end the phase, with the number now."""
    spike: bool
    """Train loss has jumped; the phase is held until it is back."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """The facts in words."""
        return tuple(fact.text for fact in self.facts)


class PhaseFold:
    """Folds samples into the phases. `chance` is the loss of a uniform guess, ln p; NaN while unknown."""

    def __init__(self, chance: float) -> None:
        self.chance = chance
        self.phase = Phase.FITTING
        self.last: Sample | None = None
        """The newest sample, spikes included."""
        self.run_class = ClassFold()
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
        self.solved = Mark(0, math.nan)
        """Where test loss last fell below 1."""
        self._boundaries: list[Boundary] = []
        self._recent: deque[Sample] = deque(maxlen=limits.LONG_STREAK)
        self._usual_train = Usual(limits.SPIKE_EPOCHS, limits.LONG_STREAK)
        self.usual_train = math.nan
        """Train loss before the newest sample: the median of the last epochs."""
        self._streaks: defaultdict[str, Streak] = defaultdict(Streak)
        self.under = Phase.FITTING
        """The phase, or the one that a stall interrupts."""
        self._was_good = False
        self.collapsed = False
        """The training set itself was forgotten."""
        self._stall_loss, self._stall_fve = Trace(), Trace()
        self._decay, self._lr = Hand(limits.JUMP, limits.DRIFT), Hand(limits.JUMP, limits.DRIFT)
        self._moves = {name: Trace() for name in limits.MOVING}

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The start of each phase so far, in order."""
        return tuple(self._boundaries)

    @property
    def alone(self) -> bool:
        """Only one epoch is known: of that no phase can be told."""
        return self.last is not None and self._boundaries[0].epoch == self.last.epoch

    @property
    def call(self) -> Call:
        """The present phase, with its evidence in words."""
        since = self._boundaries[-1].epoch if self._boundaries else 0
        return Call(self.phase, since, phase_words.facts(self), phase_words.next_step(self), self.spike)

    @property
    def scale(self) -> float:
        """Epochs in which weight decay alone shrinks the weights e-fold, 1/(lr x decay); 1,000 where it does not."""
        rate = self.last.lr * self.last.weight_decay if self.last else math.nan
        return min(max(1 / rate, 1.0), 1e9) if rate > 1e-9 else 1000.0

    @property
    def cadence(self) -> int:
        """Epochs between the last two samples; nothing is known more exactly."""
        return self._recent[-1].epoch - self._recent[-2].epoch if len(self._recent) > 1 else 1

    @property
    def stall_window(self) -> float:
        """Epochs without movement that make a stall."""
        return max(limits.STALL_EPOCHS, 3 * self.scale)

    @property
    def stalled_over(self) -> int:
        """The last epochs that the rule of the stall looks at, as far as they are known."""
        trace = self._stall_fve if self._stall_fve.start else self._stall_loss
        return self.last.epoch - trace.start if self.last else 0

    def newest(self, name: str) -> float:
        """A measure at the newest sample, as the charts show it; the level where that is unknown."""
        value = float(getattr(self.last, name, math.nan))
        return self.level(name) if math.isnan(value) else value

    def level(self, name: str) -> float:
        """The median of a measure's last three samples: one odd number decides nothing."""
        found = [v for s in list(self._recent)[-limits.STREAK :] if math.isfinite(v := getattr(s, name))]
        return median(found) if found else math.nan

    def add(self, sample: Sample) -> None:
        """Take in the measures of one epoch. Epochs that were seen before leave no trace."""
        if self.last is not None and sample.epoch <= self.last.epoch:
            return
        if self.last is None:
            self._boundaries.append(Boundary(Phase.FITTING, sample.epoch, sample.epoch))
        changed = [self._decay.moved(sample.weight_decay), self._lr.moved(sample.lr)]
        self.last = sample
        self.run_class.add(sample.epoch, sample.train_accuracy, sample.test_accuracy)
        if any(changed):
            self._restart(sample.epoch)
        self.spike = self._is_spike(sample)
        self._streaks["lost"].add(sample.epoch, sample.train_accuracy < limits.BAD)
        if not self.spike:
            self._recent.append(sample)
            self._follow(sample)
            self._observe(sample)
            self._step(sample)

    def _is_spike(self, sample: Sample) -> bool:
        """Whether train loss stands out from its own recent past. That past follows it: no spike lasts for ever."""
        usual = self.usual_train = self._usual_train.value
        self._usual_train.add(sample.epoch, sample.train_loss)
        limit = limits.SPIKE_OVER if self.spike else limits.SPIKE
        return self.phase is not Phase.FITTING and sample.train_loss > limit * usual

    def _follow(self, last: Sample) -> None:
        """Bring peak, floor and windows up to the newest samples."""
        middle = self._recent[-2] if len(self._recent) >= limits.STREAK else last
        test, fve, excluded = (self.level(n) for n in ("test_loss", "test_fve", "excluded_key_free"))
        if math.isnan(self.fitted.value) and last.train_loss < 1:
            self.fitted = Mark(last.epoch, last.train_loss)
        late = self.fitted.value < 1 and last.epoch > limits.DELAY * max(self.fitted.epoch, 1)
        if test > limits.DELAYED * self.chance or (late and test > self.chance):
            self.delayed = True
        if self._before_circuit() and not test <= self.peak.value and math.isfinite(test):
            self.peak, self.peak_fve = Mark(middle.epoch, test), fve
        if self.phase is not Phase.FITTING:
            if not excluded >= self.floor.value and math.isfinite(excluded):
                self.floor = Mark(middle.epoch, excluded)
            self._stall_loss.add(last.epoch, log(last.test_loss), self.stall_window)
            self._stall_fve.add(last.epoch, log(last.test_fve), self.stall_window)
            for name, trace in self._moves.items():
                trace.add(last.epoch, log(getattr(last, name)), self.scale)

    def _observe(self, sample: Sample) -> None:
        """Ask the newest sample everything that the rules may want to know of the last few."""
        accuracy, loss = limits.LEARNING
        answers = {
            "learning": sample.train_accuracy >= accuracy or sample.train_loss <= loss,
            "learned": sample.train_accuracy >= limits.LEARNED,
            "below chance": sample.test_loss < limits.BELOW * self.chance and sample.train_accuracy >= accuracy,
            "above chance": sample.test_loss > limits.ABOVE * self.chance,
            "circuit": self.circuit_grows(),
            "no circuit": self.level("test_fve") < self.peak_fve + limits.FVE_RISE / 4,
            "solved": sample.test_accuracy >= limits.SOLVED,
            "good": sample.test_accuracy >= limits.GOOD,
            "bad": sample.test_accuracy < limits.BAD,
        }
        for name, true in answers.items():
            self._streaks[name].add(sample.epoch, true)
        self._streaks["below 1"].add(sample.epoch, sample.test_loss < 1)
        if self._streaks["below 1"].length == limits.STREAK:
            self.solved = Mark(self._began("below 1"), sample.test_loss)

    def _step(self, sample: Sample) -> None:
        """Apply the rules of the present phase."""
        match self.phase:
            case Phase.FITTING:
                self._learn()
            case Phase.DEGRADED:
                self._recover(sample)
            case _ if self._held("lost", limits.LONG_STREAK):
                self.collapsed = True
                self._enter(Phase.DEGRADED, self._began("lost"))
            case Phase.MEMORIZATION | Phase.STALLED if self.under is not Phase.CLEANUP:
                self._grow(sample)
            case Phase.CIRCUIT_FORMATION:
                self._fall()
            case _:
                self._settle()

    def _learn(self) -> None:
        """Fitting: is the training set learned, and did the test set come with it?"""
        if self._held("learned", 2):
            direct = not self.delayed and self.level("test_loss") < limits.BELOW * self.chance
            self._enter(Phase.DIRECT if direct else Phase.MEMORIZATION, self._began("learning"))

    def _grow(self, sample: Sample) -> None:
        """Memorization, or a stall: does a general solution grow behind it?"""
        below = self._held("below chance", limits.STREAK)
        if below and not self.delayed:
            self._enter(Phase.DIRECT, self._began("below chance"))
        elif self.under is Phase.CIRCUIT_FORMATION and below:
            self._fall()
        elif self.under is not Phase.CIRCUIT_FORMATION and self._held("circuit", limits.STREAK):
            self._enter(Phase.CIRCUIT_FORMATION, self.peak.epoch)
            self._fall()
        elif below and self._held(
            "solved", limits.LONG_STREAK
        ):  # without weight decay, or by a road that shows no circuit
            self._enter(Phase.GENERALIZED, self._began("solved"))
        else:
            self._stall(sample)

    def _fall(self) -> None:
        """Circuit formation: has test loss fallen through chance?"""
        if self._held("below chance", limits.STREAK):
            self._enter(Phase.CLEANUP, self._began("below chance"))
        elif self._held("no circuit", limits.LONG_STREAK):
            self._enter(Phase.MEMORIZATION, self._began("no circuit"))
        else:
            self._stall(self._recent[-1])

    def _settle(self) -> None:
        """Cleanup and after: has it come to rest, and does it stay?"""
        self._was_good = self._was_good or self._held("good", limits.LONG_STREAK)
        above = self._held("above chance", limits.LONG_STREAK)
        if self._was_good and self._held("bad", limits.LONG_STREAK):
            self._enter(Phase.DEGRADED, self._began("bad"))
        elif self.under is Phase.CLEANUP and above:
            self._enter(Phase.CIRCUIT_FORMATION, self._began("above chance"))
        elif self.phase is Phase.DIRECT and above and self.delayed:
            self._enter(Phase.MEMORIZATION, self._began("above chance"))
        elif self.under is Phase.CLEANUP and self._held("solved", limits.LONG_STREAK) and self.is_at_rest():
            self._enter(Phase.GENERALIZED, max(self._began("solved"), self._moves["sum_of_squares"].start))
        elif self.under is Phase.CLEANUP and not self._held("solved", 1):  # as without weight decay: half grokked
            self._stall(self._recent[-1])

    def _stall(self, sample: Sample) -> None:
        """Call a stall, or call it off. Falling test loss alone calls none off: shrinking logits do that too."""
        loss, fve = self._stall_loss.quarters(), self._stall_fve.quarters()
        first, last = (math.exp(fve[0]), math.exp(fve[3])) if fve else (math.nan, math.nan)
        rise, pace = last - first, self.crept()
        if self.phase is Phase.STALLED:
            if rise > limits.RESUMED * limits.STALL_RISE or pace > limits.RESUMED * limits.FVE_PACE:
                self._enter(self.under, sample.epoch)
        elif rise > limits.STALL_RISE or pace > limits.FVE_PACE:
            return
        elif loss and loss[3] > loss[2] - limits.STALL_LOSS:
            level = loss[3] - limits.STALL_LEVEL if self._before_circuit() else -math.inf
            self._enter(Phase.STALLED, self._stall_loss.reached(level))

    def _recover(self, sample: Sample) -> None:
        """Degraded: is it back, or does it learn anew?"""
        learned = self._held("learned", limits.LONG_STREAK)
        if learned and self._held("good", limits.LONG_STREAK):
            self._enter(Phase.GENERALIZED, self._began("good"))
        elif learned and self.collapsed and self._held("bad", limits.LONG_STREAK):
            self.peak, self.peak_fve = Mark(sample.epoch, self.level("test_loss")), self.level("test_fve")
            self.floor = Mark(sample.epoch, self.level("excluded_key_free"))
            self._forget_windows()
            self.collapsed = self._was_good = False
            self._enter(Phase.MEMORIZATION, self._began("learned"))

    def circuit_levels(self) -> tuple[float, float, float]:
        """Test loss must be below the first, the leak-free share above the second, excluded loss above the third."""
        return (
            (1 - limits.PEAK_FALL) * self.peak.value,
            max(self.peak_fve + limits.FVE_RISE, limits.FVE_FACTOR * self.peak_fve),
            limits.EXCLUDED_FACTOR * self.floor.value,
        )

    def circuit_grows(self) -> bool:
        """Whether all the leak-free signs of a general solution are there, and something that drives it."""
        test, fve, excluded = self.circuit_levels()
        return (
            self.delayed
            and self.decays()
            and self.level("test_loss") <= test
            and self.level("test_fve") >= fve
            and self.level("excluded_key_free") >= excluded
            and not self.creeps()
        )

    def creeps(self) -> bool:
        """Whether the leak-free share grows too slowly for a circuit."""
        return self.slope("test_fve") < limits.FVE_PACE

    def decays(self) -> bool:
        """Whether there is weight decay, as far as is known."""
        return self.last is not None and not self.last.weight_decay <= 0

    def slope(self, name: str) -> float:
        """Change of ln (measure) in one decay time, over the last one; NaN while unknown."""
        return self._moves[name].slope() * self.scale if name in self._moves else math.nan

    def crept(self) -> float:
        """Rise of ln (leak-free share) in one decay time, over the stall window; NaN while unknown."""
        return self._stall_fve.slope() * self.scale

    def is_at_rest(self) -> bool:
        """Whether weights and test loss have come to rest over one decay time."""
        return (
            abs(self.slope("sum_of_squares")) < limits.STABLE_NORM and abs(self.slope("test_loss")) < limits.STABLE_LOSS
        )

    def _before_circuit(self) -> bool:
        return self.under in (Phase.FITTING, Phase.MEMORIZATION)

    def _held(self, name: str, count: int) -> bool:
        return self._streaks[name].length >= count

    def _began(self, name: str) -> int:
        return self._streaks[name].began

    def _enter(self, phase: Phase, epoch: int) -> None:
        assert self.last is not None
        epoch = min(max(epoch, self._boundaries[-1].epoch), self.last.epoch)
        self._boundaries.append(Boundary(phase, epoch, self.last.epoch))
        self.phase = phase
        if phase is not Phase.STALLED:
            self.under = phase

    def _restart(self, epoch: int) -> None:
        """A control was changed: what was flat or still under the old value says nothing of the new one."""
        self._forget_windows()
        if len(self._recent) > 1 and self._before_circuit() and self.peak.epoch == self._recent[-2].epoch:
            last = self._recent[-1]  # of a test loss that rose up to here the peak is here, whatever comes now
            self.peak = Mark(last.epoch if last.test_loss > self.peak.value else self.peak.epoch, self.peak.value)
        if self.phase is Phase.STALLED:
            self._enter(self.under, epoch)

    def _forget_windows(self) -> None:
        for trace in (self._stall_loss, self._stall_fve, *self._moves.values()):
            trace.clear()
