"""A finished run made of checkpoints that another program saved, measured as if it had been trained here."""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grok_tui import __version__, catalogue, runs
from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.errors import ConfigError, ExchangeError
from grok_tui.protocol import PROTOCOL, Catalogue, Hello, Points
from grok_tui.runs import Run
from grok_tui.science import losses
from grok_tui.train import checkpoint, foreign, steer, textbook, translate
from grok_tui.train import machine as machines
from grok_tui.train.circuit import Parameters
from grok_tui.train.foreign import Checkpoint, Found
from grok_tui.train.journal import Journal
from grok_tui.train.probe import Probe
from grok_tui.train.task import Table, split

CLOSE_LOOKS = 100
"""Of the measures that take longer, at most so many: each is a third of a megabyte at p = 113."""

BLOCK = 4096
"""Pairs at a time through the textbook model."""

PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,38}[A-Za-z0-9_])?")
"""A name for a run as it can be typed."""

SAME = 2.0
"""Two train losses of one checkpoint may differ by this factor: other rounding, a few epochs. Another split's do by
orders of magnitude."""

THEIR_NAMES = {"frac_train": "data.fraction", "seed": "data.seed", "weight_decay": "optimizer.weight_decay"} | {
    "lr": "optimizer.lr"
}
"""What the published configuration calls our keys."""

EXPECTED = {
    "fn_name": ("add",),
    "act_type": ("ReLU",),
    "act_fn": ("relu",),
    "normalization_type": (None,),
    "attn_only": (False,),
    "positional_embedding_type": ("standard",),
    "use_attn_scale": (True,),
    "parallel_attn_mlp": (False,),
    "attention_dir": ("causal",),
}
"""What the programs' configurations must say, if they say anything, of what a state dict does not show."""

TRIED = {"published": range(10), "torch-randperm": (598, *range(10))}
"""Seeds of splits that training pairs in a file are held against."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for."""

    files: tuple[Path, ...]
    name: str | None = None
    epoch: int | None = None
    changes: tuple[tuple[str, str], ...] = ()
    """Dotted keys of the configuration and their values as typed: of the split, mostly."""


def take_in(wanted: Wanted, say: Callable[[str], None], progress: Callable[[int, int], None]) -> Run:
    """Make a finished run of the files; whole, or not at all.

    Raises:
        ExchangeError: a file is no checkpoint of a known kind, or of another model than ours.
        ConfigError: an option does not fit.
    """
    if wanted.name is not None and not PLAIN.fullmatch(wanted.name):
        raise ExchangeError(
            f"--name {wanted.name[:60]!r}: a plain word was expected: up to 40 letters, digits, -, _ and . inside"
        )
    found = foreign.read(wanted.files)
    states, guess = _ordered(found, wanted.epoch)
    first = translate.ours(states[0][1].state, states[0][1].where)
    config, known = _config(wanted, found, first, [epoch for epoch, _ in states])
    assumed = _assumed(config, known) | ({"epoch": f"the epoch is assumed: {states[0][0]}"} if guess else {})
    about = " ".join([config.about, *(f"{text[0].upper()}{text[1:]}." for text in dict.fromkeys(assumed.values()))])
    config = replace(config, about=about)
    notes = [*found.notes, *_origin(config, known), *([guess] if guess else []), *first.notes]
    summary = _summary(config, first.style, [epoch for epoch, _ in states])
    checks: list[str] = []

    def fill(run: Run) -> None:
        journal = Journal(run)
        try:
            writer = _Intake(run, journal, config, first, found.train_losses)
            checks.extend(writer.write(states, summary, assumed, progress))
        finally:
            journal.close()
        run.log.write_text("\n".join([summary, *notes, *checks]) + "\n", encoding="utf-8")

    run = runs.create(config, fill)
    for line in (f"{run.name}: {summary}", *(f"  {note}" for note in notes + checks)):
        say(line)
    return run


def _ordered(found: Found, epoch: int | None) -> tuple[list[tuple[int, Checkpoint]], str | None]:
    """The checkpoints by epoch, and what was made up about them."""
    several, guess = len(found.checkpoints) > 1, None
    if epoch is not None and several:
        raise ExchangeError(f"--epoch names one, but there are {len(found.checkpoints)} checkpoints")
    by_epoch: dict[int, Checkpoint] = {}
    for state in found.checkpoints:
        at = state.epoch if epoch is None else epoch
        if at is None and several:
            raise ExchangeError(f"{state.where}: of which epoch? name the file after it, such as 5000.pth")
        if at is None:
            at, guess = 1, "shown as epoch 1: the file names none; --epoch N does"
        if at in by_epoch:
            raise ExchangeError(f"{by_epoch[at].where} and {state.where}: both are of epoch {at:,}")
        by_epoch[at] = state
    return sorted(by_epoch.items()), guess


def _config(wanted: Wanted, found: Found, first: translate.Translated, epochs: list[int]) -> tuple[Config, set[str]]:
    """The run's configuration, and which keys of it somebody said."""
    where, model = str(wanted.files[0]), translate.shape_of(first.weights)
    for key, allowed in EXPECTED.items():
        if key in found.settings and found.settings[key] not in allowed:
            raise ExchangeError(
                f"{where}: its configuration has {key} = {str(found.settings[key])[:40]!r}: another model"
            )
    gap = min((b - a for a, b in itertools.pairwise(epochs)), default=100)
    tables: dict[str, dict[str, Any]] = {
        "task": {"p": model.p},
        "data": {},
        "model": {"d_model": model.d_model, "n_heads": model.n_heads, "d_mlp": model.d_mlp},
        "optimizer": {},
        "training": {"epochs": max(1, epochs[-1])},
        "measure": {"every": gap, "closely_every": gap * -(-len(epochs) // CLOSE_LOOKS)},
        "record": {"weights_every": gap},
    }
    told = _told(found) | found.ours
    if told.setdefault("task.p", model.p) != model.p:
        raise ExchangeError(f"{where}: of p = {model.p}, but beside it p = {str(told['task.p'])[:40]} is said")
    asked = {key for key, _ in wanted.changes}
    if not any(key.startswith("data.") for key in asked | set(found.ours)):
        told |= _split_of(found, model.p, where)
    for key, value in told.items():
        section, _, name = key.partition(".")
        tables[section][name] = value
    stem = wanted.name or (wanted.files[0].resolve().name if wanted.files[0].is_dir() else wanted.files[0].stem)
    about = f"Imported from {wanted.files[0].name}: weights saved by {first.style}."
    config = configs.from_tables({"name": stem, "about": about, **tables}, where)
    try:
        config = configs.override(config, wanted.changes)
    except ConfigError as error:
        raise ConfigError(str(error).replace("--set: ", "")) from None
    return config, asked | set(told)


def _told(found: Found) -> dict[str, Any]:
    """What the files' own configuration says, by our keys."""
    if "frac_train" not in found.settings:  # the seed of a TransformerLens configuration is the weights'
        return {}
    told: dict[str, Any] = {"data.split": "published"}
    for theirs, key in THEIR_NAMES.items():
        value = found.settings.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool):
            told[key] = value
    return told


def _split_of(found: Found, p: int, where: str) -> dict[str, Any]:
    """The split that makes the training pairs in the files; empty when there are none.

    Raises:
        ExchangeError: there are, and no known procedure makes them.
    """
    pairs = found.train_pairs
    if pairs is None and found.train_indices is not None:
        pairs = [divmod(index, p) for index in found.train_indices]
    if pairs is None:
        return {}
    count, train = len(pairs), set(pairs)
    rounded = (round(count / p**2, digits) for digits in (1, 2, 3))
    fraction = next((f for f in rounded if int(f * p**2) == count), (count + 0.5) / p**2)
    for how, seeds in TRIED.items():
        for seed in seeds:
            if set(split(p, fraction, seed, how)[0]) == train:
                return {"data.fraction": fraction, "data.seed": seed, "data.split": how}
    raise ExchangeError(
        f"{where}: its {count:,} training pairs are of no split that grok-tui makes; "
        "--fraction, --data-seed and --split show it with another"
    )


def _split_in_words(config: Config) -> str:
    data = config.data
    how = "the published procedure" if data.split == "published" else data.split
    return f"{how}, fraction {data.fraction:g}, seed {data.seed}"


def _assumed(config: Config, known: set[str]) -> dict[str, str]:
    """Key -> how the run itself says that its value is assumed."""
    split = {key: name for name in ("fraction", "seed", "split") if (key := f"data.{name}") not in known}
    names = {"fraction": "its fraction", "seed": "its seed", "split": "who shuffled it"}
    parts = [names[name] for name in split.values()]
    what = "the split" if len(parts) == len(names) else f"of the split, {' and '.join(parts)}"
    verb = "are" if len(parts) == 2 else "is"
    found = dict.fromkeys(split, f"{what} {verb} assumed: {_split_in_words(config)}")
    for name, label in (("weight_decay", "weight decay"), ("lr", "learning rate")):
        if f"optimizer.{name}" not in known:
            found[f"optimizer.{name}"] = f"the {label} is assumed: {getattr(config.optimizer, name):g}"
    return found


def _origin(config: Config, known: set[str]) -> list[str]:
    """The split and the rest as the importer is told, with the options that say otherwise."""
    decay = config.optimizer.weight_decay
    line = f"split: {_split_in_words(config)}"
    unknown = [name for name in ("fraction", "seed", "split") if f"data.{name}" not in known]
    if unknown == ["fraction", "seed", "split"]:
        line += " (assumed: a checkpoint does not say; --fraction, --data-seed and --split do)"
    elif unknown and "data.split" not in unknown:
        line += f" ({' and '.join(unknown)} assumed)"
    lines = [line]
    if "optimizer.weight_decay" not in known:
        lines.append(f"weight decay: shown as {decay:g} (assumed; --weight-decay says otherwise)")
    if "optimizer.lr" not in known:
        lines.append(f"learning rate: shown as {config.optimizer.lr:g} (assumed; --lr says otherwise)")
    return lines


def _summary(config: Config, style: str, epochs: list[int]) -> str:
    span = f"epoch {epochs[0]:,}" if len(epochs) == 1 else f"{len(epochs):,} epochs, {epochs[0]:,} to {epochs[-1]:,},"
    model = config.model
    return (
        f"{span} of {style}: p = {config.task.p}, d_model = {model.d_model}, "
        f"{model.n_heads} heads, {model.d_mlp} neurons"
    )


class _Intake:
    """Writes one run."""

    def __init__(
        self, run: Run, journal: Journal, config: Config, first: translate.Translated, their_losses: list[float]
    ) -> None:
        self._run, self._journal, self._config = run, journal, config
        self._shapes, self._outputs = translate.shape_of(first.weights).shapes, first.outputs
        self._their_losses = their_losses
        cpu = torch.device("cpu")
        self._machine = machines.describe(cpu, torch.get_num_threads())
        self._table = Table.of(config, cpu)
        self._probe = Probe(config, self._table)
        self._keys: list[int] = []
        self._start: float | None = None
        self._latest: dict[str, float] = {}

    def write(
        self,
        states: list[tuple[int, Checkpoint]],
        summary: str,
        assumed: dict[str, str],
        progress: Callable[[int, int], None],
    ) -> list[str]:
        """Write everything; returns what the files' own losses say to ours."""
        config, journal = self._config, self._journal
        begin, end = states[0][0], states[-1][0]
        series = tuple(info for info in catalogue.series(config) if info is not catalogue.SPIKES)  # nobody saw it train
        announced = Catalogue(series, catalogue.arrays(config), steer.catalogue(config))
        tables = configs.to_tables(config)
        journal.write(
            Hello(PROTOCOL, self._run.name, __version__, tables, self._machine, config.training.epochs, announced)
        )
        journal.event(begin, "started", f"imported {summary}")
        for text in dict.fromkeys(assumed.values()):
            journal.event(begin, "imported", text)
        stride = -(-len(states) // CLOSE_LOOKS)
        for done, (epoch, state) in enumerate(states):
            progress(done, len(states))
            self._write_epoch(epoch, state, closely=(len(states) - 1 - done) % stride == 0)
        progress(len(states), len(states))
        text = f"imported as finished at epoch {end:,}"
        journal.event(end, "finished", text, journal.ledger.append(end, "finished", True, text, assumed=[*assumed]))
        self._write_state(end)
        return self._compare(end)

    def _write_epoch(self, epoch: int, state: Checkpoint, closely: bool) -> None:
        translated = translate.ours(state.state, state.where)
        w = translated.weights
        if {name: tuple(x.shape) for name, x in w.items()} != self._shapes or translated.outputs != self._outputs:
            raise ExchangeError(f"{state.where}: of another model than the first checkpoint")
        checkpoint.write(self._run.weights / f"{epoch:08d}.safetensors", w, epoch)
        loss, accuracy = self._train(w)
        findings = self._probe.look(w, closely)
        numbers = {"train_loss": loss, "train_accuracy": accuracy, **findings.numbers}
        self._relate_to_start(epoch, numbers)
        self._keys = self._journal.arrays(epoch, findings.arrays, self._keys)
        at = np.array([epoch])
        self._journal.write(Points(at, {name: np.array([value]) for name, value in numbers.items()}))
        self._latest |= numbers

    @torch.no_grad()
    def _train(self, w: Parameters) -> tuple[float, float]:
        """Train loss over all outputs that the checkpoint has, and train accuracy over the numbers."""
        table = self._table
        pairs = torch.stack((table.train_a, table.train_b), 1)
        logits = torch.cat([textbook.logits(w, block, table.p) for block in torch.split(pairs, BLOCK)])
        loss = losses.cross_entropies(logits[:, : self._outputs], table.train_sum).mean()
        right = logits[:, : table.p].argmax(1) == table.train_sum
        return float(loss), float(right.double().mean())

    def _relate_to_start(self, epoch: int, numbers: dict[str, float]) -> None:
        """The norm beside that of their initial weights, which only their epoch 0 can tell."""
        total = numbers.get("sum_of_squares", math.nan)
        if epoch == 0:
            self._start = total
        if self._start:
            numbers["weight_norm_ratio"] = math.sqrt(total / self._start)
        else:
            numbers.pop("weight_norm_ratio", None)

    def _compare(self, epoch: int) -> list[str]:
        """Their train loss against ours at the last epoch: equal only on the same split."""
        # the published code saves after the step that the loss of this epoch was computed for
        theirs = [self._their_losses[at] for at in (epoch, epoch + 1) if at < len(self._their_losses)]
        theirs = [their for their in theirs or self._their_losses[-1:] if their > 0]
        if not theirs:
            return []
        ours = self._latest["train_loss"]
        close = any(1 / SAME <= ours / their <= SAME for their in theirs)
        text = f"train loss at epoch {epoch:,}: {ours:.3g}, where the file says {theirs[-1]:.3g}"
        return [text if close else f"{text}: another split? --fraction, --data-seed and --split choose it"]

    def _write_state(self, epoch: int) -> None:
        config = self._config
        self._run.write_state(
            {
                "epoch": epoch,
                "epochs": config.training.epochs,
                "state": "finished",
                "rate": 0.0,
                "device": "cpu",
                "time": time.time(),
                "controls": {name: getattr(config.optimizer, name) for name in configs.CONTROLS},
                "values": self._latest,
            }
        )
