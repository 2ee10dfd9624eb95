"""A sweep as text: its table, how it stands line by line without a screen, and the list of all sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from grok_tui import sweeps, wording, workers
from grok_tui.errors import RunError
from grok_tui.grids import SEED
from grok_tui.grok_times import Sign, Spread, Time, said, span
from grok_tui.sweep_state import MARKS, OVER, Standing, SweepState, heading
from grok_tui.sweeps import Sweep

REPORT = 10.0
"""Seconds between lines on the progress, where nothing happens."""

LOOK = 0.5


def all_sweeps() -> Iterator[str]:
    """A line for each sweep, the newest first."""
    found = sweeps.listing()
    if not found:
        yield "no sweeps yet; start one with grok-tui sweep --preset demo --seeds 3"
        return
    rows: list[tuple[str, ...]] = [("sweep", "state", "members", "done", "grid")]
    for sweep in found:
        try:
            contents = sweep.read()
        except RunError:
            rows.append((sweep.name, "✗ unreadable", "–", "–", "–"))
            continue
        done = sum(member.state in sweeps.DONE for member in contents.members)
        standing = "✓ done" if done == len(contents.members) else "■ not running"
        if sweep.alive or workers.living(sweep.path):
            standing = "● running" if sweep.alive else "✂ without its runner"
        grid = " × ".join(f"{axis.label} {','.join(axis.values)}" for axis in contents.axes) or "one member"
        rows.append((sweep.name, standing, str(len(contents.members)), str(done), grid))
    yield from wording.columns(rows, right=frozenset({2, 3}))


def table(sweep: Sweep) -> Iterator[str]:
    """How a sweep stands now: every member, and the medians over seeds."""
    state = SweepState(sweep)
    while state.look():
        pass
    yield f"{sweep.name}   {heading(state)}   {', '.join(state.progress())}"
    yield ""
    labels = [axis.label for axis in state.contents.axes]
    rows: list[tuple[str, ...]] = [("", *labels, "run", "state", "epoch", *(sign.short for sign in Sign))]
    rows += [_row(state, standing) for standing in state.standings.values()]
    yield from wording.columns(rows, right=frozenset({0, *range(1, 1 + len(labels)), *range(3 + len(labels), 20)}))
    if state.contents.seed_axis is not None and len(state.contents.axes[state.contents.seed_axis].values) > 1:
        yield ""
        yield "median over seeds [least-most]"
        yield from wording.columns(list(_medians(state)), right=frozenset(range(20)))


def _row(state: SweepState, standing: Standing) -> tuple[str, ...]:
    member = standing.member
    values = [axis.values[i] for axis, i in zip(state.contents.axes, member.place.at, strict=True)]
    times = [time_said(state.time(member.number, sign), standing) for sign in Sign]
    why = f": {standing.why}" if standing.why else ""
    state_said = f"{MARKS.get(standing.state, '…')} {standing.state}{why}"
    return (str(member.number), *values, member.run or "–", state_said, f"{standing.epoch:,}", *times)


def time_said(found: Time | None, standing: Standing) -> str:
    """The epoch; or that it was not reached yet, or never within the epochs that were trained."""
    if found is None or (standing.state == "failed" and not found.reached):
        return "–"
    if found.reached:
        return f"{found.epoch:,}"
    return f"never in {standing.epoch:,}" if standing.state in OVER else "not yet"


def _medians(state: SweepState) -> Iterator[tuple[str, ...]]:
    """For each place of the grid without its seeds."""
    others = [axis for axis in state.contents.axes if axis.label != SEED]
    yield (*(axis.label for axis in others), "seeds", *(sign.short for sign in Sign))
    for at, numbers in groups(state).items():
        values = [axis.values[i] for axis, i in zip(others, at, strict=True)]
        over = all(state.standings[number].state in OVER for number in numbers)
        spreads = [state.over_seeds(numbers, sign) for sign in Sign]
        yield (*values, str(len(numbers)), *(spread_said(spread, over) for spread in spreads))


def spread_said(spread: Spread | None, over: bool) -> str:
    """The median with its extremes; that none has reached it yet, or never will now that all is `over`."""
    if spread is None:
        return "–"
    if not spread.reached:
        return f"never in {spread.least.epoch:,}" if over else "not yet"
    return f"{said(spread)} {span(spread)}"


def groups(state: SweepState) -> dict[tuple[int, ...], list[int]]:
    """Place in the grid without its seeds -> the members there."""
    seed = state.contents.seed_axis
    found: dict[tuple[int, ...], list[int]] = {}
    for member in state.contents.members:
        at = tuple(value for axis, value in enumerate(member.place.at) if axis != seed)
        found.setdefault(at, []).append(member.number)
    return found


def follow(sweep: Sweep, write: Callable[[str], None]) -> int:
    """Say what happens until nobody works at the sweep; returns 0 when all members are done, 130 when left."""
    state = SweepState(sweep)
    told: dict[int, str] = {}
    said_at = 0.0
    try:
        while True:
            more = state.look()
            for number, standing in state.standings.items():
                if told.get(number, "waiting") != standing.state:
                    write(_happened(standing))
                told[number] = standing.state
            if state.over and not more:
                break
            if time.monotonic() - said_at > REPORT:
                said_at = time.monotonic()
                write(", ".join(state.progress()))
            time.sleep(LOOK)
    except KeyboardInterrupt:
        write(farewell(state))
        return 130
    for line in table(sweep):
        write(line)
    return 0 if all(standing.done for standing in state.standings.values()) else 1


def _happened(standing: Standing) -> str:
    member = standing.member
    why = f": {standing.why}" if standing.why else ""
    return f"member {member.number} ({member.place.said}): {member.run or 'no run'} {standing.state}{why}"


def farewell(state: SweepState) -> str:
    """What a viewer says when it leaves."""
    name = state.sweep.name
    if not state.over:
        return f"{name} goes on; come back: grok-tui sweep {name}; stop it: grok-tui sweep {name} --stop"
    if all(standing.done for standing in state.standings.values()):
        return f"{name} is done; look again: grok-tui sweep {name}"
    return f"{name} is not running; continue it: grok-tui sweep {name} --resume"
