"""The losses that depend on which frequencies are key, by the names of their series: once, for live and hindsight."""

from __future__ import annotations

from torch import Tensor

from grok_tui.science import losses
from grok_tui.science.losses import Excluded
from grok_tui.train.task import Table


def key_losses(grid: Tensor, M: Tensor, keys: Tensor, table: Table) -> tuple[dict[str, Tensor], Excluded]:
    """Restricted and excluded losses on each set of pairs, and what else was found on the way to the excluded ones.

    Args:
        grid: logits of all pairs, [s, a, c].
        M: their mean over the pairs of one sum, [s, c].
        keys: bool [k].
        table: which pairs were trained on.
    """
    excluded = losses.excluded_on(grid, M, keys, table.sets)
    restricted = losses.restricted(M, keys, table.counts)
    found = {
        "restricted_loss": restricted[1],
        "restricted_loss_train": restricted[0],
        "restricted_loss_all": restricted[2],
        "restricted_accuracy": losses.restricted_accuracy(M, keys, table.counts[2]),
        "excluded_loss": excluded.keys[0],
        "excluded_loss_test": excluded.keys[1],
        "excluded_loss_all": excluded.keys[2],
    }
    return found, excluded
