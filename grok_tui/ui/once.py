"""`--once`: the present state of a run as text."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

from grok_tui import around, comparing, effects, notes, wording
from grok_tui.errors import GrokTuiError
from grok_tui.hindsight import SUFFIX
from grok_tui.runs import Run
from grok_tui.science import forecast
from grok_tui.sources import RunSource, Source
from grok_tui.state import Ghost, RunState
from grok_tui.ui import ghost
from grok_tui.ui.bottom import effect
from grok_tui.ui.panes import accuracy, losses, phase, plan
from grok_tui.ui.panes import events as happenings
from grok_tui.ui.panes import lines as curves
from grok_tui.ui.view import View
from grok_tui.ui.widgets.chart import picture
from grok_tui.ui.widgets.plot import FLAG, Plot

WIDTH, HEIGHT = 78, 13
"""Of a chart, in characters."""

ROUTINE = frozenset({"checkpoint"})
"""Events of which there are many and that change nothing: the newest stands for all."""


def text(run: Run) -> str:
    """How `run` stands now, from its recording and, when it lives, its trainer."""
    state = RunState()
    source = RunSource(run, follow=False)
    asyncio.run(_take(source, state))
    trouble = _look_for_parent(run, state)
    return "\n".join([*lines(state, source.link), *([trouble] if trouble else [])])


def _look_for_parent(run: Run, state: RunState) -> str:
    """Read the run that this one branched from, if it did; returns why it cannot be shown."""
    try:
        if (origin := ghost.origin(str(run.path))) is not None:
            state.ghost = Ghost(comparing.read(origin.parent), origin.epoch)
    except GrokTuiError as error:
        return str(error)
    return ""


async def _take(source: Source, state: RunState) -> None:
    """Fold everything up to now."""
    async for batch in source.frames():
        for frame in batch:
            state.apply(frame)
        if source.link == "cut off" or (source.link == "live" and state.status is not None):
            break
    source.close()


def lines(state: RunState, link: str) -> Iterator[str]:
    """Everything that the screen says of the present, line by line."""
    if state.hello is None:
        yield "nothing is recorded yet"
        return
    yield _head(state, link)
    if about := state.hello.config.get("about"):
        yield str(about)
    yield ""
    yield from _phase(state)
    yield from _controls(state)
    yield from _plan(state)
    yield from _measures(state)
    yield from _keys(state)
    yield from _events(state)
    yield from _effect(state)
    yield from _chart(state, "accuracy", accuracy.SERIES)
    yield from _chart(state, "losses", losses.ORDER, log=True)


def _head(state: RunState, link: str) -> str:
    assert state.hello is not None
    standing = wording.standing(state.state, link)
    rate = state.status.rate if state.status and standing in ("live", "replaying") else 0.0
    parts = [
        state.run,
        f"{wording.MARKS[standing]} {standing}",
        f"on {state.hello.machine.get('device', 'an unknown device')}",
        f"epoch {state.epoch:,} of {state.epochs:,}",
    ]
    if rate:
        parts += [f"{wording.rate(rate)} epochs/s", f"{wording.left(state.epoch, state.epochs, rate)} left"]
    return "   ".join(parts)


def _phase(state: RunState) -> Iterator[str]:
    if state.phases.last is None:
        yield "phase: not measured yet"
        return
    if phase.is_alone(state):
        yield f"phase: {phase.UNTOLD}"
        return
    call = state.phases.call
    held = " (held: train loss has jumped)" if call.spike else ""
    yield f"phase: {call.phase.value} since epoch {call.since:,}{held}"
    yield from (f"  {why}" for why in call.evidence)
    yield f"  {phase.of_the_run(state.phases)}"
    if call.next:
        yield f"  next: {call.next}"
    if guess := forecast.forecast(state.phases):
        yield f"  {forecast.in_words(guess)}"
    past = [f"{boundary.phase.value} from {boundary.epoch:,}" for boundary in state.phases.boundaries]
    yield f"  so far: {', '.join(past)}"


def _controls(state: RunState) -> Iterator[str]:
    yield ""
    lr = state.control_value("lr")
    rows = []
    for info in state.catalogue.controls:
        value = state.control_value(info.name)
        meaning = effect(lr, value) if info.name == "weight_decay" else ""
        rows.append((f"  {info.label}", wording.number(value), meaning))
    if rows:
        yield "controls"
        yield from wording.columns(rows)


def _plan(state: RunState) -> Iterator[str]:
    """What goes on and what waits, as its pane has it; what is done is among the events."""
    if rows := [(f"  {row.sign}", row.text, row.beside) for row in plan.open_rows(state)]:
        yield ""
        yield "plan"
        yield from wording.columns(rows)


def _measures(state: RunState) -> Iterator[str]:
    rows = [
        (
            f"  {info.name}",
            _value(info.name, series.last),
            info.unit,
            f"at {int(series.epochs[-1]):,}",
            curves.NOTES.get(info.reading, (info.reading,))[0],
        )
        for info in state.catalogue.series
        if (series := state.series.get(info.name)) and len(series)
    ]
    if rows:
        yield ""
        yield "measures"
        yield from wording.columns(rows)
        if math.isfinite(state.chance):
            yield f"  (the loss of a uniform guess is {state.chance:.3f})"


def _value(name: str, value: float) -> str:
    return wording.percent(value) if name.removesuffix(SUFFIX).endswith("accuracy") else wording.number(value)


def _keys(state: RunState) -> Iterator[str]:
    if (array := state.array("key_frequencies")) is not None:
        keys = sorted(array.values.ravel().tolist())
        reading = "final" if state.keys_are_final else "provisional"
        yield ""
        yield f"key frequencies ({reading}, since epoch {array.epoch:,}): {' '.join(map(str, keys)) or 'none'}"


def _events(state: RunState) -> Iterator[str]:
    yield ""
    yield "events"
    yield from (f"  epoch {epoch:,}: {said}" for epoch, said in sorted(_happened(state), key=lambda entry: entry[0]))


def _effect(state: RunState) -> Iterator[str]:
    """What the changes did: against the parent where there is one, else before and after."""
    parent = state.ghost
    if parent is not None:
        yield ""
        yield f"against its parent {parent.state.run}"
        yield from (f"  {line}" for line in effects.told(effects.of(state, parent.state, parent.since)))
    if changes := around.every(state, parent.since if parent is not None else -1):
        yield ""
        yield "before and after"
        yield from (f"  {line}" for change in changes for line in around.told(change))


def _happened(state: RunState) -> Iterator[tuple[int, str]]:
    """(epoch, text) of each event, and of each change of phase as the present rules have it."""
    routine = [event for event in state.events if event.what in ROUTINE]
    for event in state.events:
        if event.what == happenings.PHASE:
            continue
        if event.what == notes.WHAT:
            yield event.epoch, f"{FLAG} note: {event.text}"
        elif event.what not in ROUTINE:
            yield event.epoch, event.text
        elif event is routine[-1]:
            earlier = f" (and {len(routine) - 1:,} earlier)" if len(routine) > 1 else ""
            yield event.epoch, f"{event.text}{earlier}"
    yield from ((epoch, f"phase: {said}") for epoch, _, said in happenings.phases(state))


def _chart(state: RunState, title: str, names: tuple[str, ...], *, log: bool = False) -> Iterator[str]:
    """The curves of the whole run, as the screen draws them."""
    found = tuple(line for name in names if (line := curves.line(state, name)))
    if not found:
        return
    level = (state.chance, "chance", "") if log and math.isfinite(state.chance) else None
    plot = Plot(found, curves.epochs(state, View()), log=log, marks=curves.marks(state), level=level)
    yield ""
    yield title
    yield from (row.rstrip() for row in picture(plot, WIDTH, HEIGHT).lines())
