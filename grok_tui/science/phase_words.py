"""The evidence behind a phase call, in words with numbers. Nothing is said of what is unknown.

The rules decide on medians; the numbers that are said are the newest, the same that the charts show.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grok_tui.science.phases import PhaseFold


def evidence(fold: PhaseFold) -> tuple[str, ...]:
    """What speaks for the present phase, the strongest first."""
    if fold.last is None:
        return ()
    match fold.phase:
        case "fitting":
            lines = [_train(fold), _test(fold)]
        case "memorization":
            lines = [_train(fold), _test(fold), _fve(fold), _driver(fold)]
        case "circuit formation":
            lines = [_excluded(fold), _test(fold), _fve(fold), _driver(fold)]
        case "cleanup":
            lines = [_accuracy(fold), _test(fold), _weights(fold), _excluded(fold)]
        case "stalled":
            lines = [_still(fold), _reason(fold), _test(fold), _fve(fold)]
        case "degraded":
            lines = [_accuracy(fold), _train(fold), _test(fold), _weights(fold)]
        case _:
            lines = [_accuracy(fold), _delay(fold), _fve(fold), _test(fold)]
    if fold.spike:
        lines.insert(0, f"train loss has jumped to {number(fold.last.train_loss)}; the phase is held until it is back")
    return tuple(line for line in lines if line)


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
            accuracy = percent(newest("test_accuracy"))
            return f"generalized when test accuracy stays above 99 % (now {accuracy}) and the weights rest"
        case "stalled":
            return "goes on when the cosines explain more again, or a control is changed"
        case "degraded":
            return f"generalized when test accuracy is above 95 % again; now {percent(newest('test_accuracy'))}"
    return "degraded if test accuracy falls below 90 %"


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
    if deciding[2] < excluded:
        lacking.append(f"excluded loss is above {number(excluded)} (now {number(now[2])})")
    return "circuit formation when " + (" and ".join(lacking) if lacking else "the next samples say so")


def _train(fold: PhaseFold) -> str:
    accuracy, loss = fold.newest("train_accuracy"), fold.newest("train_loss")
    if not math.isfinite(accuracy):
        return ""
    if fold.phase == "degraded" and fold.level("train_accuracy") < 0.9:
        return f"the training set is forgotten: train accuracy {percent(accuracy)}"
    return f"train accuracy {percent(accuracy)}, train loss {number(loss)}"


def _accuracy(fold: PhaseFold) -> str:
    value = fold.newest("test_accuracy")
    return f"test accuracy {percent(value)}" if math.isfinite(value) else ""


def _test(fold: PhaseFold) -> str:
    test, peak = fold.newest("test_loss"), fold.peak
    if not (math.isfinite(test) and fold.chance > 0):
        return ""
    text = f"test loss {number(test / fold.chance)} times chance"
    if 0 < test < 0.01 * fold.chance:
        text = f"test loss {number(test)}"
    elif test < 0.99 * peak.value < math.inf and fold.phase != "fitting":
        text += f", {min(100 * (1 - test / peak.value), 99):.0f} % below its peak at epoch {peak.epoch:,}"
    return text


def _excluded(fold: PhaseFold) -> str:
    now, floor = fold.newest("excluded_key_free"), fold.floor
    if not (floor.value > 0 and floor.value < now < math.inf):
        return ""
    return f"excluded loss (key-free) has risen {number(now / floor.value)}-fold since epoch {floor.epoch:,}"


def _fve(fold: PhaseFold) -> str:
    now = fold.newest("test_fve")
    if not math.isfinite(now):
        return ""
    text = f"cosines of a+b-c explain {percent(now)} of the test logits"
    if fold.delayed and math.isfinite(fold.peak_fve):
        text += f"; {percent(fold.peak_fve)} when test loss peaked"
    return text


def _driver(fold: PhaseFold) -> str:
    return "" if fold.decays() else "weight decay is 0: nothing drives a circuit"


def _weights(fold: PhaseFold) -> str:
    total, drift = fold.newest("sum_of_squares"), fold.drift()
    if not math.isfinite(total):
        return ""
    text = f"sum of squared weights {number(total)}"
    return text + (f", {100 * drift:+.1f} % in {fold.scale:,.0f} epochs" if math.isfinite(drift) else "")


def _delay(fold: PhaseFold) -> str:
    if not (fold.fitted.epoch > 0 and fold.solved.value < 1):
        return ""
    times = fold.solved.epoch / fold.fitted.epoch
    return f"test loss fell below 1 at epoch {fold.solved.epoch:,}, {number(times)} times as late as train loss"


def _still(fold: PhaseFold) -> str:
    return f"no sign of a circuit growing in {fold.stall_window:,.0f} epochs"


def _reason(fold: PhaseFold) -> str:
    if not fold.decays():
        return "weight decay is 0: nothing prefers a general solution"
    return "too little data for this weight decay, or too little of it, are the usual reasons"
