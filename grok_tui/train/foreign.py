"""Files that other programs saved: which state dicts are in them, of which epochs, and what they say besides.

A `.pth` is a pickle. It is read by torch's restricted reader, which builds tensors and plain containers and
runs nothing; the few classes that the known programs leave beside their weights are met with inert stand-ins.
"""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from grok_tui.errors import ExchangeError

SUFFIXES = (".pth", ".pt", ".safetensors")

MOST = 10_000
"""Checkpoints in one import: more are a mistake, or hostile."""

BESIDE_WEIGHTS = (
    "transformer_lens.HookedTransformerConfig.HookedTransformerConfig",
    "transformer_lens.config.HookedTransformerConfig.HookedTransformerConfig",
    "transformer_lens.config.hooked_transformer_config.HookedTransformerConfig",
    "numpy.dtype",
)
"""Classes that the known programs store; none of their code is needed to read what they hold."""

CALLED = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
"""Functions that such classes' contents are made with."""

MAGICS = (b"PK\x03\x04", b"\x80")
"""What a `.pth` begins with: a zip archive as torch writes it, or a bare pickle as it used to."""

HEADER_BOUND = 100_000_000
"""Bytes in the header of a safetensors file, at most, as its format has it."""

LISTS = (("state_dicts", "epochs"), ("checkpoints", "checkpoint_epochs"))
"""Where the published runs and TransformerLens' demo keep several epochs."""


OURS = "grok-tui"
"""The table in the JSON beside exported weights that says which run they are of, and how it was trained."""

TOLD = ("task.p", "data.fraction", "data.seed", "data.split", "optimizer.weight_decay", "optimizer.lr")
"""What that table has of the configuration, where it is known."""


@dataclass(frozen=True)
class Checkpoint:
    """One state dict."""

    where: str
    """File, and the place in it: for errors."""
    state: Mapping[str, Any]
    epoch: int | None
    """As the file or its name says; None when neither does."""


@dataclass
class Found:
    """All that was in the files."""

    checkpoints: list[Checkpoint] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    """What a program's own configuration says, by its names."""
    ours: dict[str, Any] = field(default_factory=dict)
    """What an export of ours says beside the weights, by dotted keys."""
    notes: list[str] = field(default_factory=list)
    """Which exports say so."""
    train_losses: list[float] = field(default_factory=list)
    """From epoch 0 on; empty when there are none."""
    train_pairs: list[tuple[int, int]] | None = None
    """The training pairs, where the file has them."""
    train_indices: list[int] | None = None
    """The same as a*p + b."""


class _Inert:
    """Stands for an object of another program: holds what was stored in it, and does nothing."""

    def __new__(cls, *_: Any) -> _Inert:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update({str(key): value for key, value in state.items()})


def read(paths: Sequence[Path]) -> Found:
    """Everything in the files; a folder stands for the checkpoints in it.

    Raises:
        ExchangeError: one is no checkpoint of a known kind, or is more than data; names it.
    """
    found = Found()
    for path in paths:
        for file in _files(path):
            _take(file, _load(file), _said_beside(file, found), found)
            if len(found.checkpoints) > MOST:
                raise ExchangeError(f"{path}: more than {MOST:,} checkpoints")
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise ExchangeError(f"{path}: no {', '.join(SUFFIXES)} files in this folder")
    return files


def _load(path: Path) -> Any:
    """What is in a file, built without running anything that it asks for."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise ExchangeError(f"{path}: cannot be read ({error.strerror})") from None
    _check_start(path, start)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        _stand_in()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about old formats: the reader can do nothing about them
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None)
    except SafetensorError as error:
        raise ExchangeError(f"{path}: not a whole safetensors file ({error})") from None
    except Exception as error:  # torch names none: a file cut short or forged ends in whatever it hits first
        raise ExchangeError(f"{path}: {_why(error)}") from None


def _check_start(path: Path, start: bytes) -> None:
    """Tell a file that never was a checkpoint, by its first bytes, from one that may be cut short."""
    if path.suffix == ".safetensors":
        size = int.from_bytes(start[:8], "little")
        if len(start) == 9 and (start[8:] != b"{" or not 2 <= size <= HEADER_BOUND):
            raise ExchangeError(f"{path}: not a safetensors file: a header in JSON was expected at its start")
    elif start and not any(start.startswith(magic) or magic.startswith(start) for magic in MAGICS):
        raise ExchangeError(
            f"{path}: not a checkpoint: a .pth or .pt that torch saved, or a .safetensors, was expected"
        )


def _why(error: Exception) -> str:
    asked = re.search(
        r"(?:GLOBAL|[Uu]nsupported (?:global|class|operand|function)|module) ([\w.]+\.[\w.]+)", str(error)
    )
    if asked:
        return f"not loaded, for it is more than data: it asks for {asked[1]}; save the state dict alone"
    return "not a whole checkpoint of torch; it may be cut short, and nothing in it was run"


def _stand_in() -> None:
    """Tell torch's reader of the harmless names; this process reads files and nothing else."""
    known: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = []
    for name in (*BESIDE_WEIGHTS, *CALLED):
        module, _, last = name.rpartition(".")
        known.append(type(last, (_Inert,), {"__module__": module, "__qualname__": last}))
    torch.serialization.add_safe_globals(known)


def beside(file: Path) -> Path:
    """The JSON that an export writes beside a file of weights."""
    return file.with_name(f"{file.name}.json")


def _said_beside(file: Path, found: Found) -> int | None:
    """Add what the JSON beside a file says, if there is one of ours; returns the epoch in it."""
    path = beside(file)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExchangeError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise ExchangeError(
            f"{path}: not whole; without it, {file.name} is imported as a checkpoint of others"
        ) from None
    told = content.get(OURS) if isinstance(content, dict) else None
    if not isinstance(told, dict):
        return None
    values = {key: told[key] for key in TOLD if key in told}
    for key in values.keys() & found.ours.keys():
        if not key.startswith("optimizer.") and values[key] != found.ours[key]:
            raise ExchangeError(f"{path}: {key} = {str(values[key])[:40]!r}, unlike the files before it")
    found.ours |= values
    epoch = told.get("epoch")
    if type(epoch) is not int or epoch < 0:
        epoch = None
    of = "" if epoch is None else f", epoch {epoch:,}"
    run, version = (" ".join(str(told.get(key, "?")).split())[:60] for key in ("run", "version"))
    found.notes.append(f"{path.name} says: run {run}{of}, exported by grok-tui {version}: taken over, what it knows")
    return epoch


def _take(path: Path, content: Any, epoch: int | None, found: Found) -> None:
    """Add a file's state dicts, and what it says besides, to what was found."""
    if not isinstance(content, Mapping) or not content:
        raise ExchangeError(f"{path}: holds {_kind(content)}, not a state dict")
    before = len(found.checkpoints)
    for states, epochs in LISTS:
        if states in content:
            found.checkpoints += _several(path, content, states, epochs)
            break
    else:
        for name in ("model", "state_dict", "model_state_dict"):
            if isinstance(inside := content.get(name), Mapping):
                found.checkpoints.append(
                    Checkpoint(str(path), inside, _epoch(path, content) if epoch is None else epoch)
                )
                break
        else:
            found.checkpoints.append(Checkpoint(str(path), content, _epoch(path, {}) if epoch is None else epoch))
    if not found.checkpoints[before:]:
        raise ExchangeError(f"{path}: holds no state dicts")
    config = content.get("config")
    config = vars(config) if isinstance(config, _Inert) else config
    if isinstance(config, Mapping):
        found.settings |= {str(key): value for key, value in config.items()}
    losses = content.get("train_losses")
    if isinstance(losses, list) and all(isinstance(x, float) for x in losses):
        found.train_losses = losses
    _take_split(path, content, found)


def _several(path: Path, content: Mapping[str, Any], states: str, epochs: str) -> Iterator[Checkpoint]:
    listed, numbers = content[states], content.get(epochs)
    if not isinstance(listed, list | tuple) or not all(isinstance(state, Mapping) for state in listed):
        raise ExchangeError(f"{path}: {states!r} is not a list of state dicts")
    if isinstance(numbers, torch.Tensor) and numbers.ndim == 1:
        numbers = numbers.tolist()
    if not isinstance(numbers, list | tuple | range) or len(numbers) != len(listed):
        raise ExchangeError(f"{path}: {epochs!r} does not give an epoch for each of the {len(listed)} {states}")
    for number, state in zip(numbers, listed, strict=True):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ExchangeError(f"{path}: {epochs!r} holds {str(number)[:40]!r}, which is no epoch")
        yield Checkpoint(f"{path}, epoch {number:,}", state, number)


def _epoch(path: Path, content: Mapping[str, Any]) -> int | None:
    """As it is stored, or the number that the file is named after; "init" is the start."""
    stored = content.get("epoch")
    if isinstance(stored, int) and not isinstance(stored, bool) and stored >= 0:
        return stored
    if path.stem == "init":
        return 0
    number = re.search(r"(\d{1,9})$", path.stem)
    return int(number[1]) if number and path.stem != "grokking_demo" else None


def _take_split(path: Path, content: Mapping[str, Any], found: Found) -> None:
    indices, pairs = content.get("train_indices"), content.get("train_data")
    if isinstance(indices, torch.Tensor) and indices.ndim == 1 and not indices.is_floating_point():
        found.train_indices = indices.tolist()
    if isinstance(pairs, list):
        for row in pairs:
            if not isinstance(row, tuple | list) or len(row) < 2 or not all(type(x) is int for x in row[:2]):
                raise ExchangeError(f"{path}: 'train_data' holds {str(row)[:40]!r}; two whole numbers were expected")
        found.train_pairs = [(row[0], row[1]) for row in pairs]


def _kind(content: Any) -> str:
    return "an empty table" if isinstance(content, Mapping) else f"a {type(content).__name__}"
