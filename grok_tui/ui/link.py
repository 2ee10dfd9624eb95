"""The reader of a source: folds its frames into the state and says that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from textual.message import Message

from grok_tui.errors import GrokTuiError
from grok_tui.protocol import Command
from grok_tui.sources import Source
from grok_tui.state import RunState
from grok_tui.ui.messages import Answered, LinkEnded, StateAdvanced

BREATH = 0.03
"""Seconds of folding after which keys and redraws have their turn."""


async def follow(source: Source, state: RunState, post: Callable[[Message], object]) -> None:
    """Fold everything that comes from `source` into `state`; posts `StateAdvanced` per batch, `LinkEnded` last."""
    reason = ""
    try:
        async for batch in source.frames():
            since = perf_counter()
            for frame in batch:
                state.apply(frame)
                if perf_counter() - since > BREATH:
                    post(StateAdvanced(state.epoch))
                    await asyncio.sleep(0)
                    since = perf_counter()
            post(StateAdvanced(state.epoch))
            await asyncio.sleep(0)
    except GrokTuiError as error:
        reason = str(error)
    post(LinkEnded(reason))


async def send(source: Source, command: Command, post: Callable[[Message], object]) -> None:
    """Send one command and post its answer."""
    try:
        reply = await source.send(command)
    except GrokTuiError as error:
        post(Answered(command.id, False, str(error)))
    else:
        post(Answered(command.id, reply.ok, reply.text, reply))
