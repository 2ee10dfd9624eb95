"""The measures that take longer: neurons, attention, each frequency by itself, clock or pizza."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from grok_tui.science import attention, clockwork, fourier, losses, neurons, weights
from grok_tui.science import grid as grids
from grok_tui.science.fourier import Fit
from grok_tui.train.circuit import Circuit, Parameters
from grok_tui.train.model import Transformer, pattern
from grok_tui.train.task import Table

SHOWN = 6
"""Neurons whose activations are kept as maps."""

HALF_MAX = 65_504.0
"""The largest float16; logits of a slingshot exceed it."""


@dataclass
class Seen:
    """One model at one epoch, as far as it has been computed."""

    weights: Parameters
    circuit: Circuit
    model: Transformer
    table: Table
    grid: Tensor
    """Logits of all pairs, [s, a, c]."""
    M: Tensor
    """Their mean over the pairs of one sum, [s, c] in float64."""
    alpha: Tensor
    keys: Tensor
    """bool [k]; provisional."""
    fit: Fit
    """Of sums of cosines: to the test pairs' logits, and to all pairs'."""


def look(seen: Seen, neuron_level: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Numbers and arrays, as the catalogue's CLOSE_SERIES, NEURON_LEVEL and CLOSE_ARRAYS name them."""
    table, p, w = seen.table, seen.table.p, seen.weights
    W_E = w["W_E"][:, :p]
    each_train, each = losses.excluded_each(seen.grid, seen.M, table.sets[::2])
    numbers, arrays = _neurons(seen, neuron_level)
    scores = attention.score_shares(seen.circuit.scores[0])
    head_fve, head_frequency = scores.max(0)
    to_first = pattern(seen.circuit, table.grid_a, table.grid_b)[:, 0].view(p, p, -1)  # [s, a, h]
    over_pairs = grids.maps(to_first)  # [a, b, h]
    triples = clockwork.triples(p)
    numbers |= {
        "excluded_loss_max": each_train.max(),
        "attention_fve": head_fve.mean(),
        "attention_pattern_fve": attention.pattern_shares(over_pairs).amax(0).mean(),
        "distance_irrelevance": clockwork.distance_irrelevance(seen.grid),
        "gradient_symmetricity": clockwork.gradient_symmetricity(clockwork.one_layer(w, p), W_E.double(), triples),
        "circularity": clockwork.circularity(W_E),
        "effective_dimension": weights.effective_dimension(W_E),
        "ipr_W_E": weights.ipr_of_matrix(W_E),
    }
    arrays |= {
        "excluded_per_frequency": each_train.float(),
        "ablation_per_frequency": each.float(),
        "attention_pattern": over_pairs.permute(2, 0, 1).contiguous().half(),
        "attention_frequency": (head_frequency + 1).short(),
        "attention_head_fve": head_fve.float(),
        "logits_2d": fourier.spectrum_2d(seen.grid).clamp(max=HALF_MAX).half(),
        "W_E": W_E.half(),
    }
    return numbers, arrays


def _neurons(seen: Seen, neuron_level: bool) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    table, p = seen.table, seen.table.p
    W_L = seen.circuit.W_L[:p]
    h = seen.model.activations(seen.circuit, table.grid_a, table.grid_b).view(p, p, -1)  # [s, a, m]
    lines = grids.line_sums(h)
    shares = neurons.frequency_shares(lines)
    frequency, share = neurons.strongest(shares)
    shown = neurons.examples(frequency, share, p, SHOWN)
    numbers = {
        "neurons_above_85": neurons.clusters(frequency, share, p).sum(),
        "mlp_fve": neurons.readout_fve(h, W_L, seen.keys).nanmean(),
        "W_L_residual": neurons.residual(W_L, seen.keys),
        "ipr_neurons": neurons.ipr(shares).nanmean(),
    }
    if neuron_level:
        part = neurons.through_neurons(lines, W_L)
        train = seen.grid.view(p * p, p)[table.train_rows]
        numbers |= {
            "restricted_loss_neurons": neurons.restricted(part, seen.M, seen.keys, table.counts[1]),
            "excluded_loss_neurons": neurons.excluded(train, table.train_sum, part, seen.keys),
        }
    arrays = {
        "neuron_frequency": frequency.short(),
        "neuron_fve": share.half(),
        "neuron_maps": grids.maps(h[:, :, shown]).permute(2, 0, 1).contiguous().half(),
        "neuron_maps_index": shown.short(),
    }
    return numbers, arrays
