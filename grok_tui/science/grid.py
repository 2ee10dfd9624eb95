"""The grid of all pairs: sums along its four families of lines, and the grid laid out as maps over (a, b).

A quantity on the grid is indexed [s, a, ...] with s = a+b mod p, as everywhere in this package. What one
frequency has to say about it is in the four sums: a wave cos(w_k(m a + n b)) with (m, n) = (1, 0), (0, 1),
(1, 1) or (1, -1) is constant along one family of lines, so its coefficient is that of a wave in p numbers.
No two-dimensional transform is needed, and nothing is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

CONSTANT = 1e-12
"""A column whose variance is below this share of its mean square is constant: float32's rounding leaves 1e-14."""


class LineSums(NamedTuple):
    """A grid of m columns summed along its lines, in float64."""

    first: Tensor
    """[p, m], row a: over the pairs with that a."""
    second: Tensor
    """[p, m], row b."""
    sum: Tensor
    """[p, m], row a+b."""
    difference: Tensor
    """[p, m], row a-b."""
    variation: Tensor
    """[m], sum of squares over all pairs about the column's mean; 0 where the column is constant."""


def line_sums(grid: Tensor) -> LineSums:
    """Sum every column of the grid along its four families of lines.  [s, a, m] -> 4 x [p, m], [m].

    One row of the grid at a time goes to float64 and is added in two pieces, so it stays in the cache: 32 ms
    for 512 columns at p = 113 on one thread. In float32 it would be 16 ms; both are small beside the
    activations themselves, and in float64 the shares below are right to the last digits.
    """
    p, _, m = grid.shape
    if p % 2 == 0:
        raise ValueError(f"p = {p} is even: a+b and a-b are then even or odd together, and do not name the pair")
    first, second, along, difference = grid.new_zeros(4, p, m, dtype=torch.float64)
    squares = grid.new_zeros(m, dtype=torch.float64)
    for s, row in enumerate(grid):
        numbers = row.double()  # [a, m]
        first += numbers
        torch.sum(numbers, 0, out=along[s])
        _add_rolled(second, numbers, s)  # row a-s = -b
        _add_rolled(difference, numbers, s * (p + 1) // 2 % p)  # row a-s/2 = (a-b)/2
        squares += numbers.square_().sum(0)
    number = torch.arange(p, device=grid.device)
    variation = squares - first.sum(0).square() / p**2
    return LineSums(
        first,
        second[-number % p],
        along,
        difference[number * (p + 1) // 2 % p],
        torch.where(variation > CONSTANT * squares, variation, 0),
    )


def maps(grid: Tensor) -> Tensor:
    """The grid over (a, b).  [s, a, ...] -> [a, b, ...], for any p."""
    a = torch.arange(len(grid), device=grid.device)
    return grid[(a[:, None] + a) % len(grid), a[:, None]]


def _add_rolled(to: Tensor, rows: Tensor, by: int) -> None:
    """to[j - by] += rows[j], indices mod p."""
    to[: len(rows) - by] += rows[by:]
    to[len(rows) - by :] += rows[:by]
