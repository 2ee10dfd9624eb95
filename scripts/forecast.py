"""Calibrates the forecast of test accuracy passing 50 %, and holds it against other runs and against naive guesses.

python -m scripts.forecast              the report: error and coverage, by how early the forecast is made
python -m scripts.forecast --calibrate  the table for grok_tui/science/forecast.py, from the older runs alone
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median, stdev

from grok_tui import wording
from grok_tui.science import forecast
from grok_tui.science.phases import PhaseFold, Sample
from tests.science import curves

EARLY = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Borders of the classes of earliness: the epoch of the forecast over the epoch forecast."""

FLOOR = 0.08
"""No spread is taken to be less."""

LASTING = 5

TWINS = frozenset({"p113_f30_wd1_s0", "slingshots"})
"""Of the seeds of `nanda113`: not counted again for calibration."""


@dataclass(frozen=True)
class Moment:
    """One sample of one run at which a forecast is made."""

    run: str
    epoch: int
    peak: int
    """Of test loss, so far."""
    way: forecast.Way
    truth: float
    """When test accuracy passed 50 %; infinite where it never did."""
    end: int
    """The last epoch of the run."""
    made: forecast.Forecast


def passed(samples: Sequence[Sample]) -> float:
    """The first epoch from which test accuracy is above 50 % for a while; infinite when there is none."""
    for i, sample in enumerate(samples):
        if all(s.test_accuracy >= forecast.PASSED for s in samples[i : i + LASTING]):
            return sample.epoch
    return math.inf


def is_fresh(name: str) -> bool:
    """Whether the run was made after the forecast had its form."""
    return name.startswith("fresh_")


def moments(*, fresh: bool) -> list[Moment]:
    """Every forecast that would have been shown, in the runs of one of the two kinds."""
    found = []
    for name in filter(lambda name: is_fresh(name) == fresh, curves.files()):
        samples, p = curves.recorded(name)
        truth, fold = passed(samples), PhaseFold(math.log(p))
        for sample in samples:
            fold.add(sample)
            way, made = forecast.way(fold), forecast.forecast(fold)
            if way and made and sample.epoch < truth:
                found.append(Moment(name, sample.epoch, fold.peak.epoch, way, truth, samples[-1].epoch, made))
    return found


Guess = Callable[[Moment], tuple[float, float, float]]
"""(epoch, low, high)."""


def of_runs(found: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Mean over runs, and spread between and within them: each run counts once, however many samples it has."""
    means = [fmean(values) for values in found.values()]
    within = [fmean((v - fmean(values)) ** 2 for v in values) for values in found.values()]
    between = stdev(means) ** 2 * (1 + 1 / len(means)) if len(means) > 1 else 0.25
    return fmean(means), max(math.sqrt(between + fmean(within)), FLOOR)


def multiple(known: Sequence[Moment], of: Callable[[Moment], float], times: float = 0.0) -> Guess:
    """A naive guess: so many times `of`, by what it was in the older runs, with an interval of the same kind."""
    ratios = defaultdict(list)
    for m in known:
        ratios[m.run].append(math.log(m.truth / max(of(m), 1)))
    mean, spread = of_runs(ratios)
    if times:
        mean, spread = math.log(times), math.hypot(spread, mean - math.log(times))

    def guess(m: Moment) -> tuple[float, float, float]:
        at, low, high = (max(of(m), 1) * math.exp(mean + n * forecast.WIDTH * spread) for n in (0, -1, 1))
        return max(at, m.epoch), max(low, m.epoch), max(high, m.epoch)

    return guess


def calibrated(known: Sequence[Moment]) -> list[tuple[float, float]]:
    """The forecast's table."""
    off: list[dict[str, list[float]]] = [defaultdict(list) for _ in forecast.STAGES]
    for m in known:
        off[forecast.stage(m.way)][m.run].append(math.log((m.truth - m.epoch) / m.way.epochs))
    return [of_runs(found) for found in off]


def score(asked: Sequence[Moment], guess: Guess) -> tuple[float, float, float, float]:
    """Mean over runs of: |ln (guess / truth)|, coverage, ln (high / low), and the interval's score (less is better)."""
    rows = defaultdict(list)
    for m in asked:
        at, low, high = guess(m)
        inside = low <= m.truth <= high
        width = math.log(high / low)
        miss = max(math.log(low / m.truth), math.log(m.truth / high), 0.0)
        rows[m.run].append((abs(math.log(at / m.truth)), float(inside), width, width + 2 / 0.2 * miss))
    a, b, c, d = (fmean(fmean(row[i] for row in found) for found in rows.values()) for i in range(4))
    return a, b, c, d


def report(title: str, asked: Sequence[Moment], guesses: Mapping[str, Guess]) -> Iterator[str]:
    """Error and coverage of each guess, by how early it is made."""
    there = [m for m in asked if math.isfinite(m.truth)]
    yield f"{title}: {len({m.run for m in there})} runs that came to 50 %"
    rows = [["made at", "runs", "guess", "error", "coverage", "high/low", "score"]]
    for low, high in [*pairwise(EARLY), (0.0, 1.0)]:
        some = [m for m in there if low <= m.epoch / m.truth < high]
        for name, guess in guesses.items():
            if some:
                error, inside, width, total = score(some, guess)
                row = [f"{low:.0%} - {high:.0%}", str(len({m.run for m in some})), name, f"{math.expm1(error):.0%}"]
                rows.append([*row, f"{inside:.0%}", f"{math.exp(width):.2f}", f"{total:.2f}"])
    yield from wording.columns(rows, right=frozenset({1, 3, 4, 5, 6}))
    yield "runs that did not: was the end of the run before the interval's end?"
    for run in sorted({m.run for m in asked if math.isinf(m.truth)}):
        mine = [m for m in asked if m.run == run]
        fair = fmean(float(m.made.high > m.end) for m in mine)
        last, end = mine[-1].made, mine[-1].end
        yield f"  {run}, which ended at {end:,}: {fair:.0%} of {len(mine)} forecasts; the last, made at {last.made:,}:"
        yield f"    {last.epoch:,} ({last.low:,} to {last.high:,})"


def each(asked: Sequence[Moment]) -> Iterator[str]:
    """First forecasts of each run."""
    rows = [["run", "first made at", "forecast", "interval", "passed at", "median error", "coverage"]]
    for run in sorted({m.run for m in asked if math.isfinite(m.truth)}):
        mine = [m for m in asked if m.run == run]
        first, truth = mine[0].made, mine[0].truth
        error = median(abs(math.log(m.made.epoch / truth)) for m in mine)
        inside = fmean(float(m.made.low <= truth <= m.made.high) for m in mine)
        interval = f"{first.low:,} to {first.high:,}"
        row = [run, f"{first.made:,} ({first.made / truth:.0%})", f"{first.epoch:,}", interval]
        rows.append([*row, f"{truth:,.0f}", f"{math.expm1(error):.0%}", f"{inside:.0%}"])
    yield from wording.columns(rows, right=frozenset(range(1, 7)))


def main() -> None:
    """Print the table, or the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calibrate", action="store_true")
    asked = parser.parse_args()
    known = [m for m in moments(fresh=False) if math.isfinite(m.truth) and m.run not in TWINS]
    if asked.calibrate:
        for most, (mean, spread) in zip(forecast.STAGES, calibrated(known), strict=True):
            runs = len({m.run for m in known if forecast.STAGES[forecast.stage(m.way)] == most})
            print(f"up to {most}: ({mean:.2f}, {spread:.2f}) from {runs} runs")
        return
    guesses: dict[str, Guess] = {
        "forecast": lambda m: (m.made.epoch, m.made.low, m.made.high),
        "as long again": multiple(known, lambda m: m.epoch, 2.0),
        "multiple of now": multiple(known, lambda m: m.epoch),
        "multiple of the peak": multiple(known, lambda m: m.peak),
    }
    for title, fresh in (("calibrated on", False), ("not calibrated on", True)):
        found = moments(fresh=fresh)
        print("\n".join([*report(title, found, guesses), "", *each(found), ""]))


if __name__ == "__main__":
    main()
