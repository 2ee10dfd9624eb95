"""Checkpoints of other programs, in and out: `python -m grok_tui.train.exchange import|export ...`."""

from __future__ import annotations

import argparse
import io
import json
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from grok_tui import __version__, files, ledger, runs
from grok_tui import config as configs
from grok_tui.errors import ExchangeError, GrokTuiError
from grok_tui.runs import Run
from grok_tui.train import checkpoint, foreign, intake, translate
from grok_tui.train import machine as machines

TERMINATED = 128 + signal.SIGTERM

LOADING = {".safetensors": "safetensors.torch.load_file", ".pth": "torch.load", ".pt": "torch.load"}
"""What reads a file of that kind."""


def main(arguments: list[str] | None = None) -> int:
    """Take checkpoints in or write one out; returns the exit code."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that what was begun is removed
    machines.use_threads(None, None)
    try:
        if given.what == "import":
            _import(given)
        else:
            export(runs.find(given.run), given.epoch, given.file, force=given.force)
    except GrokTuiError as error:
        print("grok-tui: " + " ".join(str(error).split()), file=sys.stderr, flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def export(run: Run, epoch: int | None, file: Path, *, force: bool = False) -> None:
    """Write the weights of an epoch for TransformerLens, and what its configuration is made of beside them.

    Raises:
        ExchangeError: there are no such weights, or the files are there or cannot be written; what was there stays.
    """
    if file.suffix not in LOADING:
        raise ExchangeError(f"{file}: {' or '.join(LOADING)} was expected at its end")
    beside = foreign.beside(file)
    files.check({file: b"", beside: b""}, force=force)
    path = _stored(run, epoch)
    weights, epoch = checkpoint.read(path)
    if {name: tuple(x.shape) for name, x in weights.items()} != translate.shape_of(weights).shapes:
        raise ExchangeError(f"{path}: not the weights of a one-layer transformer")
    state, config = translate.transformerlens(weights)
    both = {"transformerlens": config, foreign.OURS: _known(run, epoch)}
    files.write({file: _bytes(file, state), beside: json.dumps(both, indent=2).encode() + b"\n"}, force=force)
    print(f"{run.name}, epoch {epoch:,}: {file} and {beside}. In Python, with transformer-lens 3 or older:")
    print(f'  config = HookedTransformerConfig.from_dict(json.load(open("{beside}"))["transformerlens"])')
    print(f'  model = HookedTransformer(config); model.load_state_dict({LOADING[file.suffix]}("{file}"))')
    print(f"  the answer to a + b is at the last position of [a, b, {config['d_vocab'] - 1}]")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grok_tui.train.exchange", description=__doc__)
    parts = parser.add_subparsers(dest="what", required=True)
    taking = parts.add_parser("import")
    taking.add_argument("files", type=Path, nargs="+")
    taking.add_argument("--name")
    taking.add_argument("--epoch", type=int)
    taking.add_argument("--set", dest="changes", action="append", default=[])
    giving = parts.add_parser("export")
    giving.add_argument("run")
    giving.add_argument("file", type=Path)
    giving.add_argument("--epoch", type=int)
    giving.add_argument("--force", action="store_true")
    return parser


def _import(given: argparse.Namespace) -> None:
    changes = tuple((key, value) for key, _, value in (change.partition("=") for change in given.changes))
    wanted = intake.Wanted(tuple(given.files), given.name, given.epoch, changes)
    run = intake.take_in(wanted, lambda line: print(line, flush=True), _progress)
    print(f"  look: grok-tui attach {run.name}", flush=True)


def _progress(done: int, of: int) -> None:
    """One line that counts, where somebody looks; nothing for a single checkpoint."""
    if of > 1 and sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\rmeasured {done:,} of {of:,} checkpoints", end=end, file=sys.stderr, flush=True)


def _stored(run: Run, epoch: int | None) -> Path:
    """The file with the weights of an epoch; of the last one that is stored, for None."""
    stored = {int(path.stem): path for path in run.weights.glob("*.safetensors") if path.stem.isdecimal()}
    if not stored:
        raise ExchangeError(f"{run.name} has no stored weights yet")
    if epoch is None:
        epoch = max(stored)
    if epoch not in stored:
        below, above = [e for e in stored if e < epoch], [e for e in stored if e > epoch]
        near = " and ".join(f"{e:,}" for e in (*sorted(below)[-1:], *sorted(above)[:1]))
        raise ExchangeError(f"{run.name}: the weights of epoch {epoch:,} are not stored; the nearest are of {near}")
    return stored[epoch]


def _known(run: Run, epoch: int) -> dict[str, Any]:
    """What is known of the weights of an epoch; what an import assumed is left out, not passed on as known."""
    tables = configs.to_tables(run.config)
    values = {key: tables[section][name] for key in foreign.TOLD for section, name in (key.split("."),)}
    assumed: set[str] = set()
    for entry in ledger.read(run.ledger):
        if (
            entry.what == "changed"
            and entry.ok
            and entry.epoch <= epoch
            and entry.data.get("control") in configs.CONTROLS
        ):
            values[f"optimizer.{entry.data['control']}"] = entry.data.get("value")
        assumed |= set(entry.data.get("assumed", ()))
    known = {key: value for key, value in values.items() if key not in assumed}
    epochs = {} if "epoch" in assumed else {"epoch": epoch}
    return {"version": __version__, "run": run.name, **epochs, **known}


def _bytes(file: Path, state: dict[str, Tensor]) -> bytes:
    if file.suffix == ".safetensors":
        return bytes(save(state))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
