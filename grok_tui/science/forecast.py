"""When will test accuracy pass 50 %? A forecast from the growth of the circuit so far. Standard library only.

The share v of the test logits' variance that cosines of a+b-c explain grows along a logistic curve: logit v is close
to a straight line in the epoch from the test-loss peak on, and is about the same when test accuracy passes 50 %,
whatever p, the share of the data and the weight decay. So the rest of the way is

    (logit v_half - logit v) / (d logit v / d epoch),

corrected and given an interval by what that was off by in measured runs, the earlier the more.
`python -m scripts.forecast` calibrates it, and holds it against runs that it was not calibrated on and against
naive guesses. It is made for addition mod p with one layer; elsewhere it has not been tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grok_tui.science.phases import PhaseFold

PASSED = 0.5
"""The test accuracy that is forecast."""

HALF = 0.6
"""logit v when test accuracy passes 50 %, about: v = 0.65; 0.4 to 0.8 was seen."""

NEAR = 0.75
"""A way no shorter than this is left while test accuracy is still below 50 %: so far is `HALF` off."""

PACE = 0.1
"""Growth of logit v in one decay time below which no forecast is made."""

STAGES = (1.0, 2.0, math.inf)
"""Ways to go in logit v, up to which each pair of `OFF` holds."""

OFF = ((-0.61, 0.87), (-0.23, 0.72), (0.11, 0.35))
"""Mean and spread of ln (rest of the way / the rest as computed) in the runs that it was calibrated on."""

WIDTH = 1.45
"""Spreads to each side of an interval that is right four times in five: Student's t for a dozen runs."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The epoch at which test accuracy passes 50 %, as far as can be told from the past."""

    made: int
    """The epoch at which it was made."""
    epoch: int
    low: int
    high: int
    """Right four times in five."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is left of it, before any correction."""

    logits: float
    """How far logit v has to rise."""
    epochs: float
    """How long that takes at its present pace."""


def way(fold: PhaseFold) -> Way | None:
    """The rest of the way; None where nothing can be said: no circuit, no growth, a spike, or already there."""
    share, pace = fold.level("test_fve"), fold.slope("test_fve")
    if fold.phase not in ("circuit formation", "cleanup") or fold.spike or not 0 < share < 1:
        return None
    pace /= 1 - share  # d ln v -> d logit v
    if not (fold.level("test_accuracy") < PASSED and pace >= PACE and fold.decays()):
        return None
    left = max(HALF - math.log(share / (1 - share)), NEAR)
    return Way(left, max(left / pace * fold.scale, fold.cadence))


def forecast(fold: PhaseFold) -> Forecast | None:
    """The forecast at the newest sample, if one can be made."""
    rest = way(fold)
    if rest is None or fold.last is None:
        return None
    mean, spread = OFF[stage(rest)]
    made = fold.last.epoch
    at, low, high = (made + rest.epochs * math.exp(mean + n * WIDTH * spread) for n in (0, -1, 1))
    return Forecast(made, round(at), round(low), round(high))


def in_words(found: Forecast) -> str:
    """The forecast as a line of evidence."""
    return (
        f"forecast: 50 % test accuracy near {_rounded(found.epoch):,} "
        f"({_rounded(found.low):,} to {_rounded(found.high):,}, four times in five)"
    )


def _rounded(epoch: int) -> int:
    """Two digits, or three of what begins with a 1: more is not known."""
    size: int = 10 ** max(len(str(epoch)) - (3 if str(epoch)[0] == "1" else 2), 0)
    return round(epoch / size) * size


def stage(rest: Way) -> int:
    """Which of `STAGES` the way is in."""
    return next(i for i, most in enumerate(STAGES) if rest.logits <= most)
