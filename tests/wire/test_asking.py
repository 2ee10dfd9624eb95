from __future__ import annotations

import asyncio
import threading

import pytest

from grok_tui.errors import LinkError
from grok_tui.protocol import Command, Frame, Order, Reply, SetControl
from grok_tui.runs import Run
from grok_tui.sources import Scripted, ask
from tests.wire.wiring import (
    PATIENCE,
    Trainer,
    answering,
    hello,
    make_run,
    points,
    same,
    status,
)


def test_a_script_asks_and_is_answered(trainer: Trainer) -> None:
    with answering(trainer):
        assert ask(trainer.run, SetControl(3, "weight_decay", 3.0)) == Reply(3, True, 7, "done")


def test_asking_while_much_is_broadcast_finds_the_answer(trainer: Trainer) -> None:
    def busy(command: Command) -> Reply:
        for epoch in range(200):
            trainer.write(points(epoch))
        return Reply(command.id, False, 200, "no")

    with answering(trainer, busy):
        assert ask(trainer.run, Order(1, "pause")) == Reply(1, False, 200, "no")


def test_asking_where_nobody_trains_is_an_error_of_one_line(run: Run) -> None:
    with pytest.raises(LinkError, match=r"^nobody is training demo-1$"):
        ask(run, Order(1, "pause"))
    with run.hold(), pytest.raises(LinkError, match="the trainer of demo-1 cannot be reached"):
        ask(run, Order(1, "pause"))


def test_asking_a_trainer_that_says_nothing_ends(trainer: Trainer) -> None:
    with pytest.raises(LinkError, match=r"no answer from demo-1 in 0.1 s"):
        ask(trainer.run, Order(1, "pause"), timeout=0.1)


def test_asking_a_trainer_that_leaves_is_an_error_of_one_line() -> None:
    run = make_run()
    trainer = Trainer(run)

    def leave() -> None:
        trainer.server.wait(PATIENCE)
        trainer.close()

    closer = threading.Thread(target=leave)
    closer.start()
    with pytest.raises(LinkError, match="hung up before it answered"):
        ask(run, Order(1, "pause"))
    closer.join()


async def test_a_script_plays_a_trainer_to_a_viewer() -> None:
    source = Scripted([hello(), points(0)])
    seen: list[Frame] = []
    links: list[str] = []

    async def view() -> None:
        async for batch in source.frames():
            seen.extend(batch)
            links.append(source.link)

    viewer = asyncio.create_task(view())
    await source.taken()
    source.push(points(13), status(26))
    await source.taken()
    assert same(seen, [hello(), points(0), points(13), status(26)])
    assert await source.send(SetControl(4, "lr", 0.1)) == Reply(4, True, 0, "done")
    assert source.sent == [SetControl(4, "lr", 0.1)]
    source.become("cut off")
    await source.taken()
    with pytest.raises(LinkError):
        await source.send(Order(5, "pause"))
    source.close()
    await viewer
    assert links == ["live", "live", "cut off"]
