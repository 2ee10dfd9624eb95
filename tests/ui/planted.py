"""Arrays of a p = 113 model planted by hand, in the shapes in which a trainer sends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grok_tui.protocol import Array, ArrayInfo, Frame, Hello
from tests.ui.story import hello

P, D, NEURONS = 113, 128, 512
KEYS = (14, 35, 41, 52)
EVERY = 500

Floats = NDArray[np.float64]


def greeting() -> Hello:
    """A hello that announces the arrays."""
    names = ("attention_pattern", "neuron_maps", "logits_2d", "neuron_fve", "neuron_frequency", "W_E")
    catalogue = hello().catalogue
    more = tuple(ArrayInfo(name, name, every=EVERY) for name in names)
    return replace(hello(), catalogue=replace(catalogue, arrays=(*catalogue.arrays, *more)))


def frames(*epochs: int) -> list[Frame]:
    """A hello and every array at each of the epochs."""
    return [greeting(), *(Array(epoch, name, values) for epoch in epochs for name, values in arrays(epoch).items())]


def arrays(epoch: int) -> dict[str, NDArray[np.generic]]:
    """The arrays at an epoch: noise at 0, the circuit at 10,000."""
    formed = min(epoch / 10_000, 1.0)
    rng = np.random.default_rng(epoch)
    ks = KEYS if formed > 0.3 else tuple(range(1, 57))
    return {
        "attention_pattern": np.stack([pattern(k, formed) for k in KEYS]).astype(np.float16),
        "attention_frequency": np.array(KEYS, np.int16),
        "attention_head_fve": np.array([0.91, 0.94, 0.92, 0.96], np.float32) * np.float32(formed),
        "neuron_frequency": np.resize(np.array(KEYS, np.int16), NEURONS),
        "neuron_fve": np.clip(rng.normal(0.1 + 0.8 * formed, 0.08, NEURONS), 0, 1).astype(np.float16),
        "neuron_maps": np.stack([neuron(k, formed) for k in KEYS]).astype(np.float16),
        "neuron_maps_index": np.arange(len(KEYS), dtype=np.int16),
        "logits_2d": logits(formed).astype(np.float16),
        "W_E": embedding(formed).astype(np.float16),
        "key_frequencies": np.array(ks, np.int32),
    }


def wave(k: int, phase: float = 0.0) -> Floats:
    """The cosine of frequency k: [p]."""
    return np.asarray(np.cos(2 * np.pi * k * np.arange(P) / P + phase))


def pattern(k: int, formed: float) -> Floats:
    """One head's attention to a: [a, b]."""
    return np.asarray(1 / (1 + np.exp(-2 * formed * (wave(k)[:, None] - wave(k)[None, :]))))


def neuron(k: int, formed: float) -> Floats:
    """One neuron's activation: [a, b]."""
    noise = np.random.default_rng(k).random((P, P))
    return np.asarray(np.maximum(formed * (wave(k)[:, None] + wave(k)[None, :]) + (1 - formed) * noise, 0))


def logits(formed: float) -> Floats:
    """Norms in the 2D Fourier basis: [p, p]."""
    norms = 40 * np.random.default_rng(2).random((P, P)) * (1 - 0.9 * formed)
    norms[0, 0] = 9000.0
    for k in KEYS:
        norms[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1] = 5000 * formed
    return norms


def embedding(formed: float) -> Floats:
    """W_E's columns of numbers: [d, p], circles in planes of their own, and noise."""
    rng = np.random.default_rng(5)
    found = 0.3 * (1 - 0.9 * formed) * rng.standard_normal((D, P))
    axes, _ = np.linalg.qr(rng.standard_normal((D, 2 * len(KEYS))))
    for index, k in enumerate(KEYS):
        size = formed * (4 - 0.5 * index)
        found += size * np.outer(axes[:, 2 * index], wave(k)) + size * np.outer(
            axes[:, 2 * index + 1], wave(k, -np.pi / 2)
        )
    return found
