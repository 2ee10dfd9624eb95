"""The scripted run with every fast and slow measure of the chart panes planted beside what it has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grok_tui.protocol import Array, ArrayInfo, Catalogue, Frame, Hello, Points, SeriesInfo
from tests.ui import story
from tests.ui.story import alpha_at

Floats = NDArray[np.float64]
FAST, SLOW = 100, 500
MATRICES = ("W_E", "W_pos", "W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U")

SERIES = (
    *(SeriesInfo(name, name, every=FAST) for name in ("gini_W_E", "gini_W_L", "weight_norm_ratio", "norm_W_U")),
    SeriesInfo("restricted_accuracy", "restricted accuracy", reading="provisional", every=FAST),
    *(SeriesInfo(f"sum_of_squares_{name}", name, log=True, every=FAST) for name in MATRICES),
    *(SeriesInfo(name, name, "nats", every=FAST) for name in ("margin_train", "margin_test")),
    *(SeriesInfo(f"margin_test_{share}", share, "nats", every=FAST) for share in ("05", "50", "95")),
    SeriesInfo("about_to_flip", "about to flip", every=FAST),
    SeriesInfo("zero_losses", "exact-zero losses", every=FAST),
    SeriesInfo("excluded_loss_max", "excluded loss, largest of all k", "nats", log=True, every=SLOW),
    *(SeriesInfo(name, name, every=SLOW) for name in ("distance_irrelevance", "gradient_symmetricity", "circularity")),
    *(SeriesInfo(name, name, every=SLOW) for name in ("effective_dimension", "ipr_W_E", "ipr_neurons")),
)
ARRAYS = (
    ArrayInfo("alpha_test", "alpha_k, test pairs", every=FAST),
    ArrayInfo("fourier_W_L", "Fourier norms of W_L", every=FAST),
    ArrayInfo("excluded_per_frequency", "train loss without k", every=SLOW),
    ArrayInfo("ablation_per_frequency", "loss without k", every=SLOW),
)


def hello() -> Hello:
    """A hello that announces them."""
    old = story.hello()
    found = old.catalogue
    return replace(old, catalogue=Catalogue((*found.series, *SERIES), (*found.arrays, *ARRAYS), found.controls))


def frames(until: int = story.EPOCHS) -> list[Frame]:
    """The run up to an epoch, with them."""
    told = story.frames(until)
    epochs = np.arange(0, until + 1, FAST)
    arrays = [array for epoch in range(0, until + 1, SLOW) for array in _arrays(epoch)]
    slow = epochs[:: SLOW // FAST]
    points = [Points(epochs, _columns(epochs)), Points(slow, _structure(slow))]
    return [hello(), *told[1:-1], *points, *arrays, told[-1]]


def excluded_at(epoch: int) -> Floats:
    """The train loss without each frequency: what a frequency of that strength would hold up."""
    return np.asarray(3e-7 + 0.3 * np.expm1(np.minimum(alpha_at(epoch) / 6, 4)) ** 2)


def _arrays(epoch: int) -> list[Array]:
    excluded = excluded_at(epoch)
    alpha = alpha_at(epoch)
    return [
        Array(epoch, "alpha_test", (0.9 * alpha).astype(np.float32)),
        Array(epoch, "fourier_W_L", (story.norms_at(epoch) * alpha / alpha.max()).astype(np.float32)),
        Array(epoch, "excluded_per_frequency", excluded.astype(np.float32)),
        Array(epoch, "ablation_per_frequency", (1.3 * excluded).astype(np.float32)),
    ]


def _structure(epochs: NDArray[np.int64]) -> dict[str, Floats]:
    """A clock's, that reads q near 1 before there is a circuit."""
    grown = np.clip((epochs - 1500) / 6500, 0, 1)
    return {
        "distance_irrelevance": 0.98 - 0.4 * np.sin(np.pi * grown) - 0.1 * grown,
        "gradient_symmetricity": 0.7 - 0.35 * grown,
        "circularity": 0.3 + 0.68 * grown**2,
        "effective_dimension": 90 - 78 * grown,
        "ipr_W_E": 0.02 + 0.2 * grown**2,
        "ipr_neurons": 0.05 + 0.8 * grown**2,
    }


def _columns(epochs: NDArray[np.int64]) -> dict[str, Floats]:
    grown = np.clip((epochs - 1500) / 6500, 0, 1)
    margin = -18 + 36 * grown
    columns = {
        "gini_W_E": 0.15 + 0.6 * grown**2,
        "gini_W_L": 0.2 + 0.7 * grown**2,
        "weight_norm_ratio": 1.2 - 0.55 * grown**3,
        "norm_W_U": 28 - 9 * grown,
        "restricted_accuracy": np.clip(0.05 + 1.4 * grown, 0, 1),
        "margin_train": 16 - 3 * grown,
        "margin_test": margin,
        "margin_test_05": margin - 9,
        "margin_test_50": margin + 0.5,
        "margin_test_95": margin + 8,
        "about_to_flip": np.exp(-((margin / 6) ** 2)) * 0.2,
        "zero_losses": np.where(epochs % 3000 == 0, 25.0, 0.0),
        "excluded_loss_max": 1e-6 + 12 * grown**3,
    }
    for nth, name in enumerate(MATRICES):
        columns[f"sum_of_squares_{name}"] = (60 + 45 * nth) * (1.1 - 0.6 * grown**3)
    return {name: np.asarray(column, np.float64) for name, column in columns.items()}
