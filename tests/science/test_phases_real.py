"""The phase rules on measured runs: what was seen in them by eye, before the rules were asked."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest

from grok_tui.science.phases import PhaseFold, Sample
from tests.science.curves import files, folded, recorded, story

GROKKED = ["fitting", "memorization", "circuit formation", "cleanup", "generalized"]
PHASES = {
    "nanda113": GROKKED,
    "slingshots": GROKKED[:4],
    "demo": GROKKED,
    "demo_seed_2": GROKKED,
    "most_data": ["fitting", "direct generalization"],
    "without_decay": ["fitting", "memorization", "stalled"],
    "little_data": ["fitting", "memorization", "stalled"],
    "slingshots_without_circuit": ["fitting", "memorization", "stalled"],
    "decay_raised": GROKKED[:4],
    "p113_f30_wd1_s0": GROKKED,
    "p53_f30_wd1_s1": GROKKED[:3],
    "p97_f30_wd3_s2": GROKKED,
    "p97_f50_wd03_s6": GROKKED[:4],
    "p53_f40_wd3_s7": GROKKED,
    "small_p59_f40_wd15_s1": GROKKED,
    "small_p61_f40_wd1_s15": GROKKED,
    "small_p59_f45_wd07_s13": GROKKED[:4],
    "small_p61_f35_wd15_s11": GROKKED[:3],
    "p53_f90_wd1_s3": ["fitting", "direct generalization"],
    "p53_f40_wd0_s4": ["fitting", "memorization", "stalled"],
    "decay_removed": ["fitting", "memorization", "circuit formation", "stalled"],
    "collapse": ["fitting", "memorization", "circuit formation", "degraded"],
}


@pytest.mark.parametrize("name", PHASES)
def test_a_measured_run_has_the_phases_that_it_went_through(name: str) -> None:
    samples, p = recorded(name)
    assert [boundary.phase for boundary in folded(samples, p).boundaries] == PHASES[name]


def test_every_measured_run_is_asked_about() -> None:
    assert set(files(held_out=False)) == set(PHASES)
    assert all(found["about"] for found in files().values())


def test_the_mainline_has_its_boundaries_where_the_paper_drew_its_lines() -> None:
    """Nanda et al. 2023: memorization up to 1.4k, circuit formation up to 9.4k, cleanup up to 14k epochs."""
    found = story(folded(*recorded("nanda113")))
    assert abs(found["circuit formation"] - 1400) <= 100
    assert abs(found["cleanup"] - 9400) <= 100
    assert abs(found["generalized"] - 14_000) <= 500


def test_slingshots_are_marked_and_nothing_is_decided_in_them() -> None:
    samples, p = recorded("slingshots_without_circuit")
    assert max(s.excluded_key_free for s in samples if s.epoch > 1500) > 100 * min(s.excluded_key_free for s in samples)
    fold, spikes = PhaseFold(math.log(p)), []
    for sample in samples:
        fold.add(sample)
        if fold.spike:
            spikes.append(sample.epoch)
            assert fold.call.evidence[0].startswith("train loss has jumped to")
    assert spikes
    assert all(1500 < epoch < 1800 or 3100 < epoch < 3500 for epoch in spikes)


@pytest.mark.parametrize(
    ("name", "epoch", "said"),
    [
        ("p113_f30_wd1_s0", 2300, "excluded loss (key-free) has risen 1.49-fold since epoch 1,100"),
        ("p113_f30_wd1_s0", 2300, "0.787 % when test loss peaked, grew 1.96-fold in 1,000 epochs"),
        ("p113_f30_wd1_s0", 9500, "sum of squared weights 1,920, -15.5 % in 1,000 epochs"),
        ("p113_f30_wd1_s0", 9500, "the weights rest (within 2.5 % in 1,000 epochs; now -15.5 %)"),
        ("p113_f30_wd1_s0", 13_700, "test loss fell below 1 at epoch 9,800, 73.7 times as late as train loss"),
        ("p53_f90_wd1_s3", 133, "test loss was never above 1.11 times chance"),
        ("p53_f40_wd0_s4", 487, "weight decay is 0: nothing drives a circuit"),
        ("p53_f40_wd0_s4", 4200, "test loss 9.72 times chance, rose 1.8 % in 1,000 epochs"),
        (
            "p53_f40_wd0_s4",
            4200,
            "goes on when the share that the cosines explain grows by 20 % in 1,000 epochs (now +0.5 %)",
        ),
        ("collapse", 1220, "train loss has jumped to 4.09, 1.33e6 times its usual 3.09e-6; the phase is held"),
        ("collapse", 1340, "memorization when train accuracy is above 99.9 % again (now 2.23 %)"),
    ],
)
def test_the_evidence_says_what_is_and_how_fast_it_moves(name: str, epoch: int, said: str) -> None:
    samples, p = recorded(name)
    call = folded([s for s in samples if s.epoch <= epoch], p).call
    assert said in " | ".join((*call.evidence, call.next))


@pytest.mark.parametrize("name", PHASES)
def test_every_fact_names_its_series_and_its_value_there(name: str) -> None:
    samples, p = recorded(name)
    fold, names = PhaseFold(math.log(p)), {f.name for f in fields(Sample)}
    for sample in samples:
        fold.add(sample)
        for fact in fold.call.facts:
            assert fact.series in names
            assert fact.value == getattr(sample, fact.series) or math.isnan(getattr(sample, fact.series))


def test_a_raised_weight_decay_starts_a_circuit_where_it_was_raised() -> None:
    found = story(folded(*recorded("decay_raised")))
    assert abs(found["circuit formation"] - 1000) <= 20


def test_a_removed_weight_decay_is_named_as_the_reason_of_the_stall() -> None:
    call = folded(*recorded("decay_removed")).call
    assert 1400 <= call.since <= 1440
    assert "weight decay is 0: nothing prefers a general solution" in call.evidence


@pytest.mark.parametrize("name", ["nanda113", "demo"])
@pytest.mark.parametrize("stride", [2, 3])
def test_a_coarser_look_at_the_same_run_sees_the_same(name: str, stride: int) -> None:
    samples, p = recorded(name)
    every = samples[-1].epoch - samples[-2].epoch
    fine, coarse = folded(samples, p).boundaries, folded(samples[::stride], p).boundaries
    assert [b.phase for b in coarse] == [b.phase for b in fine]
    for a, b in zip(fine[:-1], coarse[:-1], strict=True):
        assert abs(a.epoch - b.epoch) <= 2 * stride * every, a.phase


@pytest.mark.parametrize("name", PHASES)
def test_every_call_on_the_way_has_evidence_and_a_next_step(name: str) -> None:
    samples, p = recorded(name)
    fold = PhaseFold(math.log(p))
    for sample in samples:
        fold.add(sample)
        if math.isnan(fold.level("train_loss")):
            continue  # a recording knows train loss an epoch later
        call = fold.call
        assert call.next
        assert len(call.evidence) >= 2
        assert "unknown" not in " ".join((*call.evidence, call.next))
