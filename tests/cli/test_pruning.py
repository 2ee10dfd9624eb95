"""What pruning leaves of runs that have files in common, and what it says of it."""

from __future__ import annotations

import os
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from grok_tui import branches, pruning, runs
from grok_tui.cli import cli
from grok_tui.ledger import Ledger
from grok_tui.record import Recorder
from grok_tui.runs import Run
from tests.wire.wiring import event, hello, make_run, points

KB = 1 << 10
pytestmark = pytest.mark.usefixtures("own_home")


def store(run: Run, folder: str, first: int, last: int, every: int) -> None:
    """A kilobyte of weights or of a resume point at each of some epochs, where there is none."""
    place = run.path / folder
    place.mkdir(exist_ok=True)
    for epoch in range(first, last + 1, every):
        path = place / f"{epoch:08d}.safetensors"
        if not path.exists():
            path.write_bytes(bytes(KB))


def grown(run: Run, first: int, last: int, *, changed: int | None = None) -> Run:
    """Trained on to `last`, with weights each 10 epochs and resume points each 20, and a change of the weight decay."""
    recorder, ledger = Recorder(run.frames), Ledger(run.ledger)
    for begin in (hello(run.name), event(0, "started")) if first == 0 else ():
        recorder.append(begin)
    recorder.append(points(first, last - first))
    recorder.close()
    if changed is not None:
        ledger.append(changed, "changed", True, "", control="weight_decay", value=3.0)
    ledger.close()
    store(run, "weights", first, last, 10)
    store(run, "resume", first, last, 20)
    return run


def family() -> list[Run]:
    """A run with two branches, one of which has a branch too; each went on by itself."""
    parent = grown(make_run(), 0, 600, changed=430)
    child = grown(branches.create(parent, 300), 300, 500, changed=405)
    other = grown(branches.create(parent, 450), 450, 520)
    deeper = grown(branches.create(child, 410, settings=[("training.epochs", "900")]), 410, 900, changed=555)
    return [parent, child, other, deeper]


def stored(run: Run, folder: str) -> list[int]:
    return sorted(int(path.stem) for path in (run.path / folder).glob("*.safetensors"))


def on_disk(runs_: list[Run]) -> int:
    """The bytes of the stored files, each once."""
    files = [path for run in runs_ for folder in ("weights", "resume") for path in (run.path / folder).iterdir()]
    return len({path.stat().st_ino for path in files}) * KB


def said(*words: str) -> str:
    done = CliRunner().invoke(cli, ["prune", *words])
    assert done.exit_code == 0, done.output
    return done.output


CHOSEN = [chosen for n in (1, 2, 4) for chosen in combinations(range(4), n)]


@pytest.mark.parametrize("kb", [None, 0, 8, 30])
@pytest.mark.parametrize("chosen", CHOSEN)
def test_what_is_announced_is_what_goes_and_afterwards_there_is_nothing_more(
    chosen: tuple[int, ...], kb: int | None
) -> None:
    everybody = family()
    some = [everybody[i] for i in chosen]
    before = {run.path: (stored(run, "weights"), stored(run, "resume")) for run in everybody}
    room = on_disk(everybody)
    keep = None if kb is None else kb / KB
    pieces = pruning.find(some, keep, beside=False)
    assert sum(piece.frees for piece in pieces) == pruning.frees(pieces)
    assert pruning.carry_out(pieces) == room - on_disk(everybody)
    assert pruning.find(some, keep, beside=False) == []
    for run in everybody:
        weights, resume = before[run.path]
        left = stored(run, "resume")
        assert {weights[0], weights[-1]} <= set(stored(run, "weights"))
        assert set(resume[-2:]) <= set(left)
        if run not in some:
            assert (stored(run, "weights"), left) == (weights, resume)
        if kb is None:
            assert stored(run, "weights") == weights
            at = [child.lineage.epoch for child in runs.children(run) if child.lineage]
            assert {max(epoch for epoch in resume if epoch <= each) for each in at} <= set(left)


def test_files_that_a_branch_keeps_too_push_no_others_out() -> None:
    parent, *_ = everybody = family()
    own = [epoch for epoch in stored(parent, "weights") if epoch > 450]
    shared = [epoch for epoch in stored(parent, "weights") if epoch <= 450]
    told = said(parent.name, "--keep-mb", str(12 / KB), "--yes")
    left = [epoch for epoch in stored(parent, "weights") if epoch > 450]
    points = [epoch for epoch in stored(parent, "resume") if epoch > 450]
    assert [epoch for epoch in stored(parent, "weights") if epoch <= 450] == shared
    assert len(left) + len(points) == 12 < len(own)
    assert max(b - a for a, b in pairwise([450, *left])) <= 60, left  # over all of what is its own
    rest = len(shared) + len([epoch for epoch in stored(parent, "resume") if epoch <= 450])
    assert f"demo-1: {12 + rest}.0 kB stay, {rest}.0 kB that demo-1.1, demo-1.1.1 and demo-1.2 have too" in told
    assert len(stored(everybody[1], "weights")) == 51


def test_what_is_nearest_to_a_change_is_the_last_to_go() -> None:
    run = grown(make_run(), 0, 600, changed=433)
    said(run.name, "--keep-mb", str(40 / KB), "--yes")
    assert {0, 430, 600} <= set(stored(run, "weights"))
    assert len(stored(run, "weights")) + len(stored(run, "resume")) == 40


def test_a_run_whose_ends_take_more_than_it_should_says_so() -> None:
    run = grown(make_run(), 0, 600)
    told = said(run.name, "--keep-mb", "0", "--yes")
    assert (stored(run, "weights"), stored(run, "resume")) == ([0, 600], [580, 600])
    assert "demo-1: 4.0 kB stay, 4.0 kB that never go" in told
    assert "nothing to delete" in said(run.name, "--keep-mb", "0", "--yes")


def test_a_file_of_two_runs_is_counted_in_one_row() -> None:
    everybody = family()
    room = on_disk(everybody)
    lines = said("--keep-mb", str(8 / KB)).splitlines()
    rows = [line for line in lines if re.match(r"demo-\S+ +(resume|weights)", line)]
    freed = sum(float(found[1]) for line in rows if (found := re.search(r"([\d.]+) kB", line)))
    assert any("counted above" in line for line in rows), rows
    assert f"{freed:.1f} kB would be freed" in lines[-1]
    said("--keep-mb", str(8 / KB), "--yes")
    assert room - on_disk(everybody) == freed * KB


def test_files_that_are_linked_from_elsewhere_stay_and_that_is_said(tmp_path: Path) -> None:
    run = grown(make_run(), 0, 600)
    (tmp_path / "copy").mkdir()
    for path in run.weights.iterdir():
        os.link(path, tmp_path / "copy" / path.name)
    told = said(run.name, "--keep-mb", str(4 / KB), "--yes")
    assert len(stored(run, "weights")) == 61
    assert "61.0 kB that something else has too" in told
