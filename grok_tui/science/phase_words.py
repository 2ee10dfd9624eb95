"""The evidence behind a phase call, in words with numbers. Nothing is said of what is unknown.

The rules decide on medians; the numbers that are said are the newest, the same that the charts show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grok_tui.science.phases import PhaseFold

STILL = 0.005
"""A change of ln (measure) in one decay time that is not worth a word."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that speaks for a phase."""

    text: str
    series: str
    """The measure that it is read from."""
    value: float
    """Now."""
    slope: float = math.nan
    """Change of ln (measure) in one decay time, 1/(lr x decay) epochs; NaN while unknown."""


def facts(fold: PhaseFold) -> tuple[Fact, ...]:
    """What speaks for the present phase, the strongest first."""
    if fold.last is None:
        return ()
    match fold.phase:
        case "fitting":
            found = [_train(fold), _test(fold)]
        case "memorization":
            found = [_train(fold), _test(fold), _fve(fold), _driver(fold)]
        case "circuit formation":
            found = [_excluded(fold), _test(fold), _fve(fold), _driver(fold)]
        case "cleanup":
            found = [_accuracy(fold), _test(fold), _weights(fold), _excluded(fold)]
        case "stalled":
            found = [_still(fold), _reason(fold), _test(fold), _fve(fold)]
        case "degraded":
            found = [_accuracy(fold), _train(fold), _test(fold), _weights(fold)]
        case "direct generalization":
            found = [_accuracy(fold), _never(fold), _delay(fold), _fve(fold), _test(fold)]
        case _:
            found = [_accuracy(fold), _delay(fold), _weights(fold), _fve(fold), _test(fold)]
    if fold.spike:
        found.insert(0, _jump(fold))
    return tuple(fact for fact in found if fact.text)


def next_step(fold: PhaseFold) -> str:
    """What would end the present phase, and how far it is."""
    newest = fold.newest
    match fold.phase:
        case "fitting":
            return f"memorization when train accuracy reaches 99.9 %; now {percent(newest('train_accuracy'))}"
        case "memorization" if fold.delayed and fold.decays():
            return _toward_circuit(fold)
        case "memorization" if fold.delayed:
            return "no circuit is to be expected without weight decay"
        case "memorization":
            return f"direct generalization if test loss falls below {_chance(fold)}; now {number(newest('test_loss'))}"
        case "circuit formation":
            return f"cleanup when test loss falls below {_chance(fold)}; now {number(newest('test_loss'))}"
        case "cleanup":
            accuracy, drift = percent(newest("test_accuracy")), fold.slope("sum_of_squares")
            rest = f"; now {100 * drift:+.1f} %" if math.isfinite(drift) else ""
            return (
                f"generalized when test accuracy stays above 99 % (now {accuracy}) "
                f"and the weights rest (within 2.5 % in {fold.scale:,.0f} epochs{rest})"
            )
        case "stalled":
            crept = f" (now {100 * fold.crept():+.1f} %)" if math.isfinite(fold.crept()) else ""
            return (
                f"goes on when the share that the cosines explain grows by 20 % in {fold.scale:,.0f} epochs{crept}, "
                "or a control is changed"
            )
        case "degraded" if fold.collapsed:
            accuracy = percent(newest("train_accuracy"))
            return f"memorization when train accuracy is above 99.9 % again (now {accuracy})"
        case "degraded":
            return f"generalized when test accuracy is above 95 % again; now {percent(newest('test_accuracy'))}"
    return f"degraded if test accuracy falls below 90 %; now {percent(newest('test_accuracy'))}"


def number(value: float) -> str:
    """Three significant digits: 17.1, 0.00412, 3.1e-7; whole thousands in full."""
    if 999.5 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e") if math.isfinite(value) else "unknown"


def percent(share: float) -> str:
    """One decimal; 100 % only when it is exact."""
    if not math.isfinite(share):
        return "unknown"
    return f"{min(100 * share, 99.9) if share < 1 else 100 * share:.3g} %"


def _chance(fold: PhaseFold) -> str:
    if not 0 < fold.chance < 50:
        return "chance"
    return f"chance (ln {math.exp(fold.chance):.0f} = {fold.chance:.2f})"


def _toward_circuit(fold: PhaseFold) -> str:
    """The conditions that are still unmet, with their numbers now."""
    test, fve, excluded = fold.circuit_levels()
    deciding, now = (
        [read(name) for name in ("test_loss", "test_fve", "excluded_key_free")] for read in (fold.level, fold.newest)
    )
    lacking = []
    if deciding[0] > test:
        lacking.append(f"test loss is below {number(test)} (now {number(now[0])})")
    if not deciding[1] >= fve and math.isfinite(fve):
        lacking.append(f"the cosines explain {percent(fve)} (now {percent(now[1])})")
    elif fold.creeps():
        lacking.append(f"the cosines gain 10 % in {fold.scale:,.0f} epochs (now {100 * fold.slope('test_fve'):+.1f} %)")
    if deciding[2] < excluded:
        lacking.append(f"excluded loss is above {number(excluded)} (now {number(now[2])})")
    return "circuit formation when " + (" and ".join(lacking) if lacking else "the next samples say so")


def _fact(fold: PhaseFold, series: str, text: str) -> Fact:
    return Fact(text, series, fold.newest(series), fold.slope(series))


def _moving(fold: PhaseFold, series: str) -> str:
    """How fast it moves: "grew 1.9-fold in 1,000 epochs", "fell 3.1 % in 1,000 epochs"; nothing where it rests."""
    slope = fold.slope(series)
    if not STILL <= abs(slope) < 20:
        return ""
    span = f"in {fold.scale:,.0f} epochs"
    if slope > 0.5:
        return f", grew {number(math.exp(slope))}-fold {span}"
    return f", {'rose' if slope > 0 else 'fell'} {abs(100 * math.expm1(slope)):.1f} % {span}"


def _jump(fold: PhaseFold) -> Fact:
    now, usual = fold.newest("train_loss"), fold.usual_train
    times = f", {number(now / usual)} times its usual {number(usual)}" if 0 < usual < now < math.inf else ""
    return _fact(
        fold, "train_loss", f"train loss has jumped to {number(now)}{times}; the phase is held until it is back"
    )


def _train(fold: PhaseFold) -> Fact:
    accuracy, loss = fold.newest("train_accuracy"), fold.newest("train_loss")
    text = f"train accuracy {percent(accuracy)}, train loss {number(loss)}" if math.isfinite(accuracy) else ""
    if fold.phase == "degraded" and fold.level("train_accuracy") < 0.9:
        text = f"the training set is forgotten: train accuracy {percent(accuracy)}"
    return _fact(fold, "train_accuracy", text)


def _accuracy(fold: PhaseFold) -> Fact:
    value = fold.newest("test_accuracy")
    return _fact(fold, "test_accuracy", f"test accuracy {percent(value)}" if math.isfinite(value) else "")


def _test(fold: PhaseFold) -> Fact:
    test, peak = fold.newest("test_loss"), fold.peak
    if not (math.isfinite(test) and fold.chance > 0):
        return Fact("", "test_loss", test)
    text = f"test loss {number(test / fold.chance)} times chance"
    if 0 < test < 0.01 * fold.chance:
        text = f"test loss {number(test)}"
    elif 0 <= test < 0.99 * peak.value < math.inf and fold.phase != "fitting":
        text += f", {min(100 * (1 - test / peak.value), 99):.0f} % below its peak at epoch {peak.epoch:,}"
    elif fold.phase in ("memorization", "stalled"):
        text += _moving(fold, "test_loss")
    return _fact(fold, "test_loss", text)


def _excluded(fold: PhaseFold) -> Fact:
    now, floor = fold.newest("excluded_key_free"), fold.floor
    if not 0 < floor.value < now < math.inf:
        return _fact(fold, "excluded_key_free", "")
    text = f"excluded loss (key-free) has risen {number(now / floor.value)}-fold since epoch {floor.epoch:,}"
    return _fact(fold, "excluded_key_free", text)


def _fve(fold: PhaseFold) -> Fact:
    now = fold.newest("test_fve")
    text = f"cosines of a+b-c explain {percent(now)} of the test logits"
    if fold.delayed and math.isfinite(fold.peak_fve):
        text += f"; {percent(fold.peak_fve)} when test loss peaked"
    if fold.phase in ("memorization", "circuit formation"):
        text += _moving(fold, "test_fve")
    return _fact(fold, "test_fve", text if math.isfinite(now) else "")


def _driver(fold: PhaseFold) -> Fact:
    return Fact("" if fold.decays() else "weight decay is 0: nothing drives a circuit", "weight_decay", 0.0)


def _weights(fold: PhaseFold) -> Fact:
    total, drift = fold.newest("sum_of_squares"), fold.slope("sum_of_squares")
    text = f"sum of squared weights {number(total)}"
    text += f", {100 * drift:+.1f} % in {fold.scale:,.0f} epochs" if math.isfinite(drift) else ""
    return _fact(fold, "sum_of_squares", text if math.isfinite(total) else "")


def _never(fold: PhaseFold) -> Fact:
    """Why no delay is seen: test loss never went where memorization alone takes it."""
    times = fold.peak.value / fold.chance if fold.chance > 0 else math.nan
    text = f"test loss was never above {number(times)} times chance" if 1 <= times < math.inf else ""
    return _fact(fold, "test_loss", text)


def _delay(fold: PhaseFold) -> Fact:
    if not (fold.fitted.epoch > 0 and fold.solved.value < 1):
        return Fact("", "test_loss", math.nan)
    times = number(fold.solved.epoch / fold.fitted.epoch)
    text = f"test loss fell below 1 at epoch {fold.solved.epoch:,}, {times} times as late as train loss"
    return _fact(fold, "test_loss", text)


def _still(fold: PhaseFold) -> Fact:
    what = "nothing has moved" if fold.under == "cleanup" else "no sign of a circuit growing"
    return _fact(fold, "test_fve", f"{what} in the last {fold.stalled_over:,} epochs")


def _reason(fold: PhaseFold) -> Fact:
    text = "too little data for this weight decay, or too little of it, are the usual reasons"
    if not fold.decays():
        text = "weight decay is 0: nothing prefers a general solution"
    return Fact(text, "weight_decay", fold.newest("weight_decay"))
