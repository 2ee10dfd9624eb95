"""How a step is recorded for a GPU, with a stand-in for one that notes what is asked of it, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from grok_tui.train.graph import recorded
from grok_tui.train.stack import Seat, Stack
from grok_tui.train.step import HISTORY, Stepper, read_history
from grok_tui.train.task import Table
from tests.train.test_capture import CONFIG, CPU


class Device:
    """A GPU as `torch.cuda` shows it; what runs on it runs here at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        device = self

        class Stream:
            def __init__(self, name: str = "side") -> None:
                self.name = name

            def wait_stream(self, other: Stream) -> None:
                device.asked.append(f"{self.name} waits for {other.name}")

            def synchronize(self) -> None:
                device.asked.append(f"waited for {self.name}")

        class Graph:
            def replay(self) -> None:
                device.asked.append("replay")

        @contextmanager
        def stream(side: Stream) -> Iterator[None]:
            device.asked.append(f"on {side.name}")
            yield
            device.asked.append(f"off {side.name}")

        @contextmanager
        def graph(_: Graph) -> Iterator[None]:
            device.asked.append("record")
            yield
            device.asked.append("recorded")

        main = Stream("main")
        for name, stand_in in (("Stream", Stream), ("CUDAGraph", Graph), ("stream", stream), ("graph", graph)):
            monkeypatch.setattr(torch.cuda, name, stand_in)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: main)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    return Device(monkeypatch)


def test_a_step_is_recorded_after_a_warm_up_on_a_stream_of_its_own(device: Device) -> None:
    recorded(lambda: device.asked.append("step"), ())
    assert device.asked == [
        "side waits for main",
        *("on side", "step", "step", "step", "off side"),
        "main waits for side",
        *("record", "step", "recorded"),
    ]


@pytest.mark.usefixtures("device")
def test_what_the_warm_up_did_is_taken_back_in_place() -> None:
    weights, count = torch.arange(3.0), torch.zeros(())

    def step() -> None:
        weights.mul_(2)
        count.add_(1)

    where = weights.data_ptr()
    recorded(step, (weights, count))
    assert (weights.tolist(), float(count), weights.data_ptr()) == ([0.0, 1.0, 2.0], 0.0, where)


@pytest.mark.parametrize("together", [False, True])
def test_a_recorded_step_leaves_no_trace_and_is_then_replayed(device: Device, together: bool) -> None:
    table = Table.of(CONFIG, CPU)
    one = Stack(CONFIG, 2, CPU).take(0, CONFIG, table) if together else Stepper(CONFIG, table, CPU)
    one.advance(5)
    before = one.state()
    (one.stack if isinstance(one, Seat) else one)._capture()
    after = one.state()
    assert {name for name in before if not torch.equal(before[name], after[name])} == set()
    device.asked.clear()
    one.advance(2)
    one.wait()
    assert device.asked == ["replay", "replay", "waited for main"]
    assert one.epoch == 7


def test_losses_are_read_where_their_steps_left_them_also_around_the_end() -> None:
    losses, hits = torch.arange(HISTORY, dtype=torch.float64), torch.arange(HISTORY)
    found, shares = read_history(losses, hits, HISTORY - 2, HISTORY + 3, 10)
    assert found.tolist() == [HISTORY - 2, HISTORY - 1, 0, 1, 2]
    assert shares.tolist() == [(HISTORY - 2) / 10, (HISTORY - 1) / 10, 0.0, 0.1, 0.2]
    assert shares.dtype == torch.float64
