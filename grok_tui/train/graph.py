"""A step on a GPU: recorded once as a CUDA graph, so that each further one is a single launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3
"""Steps taken before one is recorded, so that nothing is set up while it is."""


def recorded(step: Callable[[], None], changed: Sequence[Tensor]) -> torch.cuda.CUDAGraph:
    """One step as a CUDA graph; what the warm-up does to `changed`, all that steps go on from, is taken back."""
    kept = [tensor.clone() for tensor in changed]
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    for tensor, before in zip(changed, kept, strict=True):
        tensor.copy_(before)
    return graph
