"""Changes of phase while a run goes on: in the recording, and told to a command."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from grok_tui import codec, config
from grok_tui.protocol import Event, Points, Stored
from grok_tui.science.phases import RULES, Sample
from grok_tui.train.watch import AT_ONCE, Hook, PhaseWatch, Turn
from tests.science.curves import folded, recorded
from tests.waiting import until

CONFIG = config.override(config.Config(), [("task.p", 59), ("optimizer.lr", 0.002), ("optimizer.weight_decay", 1.5)])
DONE = Turn(
    420,
    "cleanup since epoch 350",
    {
        "phase": "cleanup",
        "previous": "circuit formation",
        "placed": 350,
        "confirmed": 420,
        "rules": RULES,
        "why": ["a"],
    },
)


def frames(samples: list[Sample]) -> Iterator[Stored]:
    """As the trainer records them: training losses, then measures."""
    for sample in samples:
        values = {n: np.array([v]) for n, v in asdict(sample).items() if n not in ("epoch", "weight_decay", "lr")}
        values["excluded_loss_key_free"] = values.pop("excluded_key_free")
        train = {name: values.pop(name) for name in ("train_loss", "train_accuracy")}
        if math.isfinite(sample.train_loss):
            yield Points(np.array([sample.epoch - 1]), train)
        yield Points(np.array([sample.epoch]), values)


def test_each_change_of_phase_is_told_once_when_it_is_known_with_the_version_of_the_rules() -> None:
    samples, _ = recorded("demo")
    watch = PhaseWatch(CONFIG)
    turns = [turn for frame in frames(samples) for turn in watch.apply(frame)]
    boundaries = folded(samples, 59).boundaries
    assert [(t.data["phase"], t.data["placed"], t.data["confirmed"]) for t in turns] == [
        (b.phase.value, b.epoch, b.confirmed) for b in boundaries[1:]
    ]
    assert [t.data["previous"] for t in turns] == [b.phase.value for b in boundaries[:-1]]
    assert all(t.epoch == t.data["confirmed"] and t.data["rules"] == RULES and t.data["why"] for t in turns)
    assert turns[1].text == f"circuit formation since epoch {boundaries[2].epoch:,}"


def test_a_run_that_goes_on_tells_nothing_twice() -> None:
    samples, _ = recorded("demo")
    whole, half = PhaseWatch(CONFIG), list(frames(samples[: len(samples) // 2]))
    rest = list(frames(samples))[len(half) :]
    turns = [turn for frame in (*half, *rest) for turn in whole.apply(frame)]
    resumed = PhaseWatch(CONFIG)
    resumed.catch_up(half)
    later = [turn for frame in rest for turn in resumed.apply(frame)]
    assert 0 < len(later) < len(turns)
    assert later == turns[-len(later) :]


def test_a_changed_control_is_known_to_the_rules() -> None:
    samples, _ = recorded("decay_removed")
    before = [s for s in samples if s.weight_decay]
    watch = PhaseWatch(CONFIG)
    watch.catch_up(frames(before))
    data = {"control": "weight_decay", "value": 0.0, "previous": 1.5}
    watch.apply(Event(before[-1].epoch, "changed", "", 0.0, 1, data))
    turns = [turn for frame in frames(samples[len(before) :]) for turn in watch.apply(frame)]
    assert [turn.data["phase"] for turn in turns] == ["stalled"]
    assert "weight decay is 0: nothing prefers a general solution" in turns[0].data["why"]


def test_a_turn_travels_as_an_event() -> None:
    event = Event(DONE.epoch, "phase", DONE.text, 0.0, 0, DONE.data)
    assert codec.unpack(codec.pack(event)) == event


def test_a_hook_runs_in_the_run_directory_and_knows_what_happened(tmp_path: Path) -> None:
    logged: list[str] = []
    hook = Hook("env | grep ^GROK_TUI_ | sort > seen; mv seen told", tmp_path, logged.append)
    hook.call(DONE)
    until((tmp_path / "told").exists)
    told = dict(line.split("=", 1) for line in (tmp_path / "told").read_text().splitlines())
    assert told["GROK_TUI_PHASE"] == "cleanup"
    assert told["GROK_TUI_PREVIOUS"] == "circuit formation"
    assert (told["GROK_TUI_EPOCH"], told["GROK_TUI_PLACED"]) == ("420", "350")
    assert told["GROK_TUI_RUN"] == tmp_path.name
    assert told["GROK_TUI_RUN_DIR"] == str(tmp_path)
    until(lambda: not hook.look())
    assert logged == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "hook for cleanup failed with status 3"),
        ("echo first >&2; echo 'it  broke' >&2; exit 1", "hook for cleanup failed with status 1: it  broke"),
        ("no-such-command-at-all", "no-such-command-at-all"),
        ("yes nonsense | head -n 300000 >&2; exit 2", "status 2: nonsense"),
    ],
)
def test_a_hook_that_fails_is_one_line_in_the_log(tmp_path: Path, command: str, said: str) -> None:
    logged: list[str] = []
    hook = Hook(command, tmp_path, logged.append)
    hook.call(DONE)
    until(lambda: not hook.look())
    assert len(logged) == 1
    assert said in logged[0]
    assert "\n" not in logged[0]
    assert len(logged[0]) < 300


def test_a_hook_that_never_ends_holds_nothing_up(tmp_path: Path) -> None:
    logged: list[str] = []
    hook = Hook("exec sleep 60", tmp_path, logged.append)
    begun = time.monotonic()
    for _ in range(AT_ONCE + 1):
        hook.call(DONE)
    assert time.monotonic() - begun < 10
    running = [process for process, _, _ in hook._running]
    assert len(running) == AT_ONCE
    assert logged == [f"hook for cleanup not started: {AT_ONCE} earlier ones are still running"]
    for process in running:
        process.terminate()
        process.wait()
    assert hook.look() == 0


def test_a_run_directory_that_is_gone_is_a_line_in_the_log_too(tmp_path: Path) -> None:
    logged: list[str] = []
    Hook("true", tmp_path / "gone", logged.append).call(DONE)
    assert logged == ["hook for cleanup failed: No such file or directory"]


def test_without_a_command_nothing_is_run(tmp_path: Path) -> None:
    logged: list[str] = []
    Hook("", tmp_path / "gone", logged.append).call(DONE)
    assert logged == []


def test_a_turn_that_a_kill_kept_out_of_the_recording_is_told_when_the_run_goes_on() -> None:
    samples, _ = recorded("demo")
    watch, recording = PhaseWatch(CONFIG), list[Stored]()
    for frame in frames(samples):
        recording.append(frame)
        if turns := watch.apply(frame):
            break
    again = PhaseWatch(CONFIG)
    assert again.catch_up(recording) == turns
    event = Event(turns[0].epoch, "phase", turns[0].text, 0.0, 0, turns[0].data)
    assert PhaseWatch(CONFIG).catch_up([*recording, event]) == []
    rest = [*recording, event, *list(frames(samples))[len(recording) : len(recording) + 2]]
    assert PhaseWatch(CONFIG).catch_up(rest) == []


def test_epochs_that_were_given_up_and_trained_again_are_told_as_they_went_the_second_time() -> None:
    samples, _ = recorded("demo")
    straight, watch = PhaseWatch(CONFIG), PhaseWatch(CONFIG)
    for sample in samples:
        straight.add(sample)
        watch.add(sample)
    for step in range(1, 40):
        watch.add(replace(samples[-1], epoch=samples[-1].epoch + 20 * step, test_loss=60.0, test_accuracy=0.01))
    assert watch.boundaries != straight.boundaries
    turns = [turn for sample in samples[-50:] for turn in watch.add(sample)]
    assert turns == []
    assert watch.boundaries == straight.boundaries
