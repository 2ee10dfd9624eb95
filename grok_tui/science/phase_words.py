"""The evidence behind a phase call, in words with numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grok_tui.science.phases import PhaseFold


def evidence(fold: PhaseFold) -> tuple[str, ...]:
    """What speaks for the present phase, the strongest first; nothing is said of what is unknown."""
    last = fold.last
    if last is None:
        return ()
    match fold.phase.value:
        case "fitting":
            lines = [_accuracy(fold, "train"), _chance(fold)]
        case "memorization":
            lines = [_accuracy(fold, "train"), _chance(fold), _fve(fold), _driver(fold)]
        case "circuit formation":
            lines = [_excluded(fold), _chance(fold), _fve(fold), _driver(fold)]
        case "cleanup" | "generalized":
            lines = [_accuracy(fold, "test"), _chance(fold), _excluded(fold), _fve(fold), _delay(fold)]
        case "stalled":
            lines = [_still(fold), _reason(fold), _chance(fold), _fve(fold)]
        case _:
            lines = [_accuracy(fold, "test"), _accuracy(fold, "train"), _chance(fold), _delay(fold)]
    if fold.spike:
        lines.insert(0, f"train loss has jumped to {number(last.train_loss)}; the phase is held until it is back")
    return tuple(line for line in lines if line)


def next_step(fold: PhaseFold) -> str:
    """What would end the present phase, and how far it is."""
    now = number(fold.level("test_loss"))
    chance = f"chance (ln p = {number(fold.chance)})" if math.isfinite(fold.chance) else "chance"
    match fold.phase.value:
        case "fitting":
            accuracy = number(fold.last.train_accuracy) if fold.last else "unknown"
            return f"memorization when train accuracy reaches 0.999; now {accuracy}"
        case "memorization" if not fold.decays():
            return "nothing to expect without weight decay"
        case "memorization" if not fold.delayed:
            return f"direct generalization if test loss falls below {chance}; now {now}"
        case "memorization":
            return "circuit formation when test loss and the leak-free share both leave the peak's level"
        case "circuit formation":
            return f"cleanup when test loss falls below {chance}; now {now}"
        case "cleanup":
            return "generalized when test accuracy stays at 0.999 and the weights have come to rest"
        case "stalled":
            return "moves on when test loss falls or the leak-free share rises"
        case "degraded":
            return "generalized when test accuracy is back at 0.95"
    return "degraded if test accuracy falls below 0.9"


def number(value: float) -> str:
    """Three significant digits: 17.1, 0.00412, 3.1e-07."""
    return "unknown" if math.isnan(value) else f"{value:.3g}"


def _accuracy(fold: PhaseFold, which: str) -> str:
    value = fold.level(f"{which}_accuracy")
    return f"{which} accuracy {100 * value:.1f} %" if math.isfinite(value) else ""


def _chance(fold: PhaseFold) -> str:
    test, peak = fold.level("test_loss"), fold.peak
    if not (math.isfinite(test) and fold.chance > 0):
        return ""
    text = f"test loss {number(test)}, {number(test / fold.chance)} times chance"
    if test < 0.99 * peak.value < math.inf:
        text += f", {100 * (1 - test / peak.value):.0f} % below its peak at epoch {peak.epoch:,}"
    return text


def _excluded(fold: PhaseFold) -> str:
    now, floor = fold.level("excluded_key_free"), fold.floor
    if not (math.isfinite(now) and floor.value > 0 and now > floor.value):
        return ""
    return f"excluded loss (key-free) has risen {number(now / floor.value)}-fold since epoch {floor.epoch:,}"


def _fve(fold: PhaseFold) -> str:
    now = fold.level("test_fve")
    if not math.isfinite(now):
        return ""
    text = f"cosines of a+b-c explain {100 * now:.1f} % of the test logits' variance (fitted on test pairs only)"
    if math.isfinite(fold.peak_fve) and fold.phase.value != "fitting":
        text += f", {100 * fold.peak_fve:.1f} % at the peak of test loss"
    return text


def _driver(fold: PhaseFold) -> str:
    if not fold.decays():
        return "weight decay is 0: nothing drives a circuit"
    return ""


def _delay(fold: PhaseFold) -> str:
    if not (fold.delayed and fold.fitted.value < 1):
        return ""
    return f"train loss fell below 1 at epoch {fold.fitted.epoch:,}"


def _still(fold: PhaseFold) -> str:
    return f"neither test loss nor the leak-free share has moved for {fold.stall_window:,.0f} epochs"


def _reason(fold: PhaseFold) -> str:
    if not fold.decays():
        return "weight decay is 0"
    return "too little data or too little weight decay may be the reason"
