"""A scripted nanda113 run: memorises by 200, forms its circuit until 6,900, cleans up by 8,000; no trainer needed.

The shapes follow one real run of the preset; between its readings the curves are interpolated and carry a
little noise of a fixed seed, so every picture made from them is the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grok_tui import config
from grok_tui.paths import presets_dir
from grok_tui.protocol import (
    PROTOCOL,
    Array,
    ArrayInfo,
    Catalogue,
    ControlInfo,
    Event,
    Frame,
    Hello,
    Points,
    SeriesInfo,
    Status,
)

EPOCHS = 40_000
P = 113
KEYS = (28, 7, 13, 4, 1)
SPIKE = 24_310
"""A slingshot of one epoch in the train loss."""

BEGIN = 1_760_000_000.0
"""When the run started, in seconds since 1970."""

RATE = 45.0

CATALOGUE = Catalogue(
    series=(
        SeriesInfo("train_loss", "train loss", "nats", log=True, about="cross-entropy on the training pairs"),
        SeriesInfo("test_loss", "test loss", "nats", log=True, about="cross-entropy on the other pairs"),
        SeriesInfo("train_accuracy", "train accuracy", about="share of the training pairs that are right"),
        SeriesInfo("test_accuracy", "test accuracy", about="share of the other pairs that are right"),
        SeriesInfo("restricted_loss", "restricted loss", "nats", log=True, reading="provisional"),
        SeriesInfo("excluded_loss", "excluded loss", "nats", log=True, reading="provisional"),
        SeriesInfo("excluded_loss_key_free", "excluded loss", "nats", log=True, reading="key-free"),
        SeriesInfo("test_fve", "test logits explained", about="by cos(w_k(a+b-c)), fitted on test pairs only"),
        SeriesInfo("sum_of_squares", "sum of squared weights"),
        SeriesInfo("key_count", "key frequencies"),
    ),
    arrays=(
        ArrayInfo("fourier_W_E", "Fourier norms of W_E", "frequency k = 1..56", "rows: cos, sin"),
        ArrayInfo("alpha", "alpha_k", "frequency k = 1..56"),
        ArrayInfo("key_frequencies", "key frequencies"),
    ),
    controls=(
        ControlInfo("weight_decay", "weight decay", 1.0, 0.0, 1000.0, "decoupled; each step shrinks the weights"),
        ControlInfo("lr", "learning rate", 1e-3, 0.0, 1.0),
    ),
)

_READINGS: dict[str, dict[int, float]] = {
    "train_loss": {
        **{0: 4.76, 10: 4.74, 50: 4.2, 100: 2.6, 150: 0.35, 200: 2e-2, 400: 2.4e-3, 500: 7.5e-4, 800: 3e-5},
        **{1000: 4e-6, 1200: 8.5e-7, 1500: 3.5e-7, 4800: 2.9e-7, 6000: 2.7e-7, 7200: 1.9e-7, 8000: 1.4e-7},
        **{10000: 1.2e-7, 16000: 1.1e-7, 40000: 9.5e-8},
    },
    "test_loss": {
        **{0: 4.76, 10: 4.75, 50: 5.1, 100: 7.7, 200: 13.4, 400: 17.7, 800: 23.6, 1200: 25.4, 1450: 25.7},
        **{2000: 24.5, 2800: 22.4, 3600: 20.3, 4800: 17.1, 6000: 12.8, 6800: 5.96, 7200: 1.43, 7500: 0.12},
        **{8000: 3.2e-3, 10000: 6.2e-6, 12800: 2e-6, 16000: 6.6e-7, 40000: 2.6e-7},
    },
    "train_accuracy": {0: 0.009, 50: 0.08, 100: 0.42, 150: 0.93, 180: 0.998, 200: 1.0, 40000: 1.0},
    "test_accuracy": {
        **{0: 0.009, 100: 0.012, 400: 0.027, 1200: 0.045, 2000: 0.054, 2800: 0.066, 3600: 0.085, 4800: 0.117},
        **{6000: 0.187, 6800: 0.395, 7200: 0.736, 7600: 0.955, 8000: 0.999, 8400: 1.0, 40000: 1.0},
    },
    "restricted_loss": {
        **{0: 4.74, 100: 4.6, 400: 4.24, 1200: 3.14, 1600: 1.2, 2000: 0.47, 2800: 0.97, 3200: 1.05, 3600: 1.01},
        **{4800: 0.629, 6000: 0.136, 6800: 3e-3, 7200: 1.9e-5, 8000: 9.6e-9, 10000: 8.5e-9, 16000: 3.8e-8},
        40000: 7e-8,
    },
    "excluded_loss": {
        **{0: 4.74, 100: 2.9, 200: 0.2, 400: 1.4e-2, 1200: 3.7e-4, 1600: 9e-3, 2000: 0.12, 2800: 0.128, 3600: 0.454},
        **{4800: 2.13, 6000: 5.29, 6800: 9.56, 7200: 12.6, 8000: 16.3, 10000: 15.8, 12800: 9.93, 16000: 7.45},
        40000: 5.0,
    },
    "excluded_loss_key_free": {
        **{0: 4.74, 100: 3.4, 400: 0.72, 1200: 0.416, 2000: 0.8, 2800: 1.68, 3600: 3.0, 4800: 5.51, 6000: 8.71},
        **{6800: 12.1, 7200: 14.1, 8000: 16.5, 10000: 16.0, 12800: 10.0, 16000: 7.39, 40000: 5.0},
    },
    "test_fve": {
        **{0: 1e-3, 1000: 0.03, 1400: 0.04, 2800: 0.1, 4800: 0.25, 6000: 0.5, 7200: 0.75, 8000: 0.82},
        **{12000: 0.91, 40000: 0.96},
    },
    "sum_of_squares": {
        **{0: 2530, 100: 2900, 400: 3614, 1200: 3550, 2000: 2965, 2800: 2762, 3600: 2639, 4800: 2489, 6000: 2338},
        **{6800: 2141, 7200: 1929, 8000: 1421, 10000: 1080, 12800: 1022, 16000: 987, 40000: 950},
    },
    "key_count": {0: 56, 400: 53, 1200: 33, 2000: 20, 2800: 9, 3600: 6, 4800: 5, 40000: 5},
}

_LINEAR = frozenset({"train_accuracy", "test_accuracy", "test_fve", "key_count"})
_EVERY_EPOCH = ("train_loss", "train_accuracy")


def hello(run: str = "nanda113-1") -> Hello:
    """The first frame of the run."""
    settings = config.from_tables(_tables(), "nanda113")
    return Hello(
        protocol=PROTOCOL,
        run=run,
        version="0.1.0",
        config={**_tables(), "name": settings.name, "about": settings.about},
        machine={"device": "cpu", "threads": 1, "torch": "2.13.0", "host": "bench"},
        epochs=EPOCHS,
        catalogue=CATALOGUE,
    )


def frames(
    until: int = EPOCHS,
    changes: Sequence[tuple[int, str, float]] = (),
    state: str = "",
    run: str = "nanda113-1",
) -> list[Frame]:
    """The run up to epoch `until`, ending with a status; `changes` are (epoch, control, value), in order.

    `state` is the status's; running by default, and finished at the end. With `until < 0` only the hello.
    """
    if until < 0:
        return [hello(run)]
    told: list[Frame] = [hello(run), Event(0, "started", "started on cpu, 1 thread", BEGIN)]
    controls = {info.name: info.value for info in CATALOGUE.controls}
    pending = list(changes)
    keys: tuple[int, ...] = ()
    train = _curves(_EVERY_EPOCH, np.arange(EPOCHS + 1))
    inner = _curves(tuple(name for name in _READINGS if name not in _EVERY_EPOCH), measured(EPOCHS))
    for start in range(0, until + 1, 500):
        end = min(start + 500, until + 1)
        while pending and pending[0][0] < end:
            epoch, name, value = pending.pop(0)
            told.append(_changed(epoch, name, value, controls[name], len(changes) - len(pending)))
            controls[name] = value
        told += [_cut(train, start, end), _cut(inner, start, end)]
        now = _keys_at(end - 1)
        told += [Array(end - 1, "fourier_W_E", norms_at(end - 1)), Array(end - 1, "alpha", alpha_at(end - 1))]
        if now != keys:
            told.append(Array(end - 1, "key_frequencies", np.array(now, np.int32)))
            keys = now
        if start and start % 2000 == 0:
            file = f"resume/{start:08}.safetensors"
            told.append(Event(start, "checkpoint", f"resume point {start:,}", _clock(start), data={"file": file}))
    state = state or ("finished" if until >= EPOCHS else "running")
    if state in ("finished", "stopped", "paused", "failed"):
        told.append(Event(until, state, f"{state} at epoch {until:,}", _clock(until)))
    told.append(Status(until, state, RATE if state == "running" else 0.0, controls, 1000 * until))
    return told


def measured(until: int) -> NDArray[np.int64]:
    """The epochs at which the inside was looked at: a log-spaced start, then every 50."""
    start = np.unique(np.geomspace(1, 700, 60).astype(np.int64))
    return np.concatenate(([0], start, np.arange(750, until + 1, 50)))


def norms_at(epoch: int) -> NDArray[np.float32]:
    """The norms of W_E's cos and sin components: [2, 56]."""
    grown = _smooth(epoch, 1500, 7500)
    left = 1.0 - 0.94 * _smooth(epoch, 1200, 8500)
    noise = 1 + 0.12 * np.random.default_rng(3).standard_normal((2, (P - 1) // 2))
    norms = left * noise * (1 + 0.25 * _smooth(epoch, 30, 300))
    for k, strength in zip(KEYS, (2.7, 2.1, 2.0, 1.9, 0.75), strict=True):
        norms[:, k - 1] += grown * strength * np.array([1.0, 0.86 + 0.03 * (k % 5)])
    return norms.astype(np.float32)


def alpha_at(epoch: int) -> NDArray[np.float32]:
    """The strength of each frequency in the test logits: [56]."""
    grown = _smooth(epoch, 1000, 8000)
    fading = 300.0 * 8 ** np.random.default_rng(4).random((P - 1) // 2)
    alpha = 0.25 * np.exp(-epoch / fading)
    for k, strength in zip(KEYS, (17.2, 10.5, 9.6, 8.3, 0.98), strict=True):
        alpha[k - 1] += grown * strength
    return alpha.astype(np.float32)


def _keys_at(epoch: int) -> tuple[int, ...]:
    alpha = alpha_at(epoch)
    return tuple(int(k) + 1 for k in np.flatnonzero(alpha >= 0.05 * alpha.max()))


def _curves(names: Sequence[str], epochs: NDArray[np.int64]) -> Points:
    rng = np.random.default_rng(1)
    values = {}
    for name in names:
        at, readings = np.array(list(_READINGS[name])), np.array(list(_READINGS[name].values()))
        noise = rng.standard_normal(len(epochs))
        if name in _LINEAR:
            column = np.interp(np.log1p(epochs), np.log1p(at), readings)
            column = np.where((column > 0.02) & (column < 0.98), column + 0.004 * noise, column)
            values[name] = np.round(column) if name == "key_count" else column
        else:
            column = np.interp(np.log1p(epochs), np.log1p(at), np.log(readings))
            values[name] = np.exp(column + 0.02 * noise * (epochs > 20))
        if name == "train_loss":
            values[name][SPIKE] = 0.8
    return Points(epochs, values)


def _cut(points: Points, start: int, end: int) -> Points:
    here = slice(*np.searchsorted(points.epochs, (start, end)))
    return Points(points.epochs[here], {name: column[here] for name, column in points.values.items()})


def _changed(epoch: int, name: str, value: float, previous: float, seq: int) -> Event:
    data = {"control": name, "value": value, "previous": previous}
    return Event(epoch, "changed", f"{name} {previous:g} → {value:g}", _clock(epoch), seq, data)


def _clock(epoch: int) -> float:
    return BEGIN + epoch / RATE


def _smooth(epoch: float, start: float, end: float) -> float:
    x = min(max((epoch - start) / (end - start), 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _tables() -> dict[str, Any]:
    import tomllib

    return tomllib.loads((presets_dir() / "nanda113.toml").read_text(encoding="utf-8"))
