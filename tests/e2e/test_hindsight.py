"""Hindsight on a real terminal: it appears while one looks, and costs nothing while it stands still."""

from __future__ import annotations

import numpy as np
import pytest

from grok_tui import hindsight
from grok_tui.bench import finished_run
from grok_tui.protocol import PROTOCOL, Catalogue, Hello, Points
from grok_tui.record import Recorder
from tests.e2e.test_main_job import opened, see

pytestmark = pytest.mark.usefixtures("own_home")


def row(epoch: int, restricted: float, excluded: float) -> Points:
    values = {"restricted_loss_hindsight": np.array([restricted]), "excluded_loss_hindsight": np.array([excluded])}
    return Points(np.array([epoch]), values)


def test_it_appears_on_an_open_screen_grows_and_is_silent_between() -> None:
    run = finished_run(4000)
    with opened("attach", run.name, columns=160) as terminal:
        see(terminal, "finished")
        hindsight.directory(run).mkdir()
        recorder = Recorder(hindsight.path(run, (4, 7)))
        table = {"keys": [4, 7], "rule": hindsight.RULE, "total": 3}
        recorder.append(Hello(PROTOCOL, run.name, "", {"hindsight": table}, {}, 0, Catalogue(hindsight.SERIES)))
        recorder.append(row(4000, 1e-3, 9.0))
        recorder.append(row(500, 4.0, 1e-3))
        see(terminal, r"final keys: 4 7 \(2 of 3 epochs\)")
        terminal.read(2.0)
        assert terminal.read(3.0) == 0
        recorder.append(row(2000, 1.0, 2.0))
        recorder.close()
        see(terminal, r"final keys: 4 7\D")
        terminal.read(2.0)
        assert terminal.read(3.0) == 0
