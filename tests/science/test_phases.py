"""Where the phases begin: planted curves, real runs, and everything that must not be called grokking."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from dataclasses import astuple, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grok_tui.science.phases import Phase, PhaseFold, Sample
from tests.science.curves import NAN, UNKNOWN, curve, folded, learned, lookup_table, mainline, run, story

CIRCUITS = {Phase.CIRCUIT_FORMATION, Phase.CLEANUP, Phase.GENERALIZED, Phase.DIRECT}


def phases(fold: PhaseFold) -> list[Phase]:
    return [boundary.phase for boundary in fold.boundaries]


def test_the_mainline_memorizes_forms_a_circuit_cleans_up_and_has_grokked() -> None:
    fold = folded(mainline())
    assert phases(fold) == ["fitting", "memorization", "circuit formation", "cleanup", "generalized"]
    found = story(fold)
    assert 150 <= found["memorization"] <= 200
    assert 1200 <= found["circuit formation"] <= 1600, "the peak of test loss"
    assert 6800 <= found["cleanup"] <= 7200, "test loss through ln p"
    assert 8000 <= found["generalized"] <= 13_000


def test_the_published_rerun_of_the_demonstration_has_its_boundaries_where_its_authors_drew_them() -> None:
    samples = run(
        25_000,
        train_loss=curve({100: 2.9, 1000: 5.3e-6, 1400: 4e-7, 7000: 2.8e-7, 9200: 2.2e-7, 10000: 1.4e-7, 24800: 1e-7}),
        train_accuracy=learned,
        test_loss=curve({1: 4.73, 100: 7.7, 1000: 29.2, 1400: 31.7, 2800: 27.7, 4800: 23, 7000: 15.6, 8800: 6.3}
            | {9200: 3.6, 10000: 0.03, 12000: 2.5e-4, 24800: 1.6e-6}),
        test_accuracy=lambda e: 0.05 if e < 9000 else min(1.0, 0.05 + (e - 9000) / 1100),
        excluded_key_free=curve({100: 0.13, 1000: 0.0024, 1400: 0.0036, 2800: 0.079, 4800: 1.19, 7000: 5.2, 8800: 13.7}
            | {9200: 16.1, 10000: 13.9, 12000: 8.4, 24800: 4.78}),
        test_fve=curve({100: 1e-3, 1000: 0.03, 1400: 0.04, 2800: 0.1, 4800: 0.25, 7000: 0.5, 8800: 0.72, 9200: 0.75}
            | {10000: 0.82, 12000: 0.91, 24800: 0.96}),
        sum_of_squares=curve({1: 1130, 1400: 3500, 9000: 2300, 12000: 1100, 16000: 1000, 24800: 950}),
    )  # fmt: skip
    found = story(folded(samples))
    assert abs(found["circuit formation"] - 1400) <= 50
    assert 8800 < found["cleanup"] < 9200
    assert 10_000 <= found["generalized"] <= 17_000


SWEEP = {  # share of the data: peak of test loss, its epoch, then where it falls below ln p, 1 and 0.001
    0.95: (4.94, 62, 74, 123, 445),
    0.9: (4.97, 60, 74, 156, 555),
    0.8: (5.00, 60, 77, 177, 669),
    0.7: (5.26, 75, 96, 129, 467),
    0.6: (5.55, 93, 120, 270, 666),
    0.5: (5.96, 102, 330, 744, 1246),
    0.4: (10.06, 898, 2002, 2615, 3434),
    0.3: (26.61, 1420, 7229, 7583, 8505),
    0.28: (26.93, 1451, 13755, 14465, 15880),
    0.25: (32.38, 1455, 21002, 21419, 22487),
}


@pytest.mark.parametrize("fraction", SWEEP)
def test_a_share_of_half_the_data_or_more_generalizes_directly_and_less_groks(fraction: float) -> None:
    top, peak, below, one, solved = SWEEP[fraction]
    samples = run(
        solved + 500,
        every=20,
        train_loss=curve({1: 4.73, 60: 4.4, 130: 1.0, 200: 0.1, 272: 0.01, 1000: 4e-6, 1500: 3.5e-7}),
        train_accuracy=lambda e: min(1.0, (e + 1) / 200),
        test_loss=curve({1: 4.727, peak: top, below: math.log(113), one: 1.0, solved: 1e-3}),
        test_accuracy=lambda e: 0.02 if e < below else min(1.0, (e - below) / (solved - below) + 0.02),
        test_fve=curve({1: 1e-3, max(peak, 200): 0.01, one: 0.6, solved: 0.8}),
        excluded_key_free=curve({1: 4.7, 200: 2, 1000: 0.4, 1500: 0.42, one: 14, solved: 16}),
    )
    found = story(folded(samples))
    if fraction >= 0.5:
        assert "direct generalization" in found
        assert not {"circuit formation", "cleanup"} & set(found)
    else:
        assert abs(found["circuit formation"] - peak) <= 20
        assert abs(found["cleanup"] - below) <= 20
        assert "direct generalization" not in found


@pytest.mark.parametrize("decay", [5e-5, 2e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("fve", [0.0, 0.004, 0.05, 0.3])
def test_a_lookup_table_whose_logits_shrink_is_no_circuit(decay: float, fve: float) -> None:
    samples = lookup_table(decay=decay, fve=fve)
    peak = max(s.test_loss for s in samples)
    assert samples[-1].test_loss < 0.9 * peak, "it does look like a circuit to test loss"
    assert samples[-1].excluded_key_free > 2 * min(s.excluded_key_free for s in samples), "and to excluded loss"
    assert not CIRCUITS & set(phases(folded(samples)))


def test_nothing_is_a_circuit_without_its_leak_free_sign() -> None:
    fold = folded(replace(sample, test_fve=NAN) for sample in mainline(7500))
    assert phases(fold) == ["fitting", "memorization"]


def test_without_weight_decay_no_circuit_is_called_whatever_the_curves_do() -> None:
    fold = folded(replace(sample, weight_decay=0.0) for sample in mainline(7500))
    assert phases(fold) == ["fitting", "memorization"]
    assert any("weight decay is 0" in line for line in fold.call.evidence)


def test_a_run_that_does_generalize_late_without_weight_decay_is_said_to_have() -> None:
    fold = folded(replace(sample, weight_decay=0.0) for sample in mainline(16_000))
    assert phases(fold) == ["fitting", "memorization", "generalized"]
    assert 7200 <= story(fold)["generalized"] <= 8000


def test_a_plateau_is_called_stalled_with_the_likely_reason() -> None:
    for decay, reason in ((0.0, "weight decay is 0"), (1.0, "too little data")):
        flat = [s if s.epoch < 1400 else replace(s, test_loss=25.0, test_fve=0.006) for s in mainline(6000)]
        fold = folded(replace(s, weight_decay=decay) for s in flat)
        assert fold.phase == "stalled"
        assert any(reason in line for line in fold.call.evidence)


def test_a_change_of_weight_decay_ends_a_stall_and_the_circuit_is_then_seen() -> None:
    still = [replace(s, test_loss=25.0, test_fve=0.006, weight_decay=0.0) for s in mainline(6000) if s.epoch > 1400]
    before = [replace(s, weight_decay=0.0) for s in mainline(1400)]
    after = [replace(s, epoch=s.epoch + 4600) for s in mainline() if s.epoch > 1400]
    fold = folded(before + still + after)
    assert phases(fold) == [
        "fitting",
        "memorization",
        "stalled",
        "memorization",
        "circuit formation",
        "cleanup",
        "generalized",
    ]
    assert abs(fold.boundaries[3].epoch - 6050) <= 50, "the stall ends where the control was changed"


def test_a_cleanup_that_weight_decay_has_left_stalls_and_goes_on_when_it_is_back() -> None:
    begun = mainline(7100)
    held = [replace(begun[-1], epoch=epoch, weight_decay=0.0) for epoch in range(7150, 12_101, 50)]
    fold = folded(begun + held)
    assert phases(fold)[-2:] == ["cleanup", "stalled"]
    assert fold.boundaries[-1].epoch <= 7300, "placed where the decay went"
    assert any("nothing has moved" in line for line in fold.call.evidence)
    assert "in the last 3,000 epochs" in fold.call.evidence[0]
    seldom = [sample for sample in held if sample.epoch % 600 == 0]
    coarse = folded([sample for sample in begun if sample.epoch % 600 == 0] + seldom)
    assert coarse.phase == "stalled"
    assert "in the last 4,200 epochs" in coarse.call.evidence[0], (
        "eight samples, of which a window has at least as many"
    )
    assert any("weight decay is 0" in line for line in fold.call.evidence)
    rest = [replace(sample, epoch=sample.epoch + 5000) for sample in mainline() if sample.epoch > 7100]
    fold = folded(begun + held + rest)
    assert phases(fold)[-4:] == ["cleanup", "stalled", "cleanup", "generalized"]
    assert abs(fold.boundaries[-2].epoch - 12_150) <= 50


def test_a_schedule_that_is_slower_than_the_weights_follow_hides_no_phase() -> None:
    steady = mainline()
    end = steady[-1].epoch
    falling = [replace(s, weight_decay=1.0 - 0.5 * s.epoch / end) for s in steady]
    assert phases(folded(falling)) == phases(folded(steady)) == [*phases(folded(steady))[:4], "generalized"]


def test_a_slow_schedule_makes_the_windows_begin_anew_once_it_has_come_far() -> None:
    fold = PhaseFold(math.log(113))
    restarts = []
    for sample in mainline(8000):
        before = fold._decay._held
        fold.add(replace(sample, weight_decay=0.5 + sample.epoch / 8000))
        if fold._decay._held != before and not math.isnan(before):
            restarts.append(fold._decay._held)
    assert [round(value, 1) for value in restarts] == [0.7, 0.9, 1.2]


def test_a_slow_circuit_is_not_a_stall() -> None:
    slow = [replace(s, epoch=10 * s.epoch, weight_decay=0.1) for s in mainline(every=50)]
    assert "stalled" not in phases(folded(slow))


def spiked(samples: list[Sample], at: int, count: int = 1) -> list[Sample]:
    """With a slingshot: train loss 10,000 times up, test loss down, accuracy nearly kept."""
    return [
        replace(
            s, train_loss=1e4 * s.train_loss, test_loss=0.4 * s.test_loss, excluded_key_free=9.0, train_accuracy=0.95
        )
        if at <= s.epoch < at + 50 * count
        else s
        for s in samples
    ]


@pytest.mark.parametrize("at", [900, 3000, 5000, 6600])
def test_a_slingshot_holds_the_phase_and_moves_no_boundary(at: int) -> None:
    quiet, samples = folded(mainline()), spiked(mainline(), at, count=2)
    fold = PhaseFold(math.log(113))
    for sample in samples:
        fold.add(sample)
        assert fold.spike == fold.call.spike == (at <= sample.epoch < at + 100)
    assert [(b.phase, b.epoch) for b in fold.boundaries] == [(b.phase, b.epoch) for b in quiet.boundaries]


def test_a_loss_that_stays_up_is_no_spike_for_long() -> None:
    fold = folded(s if s.epoch < 3000 else replace(s, train_loss=0.1) for s in mainline(3400))
    assert not fold.spike


@pytest.mark.parametrize(
    "name", ["train_loss", "test_loss", "test_accuracy", "test_fve", "excluded_key_free", "sum_of_squares"]
)
@pytest.mark.parametrize("factor", [0.0, 1e-3, 1e3, NAN, math.inf])
def test_one_odd_number_decides_nothing(name: str, factor: float) -> None:
    usual = folded(mainline()).boundaries
    for at in (1000, 1500, 3000, 6500):
        odd = (replace(s, **{name: factor * getattr(s, name)}) if s.epoch == at else s for s in mainline())
        found = folded(odd).boundaries
        assert [b.phase for b in found] == [b.phase for b in usual], at
        assert all(abs(a.epoch - b.epoch) <= 100 for a, b in zip(found, usual, strict=True)), at


@pytest.mark.parametrize("every", [10, 25, 100, 200])
def test_another_cadence_gives_the_same_boundaries_within_it(every: int) -> None:
    usual, found = folded(mainline(every=10)).boundaries, folded(mainline(every=every)).boundaries
    assert [b.phase for b in found] == [b.phase for b in usual]
    for a, b in zip(found[:-1], usual[:-1], strict=True):
        assert abs(a.epoch - b.epoch) <= 2 * every, a.phase
    assert abs(found[-1].epoch - usual[-1].epoch) <= 500, "rest is seen over a window"


def test_a_grokked_run_whose_test_accuracy_falls_is_degraded_and_may_come_back() -> None:
    samples = [s if not 12_000 < s.epoch < 13_000 else replace(s, test_accuracy=0.6, test_loss=3.0) for s in mainline()]
    fold = folded(samples)
    assert phases(fold)[-3:] == ["generalized", "degraded", "generalized"]
    assert fold.boundaries[-2].epoch == 12_050


@pytest.mark.parametrize("at", [1000, 4000, 7500, 14_000])
def test_weights_that_collapse_to_nothing_are_degraded_and_never_generalized(at: int) -> None:
    gone: dict[str, Any] = {
        "train_loss": 4.7274,
        "train_accuracy": 0.0088,
        "test_loss": 4.7271,
        "test_accuracy": 0.0088,
        "test_fve": 1e-4,
    }
    gone |= {"excluded_key_free": 4.7274, "sum_of_squares": 0.3}
    samples = [s if s.epoch < at else replace(s, weight_decay=200.0, **gone) for s in mainline()]
    fold = folded(samples)
    assert fold.phase == "degraded"
    assert fold.boundaries[-1].epoch == at
    assert "generalized" not in phases(fold)[phases(fold).index(Phase.DEGRADED) :]


def test_a_run_that_collapses_before_it_has_learned_anything_keeps_fitting() -> None:
    nothing = run(5000, train_loss=4.727, train_accuracy=0.009, test_loss=4.7268, test_accuracy=0.009, test_fve=1e-4)
    assert phases(folded(nothing)) == ["fitting"]


def test_what_is_forgotten_may_be_learned_and_grokked_again() -> None:
    forgotten = [
        replace(s, train_accuracy=0.01, train_loss=4.7, test_loss=4.7, test_accuracy=0.01) for s in mainline(500)
    ]
    again = [replace(s, epoch=s.epoch + 14_501) for s in mainline()]
    fold = folded([*mainline(14_000), *(replace(s, epoch=s.epoch + 14_000) for s in forgotten[1:]), *again])
    assert phases(fold)[4:] == [
        "generalized",
        "degraded",
        "memorization",
        "circuit formation",
        "cleanup",
        "generalized",
    ]


def test_a_circuit_that_goes_away_is_taken_back() -> None:
    samples = [s if s.epoch < 4000 else replace(s, test_loss=25.0, test_fve=0.004) for s in mainline(6000)]
    assert phases(folded(samples))[:4] == ["fitting", "memorization", "circuit formation", "memorization"]


def test_the_phase_changes_when_it_is_known_and_the_boundary_lies_where_it_happened() -> None:
    fold = PhaseFold(math.log(113))
    for sample in mainline():
        before = fold.boundaries
        fold.add(sample)
        assert fold.boundaries[: len(before)] == before, "a boundary is not moved later"
        for boundary in fold.boundaries[len(before) :]:
            assert boundary.confirmed == sample.epoch >= boundary.epoch
        assert fold.call.phase == fold.boundaries[-1].phase
        assert fold.call.since == fold.boundaries[-1].epoch
    circuit = fold.boundaries[2]
    assert 100 <= circuit.confirmed - circuit.epoch <= 1500


def test_the_evidence_names_its_numbers() -> None:
    call = folded(mainline(4800)).call
    assert call.evidence[0] == "excluded loss (key-free) has risen 12.8-fold since epoch 1,150"
    assert call.evidence[1] == "test loss 3.62 times chance, 33 % below its peak at epoch 1,450"
    assert call.next == "cleanup when test loss falls below chance (ln 113 = 4.73); now 17.1"


@pytest.mark.parametrize(
    ("end", "odd", "said"),
    [
        (4800, {"test_loss": 15.5}, "now 15.5"),
        (7300, {"test_accuracy": 0.743}, "test accuracy 74.3 %"),
        (7300, {"test_accuracy": 0.743}, "(now 74.3 %)"),
        (1200, {"train_loss": 1.23e-7}, "train loss 1.23e-7"),
        (1200, {"test_fve": 0.0123}, "(now 1.23 %)"),
    ],
)
def test_the_words_say_the_newest_numbers_as_the_charts_do(end: int, odd: dict[str, Any], said: str) -> None:
    *before, last = mainline(end)
    fold = folded([*before, replace(last, **odd)])
    assert said in " | ".join((*fold.call.evidence, fold.call.next))
    assert fold.phase == folded([*before, last]).phase


def test_before_the_first_sample_there_is_nothing_to_say() -> None:
    fold = PhaseFold(NAN)
    assert fold.boundaries == ()
    assert fold.call.phase == "fitting"
    assert fold.call.evidence == ()


def test_epochs_seen_before_leave_no_trace() -> None:
    twice = [*mainline(5000), *mainline(5000), *(s for s in mainline(9000) if s.epoch > 4000)]
    assert folded(twice).boundaries == folded(mainline(9000)).boundaries


def test_memory_and_time_do_not_grow_with_the_run() -> None:
    sizes = []
    for end in (20_000, 200_000):
        samples = [replace(s, test_loss=25 + math.sin(s.epoch), weight_decay=1e-6) for s in mainline(end, every=10)]
        sizes.append(len(pickle.dumps(folded(samples))))
    assert sizes[1] < 1.2 * sizes[0] < 40_000


wild = st.one_of(
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 1.0, 0.999, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, math.inf, -math.inf, NAN]
    ),
    st.floats(0, 30),
)
samples = st.builds(
    lambda step, values: (step, values), st.integers(-5, 4000), st.lists(wild, min_size=11, max_size=11)
)


@settings(max_examples=150, deadline=None)
@given(chance=wild, drawn=st.lists(samples, max_size=60), warm=st.sampled_from([0, 300, 2000, 7500, 12_000]))
@example(chance=1.0, drawn=[(0, [0.0] * 11), (1, [0.0, 1.0] + [0.0] * 9), (1, [0.0, 1.0, -1.0] + [0.0] * 8)], warm=0)
def test_no_numbers_whatever_upset_the_fold(chance: float, drawn: list[tuple[int, list[float]]], warm: int) -> None:
    fold, epoch, taken = PhaseFold(chance if not warm else math.log(113)), warm, mainline(warm) if warm else []
    for step, values in drawn:
        epoch += step
        taken.append(Sample(epoch, *values))
    for sample in taken:
        fold.add(sample)
        call = fold.call
        assert all(isinstance(line, str) and line for line in (*call.evidence, call.next))
    epochs = [boundary.epoch for boundary in fold.boundaries]
    assert epochs == sorted(epochs)
    assert all(boundary.epoch <= boundary.confirmed for boundary in fold.boundaries)
    again = PhaseFold(fold.chance)
    for sample in taken:
        again.add(sample)
    assert again.boundaries == fold.boundaries
    assert repr(again.call) == repr(fold.call), "the same, unknown numbers too"


def test_the_rules_load_neither_torch_nor_numpy() -> None:
    check = (
        "import sys, grok_tui.science.phases; print(sorted({'torch', 'numpy', 'einops', 'textual'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_sample_of_unknowns_is_no_evidence() -> None:
    fold = folded(replace(UNKNOWN, epoch=e) for e in range(0, 10_000, 50))
    assert phases(fold) == ["fitting"]
    assert fold.call.evidence == ()
    assert all(math.isnan(value) for value in astuple(UNKNOWN)[1:])


def test_where_test_loss_rose_up_to_a_change_its_peak_is_no_earlier_than_without_the_change() -> None:
    shared = [sample for sample in mainline(1400) if sample.epoch <= 1400]
    later = [replace(s, test_loss=0.8 * s.test_loss, weight_decay=3.0) for s in mainline(6000) if s.epoch > 1400]
    assert shared[-1].test_loss > shared[-2].test_loss, "it still rises"
    assert story(folded(shared + later))["circuit formation"] == 1400
    assert story(folded(mainline(6000)))["circuit formation"] >= 1400
