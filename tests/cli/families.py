"""Runs that have ended, and commands said to the program in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grok_tui import cli, pruning
from grok_tui.commands import common
from grok_tui.ledger import Ledger
from grok_tui.protocol import Event
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.wire.wiring import event, hello, make_run, points

Done = subprocess.CompletedProcess[str]
KB = 1 << 10


class Say:
    """Says a command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str, answer: str | None = None) -> Done:
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["grok-tui", *arguments])
            patch.setattr(common, "on_terminal", lambda: answer is not None)
            patch.setattr("click.termui.visible_prompt_func", lambda _: answer or "")
            with pytest.raises(SystemExit) as left:
                cli.main()
        printed = self._capsys.readouterr()
        assert isinstance(left.value.code, int)
        return subprocess.CompletedProcess(arguments, left.value.code, printed.out, printed.err)


def recorded(epochs: int = 100, **machine: object) -> Run:
    """A run that has ended, with a kilobyte of weights each 10 epochs and a resume point each 5."""
    run = make_run()
    recorder = Recorder(run.frames)
    for frame in (
        replace(greeting := hello(run.name), machine=greeting.machine | machine),
        event(0, "started"),
        points(0, epochs),
        event(epochs, "stopped"),
    ):
        recorder.append(frame)
    recorder.close()
    Ledger(run.ledger).close()
    for place, every in ((run.weights, 10), (run.resume_points, 5)):
        place.mkdir()
        for epoch in range(0, epochs + 1, every):
            (place / f"{epoch:08d}.safetensors").write_bytes(b"x" * KB)
    run.write_state({"epoch": epochs, "state": "stopped"})
    return run


def stored(place: Path) -> list[int]:
    return sorted(int(path.stem) for path in place.glob("*.safetensors"))


def content(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def aged(path: Path, days: float = 2) -> Path:
    then = time.time() - days * pruning.DAY
    os.utime(path, (then, then))
    return path


def refused(done: Done) -> str:
    assert done.returncode in (1, 2), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def pulsed(run: Run) -> Run:
    """A run whose weight decay was 3 from epoch 20 on, then 9 for 24 epochs, and 3 again, with a refusal in between."""
    changes = ((20, 1.0, 3.0), (40, 3.0, 9.0), (64, 9.0, 3.0))
    recorder, ledger = Recorder(run.frames), Ledger(run.ledger)
    for frame in (hello(run.name), event(0, "started"), points(0, 20)):
        recorder.append(frame)
    ledger.append(10, "set", False, "there is no control 'momentum'")
    for (epoch, previous, value), end in zip(changes, (40, 64, 100), strict=True):
        data = {"control": "weight_decay", "value": value, "previous": previous}
        text = f"weight_decay {previous:g} → {value:g}"
        seq = ledger.append(epoch, "changed", True, text, **data)
        recorder.append(Event(epoch, "changed", text, 0.0, seq, data))
        recorder.append(points(epoch, end - epoch))
    recorder.close()
    ledger.close()
    run.write_state({"epoch": 100, "state": "stopped"})
    return run
