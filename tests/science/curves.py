"""Planted runs: published and measured rows joined by straight lines in log space, sampled at any cadence."""

from __future__ import annotations

import gzip
import json
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from grok_tui.science.phases import PhaseFold, Sample

NAN = math.nan
DATA = Path(__file__).parent / "data"

UNKNOWN = Sample(0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN)

Curve = Callable[[float], float]


def curve(points: Mapping[int, float]) -> Curve:
    """Through the points, log-linear between them; the end values beyond."""
    epochs, values = list(points), list(points.values())

    def at(epoch: float) -> float:
        i = bisect_right(epochs, epoch)
        if i in (0, len(epochs)):
            return values[0] if i == 0 else values[-1]
        t = (epoch - epochs[i - 1]) / (epochs[i] - epochs[i - 1])
        return math.exp((1 - t) * math.log(values[i - 1]) + t * math.log(values[i]))

    return at


def grid(end: int, every: int) -> list[int]:
    """A log-spaced start, then every so many epochs, as the trainer measures."""
    early = {round(1.15**n) for n in range(100) if 1.15**n < min(8 * every, end)}
    return sorted({0} | early | set(range(0, end + 1, every)))


def run(end: int, every: int = 50, **curves: Curve | float) -> list[Sample]:
    """A run whose named measures follow the curves; what is not named is unknown."""
    known = {"weight_decay": 1.0, "lr": 1e-3} | curves
    samples = []
    for epoch in grid(end, every):
        values: dict[str, Any] = {name: c(epoch) if callable(c) else c for name, c in known.items()}
        samples.append(replace(UNKNOWN, epoch=epoch, **values))
    return samples


def folded(samples: Iterable[Sample], p: int = 113) -> PhaseFold:
    """The fold after all samples."""
    fold = PhaseFold(math.log(p))
    for sample in samples:
        fold.add(sample)
    return fold


def story(fold: PhaseFold) -> dict[str, int]:
    """Phase -> where it (last) began."""
    return {boundary.phase.value: boundary.epoch for boundary in fold.boundaries}


def files(*, held_out: bool | None = None) -> dict[str, dict[str, Any]]:
    """The measured runs by name: all, or those that the rules were tuned on, or those that they were not."""
    found = {path.name.partition(".")[0]: _read(path) for path in sorted(DATA.glob("*.json*"))}
    return {n: f for n, f in found.items() if held_out is None or f.get("held_out", False) == held_out}


def _read(path: Path) -> dict[str, Any]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found: dict[str, Any] = json.loads(text)
    return found


def recorded(name: str) -> tuple[list[Sample], int]:
    """A real run's samples and its modulus."""
    found = _read(next(DATA.glob(f"{name}.json*")))
    columns = [[NAN if v is None else v for v in found["columns"][f.name]] for f in fields(Sample)]
    return [Sample(*row) for row in zip(*columns, strict=True)], found["p"]


FITTED = {
    "train_loss": curve({1: 4.7, 60: 4.4, 100: 2.0, 200: 0.02, 500: 7.5e-4, 1000: 4e-6, 1500: 3.5e-7, 5000: 3e-7})
}


def learned(epoch: float) -> float:
    """Train accuracy of a run that has memorised by epoch 200."""
    return min(1.0, 0.01 + (epoch / 200) ** 2)


def mainline(end: int = 16_000, every: int = 50) -> list[Sample]:
    """nanda113, seeds 0 and 0, one layer, float64 loss: measured rows."""
    return run(
        end,
        every,
        train_loss=FITTED["train_loss"],
        train_accuracy=learned,
        test_loss=curve(
            {1: 4.76, 40: 4.9, 100: 7.7, 200: 15, 400: 17.7, 1200: 25.4, 1500: 25.5, 2000: 24.5, 2800: 22.4, 3600: 20.3}
            | {4800: 17.1, 6000: 12.8, 6800: 5.96, 7200: 1.43, 8000: 3.2e-3, 10000: 6.2e-6, 12800: 2e-6, 16000: 6.6e-7}
        ),
        test_accuracy=lambda e: min(1.0, curve({1: 0.009, 400: 0.027, 1200: 0.045, 2800: 0.066, 4800: 0.117,
            6000: 0.187, 6800: 0.395, 7200: 0.736, 8000: 0.999, 8400: 1.0})(e)),
        excluded_key_free=curve(
            {1: 4.7, 100: 3.0, 400: 0.72, 1200: 0.416, 2000: 0.8, 2800: 1.68, 3600: 3.0, 4800: 5.51, 6000: 8.71}
            | {6800: 12.1, 7200: 14.1, 8000: 16.5, 10000: 16.0, 12800: 10.0, 16000: 7.39}
        ),
        test_fve=curve(
            {1: 2e-5, 100: 1.3e-3, 400: 2e-3, 1200: 6e-3, 2000: 0.011, 2800: 0.04, 4800: 0.2, 7000: 0.5, 8800: 0.8}
            | {16000: 0.93}
        ),
        sum_of_squares=curve(
            {1: 1780, 100: 3000, 400: 3614, 1200: 3550, 2000: 2965, 2800: 2762, 3600: 2639, 4800: 2489, 6000: 2338}
            | {6800: 2141, 7200: 1929, 8000: 1421, 10000: 1080, 12800: 1022, 16000: 987}
        ),
    )  # fmt: skip


def lookup_table(end: int = 30_000, every: int = 50, fve: float = 0.004, decay: float = 2e-4) -> list[Sample]:
    """Memorises, then its logits shrink to nothing: test loss falls from its peak, excluded loss rises, no circuit.

    With logit mu at the right class of a training pair, and test logits of standard deviation mu/2:
    train loss ln(1 + (p-1) e^-mu), excluded the same at (1-f) mu, test loss ln p + (mu/2)^2 / 2.
    """
    p, f, noise = 113, 0.3, random.Random(0)

    def mu(epoch: float) -> float:
        return 20 * min(1.0, (epoch + 1) / 1000) * math.exp(-decay * max(0.0, epoch - 1500))

    def confused(margin: float) -> float:
        return math.log1p((p - 1) * math.exp(-margin))

    return run(
        end,
        every,
        train_loss=lambda e: confused(mu(e)),
        train_accuracy=lambda e: learned(e) if mu(e) > 0.1 else 0.01,
        test_loss=lambda e: math.log(p) + mu(e) ** 2 / 8,
        test_accuracy=0.02,
        excluded_key_free=lambda e: confused((1 - f) * mu(e)),
        test_fve=lambda _: fve * noise.uniform(0.85, 1.15),
        sum_of_squares=lambda e: 100 * mu(e),
    )
