"""What is deleted of a run's weights and resume points, and what never is."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui import config, runs, thinning
from grok_tui.errors import RecordError
from grok_tui.thinning import Drops, choose

sizes = st.dictionaries(st.integers(0, 100_000), st.integers(1, 1000), max_size=60)
MB = 1 << 20


def left(of: dict[int, int], dropped: tuple[int, ...]) -> dict[int, int]:
    return {epoch: size for epoch, size in of.items() if epoch not in dropped}


@given(sizes, sizes, st.integers(0, 40_000), st.sets(st.integers(0, 100_000), max_size=8))
def test_what_is_left_fits_or_is_what_never_goes(
    weights: dict[int, int], resume: dict[int, int], budget: int, matter: set[int]
) -> None:
    drops = choose(weights, resume, budget, matter)
    kept, points = left(weights, drops.weights), left(resume, drops.resume)
    assert len(kept) == len(weights) - len(drops.weights)
    assert len(points) == len(resume) - len(drops.resume)
    for epoch in (*sorted(weights)[:1], *sorted(weights)[-1:]):
        assert epoch in kept
    assert set(sorted(resume)[-2:]) <= set(points)
    never = {*sorted(weights)[:1], *sorted(weights)[-1:]}
    total = sum(kept.values()) + sum(points.values())
    assert total <= budget or (set(kept) == never and len(points) <= 2)
    assert not drops.resume or set(kept) == never  # resume points are the last to go
    assert choose(kept, points, budget, matter) == Drops()
    if drops != Drops():  # no more than necessary: with the last one back it would not fit
        back = resume[drops.resume[-1]] if drops.resume else weights[drops.weights[-1]]
        assert total + back > budget


@given(sizes, sizes, st.sets(st.integers(0, 100_000), max_size=8))
def test_what_fits_is_left_alone(weights: dict[int, int], resume: dict[int, int], matter: set[int]) -> None:
    assert choose(weights, resume, sum(weights.values()) + sum(resume.values()), matter) == Drops()


def test_a_long_run_that_is_thinned_as_it_grows_stays_evenly_covered() -> None:
    """As the trainer does it: after each snapshot, up to 100 of them out of 1,000."""
    weights: dict[int, int] = {}
    resume: dict[int, int] = {}
    for epoch in range(100, 100_001, 100):
        weights[epoch] = MB
        if epoch % 10_000 == 0:
            resume[epoch] = 3 * MB
        drops = choose(weights, resume, 130 * MB, matter=[33_333])
        weights, resume = left(weights, drops.weights), left(resume, drops.resume)
        assert sum(weights.values()) + sum(resume.values()) <= 130 * MB
    assert len(resume) == 10
    assert len(weights) == 100
    kept = sorted(weights)
    assert kept[0] == 100
    assert kept[-1] == 100_000
    assert 33_300 in kept
    assert all(epoch in kept for epoch in resume)
    gaps = [(b - a) / 1000 for a, b in pairwise(kept) if a > 20_000]
    assert max(gaps) <= 3.5
    early = [b / a for a, b in pairwise(kept) if a < 20_000]
    assert max(early) <= 2.0  # the picture on a logarithmic axis has no hole
    assert len(early) >= 15


def test_weights_at_changes_and_resume_points_outlast_the_others() -> None:
    weights = dict.fromkeys(range(0, 1001, 10), 10)
    drops = choose(weights, {500: 10, 1000: 10}, 70, matter=[123, 777])
    assert sorted(left(weights, drops.weights)) == [0, 120, 500, 780, 1000]
    assert drops.resume == ()


def test_the_newest_two_resume_points_stay_whatever_the_budget() -> None:
    weights = dict.fromkeys(range(0, 1001, 100), 10)
    drops = choose(weights, dict.fromkeys(range(0, 1001, 200), 30), 0)
    assert sorted(left(weights, drops.weights)) == [0, 1000]
    assert sorted(drops.resume) == [0, 200, 400, 600]


def test_a_run_directory_is_thinned_to_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    run = runs.create(config.Config(name="fat"))
    for place, epochs, size in ((run.weights, range(100, 5001, 100), MB // 8), (run.resume_points, (2000, 4000), MB)):
        place.mkdir()
        for epoch in epochs:
            (place / f"{epoch:08d}.safetensors").write_bytes(bytes(size))
    (run.weights / "00000100.part").write_bytes(b"")
    drops = thinning.thin(run, 4)
    assert len(drops.weights) == 34
    found = [path for place in (run.weights, run.resume_points) for path in place.glob("*.safetensors")]
    assert sum(path.stat().st_size for path in found) == 4 * MB
    assert thinning.thin(run, 4) == Drops()


def test_a_file_that_cannot_be_deleted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    run = runs.create(config.Config(name="fat"))
    for epoch in (100, 200, 300):
        path = run.weights / f"{epoch:08d}.safetensors"
        path.mkdir(parents=True)  # a directory is what unlink refuses, whoever asks
    with pytest.raises(RecordError, match="cannot be deleted"):
        thinning.thin(run, 0)


def test_a_file_that_is_gone_when_it_is_measured_does_not_end_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROK_TUI_HOME", str(tmp_path))
    run = runs.create(config.Config(name="fat"))
    run.weights.mkdir()
    for epoch in (100, 300, 400):
        (run.weights / f"{epoch:08d}.safetensors").write_bytes(bytes(10))
    (run.weights / "00000200.safetensors").symlink_to("nothing")  # listed, and not there when one looks
    assert thinning.thin(run, 0).weights == (300,)


def test_twenty_thousand_snapshots_are_chosen_from_in_no_time() -> None:
    began = time.process_time()
    drops = choose(dict.fromkeys(range(20_000), 10), {}, 0)
    assert len(drops.weights) == 19_998
    assert time.process_time() - began < 3
