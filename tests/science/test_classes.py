"""The four classes of Liu et al.: their borders, their corners, and real runs."""

from __future__ import annotations

import pytest

from grok_tui.science.classes import BUDGET, Badge, ClassFold, RunClass
from tests.science.curves import NAN, folded, recorded


def badge(train: int | None, test: int | None, end: int = BUDGET) -> Badge:
    """Of a run whose accuracies reach 90 % at these epochs."""
    fold = ClassFold()
    for epoch in sorted({0, train or 0, test or 0, end}):
        fold.add(epoch, *(0.9 if at is not None and epoch >= at else 0.1 for at in (train, test)))
    return fold.badge


@pytest.mark.parametrize(
    ("train", "test", "kind"),
    [
        (200, 201, RunClass.COMPREHENSION),
        (200, 1199, RunClass.COMPREHENSION),
        (200, 1200, RunClass.GROKKING),
        (200, 99_000, RunClass.GROKKING),
        (200, None, RunClass.MEMORIZATION),
        (200, BUDGET + 1, RunClass.MEMORIZATION),
        (None, None, RunClass.CONFUSION),
        (BUDGET + 1, None, RunClass.CONFUSION),
        (1100, 200, RunClass.COMPREHENSION),
        (None, 200, RunClass.CONFUSION),
    ],
)
def test_a_whole_run_is_in_the_class_of_the_published_table(
    train: int | None, test: int | None, kind: RunClass
) -> None:
    found = badge(train, test, end=BUDGET + 2)
    assert found.kind is kind
    assert found.sure


def test_what_may_still_come_leaves_the_class_open() -> None:
    assert badge(None, None, end=500) == Badge(RunClass.CONFUSION, False, "neither accuracy has reached 90 %")
    early, late = badge(200, None, end=700), badge(200, None, end=5000)
    assert (early.kind, early.sure, late.sure) == (RunClass.MEMORIZATION, False, False)
    assert early.why == "90 % of train at 200, of test not yet; comprehension if before 1,200"
    assert late.why == "90 % of train at 200, of test not yet; grokking if it comes"
    assert badge(200, 1500, end=2000) == Badge(RunClass.GROKKING, True, "90 % of train at 200, of test at 1,500")


def test_a_crossing_is_the_first_one_whatever_comes_after_it() -> None:
    fold = ClassFold()
    for epoch, accuracy in ((100, 0.95), (200, 0.1), (3000, 0.99)):
        fold.add(epoch, accuracy, accuracy)
    assert (fold.train, fold.test) == (100, 100)


def test_unknown_accuracies_decide_nothing() -> None:
    fold = ClassFold()
    fold.add(100, NAN, NAN)
    assert fold.badge.kind is RunClass.CONFUSION


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nanda113", RunClass.GROKKING),
        ("demo", RunClass.GROKKING),
        ("demo_seed_2", RunClass.GROKKING),
        ("most_data", RunClass.COMPREHENSION),
        ("p53_f90_wd1_s3", RunClass.COMPREHENSION),
        ("without_decay", RunClass.MEMORIZATION),
        ("little_data", RunClass.MEMORIZATION),
    ],
)
def test_a_measured_run_has_its_class(name: str, kind: RunClass) -> None:
    assert folded(*recorded(name)).run_class.badge.kind is kind
