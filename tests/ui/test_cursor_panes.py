"""Every pane at the cursor: what was measured last up to its epoch, and nothing of what came later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grok_tui.protocol import Array, Catalogue, Frame, Points
from grok_tui.state import RunState
from grok_tui.ui import panes
from grok_tui.ui.panes.fourier import array_at
from grok_tui.ui.panes.waiting import with_it
from grok_tui.ui.view import View
from tests.ui import measures, planted
from tests.ui.gallery import Gallery, state_of

END, CURSOR = 9000, 4210
"""The cursor stands between two measures of everything."""

READ_OUTS = {
    "accuracy": "legend",
    "losses": "legend",
    "fourier": "all",
    "phase": "phase",
    "decay": "legend",
    "events": "events",
    "progress": "legend",
    "output": "all",
    "alpha": "legend",
    "ablation": "all",
    "excluded": "legend",
    "interference": "all",
    "restricted": "legend",
    "margins": "legend",
    "weights": "legend",
    "attention": "all",
    "neurons": "all",
    "logits": "all",
    "clusters": "all",
    "embedding": "heading",
    "structure": "legend",
}
"""What of each pane is read at the cursor. The curves beside it go on, and so do the embedding's axes."""

OF_NOW = {"effect", "plan"}
"""One compares what came after changes with what came before them, the other is about what will come."""

ARRAYS = {
    "fourier": "fourier_W_E",
    "output": "fourier_W_L",
    "ablation": "ablation_per_frequency",
    "interference": "alpha",
    "attention": "attention_pattern",
    "neurons": "neuron_maps",
    "logits": "logits_2d",
    "clusters": "neuron_fve",
    "embedding": "W_E",
    "alpha": "alpha",
    "excluded": "excluded_per_frequency",
}
"""The array that a pane is about."""


def story(cursor: int = CURSOR, *, other: bool = False) -> list[Frame]:
    """A run with everything that panes draw; in the `other` one, whatever came after the cursor came otherwise."""
    told = measures.frames(END)
    more = planted.greeting().catalogue.arrays
    old = measures.hello()
    found = old.catalogue
    hello = replace(old, catalogue=Catalogue(found.series, (*found.arrays, *more), found.controls))
    maps = [
        Array(epoch, name, values)
        for epoch in (0, 2000, 4000, 4500, 8000)
        for name, values in planted.arrays(epoch).items()
        if name != "key_frequencies"
    ]
    frames = [hello, *told[1:-1], *maps, told[-1]]
    return [altered(frame, cursor) for frame in frames] if other else frames


def altered(frame: Frame, after: int) -> Frame:
    """The same up to an epoch, and nonsense from there on."""
    match frame:
        case Points(epochs=epochs, values=values):
            late = epochs > after
            return Points(epochs, {name: np.where(late, 0.3 * v + 0.01, v) for name, v in values.items()})
        case Array(epoch=epoch, name=name, values=values) if epoch > after and name != "key_frequencies":
            return Array(epoch, name, (values[..., ::-1] // 2 if values.dtype.kind == "i" else values[..., ::-1] / 2))
    return frame


NOW, OTHERWISE = state_of(story()), state_of(story(other=True))


def read_out(text: str, kind: str) -> str:
    """The part of a pane that speaks of the cursor's epoch."""
    rows = [row.strip("│╭╮╰╯ ") for row in text.splitlines()]
    match kind:
        case "all":
            return "\n".join(rows[1:-1])
        case "heading":
            return rows[1].partition(", seen")[0]
        case "phase":
            return "\n".join(
                row.partition(", until")[0] for row in rows[1:-1] if row[:1] in "·→≈" or "at 4,210:" in row
            )
        case "events":
            return "\n".join(rows[1 : next(y for y, row in enumerate(rows) if "4,210 ──" in row)])
    heads = [row for y, row in enumerate(rows) if "at 4,2" in row or (y and "at 4,2" in rows[y - 1])]
    return "\n".join(row for row in heads if not any(c in "┤│└" or "\u2800" <= c <= "\u28ff" for c in row))


async def shown(name: str, *looks: tuple[RunState, int | None], size: tuple[int, int] = (120, 30)) -> list[str]:
    """A pane's rows for each of these states and cursors."""
    found = []
    app = Gallery(looks[0][0], View(cursor=looks[0][1]), panes=(panes.find(name),))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for state, cursor in looks:
            app.state = state
            app.look(View(cursor=cursor))
            await pilot.pause()
            found.append(app.text(panes.find(name)))
    return found


def test_every_pane_is_in_the_table() -> None:
    assert set(READ_OUTS) | OF_NOW == set(panes.NAMES)


@pytest.mark.parametrize("name", READ_OUTS)
async def test_at_the_cursor_a_pane_says_nothing_of_what_came_later(name: str) -> None:
    *texts, now, then = await shown(name, (NOW, CURSOR), (OTHERWISE, CURSOR), (NOW, None), (OTHERWISE, None))
    found, expected = (read_out(text, READ_OUTS[name]) for text in texts)
    assert found == expected
    assert found.strip()
    if name not in ("decay", "events"):  # they are about controls and happenings, which are the same in both
        assert now != then, "the other story is told otherwise without a cursor"


@pytest.mark.parametrize("name", READ_OUTS)
async def test_at_another_epoch_a_pane_reads_otherwise(name: str) -> None:
    kind = READ_OUTS[name]
    texts = await shown(name, *((NOW, cursor) for cursor in (2210, CURSOR, 8210)))
    assert len({text if kind == "legend" else read_out(text, "all") for text in texts}) == 3


@pytest.mark.parametrize("size", [(44, 11), (120, 30)])
@pytest.mark.parametrize("name", ARRAYS)
async def test_a_pane_of_arrays_says_of_which_epoch_they_are(name: str, size: tuple[int, int]) -> None:
    at = max(array.epoch for array in NOW.arrays[ARRAYS[name]] if array.epoch <= CURSOR)
    (text,) = await shown(name, (NOW, CURSOR), size=size)
    assert f"at {at:,}" in text or f"values of epoch {at:,}" in text


@pytest.mark.parametrize("name", sorted(OF_NOW))
async def test_a_pane_that_has_no_moment_says_so_under_a_cursor(name: str) -> None:
    under, without = await shown(name, (NOW, CURSOR), (NOW, None))
    assert "of now, not of the cursor's epoch" in under
    assert "of now" not in without


LATE = state_of([frame for frame in story() if not (isinstance(frame, Array) and frame.epoch < 3000)])


@pytest.mark.parametrize("name", sorted(set(ARRAYS) - {"alpha", "excluded"}))
async def test_before_the_first_array_a_pane_says_when_that_comes(name: str) -> None:
    first = min(array.epoch for array in LATE.arrays[ARRAYS[name]])
    (text,) = await shown(name, (LATE, 100))
    assert f"first measured at epoch {first:,}" in text


def test_what_belongs_to_a_map_is_of_the_map_s_own_epoch() -> None:
    """Maps are thinned, single numbers are not: a map may be older than the newest numbers beside it."""
    state = RunState()
    for frame in story():
        thinned = isinstance(frame, Array) and frame.name == "neuron_maps" and frame.epoch == 4000
        if not thinned:
            state.apply(frame)
    maps = array_at(state, "neuron_maps", CURSOR)
    assert maps is not None
    assert maps.epoch == 2000
    (fve,) = with_it(state, maps, "neuron_fve")
    assert fve is not None
    assert fve.epoch == 2000
