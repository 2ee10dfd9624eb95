"""For `grok-tui bench scrub`: arrays that all change at every measure, and what a step of the cursor takes.

Measured at a pseudo-terminal, from the key press to the last byte of the screen that shows it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grok_tui.protocol import Array
from grok_tui.terminal import Terminal

P, KEYS = 113, (14, 35, 41, 52)
STEPS = 80
QUIET = 0.15
"""Seconds without a byte after which a screen is whole: more than any pause within one."""

REPEATS, EVERY = 45, 1 / 30
"""A held key: how often, and seconds between two."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What steps of the cursor took, in milliseconds."""

    middle: float
    high: float
    """95th percentile."""
    late: float
    """From the last repeat of a held key to the last byte."""


def circuit(epoch: int, epochs: int) -> Iterator[Array]:
    """The large and the small arrays of nanda113 as a circuit forms, each with noise of its own epoch."""
    rng, formed = np.random.default_rng(epoch), min(4 * epoch / epochs, 1.0)
    waves = np.stack([np.cos(2 * np.pi * k * np.arange(P) / P) for k in KEYS])  # [key, number]
    planes = waves[:, :, None] + waves[:, None, :]
    noise = rng.standard_normal((6, P, P))
    logits = 30 * rng.random((P, P))
    for k in KEYS:
        logits[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1] = 4000 * formed
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((128, 2 * len(KEYS))))[0]
    sines = np.stack([np.sin(2 * np.pi * k * np.arange(P) / P) for k in KEYS])
    circles = 4 * formed * axes @ np.concatenate((waves, sines)) + 0.3 * rng.standard_normal((128, P))
    found: dict[str, NDArray[np.generic]] = {
        "attention_pattern": 1 / (1 + np.exp(-2 * formed * planes - 0.2 * noise[:4])),
        "neuron_maps": np.maximum(formed * planes + 0.3 * noise[:4], 0),
        "logits_2d": logits,
        "W_E": circles,
        "neuron_fve": np.clip(rng.normal(0.1 + 0.8 * formed, 0.1, 512), 0, 1),
    }
    yield from (Array(epoch, name, values.astype(np.float16)) for name, values in found.items())
    yield Array(epoch, "neuron_frequency", np.resize(np.array(KEYS, np.int16), 512))
    yield Array(epoch, "attention_frequency", np.array(KEYS, np.int16))
    yield Array(epoch, "neuron_maps_index", np.arange(len(KEYS), dtype=np.int16))


def spectra(epoch: int, epochs: int) -> Iterator[Array]:
    """What comes with each measure."""
    rng, formed = np.random.default_rng(epoch), min(4 * epoch / epochs, 1.0)
    alpha = 0.2 * rng.random((P - 1) // 2)
    alpha[np.array(KEYS) - 1] += 15 * formed
    norms = np.stack((alpha, 0.9 * alpha)) / 5 + 0.1
    yield Array(epoch, "fourier_W_E", norms.astype(np.float32))
    yield Array(epoch, "fourier_W_L", norms.astype(np.float32))
    yield Array(epoch, "alpha", alpha.astype(np.float32))
    yield Array(epoch, "key_frequencies", np.array(KEYS, np.int32))


def steps(terminal: Terminal) -> Steps:
    """Move the cursor over the run that a terminal shows: one step at a time, then with the key held."""
    terminal.press("end")
    terminal.settle(QUIET, 10)
    took = [1000 * _answer(terminal) for _ in range(STEPS)]
    for _ in range(REPEATS):
        terminal.press("right")
        terminal.settle(EVERY, EVERY)
    late = terminal.settle(QUIET, 10)
    return Steps(*_percentiles(took), 1000 * (late or 0.0))


def _answer(terminal: Terminal) -> float:
    """Seconds that one step takes; infinite when nothing comes."""
    time.sleep(0.02)
    terminal.press("left")
    found = terminal.settle(QUIET, 10)
    return math.inf if found is None else found


def _percentiles(took: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(took)
    return ordered[len(ordered) // 2], ordered[math.ceil(0.95 * len(ordered)) - 1]
