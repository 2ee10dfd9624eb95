"""A model in a stack follows the trajectory of the same model alone, whatever the others do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train.stack import Seat, Stack
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table
from tests.train.test_capture import LOOKS, recorded

CPU = torch.device("cpu")
SIZES = {
    11: {"model.d_model": 16, "model.d_mlp": 40, "model.n_heads": 1},
    53: {"model.d_model": 48, "model.d_mlp": 100, "model.n_heads": 3},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads on two busy cores are far slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def configured(p: int, member: int) -> Config:
    """Members that differ in split, initial weights, weight decay and learning rate."""
    apart = {"data.seed": member, "model.seed": 7 * member, "optimizer.weight_decay": 0.5 + member}
    changes = {"task.p": p, "data.fraction": 0.4, "optimizer.lr": 1e-3 * (1 + member)} | SIZES[p] | apart
    return configs.override(Config(), changes.items())


def stacked(p: int, count: int, dtype: torch.dtype = torch.float64) -> tuple[Stack, list[Seat], list[Stepper]]:
    """A stack with its members seated, and the same members alone."""
    members = [configured(p, i) for i in range(count)]
    tables = [Table.of(config, CPU) for config in members]
    stack = Stack(members[0], count, CPU, dtype)
    seats = [stack.take(i, config, table) for i, (config, table) in enumerate(zip(members, tables, strict=True))]
    return stack, seats, [Stepper(c, t, CPU, dtype) for c, t in zip(members, tables, strict=True)]


def agree(seat: Seat, alone: Stepper, within: float = 1e-10) -> None:
    (losses, accuracies), (expected, exact) = seat.read_losses(), alone.read_losses()
    assert seat.epoch == alone.epoch
    torch.testing.assert_close(losses, expected, rtol=within, atol=0)
    assert torch.equal(accuracies, exact)
    assert float((seat.flat - alone.flat).norm() / alone.flat.norm()) < within
    for name, weight in seat.weights.items():
        assert weight.shape == alone.weights[name].shape


@pytest.mark.parametrize(("p", "steps"), [(11, 300), (53, 150)])
def test_each_member_of_a_stack_follows_its_trajectory_alone(p: int, steps: int) -> None:
    """In float64, where only a difference in the algebra could part them."""
    stack, seats, alone = stacked(p, 3)
    stack.let(seats)
    stack.advance(steps)
    for seat, stepper in zip(seats, alone, strict=True):
        stepper.advance(steps)
        agree(seat, stepper)


def test_in_float32_they_start_alike_and_part_by_rounding() -> None:
    stack, seats, alone = stacked(53, 2, torch.float32)
    stack.let(seats)
    stack.advance(5)
    for seat, stepper in zip(seats, alone, strict=True):
        stepper.advance(5)
        torch.testing.assert_close(seat.read_losses()[0], stepper.read_losses()[0], rtol=1e-5, atol=0)


def test_a_member_that_rests_stays_exactly_as_it_is_and_the_others_move_on() -> None:
    stack, seats, alone = stacked(11, 3)
    stack.let(seats)
    stack.advance(20)
    before = seats[1].state()
    stack.let([seats[0], seats[2]])
    stack.advance(30)
    assert all(torch.equal(value, before[name]) for name, value in seats[1].state().items())
    stack.let(seats)
    stack.advance(10)
    for seat, stepper, steps in zip(seats, alone, (60, 30, 60), strict=True):
        stepper.advance(steps)
        agree(seat, stepper)


def test_a_member_that_diverges_does_not_touch_the_others() -> None:
    stack, seats, alone = stacked(11, 3)
    seats[1].flat.fill_(float("nan"))
    stack.let(seats)
    stack.advance(40)
    assert not seats[1].read_losses()[0].isfinite().any()
    for i in (0, 2):
        alone[i].advance(40)
        agree(seats[i], alone[i])


def test_a_change_of_one_members_controls_is_its_own() -> None:
    stack, seats, alone = stacked(11, 2)
    for one in (seats[1], alone[1]):
        one.optimizer.weight_decay.fill_(30.0)
        one.optimizer.lr.fill_(0.004)
    stack.let(seats)
    stack.advance(60)
    for seat, stepper in zip(seats, alone, strict=True):
        stepper.advance(60)
        agree(seat, stepper)


def test_a_seat_that_was_left_is_taken_by_another_member() -> None:
    stack, seats, alone = stacked(11, 2)
    stack.let(seats)
    stack.advance(25)
    stack.leave(1)
    config = configured(11, 5)
    table = Table.of(config, CPU)
    seat, stepper = stack.take(1, config, table), Stepper(config, table, CPU, torch.float64)
    stack.let([seats[0], seat])
    stack.advance(30)
    alone[0].advance(55)
    stepper.advance(30)
    agree(seats[0], alone[0])
    agree(seat, stepper)


def test_a_resume_point_of_either_is_gone_on_with_by_the_other() -> None:
    stack, seats, alone = stacked(11, 2)
    alone[1].advance(30)
    seats[1].load_state(alone[1].state())
    alone[1].read_losses()
    stack.let([seats[1]])
    stack.advance(20)
    alone[1].advance(20)
    agree(seats[1], alone[1])
    again = Stepper(configured(11, 1), alone[1].table, CPU, torch.float64)
    again.load_state(seats[1].state())
    assert again.epoch == 50
    assert set(seats[1].state()) == set(again.state())


def test_losses_that_were_not_read_yet_are_never_overwritten() -> None:
    stack, seats, _ = stacked(11, 2)
    stack.let(seats)
    stack.advance(3)
    with pytest.raises(ValueError, match="overwrite"):
        stack.advance(4094)


def test_a_stacked_step_can_be_captured_no_value_reaches_the_host_and_nothing_is_added_in_random_order() -> None:
    """What a CUDA graph asks for; and the recorded operators, run again, are the step."""
    (stack, seats, _), (replayed, others, _) = stacked(11, 2), stacked(11, 2)
    stack.let(seats)
    replayed.let(others[:1])
    recording = recorded(replayed._step)
    names = {func.overloadpacket.__name__ for func, *_ in recording.calls}
    assert not names & (LOOKS | {"index_add_", "index_put_", "_embedding_bag_dense_backward"})
    stack.let(seats[:1])
    stack._step()
    for each in (stack, replayed):
        each.let(list(each.seats))  # type: ignore[arg-type]
    for _ in range(20):
        stack._step()
        recording.replay()
    assert torch.equal(stack.flat, replayed.flat)
    assert torch.equal(stack.losses, replayed.losses)
    assert replayed.optimizer.steps.tolist() == [21, 20]
