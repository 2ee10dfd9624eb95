"""The numbers' embedding seen on planes: those of its waves, and that of its principal components. Pure.

An embedding is [d, p]: a column for each number.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from grok_tui.series import Floats, Ints

BLOCK, ROUNDS = 10, 15
"""Directions that the search for the principal ones carries along, and its steps."""


@lru_cache(maxsize=4)
def waves(p: int) -> tuple[Floats, Floats]:
    """The waves cos and sin of 2 pi k a / p for k = 1..(p-1)//2, each of norm 1: [p, k], [p, k]."""
    angles = 2 * np.pi * np.outer(np.arange(p), np.arange(1, (p - 1) // 2 + 1)) / p
    return np.cos(angles) * np.sqrt(2 / p), np.sin(angles) * np.sqrt(2 / p)


def powers(embedding: Floats) -> Floats:
    """The share of the numbers' variance that each frequency holds: [k]; for an odd p they add to 1."""
    power: Floats = sum(((embedding @ wave) ** 2).sum(axis=0) for wave in waves(embedding.shape[1]))
    return power / (_variance(embedding) or 1.0)


FAINT = 0.05
"""Frequencies that hold less than this part of what the strongest holds are left out."""


def strongest(embedding: Floats, most: int) -> list[int]:
    """The frequencies that hold most of the variance, the strongest first."""
    held = powers(embedding)
    order = np.argsort(-held, kind="stable")[:most]
    return [int(k) + 1 for k in order if held[k] >= FAINT * held[order[0]]]


def wave_axes(embedding: Floats, k: int) -> Floats:
    """The two orthonormal directions nearest to those that carry cos and sin of frequency k: [d, 2].

    They have no free sign: number a lies towards the angle 2 pi k a / p in every frame.
    """
    both = np.stack([embedding @ wave[:, k - 1] for wave in waves(embedding.shape[1])], axis=1)
    left, _, right = np.linalg.svd(both, full_matrices=False)
    return np.asarray(left @ right)


def principal_axes(embedding: Floats) -> Floats:
    """The two directions of largest variance over the numbers: [d, 2]; with d = 1 the second is none, all zeros.

    By subspace iteration on a few directions: a whole decomposition is given to threads, which wait for each
    other for tens of milliseconds on a machine that is busy training.
    """
    centred = _centred(embedding)
    basis = centred[:, :BLOCK]
    for _ in range(ROUNDS):
        basis, _ = np.linalg.qr(centred @ (centred.T @ basis))
    _, inside = np.linalg.eigh((inner := basis.T @ centred) @ inner.T)
    axes = basis @ inside[:, :-3:-1]
    return np.asarray(np.pad(axes, ((0, 0), (0, 2 - axes.shape[1]))))


def aligning(points: Floats, before: Floats) -> Floats:
    """The turn, or reflection, that brings `points` nearest to `before` (orthogonal Procrustes): [n, 2] -> [2, 2]."""
    left, _, right = np.linalg.svd(points.T @ before)
    return np.asarray(left @ right)


def seen(embedding: Floats, axes: Floats) -> Floats:
    """The numbers, less their mean, on the plane of two orthonormal directions: [d, 2] -> [p, 2]."""
    return np.asarray(_centred(embedding).T @ axes)


def share(points: Floats, embedding: Floats) -> float:
    """The share of the numbers' variance that is seen on a plane."""
    return float((points**2).sum()) / (_variance(embedding) or 1.0)


def around(p: int, k: int) -> Ints:
    """The numbers in the order in which they follow each other on the circle of frequency k."""
    return np.argsort(np.arange(p) * k % p, kind="stable")


def winds(points: Floats, order: Ints) -> bool:
    """Whether points that follow each other lie near each other, so that a line through them is no tangle."""
    steps = np.hypot(*(points[np.roll(order, -1)] - points[order]).T)
    return bool(steps.mean() < 0.4 * np.hypot(*points.T).mean())


def _centred(embedding: Floats) -> Floats:
    return np.asarray(embedding - embedding.mean(axis=1, keepdims=True))


def _variance(embedding: Floats) -> float:
    return float((_centred(embedding) ** 2).sum())
