"""What was asked for stays asked for until the recording shows it, in the order in which it was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_tui.protocol import Event, Order, Reply, SetControl, Status
from grok_tui.state import RunState
from grok_tui.ui.steer import FLOOR, Requests
from tests.ui.gallery import state_of
from tests.ui.story import frames

DECAY = "weight_decay"


def state_with(value: float) -> RunState:
    return state_of([*frames(until=0), Status(0, "running", 45.0, {DECAY: value, "lr": 1e-3}, 1)])


def apply(state: RunState, command: SetControl, epoch: int) -> None:
    """What the trainer tells everybody when it has carried out `command`."""
    data = {"control": command.name, "value": command.value}
    state.apply(Event(epoch, "changed", "changed", 0.0, 1, data))
    state.apply(Status(epoch, "running", 45.0, {DECAY: command.value, "lr": 1e-3}, 1))


@given(values=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=12), lag=st.integers(0, 12))
def test_whatever_is_asked_in_whatever_order_nothing_stays_pending(values: list[float], lag: int) -> None:
    state, requests = state_with(1.0), Requests()
    commands = [requests.set(DECAY, value) for value in values]
    for number, command in enumerate(commands):
        assert requests.pending(DECAY)[-1:] == (values[-1],)  # the newest is pending until all before it are settled
        requests.answered(command.id, Reply(command.id, True, 7, "done"))
        requests.settle(state)
        if number >= lag:
            apply(state, commands[number - lag], 7)
            requests.settle(state)
        if not requests.pending(DECAY):
            return
    for command in commands[max(len(commands) - lag, 0) :]:
        apply(state, command, 7)
        requests.settle(state)
    assert requests.pending(DECAY) == ()


def test_a_refusal_drops_only_what_was_refused() -> None:
    requests = Requests()
    first, second = requests.set(DECAY, -1.0), requests.set(DECAY, 2.0)
    requests.answered(first.id, Reply(first.id, False, 7, "no"))
    assert requests.pending(DECAY) == (2.0,)
    requests.answered(second.id, None)
    assert requests.pending(DECAY) == ()


def test_a_value_that_was_there_already_is_settled_by_the_answer() -> None:
    state, requests = state_with(1.0), Requests()
    command = requests.set(DECAY, 1.0)
    requests.answered(command.id, Reply(command.id, True, 7, "is 1 already"))
    assert requests.settle(state)
    assert requests.pending(DECAY) == ()


@pytest.mark.parametrize(
    ("value", "factor", "after"),
    [(1.0, 2.0, 2.0), (1.0, 0.5, 0.5), (0.0, 2.0, FLOOR), (0.0, 0.5, 0.0), (FLOOR, 0.5, 0.0), (0.3, 2.0, 0.6)],
)
def test_steps_double_and_halve_and_know_zero(value: float, factor: float, after: float) -> None:
    assert Requests().stepped(DECAY, factor, state_with(value)) == after


def test_a_step_goes_from_what_was_asked_last() -> None:
    state, requests = state_with(1.0), Requests()
    requests.set(DECAY, 8.0)
    assert requests.stepped(DECAY, 2.0, state) == 16.0


def test_a_lost_trainer_ends_all_requests() -> None:
    requests = Requests()
    requests.set(DECAY, 2.0)
    requests.order("pause")
    requests.forget()
    assert requests.pending(DECAY) == ()
    assert not requests.waiting("pause")


def pressed(requests: Requests, state: RunState) -> Order:
    """What the key asks for that pauses and continues."""
    return requests.order("resume" if requests.paused(state) else "pause")


def standing(state: RunState, name: str) -> RunState:
    state.apply(Status(0, name, 0.0, {DECAY: 1.0}, 1))
    return state


def test_pause_pressed_again_before_any_answer_asks_to_go_on() -> None:
    requests, state = Requests(), state_with(1.0)
    assert [pressed(requests, state).name for _ in range(4)] == ["pause", "resume", "pause", "resume"]


def test_an_answer_may_come_before_the_state_shows_what_it_says() -> None:
    requests, state = Requests(), state_with(1.0)
    first = pressed(requests, state)
    requests.answered(first.id, Reply(first.id, True, 0, "paused"))
    requests.settle(state)
    assert pressed(requests, state).name == "resume"


def test_what_somebody_else_did_since_counts_when_nothing_is_asked_for() -> None:
    requests, state = Requests(), state_with(1.0)
    first = pressed(requests, state)
    requests.answered(first.id, Reply(first.id, True, 0, "paused"))
    requests.settle(standing(state, "paused"))
    requests.settle(standing(state, "running"))
    assert pressed(requests, state).name == "pause"


@pytest.mark.parametrize("answer", [None, Reply(1, False, 0, "refused")])
def test_a_refused_pause_is_asked_for_again(answer: Reply | None) -> None:
    requests, state = Requests(), state_with(1.0)
    first = pressed(requests, state)
    requests.answered(first.id, answer)
    assert pressed(requests, state).name == "pause"
