"""What a sweep varies: axes of values, and the member at each place of their grid. Checked before anything starts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grok_tui import config as configs
from grok_tui import feasible
from grok_tui.config import Config
from grok_tui.errors import ConfigError

MOST = 500
"""Members of a sweep: more than anybody can look at."""

SEED = "seed"
"""The label of the axis over which medians are taken."""

SEED_KEYS = ("data.seed", "model.seed")

SHORT = {"optimizer.weight_decay": "weight decay", "optimizer.lr": "lr", "data.fraction": "fraction"}
"""Keys that have options of their own -> what the axis is called."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is varied."""

    label: str
    keys: tuple[str, ...]
    """Of the preset; a seed is two of them."""
    values: tuple[str, ...]
    """As they were typed."""


@dataclass(frozen=True, slots=True)
class Place:
    """One member's place in the grid, and what it changes of the preset."""

    number: int
    """From 1."""
    at: tuple[int, ...]
    """Which value of each axis."""
    changes: tuple[tuple[str, str], ...]
    """(key, value) pairs."""

    @property
    def said(self) -> str:
        """The changes for the reader; both seeds are one."""
        both = dict(self.changes)
        if all(key in both for key in SEED_KEYS) and both[SEED_KEYS[0]] == both[SEED_KEYS[1]]:
            seed = both.pop(SEED_KEYS[0])
            both[SEED_KEYS[1]] = seed
        return ", ".join(
            f"{SHORT.get(key, SEED if key == SEED_KEYS[1] else key)} {value}" for key, value in both.items()
        )


def axes(options: Mapping[str, str | None], vary: Iterable[str], seeds: int | None, seed: str | None) -> list[Axis]:
    """The axes that were asked for; `options` are the keys with options of their own and their values.

    Raises:
        ConfigError: values are missing or stand twice, or a key is varied twice.
    """
    found = [Axis(SHORT[key], (key,), _values(SHORT[key], text)) for key, text in options.items() if text is not None]
    for text in vary:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not (key and equals):
            raise ConfigError(f"--vary {text!r}: KEY=VALUE,VALUE,... was expected, such as model.d_mlp=128,256,512")
        found.append(Axis(SHORT.get(key, key), (key,), _values(key, values)))
    if seeds is not None and seed is not None:
        raise ConfigError("--seeds N and --seed A,B,... do not go together")
    if seeds is not None:
        found.append(Axis(SEED, SEED_KEYS, tuple(map(str, range(seeds)))))
    elif seed is not None:
        found.append(Axis(SEED, SEED_KEYS, _values(SEED, seed)))
    keys = [key for axis in found for key in axis.keys]
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigError(f"{key} is varied twice")
    return found


def places(base: Config, axes: Sequence[Axis], taken: Iterable[str] = ()) -> list[Place]:
    """Every place of the grid, the last axis fastest, each checked; `taken` keys are fixed already.

    Raises:
        ConfigError: names the first member that cannot be configured or keep the plan, and why; or there are too many.
    """
    for key in taken:
        if any(key in axis.keys for axis in axes):
            raise ConfigError(f"{key} is fixed and varied at once")
    found = []
    for number, at in enumerate(itertools.product(*(range(len(axis.values)) for axis in axes)), 1):
        if number > MOST:
            raise ConfigError(f"this grid has more than {MOST} members")
        changes = tuple((key, axis.values[i]) for axis, i in zip(axes, at, strict=True) for key in axis.keys)
        place = Place(number, at, changes)
        try:
            feasible.check(configs.override(base, changes), base.plan.lines, "plan")
        except ConfigError as error:
            raise ConfigError(f"member {number} ({place.said}): {error}") from None
        found.append(place)
    return found


def queue(axes: Sequence[Axis], places: Iterable[Place]) -> list[Place]:
    """In the order in which to run them: the whole grid on the first seed, then on the next."""
    seed = next((i for i, axis in enumerate(axes) if axis.label == SEED), None)
    return sorted(places, key=lambda place: (place.at[seed] if seed is not None else 0, place.number))


def _values(label: str, text: str) -> tuple[str, ...]:
    values = tuple(part.strip() for part in text.split(","))
    if not all(values):
        raise ConfigError(f"{label}: {text!r} has a value missing; V,V,... was expected")
    for i, value in enumerate(values):
        if any(_same(value, other) for other in values[:i]):
            raise ConfigError(f"{label}: {value} stands twice in {text!r}")
    return values


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other
