"""Sweeps small enough for a test."""

from __future__ import annotations

from grok_tui import config as configs
from grok_tui import grids, runs, sweeps
from grok_tui.config import Config
from grok_tui.runs import Run
from grok_tui.sweeps import Member, Options, Sweep

SIZES = {"task.p": 11, "model.d_model": 16, "model.d_mlp": 32, "model.n_heads": 2, "data.fraction": 0.5}


def config(**changes: float) -> Config:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return configs.override(Config(name="tiny"), (SIZES | named).items())


def made(
    *, decays: str | None = "1,5", seeds: int | None = None, vary: tuple[str, ...] = (), jobs: int = 1, **changes: float
) -> Sweep:
    """A sweep's directory; nothing is started."""
    base = config(**changes)
    axes = grids.axes({"optimizer.weight_decay": decays}, vary, seeds, None)
    options = Options(device="cpu", threads=1, jobs=jobs)
    return sweeps.create(base, axes, grids.places(base, axes), options)


def members(sweep: Sweep) -> tuple[Member, ...]:
    return sweep.read().members


def states(sweep: Sweep) -> list[str]:
    return [member.state for member in members(sweep)]


def run_of(member: Member) -> Run:
    return runs.find(member.run)
