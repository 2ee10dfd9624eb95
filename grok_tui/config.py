"""The frozen configuration of a run: presets in, every default spelled out, bounds in one place."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grok_tui import paths
from grok_tui.errors import ConfigError, PresetError
from grok_tui.toml_files import read_tables


def _value(default: Any, low: float, high: float, about: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "about": about})


def _choice(default: str, *others: str, about: str) -> Any:
    return field(default=default, metadata={"choices": (default, *others), "about": about})


def _flag(default: bool, about: str) -> Any:
    return field(default=default, metadata={"choices": (default, not default), "about": about})


def _text(default: str, about: str) -> Any:
    return field(default=default, metadata={"longest": 1000, "about": about})


def _lines(about: str) -> Any:
    return field(default=(), metadata={"lines": 200, "longest": 1000, "about": about})


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learned."""

    kind: str = _choice("modular_addition", about="c = a + b mod p")
    p: int = _value(113, 3, 499, "the modulus; odd, so that the Fourier basis has (p-1)/2 pairs")

    @property
    def vocab(self) -> int:
        """The residues, and one token for '='."""
        return self.p + 1


@dataclass(frozen=True, slots=True)
class Data:
    """Which part of the table is trained on."""

    fraction: float = _value(0.3, 0.001, 0.999, "share of the p^2 pairs in the training set")
    seed: int = _value(0, 0, 2**32 - 1, "of the generator that shuffles the pairs")
    split: str = _choice(
        "published", "torch-randperm", about="Python's generator as published; or torch's as in TransformerLens' demo"
    )


@dataclass(frozen=True, slots=True)
class Model:
    """The network."""

    kind: str = _choice("transformer", about="one layer, ReLU, no LayerNorm, no tied weights")
    d_model: int = _value(128, 1, 2048, "width of the residual stream")
    n_heads: int = _value(4, 1, 64, "attention heads; must divide d_model")
    d_mlp: int = _value(512, 1, 16384, "neurons")
    seed: int = _value(0, 0, 2**32 - 1, "of the initial weights")


@dataclass(frozen=True, slots=True)
class Optimizer:
    """AdamW, full batch, decay on every parameter."""

    lr: float = _value(1e-3, 0.0, 1.0, "learning rate")
    beta1: float = _value(0.9, 0.0, 0.999999, "decay of the first moment")
    beta2: float = _value(0.98, 0.0, 0.999999, "decay of the second moment")
    eps: float = _value(1e-8, 1e-30, 1.0, "added to the root of the second moment")
    weight_decay: float = _value(1.0, 0.0, 1000.0, "decoupled; each step shrinks the weights by lr x this")
    warmup: int = _value(10, 0, 100_000, "steps over which the learning rate rises from 0; step t has min(t/warmup, 1)")


@dataclass(frozen=True, slots=True)
class Training:
    """How long."""

    epochs: int = _value(40_000, 1, 100_000_000, "optimiser steps; each sees the whole training set")


@dataclass(frozen=True, slots=True)
class Measure:
    """When the test set and the inside of the model are looked at."""

    every: int = _value(100, 1, 1_000_000, "epochs between measures, after a log-spaced start")
    closely_every: int = _value(500, 1, 1_000_000, "epochs between the measures that take longer: neurons, attention")
    neuron_level: bool = _flag(False, "also restricted and excluded loss at the neuron level")


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept on disk."""

    weights_every: int = _value(100, 1, 1_000_000, "epochs between snapshots of the weights")
    resume_every: int = _value(2_000, 1, 1_000_000, "epochs between resume points (weights and optimiser state)")
    disk_mb: int = _value(1024, 1, 10_000_000, "megabytes that both may take; beyond, they are thinned out evenly")


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told when the run enters another phase."""

    bell: bool = _flag(False, "the terminal's bell rings in every viewer")
    hook: str = _text("", "a shell command, run where the run is kept with GROK_TUI_PHASE and others set")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done while it trains, and when."""

    lines: tuple[str, ...] = _lines('each a rule of the plan language, such as "when cleanup: pause"')


@dataclass(frozen=True, slots=True)
class View:
    """How viewers show the run when they open it."""

    layout: str = _text("", "the arrangement of panes; empty for the usual one")


@dataclass(frozen=True, slots=True)
class Config:
    """One run, frozen. `about` is the sentence at the top of its preset."""

    name: str = "custom"
    about: str = ""
    task: Task = field(default_factory=Task)
    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Model)
    optimizer: Optimizer = field(default_factory=Optimizer)
    training: Training = field(default_factory=Training)
    measure: Measure = field(default_factory=Measure)
    record: Record = field(default_factory=Record)
    notify: Notify = field(default_factory=Notify)
    view: View = field(default_factory=View)
    plan: Plan = field(default_factory=Plan)

    @property
    def n_train(self) -> int:
        """Training pairs: int(f p^2), as the published procedure has it."""
        return int(self.data.fraction * self.task.p**2)

    @property
    def chance(self) -> float:
        """The loss of a uniform guess, ln p."""
        return math.log(self.task.p)


SECTIONS: dict[str, type[Any]] = {
    "task": Task,
    "data": Data,
    "model": Model,
    "optimizer": Optimizer,
    "training": Training,
    "measure": Measure,
    "record": Record,
    "notify": Notify,
    "view": View,
    "plan": Plan,
}


BEYOND = 1 << 62
"""Whole numbers that nothing here has."""

CONTROLS = {"weight_decay": "weight decay", "lr": "learning rate"}
"""Name -> label of what may be changed while a run goes on; their bounds are those of [optimizer]."""

SHORT_CONTROLS = {"wd": "weight_decay"}
"""As charts write it -> name. It is read wherever a control is named, and kept nowhere."""


def limits(key: str) -> Mapping[str, Any]:
    """What may stand at `key`, e.g. "optimizer.weight_decay": its "low" and "high" or its "choices", and "about"."""
    section, _, name = key.partition(".")
    return next(f.metadata for f in dataclasses.fields(SECTIONS[section]) if f.name == name)


def control(word: str) -> str:
    """The name of the control, or whatever else, that a word means as it is typed."""
    return SHORT_CONTROLS.get(word, word)


def check(key: str, value: object, called: str) -> float:
    """`value` as a number that may stand at `key`.

    Raises:
        ConfigError: it is no number or out of bounds; names it as `called`.
    """
    return float(_fitting(float, limits(key), value, called))


def keys() -> list[str]:
    """Every key that a preset may hold, dotted."""
    return [f"{section}.{f.name}" for section, cls in SECTIONS.items() for f in dataclasses.fields(cls)]


def from_tables(tables: dict[str, Any], source: str) -> Config:
    """The configuration in a preset's tables; what they leave out has its default.

    Raises:
        ConfigError: a key is unknown, or a value of the wrong type or out of bounds. Names `source`.
    """
    parts: dict[str, Any] = {}
    for section, table in tables.items():
        if section in ("name", "about"):
            if not isinstance(table, str):
                raise ConfigError(f"{source}: {section} is text, not {table!r:.80}")
            parts[section] = table
        elif section not in SECTIONS:
            raise ConfigError(f"{source}: {_unknown(section, [*SECTIONS, 'name', 'about'])}")
        elif not isinstance(table, dict):
            raise ConfigError(f"{source}: [{section}] is a table, not {table!r:.80}")
        else:
            parts[section] = _section(section, table, source)
    return _consistent(Config(**parts), source)


def override(config: Config, changes: Iterable[tuple[str, str | float]]) -> Config:
    """`config` with dotted keys replaced; texts are read as the key's type.

    Raises:
        ConfigError: as `from_tables`, naming the key, the value, its bounds and the nearest known key.
    """
    tables = to_tables(config)
    for key, value in changes:
        section, _, name = key.partition(".")
        if key not in keys():
            raise ConfigError(_unknown(key, keys()))
        if "lines" in limits(key):
            raise ConfigError(f"{key} holds lines, which --set cannot give; --plan LINE adds one")
        is_text = "longest" in limits(key)
        tables[section][name] = _read(value) if isinstance(value, str) and not is_text else value
    return from_tables(tables, "--set")


def planning(config: Config, lines: Iterable[str]) -> Config:
    """`config` with another plan.

    Raises:
        ConfigError: they are not lines. What they say is checked by `plan.check`.
    """
    return from_tables(to_tables(config) | {"plan": {"lines": list(lines)}}, "--plan")


def to_tables(config: Config) -> dict[str, Any]:
    """Every value as nested tables, defaults spelled out; of a plan, only one that says something."""
    tables = dataclasses.asdict(config)
    tables["plan"] = {name: list(lines) for name, lines in tables["plan"].items()}
    return tables if config.plan.lines else {name: table for name, table in tables.items() if name != "plan"}


def dump(config: Config) -> str:
    """The configuration as TOML."""
    import tomli_w

    return tomli_w.dumps(to_tables(config))


def load(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        PresetError: the file cannot be read or is not TOML.
        ConfigError: it holds something unknown or out of bounds.
    """
    tables = read_tables(path, PresetError, missing="no such preset file")
    tables.setdefault("name", path.stem)
    return from_tables(tables, str(path))


def presets() -> dict[str, Config]:
    """The shipped presets by name."""
    return {path.stem: load(path) for path in sorted(paths.presets_dir().glob("*.toml"))}


def preset(name: str) -> Config:
    """The shipped preset of that name, or the one in the TOML file at that path.

    Raises:
        PresetError: there is none; names the nearest.
    """
    if name.endswith(".toml") or "/" in name:
        return load(Path(name).expanduser())
    shipped = sorted(path.stem for path in paths.presets_dir().glob("*.toml"))
    if name not in shipped:
        raise PresetError(f"--preset {_unknown(name, shipped)} (or give the path of a TOML file)")
    return load(paths.presets_dir() / f"{name}.toml")


def _section(section: str, table: dict[str, Any], source: str) -> Any:
    cls = SECTIONS[section]
    known = {f.name: f for f in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    values = {}
    for name, value in table.items():
        where = f"{source}: {section}.{name}"
        if name not in known:
            raise ConfigError(f"{source}: {_unknown(f'{section}.{name}', keys())}")
        values[name] = _fitting(hints[name], known[name].metadata, value, where)
    return cls(**values)


def _fitting(kind: type[Any], limits: Any, value: Any, where: str) -> Any:
    """`value` as `kind` and within its limits."""
    if "choices" in limits:
        if isinstance(value, kind) and value in limits["choices"]:
            return value
        names = ", ".join(str(choice).lower() if kind is bool else choice for choice in limits["choices"])
        raise ConfigError(f"{where} = {value!r:.80}: one of {names} was expected")
    if "lines" in limits:
        return _several(limits, value, where)
    if "longest" in limits:
        if isinstance(value, str) and len(value) <= limits["longest"] and value.isprintable():
            return value
        raise ConfigError(f"{where} = {value!r:.80}: a line of text was expected")
    low, high = limits["low"], limits["high"]
    span = f"{low:g} to {high:,.15g}"
    if isinstance(value, int) and abs(value) >= BEYOND:
        value = math.inf if value > 0 else -math.inf  # no float holds some of them
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if kind is int and number and float(value).is_integer():
        value = int(value)
    elif kind is int or not number:
        noun = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{where} = {value!r:.80}: {noun} from {span} was expected")
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"{where} = {value!r:.80} is out of bounds: {span}")
    return kind(value)


def _several(limits: Any, value: Any, where: str) -> tuple[str, ...]:
    """Lines of text, not too many."""
    if not isinstance(value, list | tuple) or len(value) > limits["lines"]:
        raise ConfigError(f"{where}: a list of {limits['lines']} lines at most was expected, not {value!r:.80}")
    line = {"longest": limits["longest"]}
    return tuple(_fitting(str, line, item, f"{where}, line {number}") for number, item in enumerate(value, 1))


def _consistent(config: Config, source: str) -> Config:
    """What no single value's bounds can say."""
    p, model, n = config.task.p, config.model, config.n_train
    if p % 2 == 0:
        raise ConfigError(
            f"{source}: task.p = {p} is even: the Fourier basis of this task needs an odd p, such as {p + 1}"
        )
    if model.d_model % model.n_heads:
        raise ConfigError(f"{source}: model.n_heads = {model.n_heads} does not divide model.d_model = {model.d_model}")
    if not 0 < n < p * p:
        raise ConfigError(
            f"{source}: data.fraction = {config.data.fraction:g} leaves {n} of the {p * p} pairs to train on; "
            f"{1 / p**2:.2g} to {1 - 1 / p**2:.4g} leave some on both sides"
        )
    return config


def _read(text: str) -> Any:
    """A value as typed on a command line: TOML's numbers, true and false, else text."""
    if text.strip() in ("true", "false"):
        return text.strip() == "true"
    for reader in (int, float):
        try:
            return reader(text.strip())
        except ValueError:
            continue
    return text


def _unknown(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, 1, 0.5)
    if not near and "." not in name:
        near = [key for key in known if key.partition(".")[2] == name]
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"{name!r:.80} is not known; {hint}"
