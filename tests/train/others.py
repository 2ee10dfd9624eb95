"""Checkpoints as other programs save them, and what those programs would answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grok_tui import launch
from grok_tui.runs import Run
from grok_tui.train import intake, textbook

P, D, H, M = 11, 16, 4, 24
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))
TOKENS = torch.cat((PAIRS, torch.full((P * P, 1), P)), 1)


def published(seed: int = 0, p: int = P) -> dict[str, Tensor]:
    """Random weights under the names and shapes of the published training code."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {
        "embed.W_E": (D, p + 1),
        "pos_embed.W_pos": (3, D),
        "blocks.0.attn.W_K": (H, D // H, D),
        "blocks.0.attn.W_Q": (H, D // H, D),
        "blocks.0.attn.W_V": (H, D // H, D),
        "blocks.0.attn.W_O": (D, D),
        "blocks.0.mlp.W_in": (M, D),
        "blocks.0.mlp.b_in": (M,),
        "blocks.0.mlp.W_out": (D, M),
        "blocks.0.mlp.b_out": (D,),
        "unembed.W_U": (D, p + 1),
    }
    state = {name: torch.randn(shape, generator=draw) / 4 for name, shape in shapes.items()}
    return state | {"blocks.0.attn.mask": torch.tril(torch.ones(3, 3))}


def hooked(outputs: int = P + 1, biased: bool = False) -> dict[str, Tensor]:
    """Random weights under the names and shapes of a `HookedTransformer`."""
    draw, e = torch.Generator().manual_seed(1), D // H
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (P + 1, D),
        "pos_embed.W_pos": (3, D),
        **{f"blocks.0.attn.W_{x}": (H, D, e) for x in "QKV"},
        "blocks.0.attn.W_O": (H, e, D),
        "blocks.0.mlp.W_in": (D, M),
        "blocks.0.mlp.b_in": (M,),
        "blocks.0.mlp.W_out": (M, D),
        "blocks.0.mlp.b_out": (D,),
        "unembed.W_U": (D, outputs),
    }
    biases = {**{f"blocks.0.attn.b_{x}": (H, e) for x in "QKV"}, "blocks.0.attn.b_O": (D,)}
    state = {name: torch.randn(shape, generator=draw) / 4 for name, shape in shapes.items()}
    state |= {name: torch.randn(shape, generator=draw) * biased for name, shape in biases.items()}
    mask = {"blocks.0.attn.mask": torch.ones(3, 3).tril().bool(), "blocks.0.attn.IGNORE": torch.tensor(-torch.inf)}
    return state | mask | {"unembed.b_U": torch.full((outputs,), 2.0 * biased)}


def answers_of_published(s: dict[str, Tensor]) -> Tensor:
    """The published forward pass, one pair, head and position at a time."""
    s = {name: x.double() for name, x in s.items()}
    rows = []
    for tokens in TOKENS:
        x = s["embed.W_E"][:, tokens].T + s["pos_embed.W_pos"]
        heads = []
        for W_Q, W_K, W_V in zip(*(s[f"blocks.0.attn.W_{name}"] for name in "QKV"), strict=True):
            scores = torch.stack([(W_K @ x[i]) @ (W_Q @ x[2]) for i in range(3)])
            heads.append((scores / (D // H) ** 0.5).softmax(0) @ (x @ W_V.T))
        mid = x[2] + s["blocks.0.attn.W_O"] @ torch.cat(heads)
        neurons = (s["blocks.0.mlp.W_in"] @ mid + s["blocks.0.mlp.b_in"]).clamp(min=0)
        rows.append((mid + s["blocks.0.mlp.W_out"] @ neurons + s["blocks.0.mlp.b_out"]) @ s["unembed.W_U"])
    return torch.stack(rows)


def answers_of_hooked(s: dict[str, Tensor]) -> Tensor:
    """What a `HookedTransformer` computes, biases and all."""
    s = {name: x.double() for name, x in s.items()}
    x = s["embed.W_E"][TOKENS] + s["pos_embed.W_pos"]
    a = {x_: "blocks.0.attn." + x_ for x_ in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")}
    q, k, v = (torch.einsum("nid,hde->nhie", x, s[a[f"W_{n}"]]) + s[a[f"b_{n}"]][:, None] for n in "QKV")
    weights = (q[:, :, 2:] @ k.transpose(2, 3) / (D // H) ** 0.5).softmax(-1)
    mid = x[:, 2] + torch.einsum("nhie,hed->nd", weights @ v, s[a["W_O"]]) + s[a["b_O"]]
    neurons = (mid @ s["blocks.0.mlp.W_in"] + s["blocks.0.mlp.b_in"]).relu()
    out = mid + neurons @ s["blocks.0.mlp.W_out"] + s["blocks.0.mlp.b_out"]
    return out @ s["unembed.W_U"] + s["unembed.b_U"]


def ours(weights: dict[str, Tensor]) -> Tensor:
    return textbook.logits(weights, PAIRS, P)


def saved(place: Path, content: object, name: str = "run.pth") -> Path:
    torch.save(content, place / name)
    return place / name


def take_in(*files: Path, **options: Any) -> tuple[Run, list[str]]:
    said: list[str] = []
    return intake.take_in(intake.Wanted(files, **options), said.append, lambda *_: None), said


def command(*words: str, home: Path) -> subprocess.Popen[str]:
    environment = launch.environment() | {"GROK_TUI_HOME": str(home), "OMP_NUM_THREADS": "1"}
    words = (sys.executable, "-m", "grok_tui", *words)
    return subprocess.Popen(words, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def full_run(epochs: list[int], **more: Any) -> dict[str, Any]:
    return {"state_dicts": [published(seed) for seed in range(len(epochs))], "epochs": epochs, **more}


def changed(state: dict[str, Tensor], **changes: Any) -> dict[str, Any]:
    """`state` with keys replaced, "." written as "__"; None takes one away."""
    new = {**state, **{key.replace("__", "."): value for key, value in changes.items()}}
    return {key: value for key, value in new.items() if value is not None}
