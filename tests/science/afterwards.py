"""The phases of a finished run, read from its whole curve: what the rules, which see only the past, are held against.

It shares with the rules what the words mean (learned, chance, a delay) and nothing of how they decide:

* memorization begins where train accuracy first reaches 99.9 %;
* circuit formation begins at the greatest test loss before it falls through chance for the last time; in a run that
  never gets there, at the greatest of all, if by the end the cosines explain three times as much of the test
  logits as there, and 2 % more;
* cleanup begins where test loss falls below chance for the last time;
* generalized begins where test accuracy stays at 99.9 % or above, and the sum of squared weights within 5 % of where
  it ends, if it moved by less than 5 % over the last decay time;
* direct generalization takes the place of the three where test loss never exceeded 1.5 times chance, and was below
  it for good before 4 times the epoch at which train loss fell below 1;
* stalled begins where test loss first came within 10 % of its greatest, in a run that neither fell below chance
  nor shows a circuit, if 2,000 epochs follow;
* degraded is where train accuracy, or a test accuracy that had been 95 %, is below 90 %.

Test loss is read as the median of three samples, and excursions of fewer than five samples are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from grok_tui.science.phases import Phase, Sample

LASTING = 5
Start = tuple[Phase, int]


def phases(samples: Sequence[Sample], p: int) -> list[Start]:
    """(phase, the epoch at which it begins), in order."""
    epochs = [s.epoch for s in samples]
    begun: list[Start] = [(Phase.FITTING, epochs[0])]
    learned = _first([s.train_accuracy >= 0.999 for s in samples])
    if learned is None:
        return begun
    forgotten = _first(_lasting([s.train_accuracy < 0.9 for s in samples]), learned)
    begun += _learned(samples[:forgotten], p, learned)
    if forgotten is not None:
        begun.append((Phase.DEGRADED, epochs[forgotten]))
    return begun


def phase_at(begun: Sequence[Start], epoch: int) -> Phase:
    """The phase of an epoch."""
    return next(phase for phase, start in reversed(begun) if start <= epoch or start == begun[0][1])


def _learned(samples: Sequence[Sample], p: int, learned: int) -> list[Start]:
    epochs, chance = [s.epoch for s in samples], math.log(p)
    test = [median(s.test_loss for s in samples[max(i - 1, 0) : i + 2]) for i in range(len(samples))]
    above = _lasting([loss >= chance for loss in test])
    crossing = next((i + 1 for i in reversed(range(len(above))) if above[i]), 0)
    fitted = _first([s.train_loss < 1 for s in samples]) or 0
    if crossing < len(samples):
        peak = max(range(max(crossing, 1)), key=test.__getitem__)
        delayed = test[peak] > 1.5 * chance or epochs[crossing] > 4 * max(epochs[fitted], 1)
        if not delayed:
            return [(Phase.DIRECT, epochs[learned]), *_degraded(samples, crossing)]
        start = max(peak, learned)
        begun = [(Phase.MEMORIZATION, epochs[learned]), (Phase.CIRCUIT_FORMATION, epochs[start])]
        begun.append((Phase.CLEANUP, epochs[max(crossing, start)]))
        rest = _rest(samples, max(crossing, start))
        if rest is not None:
            begun.append((Phase.GENERALIZED, epochs[rest]))
        return begun + _degraded(samples, crossing)
    peak = max(range(learned, len(samples)), key=test.__getitem__)
    then, now = samples[peak].test_fve, median(s.test_fve for s in samples[-LASTING:])
    begun = [(Phase.MEMORIZATION, epochs[learned])]
    if now > max(3 * then, then + 0.02):
        return [*begun, (Phase.CIRCUIT_FORMATION, epochs[peak])]
    flat = next(i for i in range(learned, len(samples)) if test[i] >= 0.9 * test[peak])
    return begun + [(Phase.STALLED, epochs[flat])] * (epochs[-1] - epochs[flat] >= 2000)


def _rest(samples: Sequence[Sample], start: int) -> int | None:
    """Where accuracy and weights have come to rest, if they have."""
    end = samples[-1]
    rate = end.lr * end.weight_decay
    moved = [abs(math.log(s.sum_of_squares / end.sum_of_squares)) for s in samples]
    settled = [i for i, s in enumerate(samples) if s.epoch <= end.epoch - (1 / rate if rate else 1000)]
    if not settled or moved[settled[-1]] > 0.05:
        return None
    wrong = _lasting([s.test_accuracy < 0.999 for s in samples])
    moving = [far > 0.05 for far in moved]
    last = max((i for i in range(len(samples)) if wrong[i] or moving[i]), default=-1)
    return max(last + 1, start) if last + 1 < len(samples) else None


def _degraded(samples: Sequence[Sample], start: int) -> list[Start]:
    good = _first(_lasting([s.test_accuracy >= 0.95 for s in samples]), start)
    lost = None if good is None else _first(_lasting([s.test_accuracy < 0.9 for s in samples]), good)
    if lost is None:
        return []
    back = _first(_lasting([s.test_accuracy >= 0.95 for s in samples]), lost)
    found = [(Phase.DEGRADED, samples[lost].epoch)]
    return found if back is None else [*found, (Phase.GENERALIZED, samples[back].epoch)]


def _first(flags: Sequence[bool], start: int = 0) -> int | None:
    return next((i for i in range(start, len(flags)) if flags[i]), None)


def _lasting(flags: Sequence[bool]) -> list[bool]:
    """The flags without the runs of True that are shorter than `LASTING`."""
    kept = [False] * len(flags)
    for start in range(len(flags)):
        end = start
        while end < len(flags) and flags[end] and end - start < LASTING:
            end += 1
        if end - start >= min(LASTING, len(flags)):
            kept[start:end] = [True] * (end - start)
    return kept
