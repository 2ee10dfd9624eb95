"""What a look leaves in the recording."""

from __future__ import annotations

import numpy as np
import pytest

from grok_tui import config, record, runs
from grok_tui.protocol import Array
from grok_tui.train.journal import Journal


@pytest.mark.usefixtures("own_home")
def test_of_each_look_the_arrays_are_recorded_and_the_key_frequencies_where_they_change() -> None:
    run = runs.create(config.Config())
    journal = Journal(run)
    keys = [3, 5]
    for epoch, now in ((100, [3, 5]), (200, [3]), (300, [3]), (400, [3, 5])):
        found = {"alpha": np.arange(4.0), "key_frequencies": np.array(now, np.int32), "fourier_W_E": np.ones((2, 3))}
        keys = journal.arrays(epoch, found, keys)
        assert keys == now
    journal.close()
    told = [(f.epoch, f.name) for f in record.read(run.frames)[0] if isinstance(f, Array)]
    always = [(epoch, name) for epoch in (100, 200, 300, 400) for name in ("alpha", "fourier_W_E")]
    assert sorted(told) == sorted([*always, (200, "key_frequencies"), (400, "key_frequencies")])
