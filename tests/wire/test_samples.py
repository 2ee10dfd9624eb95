"""What the phase rules look at is the same for the trainer, a run's screen and a sweep's screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, astuple, fields, replace

import numpy as np
import pytest

from grok_tui import config as configs
from grok_tui import runs, samples
from grok_tui.course import Course
from grok_tui.protocol import PROTOCOL, Catalogue, ControlInfo, Hello, Points, Stored
from grok_tui.record import Recorder
from grok_tui.samples import Phases
from grok_tui.science.phases import Sample
from grok_tui.state import RunState
from grok_tui.tracks import Track
from grok_tui.train.watch import PhaseWatch
from tests.science.curves import folded, recorded

CONFIG = configs.override(configs.Config(), [("task.p", 59), ("optimizer.lr", 0.002), ("optimizer.weight_decay", 1.5)])
NAME_OF = {field: name for name, field in samples.SERIES.items()}


def hello() -> Hello:
    adam = CONFIG.optimizer
    controls = (("weight_decay", adam.weight_decay), ("lr", adam.lr))
    catalogue = Catalogue(controls=tuple(ControlInfo(name, name, value, 0.0, 1e3) for name, value in controls))
    return Hello(PROTOCOL, "planted", "", configs.to_tables(CONFIG), {}, 1, catalogue)


def told(planted: list[Sample]) -> Iterator[Stored]:
    """As the trainer records them: training losses, then measures."""
    for sample in planted:
        values = {NAME_OF[field]: np.array([v]) for field, v in asdict(sample).items() if field in NAME_OF}
        train = {name: values.pop(name) for name in ("train_loss", "train_accuracy")}
        yield Points(np.array([max(sample.epoch - 1, 0)]), train)
        yield Points(np.array([sample.epoch]), values)


def worse(planted: list[Sample]) -> list[Sample]:
    """The same epochs, everything forgotten."""
    return [replace(s, train_loss=4.0, train_accuracy=0.1, test_loss=60.0, test_accuracy=0.01) for s in planted]


def test_every_measure_that_the_rules_know_has_a_series() -> None:
    assert {*samples.SERIES.values(), "epoch", "weight_decay", "lr"} == {field.name for field in fields(Sample)}
    known = {name: float(number) for number, name in enumerate(samples.SERIES, 1)}
    made = samples.sample(300, known, {"weight_decay": Course(0.5), "lr": Course(0.25)})
    assert astuple(made) == (300, *map(float, range(1, 10)), 0.5, 0.25)


def test_what_is_unknown_is_no_number() -> None:
    made = samples.sample(300, {"test_loss": 2.0, "no_measure": 1.0}, {"lr": Course(0.25)})
    assert {name for name, value in asdict(made).items() if value == value} == {"epoch", "test_loss", "lr"}


def test_a_run_that_is_told_again_is_folded_as_if_it_had_been_told_once() -> None:
    planted, p = recorded("demo")
    straight, phases = folded(planted, p), Phases(math.log(p))
    for sample in (*planted[:140], *worse(planted[140:200]), *planted[140:], planted[-1]):
        phases.add(sample)
    assert phases.newest.boundaries == straight.boundaries
    assert repr(phases.newest.call) == repr(straight.call)
    phases.cut(planted[150].epoch)
    assert repr(phases.newest.call) == repr(folded(planted[:150], p).call)


@pytest.mark.usefixtures("own_home")
def test_trainer_screen_and_sweep_call_the_same_phases_of_a_run_that_was_trained_again() -> None:
    planted, p = recorded("demo")
    whole = [*planted[:140], *worse(planted[140:200]), *planted[140:]]
    run = runs.create(CONFIG)
    recorder = Recorder(run.frames)
    state, watch, track = RunState(), PhaseWatch(CONFIG), Track(run)
    for frame in (hello(), *told(whole)):
        recorder.append(frame)
        state.apply(frame)
        watch.apply(frame)
    recorder.close()
    track.look()
    expected = folded(planted, p).boundaries
    assert len(expected) > 3
    assert state.phases.boundaries == expected
    assert track.phases.boundaries == expected
    assert watch.boundaries == [boundary.epoch for boundary in expected]
    assert repr(state.phases.last) == repr(track.phases.last) == repr(planted[-1])


def test_the_trainer_tells_a_change_again_when_it_was_given_up_and_comes_again() -> None:
    planted, _ = recorded("demo")
    watch = PhaseWatch(CONFIG)
    once = [turn for frame in told(planted) for turn in watch.apply(frame)]
    cut = once[1].epoch
    again = [turn for frame in told([s for s in planted if s.epoch >= cut]) for turn in watch.apply(frame)]
    assert again == once[1:]
