"""`circuit.multiply_out` and `pull_back` for n models of one shape at once: the first axis counts the models.

The same algebra, product by product. The table's rows are ordered [head, number] here and not [number, head]:
so a batched product leaves them where they belong.
"""

from __future__ import annotations

import math

import torch
from einops import einsum
from torch import Tensor

from grok_tui.train.circuit import Circuit, Inside, Parameters, width


def multiply_out(w: Parameters, p: int) -> tuple[Circuit, Inside]:
    """The circuits of these weights; table [n, H, 2*p, r], everything else as in one model, behind n."""
    n, heads, head, d = w["W_Q"].shape
    x = (w["W_E"].mT[:, None, :p] + w["W_pos"][:, :2, None]).flatten(1, 2)
    x_eq = w["W_E"][:, :, p] + w["W_pos"][:, 2]
    query = einsum(w["W_Q"], x_eq, "n h e d, n d -> n h e") / math.sqrt(head)
    asked = einsum(query, w["W_K"], "n h e, n h e d -> n h d")
    W_V = w["W_V"].flatten(1, 2)
    value_eq = _times(W_V, x_eq)
    value = torch.baddbmm(-value_eq[:, None], x, W_V.mT).view(n, -1, heads, head)
    base = _times(w["W_O"], value_eq) + x_eq
    padding = x.new_zeros(n, width(w["b_in"].shape[1], p + 1) - w["b_in"].shape[1] - p - 1, d)
    read = torch.cat((w["W_in"], w["W_U"].mT, padding), 1)
    read_heads = (read @ w["W_O"]).view(n, -1, heads, head)
    table = value.transpose(1, 2) @ read_heads.permute(0, 2, 3, 1)  # [n, h, 2p, r]
    biases = torch.cat((w["b_in"], _times(w["W_U"].mT, w["b_out"]), padding[:, :, 0]), 1)
    scores = (x @ asked.mT).view(n, 2, p, heads)
    circuit = Circuit(scores, _times(asked, x_eq), table, _times(read, base) + biases, w["W_U"].mT @ w["W_out"])
    return circuit, Inside(x, x_eq, query, asked, value, value_eq, base, read, read_heads)


def pull_back(w: Parameters, inside: Inside, grad: Circuit, into: Parameters) -> None:
    """Write the weights' gradients `into`, given the circuits'."""
    x, x_eq, query, asked, value, value_eq, base, read, read_heads = inside
    n, _, head, d = w["W_Q"].shape
    p, m = grad.scores.shape[2], w["b_in"].shape[1]
    logits = slice(m, m + p + 1)
    W_V = w["W_V"].flatten(1, 2)
    # the table, and what "=" brings
    d_heads = (value.permute(0, 2, 3, 1) @ grad.table).view(n, d, -1)  # [n, h*e, r]
    d_value = (read_heads.permute(0, 2, 3, 1) @ grad.table.mT).view(n, d, -1)  # [n, h*e, 2p]
    d_base = _times(read.mT, grad.bias)
    d_value_eq = _times(w["W_O"].mT, d_base) - d_value.sum(2)
    d_read = torch.baddbmm(_outer(grad.bias, base), d_heads.mT, w["W_O"].mT)
    into["W_O"].copy_(torch.baddbmm(_outer(d_base, value_eq), read.mT, d_heads.mT))
    into["W_V"].copy_(torch.baddbmm(_outer(d_value_eq, x_eq), d_value, x).view_as(w["W_V"]))
    # attention
    d_scores = grad.scores.flatten(1, 2)
    d_asked = torch.baddbmm(_outer(grad.score_eq, x_eq), d_scores.mT, x)  # [n, h, d]
    d_query = einsum(d_asked, w["W_K"], "n h d, n h e d -> n h e") / math.sqrt(head)
    torch.mul(query[..., None], d_asked[:, :, None], out=into["W_K"])
    torch.mul(d_query[..., None], x_eq[:, None, None], out=into["W_Q"])
    # numbers and "="
    d_x = torch.baddbmm(d_scores @ asked, d_value.mT, W_V).view(n, 2, p, d)
    d_eq = _times(W_V.mT, d_value_eq) + d_base + _times(asked.mT, grad.score_eq)
    d_eq += einsum(d_query, w["W_Q"], "n h e, n h e d -> n d")
    into["W_E"][:, :, :p] = d_x.sum(1).mT
    into["W_E"][:, :, p] = d_eq
    into["W_pos"][:, :2] = d_x.sum(2)
    into["W_pos"][:, 2] = d_eq
    # neurons and logits
    d_logits = grad.bias[:, logits]
    into["W_in"].copy_(d_read[:, :m])
    into["b_in"].copy_(grad.bias[:, :m])
    into["W_out"].copy_(w["W_U"] @ grad.W_L)
    into["b_out"].copy_(_times(w["W_U"], d_logits))
    d_W_U = torch.baddbmm(d_read[:, logits], grad.W_L, w["W_out"].mT) + _outer(d_logits, w["b_out"])
    into["W_U"].copy_(d_W_U.mT)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """[n, a, b], [n, b] -> [n, a]."""
    return (matrix @ vector[..., None])[..., 0]


def _outer(one: Tensor, other: Tensor) -> Tensor:
    """[n, a], [n, b] -> [n, a, b]."""
    return one[:, :, None] * other[:, None]
