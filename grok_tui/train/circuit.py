"""One transformer layer as exact algebra: what the last position computes, and nothing else.

The answer is read at "=" only, and the keys and values of one layer depend on (token, position) alone.
So everything before the ReLU is known per number, position and head: how strongly "=" asks for it, and
what it then brings to each neuron and, past the neurons, to each logit. A pair is two softmax-weighted
sums of rows of one table, one ReLU, one product with W_L = W_U W_out. The function and its gradients are
those of the textbook form (grok_tui/train/textbook.py); more than half of the multiplications are gone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from einops import einsum, rearrange
from torch import Tensor

LINE = 16
"""Numbers in a cache line. Rows that start on one are added up 5 % of a step faster."""

Parameters = dict[str, Tensor]
"""By the field's names: W_E [d, v], W_pos [3, d], W_Q, W_K, W_V [h, e, d], W_O [d, h*e], W_in [m, d], ..."""


class Circuit(NamedTuple):
    """The weights multiplied together as far as they do not meet the data. H heads of width e, d = H*e.

    r is `width(m, v)`: after the neurons and the logits there are zeros.
    """

    scores: Tensor
    """[2, p, H], of the query at "=" with a number at position 0 or 1."""
    score_eq: Tensor
    """[H], with itself."""
    table: Tensor
    """[2*p*H, r]: what a number at a position brings through a head to the neurons and past them to the
    logits, over what "=" itself would bring. The softmax sums to 1, so "=" needs no row of its own."""
    bias: Tensor
    """[r], what reaches neurons and logits when every head attends to "=" alone."""
    W_L: Tensor
    """[v, m], from neurons to logits: W_U W_out."""


class Inside(NamedTuple):
    """What `multiply_out` finds on its way, and `pull_back` needs again."""

    x: Tensor
    """[2*p, d], the residual stream before the layer: numbers at position 0, then at position 1."""
    x_eq: Tensor
    """[d], that of "="."""
    query: Tensor
    """[h, e], of "=", scaled."""
    asked: Tensor
    """[h, d], the direction of the residual stream that "=" attends to."""
    value: Tensor
    """[2*p, h, e], the heads' values of the numbers, over that of "="."""
    value_eq: Tensor
    """[d], all heads' values of "="."""
    base: Tensor
    """[d], the residual stream after attention to "=" alone."""
    read: Tensor
    """[r, d], what reads the residual stream after attention: neurons, then logits."""
    read_heads: Tensor
    """[r, h, e], the same, of the heads' values."""


def width(m: int, v: int) -> int:
    """Of the circuit's table: neurons and logits, padded to whole cache lines."""
    return -(-(m + v) // LINE) * LINE


def multiply_out(w: Parameters, p: int) -> tuple[Circuit, Inside]:
    """The circuit of these weights: a twentieth of a step's work."""
    heads, head, _ = w["W_Q"].shape
    x = (w["W_E"].T[:p] + w["W_pos"][:2, None]).flatten(0, 1)
    x_eq = w["W_E"][:, p] + w["W_pos"][2]
    query = einsum(w["W_Q"], x_eq, "h e d, d -> h e") / math.sqrt(head)
    asked = einsum(query, w["W_K"], "h e, h e d -> h d")
    W_V = rearrange(w["W_V"], "h e d -> (h e) d")
    value_eq = W_V @ x_eq
    value = torch.addmm(-value_eq, x, W_V.T).view(-1, heads, head)
    base = w["W_O"] @ value_eq + x_eq
    padding = x.new_zeros(width(len(w["b_in"]), p + 1) - len(w["b_in"]) - p - 1, len(x_eq))
    read = torch.cat((w["W_in"], w["W_U"].T, padding))
    read_heads = (read @ w["W_O"]).view(-1, heads, head)
    table = x.new_empty(len(x), heads, len(read))
    for h in range(heads):  # one by one into place: a batched product would be copied from its own order to this
        torch.mm(value[:, h], read_heads[:, h].T, out=table[:, h])
    bias = read @ base + torch.cat((w["b_in"], w["b_out"] @ w["W_U"], padding[:, 0]))
    scores = (x @ asked.T).view(2, p, heads)
    circuit = Circuit(scores, asked @ x_eq, table.flatten(0, 1), bias, w["W_U"].T @ w["W_out"])
    return circuit, Inside(x, x_eq, query, asked, value, value_eq, base, read, read_heads)


def pull_back(w: Parameters, inside: Inside, grad: Circuit, into: Parameters) -> None:
    """Write the weights' gradients `into`, given the circuit's: `multiply_out` read backwards."""
    x, x_eq, query, asked, value, value_eq, base, read, read_heads = inside
    heads, head, d = w["W_Q"].shape
    p, m = grad.scores.shape[1], len(w["b_in"])
    logits = slice(m, m + p + 1)
    # the table, and what "=" brings
    d_table = grad.table.view(2 * p, heads, -1).transpose(0, 1)  # [h, 2p, r]
    d_heads = torch.bmm(value.permute(1, 2, 0), d_table).view(d, -1)  # [h*e, r]
    d_value = torch.bmm(read_heads.permute(1, 2, 0), d_table.transpose(1, 2)).view(d, -1)  # [h*e, 2p]
    d_base = grad.bias @ read
    d_value_eq = d_base @ w["W_O"] - d_value.sum(1)
    d_read = torch.addmm(torch.outer(grad.bias, base), d_heads.T, w["W_O"].T)
    torch.addmm(torch.outer(d_base, value_eq), read.T, d_heads.T, out=into["W_O"])
    torch.addmm(torch.outer(d_value_eq, x_eq), d_value, x, out=into["W_V"].view(d, d))
    # attention
    d_scores = grad.scores.view(2 * p, heads)
    d_asked = torch.addmm(torch.outer(grad.score_eq, x_eq), d_scores.T, x)  # [h, d]
    d_query = einsum(d_asked, w["W_K"], "h d, h e d -> h e") / math.sqrt(head)
    torch.mul(query[:, :, None], d_asked[:, None], out=into["W_K"])
    torch.mul(d_query[:, :, None], x_eq, out=into["W_Q"])
    # numbers and "="
    d_x = torch.addmm(d_scores @ asked, d_value.T, w["W_V"].view(d, d)).view(2, p, d)
    d_eq = d_value_eq @ w["W_V"].view(d, d) + d_base + grad.score_eq @ asked
    d_eq += einsum(d_query, w["W_Q"], "h e, h e d -> d")
    into["W_E"][:, :p] = d_x.sum(0).T
    into["W_E"][:, p] = d_eq
    into["W_pos"][:2] = d_x.sum(1)
    into["W_pos"][2] = d_eq
    # neurons and logits
    d_logits = grad.bias[logits]
    into["W_in"].copy_(d_read[:m])
    into["b_in"].copy_(grad.bias[:m])
    torch.mm(w["W_U"], grad.W_L, out=into["W_out"])
    torch.mv(w["W_U"], d_logits, out=into["b_out"])
    into["W_U"].copy_(torch.addmm(d_read[logits], grad.W_L, w["W_out"].T).addr_(d_logits, w["b_out"]).T)
