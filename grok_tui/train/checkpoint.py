"""Weights and resume points on disk: safetensors, written beside and renamed into place."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from grok_tui import files
from grok_tui.errors import RecordError


def write(path: Path, tensors: dict[str, Tensor], epoch: int) -> None:
    """Write CPU tensors and their epoch to `path`; a reader sees the whole file or none.

    Raises:
        RecordError: the disk would not take it; nothing is left of the attempt.
    """
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"epoch": str(epoch)})
    try:
        path.parent.mkdir(exist_ok=True)
        files.place(path, data, sync=True)
    except OSError as error:
        raise RecordError(f"{path}: could not be written ({error.strerror})") from None


def read(path: Path) -> tuple[dict[str, Tensor], int]:
    """The tensors in `path`, and their epoch.

    Raises:
        RecordError: it is not a whole checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            epoch = int((file.metadata() or {})["epoch"])
            return {name: file.get_tensor(name) for name in file.keys()}, epoch  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RecordError(f"{path}: not a whole checkpoint ({error})") from None
