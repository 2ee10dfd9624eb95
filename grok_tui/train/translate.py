"""One model under other programs' names and shapes: a state dict in, our weights out, and back.

Two styles are known. *Published* is the training code of Nanda et al. 2023: `embed.W_E` [d, v],
`blocks.0.attn.W_K` [h, e, d], `blocks.0.attn.W_O` [d, h*e]. *TransformerLens* is its `HookedTransformer`:
`embed.W_E` [v, d], `blocks.0.attn.W_K` [h, d, e], `blocks.0.attn.W_O` [h, e, d], and biases everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from einops import einsum, rearrange
from torch import Tensor

from grok_tui.errors import ExchangeError
from grok_tui.train.circuit import Parameters
from grok_tui.train.model import Transformer

PUBLISHED, TRANSFORMERLENS = "the published training code", "TransformerLens"

NAMES = {
    "embed.W_E": "W_E",
    "pos_embed.W_pos": "W_pos",
    "blocks.0.attn.W_K": "W_K",
    "blocks.0.attn.W_Q": "W_Q",
    "blocks.0.attn.W_V": "W_V",
    "blocks.0.attn.W_O": "W_O",
    "blocks.0.mlp.W_in": "W_in",
    "blocks.0.mlp.b_in": "b_in",
    "blocks.0.mlp.W_out": "W_out",
    "blocks.0.mlp.b_out": "b_out",
    "unembed.W_U": "W_U",
}
"""Theirs -> ours; the same in both styles."""

AXES = {
    "W_E": ("v d", "d v"),
    "W_K": ("h d e", "h e d"),
    "W_Q": ("h d e", "h e d"),
    "W_V": ("h d e", "h e d"),
    "W_O": ("h e d", "d (h e)"),
    "W_in": ("d m", "m d"),
    "W_out": ("m d", "d m"),
}
"""TransformerLens's axes and ours, where they differ. The published ones are ours."""

DIMENSIONS = {
    "W_E": 2,
    "W_pos": 2,
    "W_K": 3,
    "W_Q": 3,
    "W_V": 3,
    "W_in": 2,
    "b_in": 1,
    "W_out": 2,
    "b_out": 1,
    "W_U": 2,
}
"""Of every weight but W_O, whose dimensions tell the style."""

BIASES = {f"blocks.0.attn.b_{x}": f"b_{x}" for x in "QKVO"} | {"unembed.b_U": "b_U"}
"""TransformerLens's, which our model does not have."""

BUFFERS = ("blocks.0.attn.mask", "blocks.0.attn.IGNORE")
"""Constants that both programs store."""

FOREIGN_PARTS = (
    (r"blocks\.[1-9]\d*\.", "a second layer; one was expected"),
    (r"(\bln\d?\b|ln_final|ln_pre|layernorm|\.ln[12]_post)", "a LayerNorm; none was expected"),
    (r"(W_gate|b_gate)", "a gated MLP; a plain ReLU one was expected"),
    (r"rotary", "rotary positions; learned ones were expected"),
    (r"\._[WbKV]", "keys and values shared between heads; each head was expected to have its own"),
)
"""Pattern of a key -> what it is."""


@dataclass(frozen=True)
class Translated:
    """Weights under our names, float32, and what had to be done to them."""

    weights: Parameters
    style: str
    outputs: int
    """p + 1, or p where "=" is no possible answer."""
    notes: tuple[str, ...]


def shape_of(weights: Parameters) -> Transformer:
    """The model that weights under our names belong to."""
    d, v = weights["W_E"].shape
    return Transformer(v - 1, d, weights["W_K"].shape[0], weights["W_in"].shape[0])


def ours(state: Mapping[str, Any], where: str) -> Translated:
    """The weights in a state dict of either style.

    Raises:
        ExchangeError: it is of another model; names the key.
    """
    found = _known(state, where)
    w = {name: found[key] for key, name in NAMES.items()}
    style = {2: PUBLISHED, 3: TRANSFORMERLENS}.get(w["W_O"].ndim)
    for key, name in NAMES.items():
        if style is None or (name in DIMENSIONS and w[name].ndim != DIMENSIONS[name]):
            wrong = key if style else "blocks.0.attn.W_O"
            raise ExchangeError(f"{where}: {wrong} has {found[wrong].ndim} dimensions, which fits neither known style")
    if style == TRANSFORMERLENS:
        w = {name: rearrange(x, " -> ".join(AXES[name])) if name in AXES else x for name, x in w.items()}
    outputs = _check_shapes(w, found, style == TRANSFORMERLENS, where)
    notes = []
    if outputs < w["W_E"].shape[1]:
        w["W_U"] = torch.cat((w["W_U"], w["W_U"].new_zeros(len(w["W_U"]), 1)), 1)
        notes.append('the output for "=", which the file has not, is a column of zeros in W_U that no measure counts')
    notes += _fold({name: found[key] for key, name in BIASES.items() if key in found}, w, where)
    if any(found[key].dtype == torch.float64 for key in NAMES):
        notes.append("float64 weights are rounded to float32")
    return Translated({name: x.float().contiguous() for name, x in w.items()}, str(style), outputs, tuple(notes))


def transformerlens(weights: Parameters) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A `HookedTransformer`'s state dict, and what its `HookedTransformerConfig` is made of."""
    model = shape_of(weights)
    h, e, v = model.n_heads, model.d_model // model.n_heads, model.p + 1
    state = {}
    for key, name in NAMES.items():
        theirs, mine = AXES.get(name, ("...", "..."))
        state[key] = rearrange(weights[name], f"{mine} -> {theirs}", **({"h": h} if name == "W_O" else {})).contiguous()
    state |= {f"blocks.0.attn.b_{x}": torch.zeros(h, e) for x in "QKV"}
    state |= {"blocks.0.attn.b_O": torch.zeros(model.d_model), "unembed.b_U": torch.zeros(v)}
    state |= dict(zip(BUFFERS, (torch.ones(3, 3).tril().bool(), torch.tensor(-torch.inf)), strict=True))
    config = {
        "n_layers": 1,
        "n_ctx": 3,
        "d_model": model.d_model,
        "n_heads": h,
        "d_head": e,
        "d_mlp": model.d_mlp,
        "d_vocab": v,
        "d_vocab_out": v,
        "act_fn": "relu",
        "normalization_type": None,
    }
    return state, config


def _known(state: Mapping[str, Any], where: str) -> dict[str, Tensor]:
    """The tensors of a state dict, once each is known to be a part of our model."""
    found = {}
    for key, value in state.items():
        if key in BUFFERS:
            continue
        if key not in NAMES and key not in BIASES:
            what = next((what for pattern, what in FOREIGN_PARTS if re.search(pattern, str(key))), None)
            raise ExchangeError(f"{where}: {str(key)[:80]!r} is {what or 'not a part of a one-layer transformer'}")
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise ExchangeError(f"{where}: {key} is not a tensor of floating-point numbers")
        if value.layout != torch.strided or not torch.isfinite(value).all():
            raise ExchangeError(f"{where}: {key} holds values that are not finite")
        found[key] = value.detach()
    if missing := [key for key in NAMES if key not in found]:
        raise ExchangeError(f"{where}: has no {missing[0]}, which a one-layer transformer has")
    return found


def _check_shapes(w: Parameters, found: dict[str, Tensor], lens: bool, where: str) -> int:
    """The number of outputs, once all shapes fit each other."""
    model = shape_of(w)
    expected = model.shapes if model.n_heads and model.d_model >= model.n_heads else {}
    outputs = w["W_U"].shape[1]
    for key, name in NAMES.items():
        shape, wanted = tuple(w[name].shape), expected.get(name)
        fits = shape == wanted or (name == "W_U" and outputs == model.p and shape[0] == model.d_model)
        if not fits:
            shown, positions = "x".join(map(str, found[key].shape)), name == "W_pos" and shape[0] != 3
            why = (
                "3 positions were expected, of a, b and ="
                if positions
                else f"with p = {model.p}, d_model = {model.d_model}, {model.n_heads} heads and {model.d_mlp} neurons"
                f" it does not fit {'TransformerLens' if lens else 'the published training code'}"
            )
            raise ExchangeError(f"{where}: {key} is {shown}; {why}")
    return outputs


def _fold(biases: Parameters, w: Parameters, where: str) -> list[str]:
    """Put biases that our model lacks into weights that it has, so that its answers stay the same; says how.

    b_K adds the same to all scores of a query, which the softmax does not see. The softmax's weights sum to
    1, so b_V and b_O add one constant to the residual stream, which the MLP and the unembedding read. The
    one query that counts is that of "=", so b_Q is what W_Q can add for that vector alone.
    """
    biases = {name: bias.double() for name, bias in biases.items() if bias.any()}
    for name, bias in biases.items():
        fits = {"b_O": w["b_out"].shape, "b_U": w["W_U"].shape[1:]}.get(name, w["W_K"].shape[:2])
        if name == "b_U" and bool((bias != bias.flatten()[0]).any()):
            raise ExchangeError(f"{where}: unembed.b_U is not zero; our model's outputs have no biases")
        if name != "b_U" and bias.shape != fits:
            raise ExchangeError(
                f"{where}: blocks.0.attn.{name} is {'x'.join(map(str, bias.shape))}, which does not fit"
            )
    if "b_V" in biases or "b_O" in biases:
        through = w["W_O"].double() @ biases.get("b_V", w["W_V"].new_zeros(w["W_V"].shape[:2]).double()).flatten()
        constant = through + biases.get("b_O", 0.0)
        w["b_in"] = w["b_in"].double() + w["W_in"].double() @ constant
        w["b_out"] = w["b_out"].double() + constant
    if "b_Q" in biases:
        x_eq = w["W_E"][:, -1].double() + w["W_pos"][2].double()
        if not x_eq.any():
            raise ExchangeError(f'{where}: blocks.0.attn.b_Q is not zero, and "=" has no embedding to put it on')
        w["W_Q"] = w["W_Q"].double() + einsum(biases["b_Q"], x_eq / x_eq.square().sum(), "h e, d -> h e d")
    said = {
        "b_Q": 'b_Q is put into W_Q, on the embedding of "="',
        "b_K": "b_K, which the softmax does not see, is left out",
        "b_V": "b_V is put into b_in and b_out",
        "b_O": "b_O is put into b_in and b_out",
        "b_U": "b_U, the same for every output, is left out",
    }
    return [f"{said[name]}: the same answers" for name in biases]
