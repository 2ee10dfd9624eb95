"""Runs side by side: only what differs, where each stands, and from where they are told."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grok_tui import aligning, comparing, crossings, effects, hindsight, placing, references, runs, ways
from grok_tui.aligning import Alignment
from grok_tui.comparing import Difference
from grok_tui.errors import ConfigError
from grok_tui.lineage import Lineage
from grok_tui.protocol import PROTOCOL, Array, Catalogue, Event, Hello
from grok_tui.runs import Run
from grok_tui.samples import SERIES
from grok_tui.science.phases import Phase, Sample
from grok_tui.series import Series, Shifted
from grok_tui.state import Ghost, RunState
from tests.compare.made import branched, changed, greeting, grokked, learned, run
from tests.science import curves


def test_only_what_differs_is_told() -> None:
    one = run("a", config={"data": {"seed": 1}, "measure": {"every": 100}})
    other = run("b", config={"data": {"seed": 2}, "measure": {"every": 100}}, machine={"device": "cuda"})
    assert comparing.differences([one, other]) == [
        Difference("data.seed", ("1", "2")),
        Difference("device", ("cpu", "cuda")),
    ]
    assert comparing.differences([one, one]) == []


def test_a_control_is_told_over_time_and_only_once() -> None:
    one = run("a", [changed(6000, 0.3)])
    other = run("b", config={"optimizer": {"weight_decay": 3.0}})
    assert comparing.differences([one, other]) == [Difference("weight decay", ("1, 0.3 from 6,000", "3"))]


def test_a_key_that_only_one_configuration_has_is_told() -> None:
    assert comparing.differences([run("a", config={"plan": {"lines": 3}}), run("b")]) == [
        Difference("plan.lines", ("3", "–"))
    ]


def test_of_many_changes_the_first_and_the_last_are_told() -> None:
    state = run(events=[changed(1000 * n, float(n + 1), float(n)) for n in range(1, 12)])
    assert ways.path(state, "weight_decay") == "1, 2 from 1,000, … 12 from 11,000 (11 changes)"


def test_of_several_changes_at_one_epoch_only_the_last_counts() -> None:
    state = run(events=[changed(500, 3.0), changed(500, 1.0, 3.0), changed(700, 2.0), changed(700, 4.0, 2.0)])
    assert ways.path(state, "weight_decay") == "1, 4 from 700"
    assert ways.path(state, "weight_decay", since=600) == "1, 4 from 700"
    assert ways.path(state, "weight_decay", since=700) == "4"


def test_a_row_of_the_table_says_when_and_what_is_not_known() -> None:
    state = run(
        test_loss=grokked(7000),
        train_loss=grokked(100, 12_100, floor=1e-7),
        train_accuracy=learned(),
        keys=(35, 14),
    )
    found = comparing.cells(state)
    assert found["test < chance"] == "6,964"
    assert found["test loss < 1"] == "7,905"
    assert found["50 % test acc."] == "–"
    assert found["memorization"] == "200"
    assert found["train loss"] == "1e-7"
    assert found["test loss"] == "1e-6 @12,000"  # the train loss is known up to 12,100
    assert found["keys"] == "14 35 provisional"
    assert set(found) == {column.head for column in comparing.COLUMNS}
    assert comparing.cells(run(test_loss=grokked(99_000)))["test loss < 1"] == "> 12,000"


def test_a_run_that_is_empty_has_a_row_too() -> None:
    assert set(comparing.cells(comparing.Lean()).values()) == {"–", "0"}


def test_two_to_eight_runs_are_compared() -> None:
    runs = [Run(Path(f"/nowhere/{n}")) for n in range(9)]
    assert "at most 8" in comparing.wrong(runs)
    assert not comparing.wrong(runs[:8])
    assert comparing.wrong(runs[:1])
    assert comparing.unique([runs[0], runs[1], Run(Path("/nowhere/../nowhere/0"))]) == runs[:2]


def test_maps_are_not_kept() -> None:
    state = comparing.Lean()
    state.apply(greeting("a"))
    state.apply(Array(0, "W_E", np.zeros((99, 99))))
    state.apply(Array(0, "key_frequencies", np.array([3])))
    assert list(state.arrays) == ["key_frequencies"]


def test_values_at_an_epoch_are_ordered_with_the_unknown_last() -> None:
    state = run(test_loss={0: 4.0, 100: 2.0})
    assert comparing.value_at(state, "test_loss", 150) != comparing.value_at(state, "test_loss", 50)
    assert math.isnan(comparing.value_at(state, "test_loss", 101))
    assert comparing.value_at(state, "test_loss", None) == 2.0
    assert comparing.order([1.0, math.nan, 3.0, 2.0, math.nan]) == [2, 3, 0, 1, 4]


def test_each_alignment_finds_its_zero_or_says_that_there_is_none() -> None:
    state = run(
        events=[changed(3000, 2.0), branched(5000), changed(5000, 3.0), changed(5000, 4.0, 3.0)],
        test_loss=grokked(7000),
        train_loss=grokked(100),
        train_accuracy=learned(),
    )
    zeros = {name: Alignment(name).zero(state) for name in (*aligning.NAMES, "change:2", "change:3")}
    assert zeros["epoch"] == 0
    assert (zeros["change"], zeros["last-change"], zeros["change:2"], zeros["change:3"]) == (3000, 5000, 5000, None)
    assert (zeros["branch"], zeros["memorization"], zeros["degraded"]) == (5000, 200, None)
    empty = comparing.Lean()
    assert [each.name for each in aligning.offered([empty])] == ["epoch"]
    assert {"epoch", "change", "last-change", "branch", "memorization"} <= {e.name for e in aligning.offered([state])}


def test_an_alignment_that_there_is_none_of_is_met_with_the_nearest() -> None:
    assert aligning.parse("change:12").label == "epochs since change 12"
    with pytest.raises(ConfigError, match="did you mean 'cleanup'"):
        aligning.parse("cleanupp")
    for odd in ("change:0", "change:", "change:x", "xyzzy"):
        with pytest.raises(ConfigError, match="--align"):
            aligning.parse(odd)


def test_a_shifted_series_is_the_series_elsewhere() -> None:
    inner = Series()
    inner.add(np.arange(0, 1001, 100), np.arange(11.0))
    moved = Shifted(inner, 600)
    assert moved.at(0.0) == (0, 6.0)
    assert moved.at(float(np.nextafter(0, -1))) == (-100, 5.0)
    assert moved.at(-601) is None
    assert moved.after(0) == (100, 7.0)
    assert moved.extent(-600, 0) == (0.0, 6.0)
    assert moved.extent(-600, 400) == (0.0, 10.0)
    edges = np.array([-600.0, -150.0, np.nextafter(0.0, 1)])
    assert moved.columns(edges).last.tolist() == [4.0, 6.0]
    inner.add(np.array([1100]), np.array([11.0]))
    assert (len(moved), moved.last, moved.epochs[-1]) == (12, 11.0, 500)


def test_the_rules_under_a_table_name_no_epoch_that_its_runs_need_not_have() -> None:
    assert "not by the measure at that epoch" in comparing.RULES
    assert not any(letter.isdigit() for letter in comparing.RULES)


def of_samples(samples: list[Sample], state: str = "", p: int = 113) -> RunState:
    """A run that was measured so."""
    ending = [Event(samples[-1].epoch, state, state, 0.0)] if state else []
    found: dict[str, Any] = {name: {s.epoch: getattr(s, field) for s in samples} for name, field in SERIES.items()}
    return run(events=ending, config={"task": {"p": p}}, **found)


def when(state: RunState) -> list[str]:
    found = comparing.cells(state)
    return [found[column.head] for column in comparing.COLUMNS if column.phase is not None]


def test_the_table_says_what_became_of_a_run_that_did_not_come_to_a_phase() -> None:
    mainline = curves.mainline()
    *come, last = when(of_samples(mainline[:200]))
    assert last == "not yet"
    assert all(text[0].isdigit() for text in come)
    assert when(of_samples(mainline[:200], "finished"))[3] == "none"
    flat = [s if s.epoch < 1400 else replace(s, test_loss=25.0, test_fve=0.006) for s in curves.mainline(6000)]
    assert when(of_samples(flat))[1:] == ["stalled"] * 3
    assert when(of_samples(mainline[:1])) == ["–"] * 4  # of one measure no phase can be told


def test_the_table_says_when_a_run_generalized_directly() -> None:
    samples, p = curves.recorded("most_data")
    assert when(of_samples(samples, p=p)) == ["direct", "direct", "direct", "direct 140"]


def test_the_table_says_that_a_run_has_degraded_and_when_it_had_generalized() -> None:
    grokked = curves.mainline()
    lost = [s if s.epoch < 13_500 else replace(s, test_accuracy=0.6, test_loss=3.0) for s in grokked]
    assert when(of_samples(lost))[3] == when(of_samples(grokked))[3] + "†"
    gone = {"train_loss": 4.7274, "train_accuracy": 0.0088, "test_loss": 4.7271, "test_accuracy": 0.0088}
    early = [s if s.epoch < 4000 else replace(s, **gone, test_fve=1e-4, excluded_key_free=4.7274) for s in grokked]  # type: ignore[arg-type]
    assert when(of_samples(early))[2:] == ["degraded"] * 2


def test_plans_that_differ_only_at_their_ends_differ() -> None:
    lines = ["at 100: set weight_decay linear 3 -> 0.1 over 3000", "when cleanup: set weight_decay 0"]
    runs = [run("a", config={"plan": {"lines": found}}) for found in (lines, [*lines[:1], lines[1] + ".5"], lines)]
    first, second = "; ".join(lines), "; ".join(lines) + ".5"
    assert comparing.differences(runs) == [Difference("plan.lines", (first, second, first))]
    alone = comparing.differences([runs[0], run("b")])[0].values
    assert alone[0].endswith("…")
    assert len(alone[0]) <= 60


def parted() -> tuple[RunState, RunState]:
    """A parent that grokked, and its branch without weight decay from 6,000 on, which rose above chance at once."""
    at, found = 6000, []
    for after in (0.5, 6.0):
        loss = {e: 20.0 if e < 5900 else 2.0 if e <= at else after for e in range(0, 12_001, 100)}
        events = [branched(at), changed(at, 0.0)] if after > 1 else []
        full = dict.fromkeys(range(0, 12_001, 100), 1.0)
        found.append(
            run("child" if events else "parent", events, test_loss=loss, train_loss=grokked(100), train_accuracy=full)
        )
    return found[0], found[1]


def acquainted(child: RunState, parent: RunState) -> RunState:
    child.ghost = references.pasts([child, parent], {0: 1}).get(0)
    return child


def test_the_table_and_the_effect_tell_a_level_of_the_shared_past_alike() -> None:
    parent, child = parted()
    effect = effects.of(child, parent, 6000)
    row = next(row for row in effect.rows if row.name == "test loss < chance")
    assert (row.here, row.there) == ("5,864†", "5,864")
    assert comparing.cells(acquainted(child, parent))["test < chance"] == row.here
    assert comparing.cells(parent)["test < chance"] == row.there


def test_what_only_a_branch_stayed_past_is_told_of_its_parent_too() -> None:
    kept, lost = parted()  # the other way round: the parent rose again, and its branch did not
    there = comparing.cells(lost, branches=[Ghost(kept, 6000)])["test < chance"]
    assert there == "5,864†"
    assert comparing.cells(lost)["test < chance"] == "> 12,000"


def at_cleanup(earlier: int = 0) -> tuple[RunState, RunState, int]:
    """A run, a branch from where its cleanup begins or earlier, which goes back above chance, and that epoch."""
    samples = curves.mainline()
    parent = of_samples(samples)
    at = crossings.phase(parent, Phase.CLEANUP).epoch
    assert at is not None
    child = of_samples([s if s.epoch <= at else replace(s, test_loss=25.0, test_fve=0.006) for s in samples])
    child.apply(branched(at - earlier))
    return parent, child, at


def test_a_branch_from_the_start_of_cleanup_had_cleanup_as_its_parent_tells() -> None:
    parent, child, at = at_cleanup()
    assert comparing.entered(child, Phase.CLEANUP) == "stalled"
    assert comparing.entered(acquainted(child, parent), Phase.CLEANUP) == f"{at:,}‡"
    assert comparing.entered(parent, Phase.CLEANUP) == f"{at:,}"
    assert Alignment("cleanup").zero(child) == at
    assert placing.epoch(child, "cleanup + 50") == at + 50
    assert "as its parent run tells" in placing.inherited(child, "cleanup")
    assert not placing.inherited(parent, "cleanup")


def test_what_the_parent_came_to_after_they_parted_is_not_the_branchs() -> None:
    parent, child, _ = at_cleanup(earlier=100)
    assert comparing.entered(acquainted(child, parent), Phase.CLEANUP) == "stalled"
    assert child.ghost is not None


def test_a_parent_that_is_another_run_tells_nothing() -> None:
    parent, child = parted()
    other = run("parent", test_loss=dict.fromkeys(range(0, 12_001, 100), 1.0))
    assert references.pasts([child, parent, other], {0: 2}) == {}
    assert list(references.pasts([child, parent, other], {0: 1})) == [0]
    assert references.pasts([child, child], {0: 1, 1: 0}) == {}  # each the other's parent, by their files


@pytest.mark.parametrize("count", [5, 11])
def test_keys_are_final_where_the_measures_were_recomputed_with_them_however_many_they_are(count: int) -> None:
    keys = tuple(range(1, count + 1))
    state = run(keys=keys)
    assert comparing.keys(state).endswith("provisional")
    state.apply(Hello(PROTOCOL, "run", "", {hindsight.READING: {"keys": list(keys), "total": 1}}, {}, 0, Catalogue()))
    assert comparing.keys(state) == ("1 2 3 4 5 final" if count == 5 else "11 keys, final")


def descended(name: str, monkeypatch: pytest.MonkeyPatch, above: dict[str, str]) -> Run:
    """A run that is nowhere, and its lineage."""
    monkeypatch.setattr(runs, "parent", lambda each: Run(Path("/nowhere") / above[each.name]))
    found = Run(Path("/nowhere") / name)
    found.__dict__["lineage"] = Lineage(above[name], 500, 1.0)
    return found


def test_a_parent_that_is_not_compared_is_read_once_for_all_its_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(each: Run) -> comparing.Lean:
        read.append(each.name)
        return comparing.Lean()

    monkeypatch.setattr(comparing, "read", reading)
    known: dict[Path, comparing.Lean] = {}
    pasts = [comparing.past(descended(f"a.{n}", monkeypatch, {f"a.{n}": "a", "a": "a"}), known) for n in (1, 2)]
    assert read == ["a"]
    assert [past.since if past else None for past in pasts] == [500, 500]


def test_runs_that_are_each_others_parents_by_their_files_are_not_followed_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Run, "lineage", Lineage("b", 500, 1.0))
    monkeypatch.setattr(comparing, "read", lambda _: comparing.Lean())
    one = descended("a", monkeypatch, {"a": "b", "b": "a"})
    found = comparing.past(one, {})
    assert found is not None
    assert found.state.ghost is None
