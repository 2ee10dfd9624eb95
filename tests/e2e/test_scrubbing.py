"""The pseudo-terminal that the bench of the cursor measures at."""

from __future__ import annotations

import sys

import numpy as np

from grok_tui import scrubbing
from grok_tui.terminal import Terminal


def test_what_settles_is_timed_to_its_last_byte_and_is_then_on_the_screen() -> None:
    program = "import time\nfor word in 'one', 'two', 'three':\n print(word, flush=True)\n time.sleep(0.1)\ninput()"
    with Terminal([sys.executable, "-c", program], 40, 10) as terminal:
        seconds = terminal.settle(quiet=0.5, patience=10)
        assert seconds is not None
        assert seconds >= 0.2
        assert terminal.text.split() == ["one", "two", "three"]
        assert terminal.settle(quiet=0.05, patience=0.05) is None


def test_the_bench_s_arrays_differ_from_measure_to_measure() -> None:
    """Otherwise a step would draw less than it does in a real run."""
    for made in (scrubbing.circuit, scrubbing.spectra):
        before, after = ({array.name: array for array in made(epoch, 40_000)} for epoch in (20_000, 20_500))
        for name in ("attention_pattern", "neuron_maps", "logits_2d", "W_E", "fourier_W_E", "alpha"):
            if name in before:
                changed = before[name].values != after[name].values
                assert np.mean(changed) > 0.4, name
