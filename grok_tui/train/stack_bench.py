"""What stacking brings: `python -m grok_tui.train.stack_bench`, one line of JSON per finding.

Model-epochs per second of n models in one step, against the same models one after another, timed in turn
within one process; and of as many processes as there are cores, against one, by the wall's clock.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import torch

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train import crew, machine
from grok_tui.train.stack import Stack
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table

COUNTS = (1, 2, 4, 8)
ROUNDS = 5
ALONE = 4.0
"""Seconds for which each process of several is timed."""


def main(arguments: list[str]) -> None:
    """Measure, printing each finding as it is there."""
    machine.prepare()
    torch.set_num_threads(1)
    if arguments:
        _alone(arguments[0])
        return
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for name in ("demo", "nanda113"):
        for device in devices:
            for finding in _stacked(name, torch.device(device)):
                print(json.dumps(finding), flush=True)
        print(json.dumps(_processes(name)), flush=True)


def _members(name: str, count: int) -> list[Config]:
    """Models of one preset that differ in seeds and weight decay."""
    preset = configs.preset(name)
    changes = ([("data.seed", i), ("model.seed", i), ("optimizer.weight_decay", 0.5 + i)] for i in range(count))
    return [configs.override(preset, each) for each in changes]


def _stacked(name: str, device: torch.device) -> Iterator[dict[str, object]]:
    configs_ = _members(name, max(COUNTS))
    tables = [Table.of(config, device) for config in configs_]
    alone = [Stepper(config, table, device) for config, table in zip(configs_, tables, strict=True)]
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    for count in COUNTS:
        stack = Stack(configs_[0], count, device)
        seats = [stack.take(i, configs_[i], tables[i]) for i in range(count)]
        stack.let(seats)
        steps = max(2, (2000 if device.type == "cuda" else 32 if name == "demo" else 4) // count)

        def one_by_one(count: int = count, steps: int = steps) -> None:
            for stepper in alone[:count]:
                stepper.advance(steps)
                stepper.wait()
                stepper.read_losses()

        def together(stack: Stack = stack, steps: int = steps) -> None:
            stack.advance(steps)
            stack.wait()
            for seat in stack.seats:
                if seat is not None:
                    seat.read_losses()

        one_by_one()
        together()
        pairs = [(_seconds(one_by_one, clock), _seconds(together, clock)) for _ in range(ROUNDS)]
        yield {
            "preset": name,
            "device": device.type,
            "count": count,
            "stacked": count * steps / statistics.median(pair[1] for pair in pairs),
            "times": statistics.median(one / both for one, both in pairs),
        }


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    begun = clock()
    work()
    return clock() - begun


def _processes(name: str) -> dict[str, object]:
    """A process for each core, against one, in turn; a sweep leaves the viewers one of the cores."""
    count = crew.cores() + 1
    words = [sys.executable, "-P", "-m", "grok_tui.train.stack_bench", name]

    def rate(processes: int) -> float:
        started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        return sum(float(process.communicate()[0]) for process in started)

    rounds = [(rate(1), rate(count)) for _ in range(2)]
    return {
        "preset": name,
        "processes": count,
        "stacked": statistics.median(several for _, several in rounds),
        "times": statistics.median(several / one for one, several in rounds),
    }


def _alone(name: str) -> None:
    """Epochs per second of one model, by the wall's clock."""
    config, device = configs.preset(name), torch.device("cpu")
    stepper = Stepper(config, Table.of(config, device), device)
    stepper.advance(2)
    begun = time.perf_counter()
    while time.perf_counter() - begun < ALONE:
        stepper.advance(2)
        stepper.read_losses()
    print((stepper.epoch - 2) / (time.perf_counter() - begun))


if __name__ == "__main__":
    main(sys.argv[1:])
