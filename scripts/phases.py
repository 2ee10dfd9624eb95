"""Holds the phases that were called while a run was going on against those read from the whole of it.

python -m scripts.phases                       the kept runs of tests/science/data, tuned and held out apart
python -m scripts.phases RUN ...               recorded runs, by name or directory
python -m scripts.phases --keep NAME RUN       keep a run's measures as tests/science/data/NAME.json.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from statistics import median

from grok_tui import record, runs, wording
from grok_tui.science.phases import Boundary, Phase, PhaseFold, Sample
from grok_tui.state import RunState
from tests.science import afterwards, curves

DECIMALS = 4
"""Significant digits that are kept of a measure."""


@dataclass(frozen=True)
class Told:
    """One run, told twice."""

    name: str
    samples: Sequence[Sample]
    called: Sequence[Phase]
    """What the rules said at each sample, when they had seen no more."""
    boundaries: Sequence[Boundary]
    afterwards: Sequence[afterwards.Start]

    @classmethod
    def of(cls, name: str, samples: Sequence[Sample], p: int) -> Told:
        """Fold the samples, and read them."""
        fold, called = PhaseFold(math.log(p)), []
        for sample in samples:
            fold.add(sample)
            called.append(fold.phase)
        return cls(name, samples, called, fold.boundaries, afterwards.phases(samples, p))

    def drawn(self, epoch: int) -> Phase:
        """The phase of an epoch as it is drawn once all is known."""
        return next(b.phase for b in reversed(self.boundaries) if b.epoch <= epoch or b is self.boundaries[0])


def measured(run: runs.Run) -> Iterator[tuple[Sample, int]]:
    """The samples of a recorded run, as a viewer folds them, and its modulus."""
    state, position = RunState(), 0
    last: Sample | None = None
    while True:
        frames, end = record.read(run.frames, position, 4096)
        for frame in frames:
            state.apply(frame)
            if (sample := state.phases.last) is not None and sample is not last:
                last = sample
                yield sample, state.modulus
        if end == position:
            return
        position = end


def keep(name: str, run: runs.Run, held_out: bool) -> None:
    """Write a run's measures as a test's data."""
    found = list(measured(run))
    c = run.config
    columns = {f.name: [_short(getattr(sample, f.name)) for sample, _ in found] for f in fields(Sample)}
    about = f"preset {c.name}, p = {c.task.p}, f = {c.data.fraction:g}, λ = {c.optimizer.weight_decay:g}"
    about += f", seeds {c.data.seed} (split) and {c.model.seed} (weights)"
    kept = {"p": found[0][1], "about": about, "held_out": held_out, "columns": columns}
    text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    path = curves.DATA / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path}: {len(found)} samples, {path.stat().st_size:,} bytes")


def _short(value: float) -> float | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.{DECIMALS}g}") if math.isfinite(value) else None


def weights(samples: Sequence[Sample]) -> list[int]:
    """How many epochs each sample speaks for: those since the one before."""
    return [0, *(b.epoch - a.epoch for a, b in pairwise(samples))]


def confusion(told: Sequence[Told], *, drawn: bool) -> Mapping[tuple[Phase, Phase], int]:
    """(afterwards, rules) -> epochs; the rules' word of the moment, or the one drawn once all was known."""
    counts: Counter[tuple[Phase, Phase]] = Counter()
    for run in told:
        for sample, called, weight in zip(run.samples, run.called, weights(run.samples), strict=True):
            truth = afterwards.phase_at(run.afterwards, sample.epoch)
            counts[truth, run.drawn(sample.epoch) if drawn else called] += weight
    return counts


def table(counts: Mapping[tuple[Phase, Phase], int]) -> Iterator[str]:
    """Rows: read afterwards. Columns: what the rules said. Shares of the row's epochs."""
    shown = [phase for phase in Phase if any(phase in pair for pair in counts)]
    rows = [["afterwards \\ rules", *(phase.value for phase in shown), "epochs"]]
    for truth in shown:
        total = sum(n for (t, _), n in counts.items() if t is truth)
        if total:
            rows.append([truth.value, *(_share(counts.get((truth, c), 0), total) for c in shown), f"{total:,}"])
    yield from wording.columns(rows, right=frozenset(range(1, len(shown) + 2)))
    right = sum(n for (t, c), n in counts.items() if t is c)
    yield f"agreement: {100 * right / max(sum(counts.values()), 1):.1f} % of {sum(counts.values()):,} epochs"


def _share(n: int, total: int) -> str:
    return "." if not n else f"{100 * n / total:.1f} %"


def boundaries(told: Sequence[Told]) -> Iterator[str]:
    """Each start of a phase: where afterwards, where placed, when known."""
    rows = [["run", "phase", "afterwards", "placed", "known", "delay"]]
    for run in told:
        waiting = list(run.boundaries)
        for phase, epoch in run.afterwards[1:]:
            found = next((b for b in waiting if b.phase is phase), None)
            if found:
                waiting.remove(found)
                delay = f"{found.confirmed - epoch:+,}"
                rows.append([run.name, phase.value, f"{epoch:,}", f"{found.epoch:,}", f"{found.confirmed:,}", delay])
            else:
                rows.append([run.name, phase.value, f"{epoch:,}", "never", "–", "–"])
        rows += [[run.name, b.phase.value, "not", f"{b.epoch:,}", f"{b.confirmed:,}", "–"] for b in waiting[1:]]
    yield from wording.columns(rows, right=frozenset(range(2, 6)))


def delays(told: Sequence[Told]) -> Iterator[str]:
    """How long after it happened each kind of boundary was known, in epochs: least, middle, most."""
    found: dict[Phase, list[int]] = {}
    for run in told:
        known = {b.phase: b.confirmed for b in reversed(run.boundaries)}
        for phase, epoch in run.afterwards[1:]:
            if phase in known:
                found.setdefault(phase, []).append(known[phase] - epoch)
    rows = [["delay until it is known", "runs", "least", "median", "most"]]
    for phase, late in found.items():
        rows.append([phase.value, str(len(late)), *(f"{n:,.0f}" for n in (min(late), median(late), max(late)))])
    yield from wording.columns(rows, right=frozenset(range(1, 5)))


def report(title: str, told: Sequence[Told]) -> Iterator[str]:
    """Tables of a group of runs."""
    yield f"{title}: {len(told)} runs"
    yield "\nwhat was said at the time"
    yield from table(confusion(told, drawn=False))
    yield "\nwhat is drawn once boundaries are known"
    yield from table(confusion(told, drawn=True))
    yield "\nboundaries (delay: known, after it happened)"
    yield from boundaries(told)
    yield ""
    yield from delays(told)
    yield ""


def main() -> None:
    """Print the tables, or keep a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--keep", metavar="NAME")
    parser.add_argument("--held-out", action="store_true", help="with --keep: not for tuning")
    asked = parser.parse_args()
    if asked.keep:
        keep(asked.keep, runs.find(asked.runs[0]), asked.held_out)
    elif asked.runs:
        found = []
        for name in asked.runs:
            samples = list(measured(runs.find(name)))
            found.append(Told.of(name, [sample for sample, _ in samples], samples[0][1]))
        print("\n".join(report("asked for", found)))
    else:
        for title, held_out in (("tuned on", False), ("held out", True)):
            told = [Told.of(name, *curves.recorded(name)) for name in curves.files(held_out=held_out)]
            print("\n".join(report(title, told)))


if __name__ == "__main__":
    main()
