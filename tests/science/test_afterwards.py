"""The reading of a finished run that the rules are held against, and how they stand against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grok_tui.science.phases import Phase, Sample
from scripts.phases import Told, confusion, table
from tests.science import afterwards
from tests.science.curves import files, learned, mainline, recorded, run


def read(samples: list[Sample], p: int = 113) -> dict[str, int]:
    return {phase.value: epoch for phase, epoch in afterwards.phases(samples, p)}


def test_the_mainline_is_read_as_its_authors_drew_it() -> None:
    found = read(mainline())
    assert list(found) == ["fitting", "memorization", "circuit formation", "cleanup", "generalized"]
    assert found["memorization"] == 200
    assert 1200 <= found["circuit formation"] <= 1500
    assert 6800 <= found["cleanup"] <= 7200
    assert 8000 <= found["generalized"] <= 14_000


def test_it_reads_the_last_crossing_and_no_short_excursion() -> None:
    back = [replace(s, test_loss=9.0) if 7500 <= s.epoch < 8500 else s for s in mainline()]
    assert read(back)["cleanup"] == 8500
    spike = [replace(s, test_loss=9.0) if s.epoch == 9000 else s for s in mainline()]
    assert read(spike) == read(mainline())


def test_a_run_that_is_not_at_rest_at_its_end_has_not_generalized_yet() -> None:
    assert "generalized" not in read(mainline(8500))


def test_without_a_circuit_and_with_time_it_is_stalled() -> None:
    flat = [s if s.epoch < 1400 else replace(s, test_loss=25.0, test_fve=0.006) for s in mainline(6000)]
    assert list(read(flat)) == ["fitting", "memorization", "stalled"]
    assert list(read(mainline(3000))) == ["fitting", "memorization", "circuit formation"]


def test_what_is_forgotten_is_degraded_and_what_never_strayed_is_direct() -> None:
    lost = [replace(s, train_accuracy=0.01, test_accuracy=0.01) if s.epoch >= 12_000 else s for s in mainline()]
    assert read(lost)["degraded"] == 12_000
    direct = run(
        2000, train_loss=lambda e: 4.7 if e < 100 else 0.001, train_accuracy=learned,
        test_loss=lambda e: 5.0 if e < 200 else 0.01, test_accuracy=lambda e: float(e >= 200),
    )  # fmt: skip
    assert list(read(direct)) == ["fitting", "direct generalization"]


def test_a_table_counts_epochs_and_not_samples() -> None:
    told = Told.of("mainline", mainline(every=50), 113)
    counts = confusion([told], drawn=True)
    assert sum(counts.values()) == 16_000
    assert counts[Phase.CIRCUIT_FORMATION, Phase.CIRCUIT_FORMATION] > 5000
    rows = list(table(counts))
    assert rows[-1].endswith("of 16,000 epochs")


@pytest.mark.parametrize("held_out", [False, True])
def test_the_rules_agree_with_what_is_read_afterwards(held_out: bool) -> None:
    told = [Told.of(name, *recorded(name)) for name in files(held_out=held_out)]
    for drawn, least in ((False, 0.7), (True, 0.85)):
        counts = confusion(told, drawn=drawn)
        right = sum(n for (truth, called), n in counts.items() if truth is called)
        assert right > least * sum(counts.values())
