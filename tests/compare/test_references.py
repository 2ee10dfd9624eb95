"""A run that is another one without its change tells what the change did, as a parent would."""

from __future__ import annotations

from pathlib import Path

import pytest

from grok_tui import comparing, references, sidebyside
from grok_tui.runs import Run
from grok_tui.state import RunState
from tests.compare.made import changed, grokked, learned, run

SINCE = 5000


def made(name: str, *, rule: str = "", late: float = 2.0, seed: int = 1, early: float = 20.0) -> RunState:
    """Test loss falls below chance at 7,000, or with a rule that cuts the decay at 5,000 stays at `late`."""
    loss = {e: early if e < SINCE else v for e, v in grokked(7000).items()}
    if rule:
        loss |= {e: late for e in loss if e > SINCE}
    config = {"data": {"seed": seed}, "plan": {"lines": rule}, "training": {"epochs": 9000 if rule else 20_000}}
    return run(name, [changed(SINCE, 0.0)] if rule else [], config, test_loss=loss, train_accuracy=learned())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> object:
    """What is told of planted runs."""

    def lines(*states: RunState) -> str:
        found = {state.run: state for state in states}
        monkeypatch.setattr(comparing, "read", lambda each: found[each.name])
        return "\n".join(sidebyside.lines([Run(Path("/nowhere") / name) for name in found]))

    return lines


def test_a_run_alike_but_for_its_rule_is_told_against_the_one_without_it(told) -> None:  # type: ignore[no-untyped-def]
    text = told(made("plain"), made("ruled", rule="when circuit: set weight_decay 0", late=20.0))
    assert "ruled against plain, which is without its change: equal to the last bit up to 5,000" in text
    assert "weight decay 0 (1 in plain)" in text
    assert "test loss has not fallen below chance within 12,000 epochs; plain at 6,964" in text
    assert "there is no run without it" not in text
    assert "parent" not in text.split("against plain")[1]


def test_a_run_that_is_not_equal_up_to_the_change_is_named_and_not_compared(told) -> None:  # type: ignore[no-untyped-def]
    text = told(made("plain", early=19.0), made("ruled", rule="at 5000: set weight_decay 0", late=20.0))
    assert "not an effect: plain is without it, but was not the same run to the last bit up to there" in text
    assert "ruled against plain" not in text


def test_another_seed_or_the_same_change_is_no_run_without_it(told) -> None:  # type: ignore[no-untyped-def]
    ruled = made("ruled", rule="at 5000: set weight_decay 0", late=20.0)
    for other in (made("seed", seed=2), made("twin", rule="at 5000: set weight_decay 0", late=20.0)):
        assert references.of([other, ruled], 1) is None
        assert "not an effect: there is no run without it" in told(other, ruled)
