"""What a run in training keeps of itself, and where it goes on from."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from grok_tui import runs
from grok_tui.ledger import Entry
from grok_tui.protocol import PROTOCOL, Catalogue, Hello, Points
from grok_tui.record import Recorder
from grok_tui.runs import Run
from grok_tui.train.past import Past
from grok_tui.train.saves import Saves
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table
from tests.train.stage import tiny

pytestmark = pytest.mark.usefixtures("own_home")

CPU = torch.device("cpu")


class Kept:
    """A model in training and what is saved of it, with a note of each time that the recording was synced."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stepper = Stepper(run.config, Table.of(run.config, CPU), CPU)
        self.synced: list[tuple[int, list[str]]] = []
        """(epoch, resume points that were there)."""
        self.saves = Saves(run, self.stepper, self._sync, lambda: ())

    def _sync(self) -> None:
        self.synced.append((self.stepper.epoch, names(self.run.resume_points)))

    def train(self, upto: int) -> None:
        """With what is due on the way, as a session goes: from one stop to the next."""
        while self.stepper.epoch < upto:
            epoch = self.stepper.epoch
            self.saves.save_what_is_due(last=False)
            self.stepper.advance(min(self.saves.next(epoch), upto) - epoch)


def names(directory: Path) -> list[str]:
    return sorted(path.name.partition(".")[0].lstrip("0") or "0" for path in directory.glob("*.safetensors"))


@pytest.fixture
def run() -> Run:
    return runs.create(tiny(training__epochs=100, record__resume_every=30, record__weights_every=40))


def past(run: Run) -> Past:
    return Past(run, list[Entry]())


def test_each_stop_is_saved_and_nothing_in_between(run: Run) -> None:
    kept = Kept(run)
    kept.train(95)
    kept.saves.save_what_is_due(last=False)
    assert names(run.weights) == sorted(["0", "1", "2", "5", "10", "20", "40", "80"])
    assert names(run.resume_points) == ["30", "60", "90"]
    kept.saves.save_what_is_due(last=True)
    assert "95" in names(run.weights)
    assert "95" in names(run.resume_points)


def test_the_recording_is_on_the_disk_before_a_resume_point_is(run: Run) -> None:
    kept = Kept(run)
    kept.train(61)
    assert kept.synced == [(30, []), (60, ["30"])]


def test_it_goes_back_to_the_last_resume_point_that_can_be_read(run: Run) -> None:
    kept = Kept(run)
    kept.train(61)
    (run.resume_points / "00000060.safetensors").write_bytes(b"torn")
    again = Kept(run)
    assert again.saves.go_back(past(run)) == again.stepper.epoch == 30
    assert (run.resume_points / "00000060.broken").exists()
    again.train(61)
    assert torch.equal(again.stepper.flat, kept.stepper.flat)


def test_without_a_resume_point_it_begins_at_the_beginning(run: Run) -> None:
    assert Kept(run).saves.go_back(past(run)) == 0


def test_what_is_saved_of_epochs_that_were_given_up_is_gone(run: Run) -> None:
    kept = Kept(run)
    kept.train(61)
    recorder = Recorder(run.frames)
    recorder.append(Hello(PROTOCOL, run.name, "", {}, {}, 100, Catalogue()))
    recorder.append(Points(np.array([0, 1]), {"train_loss": np.array([2.0, math.nan])}))
    recorder.close()
    assert Kept(run).saves.go_back(past(run)) == 0
    assert (names(run.weights), names(run.resume_points)) == (["0"], [])
