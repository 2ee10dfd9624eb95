"""The panes of what is measured closely: attention, neurons, logits, clusters, embedding."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

import numpy as np
import pytest
import textual

from grok_tui.protocol import Array
from grok_tui.state import RunState
from grok_tui.ui.panes import Pane
from grok_tui.ui.panes.attention import AttentionPane
from grok_tui.ui.panes.clusters import ClustersPane
from grok_tui.ui.panes.embedding import EmbeddingPane
from grok_tui.ui.panes.logits import LogitsPane, inside_blocks
from grok_tui.ui.panes.neurons import NeuronsPane
from grok_tui.ui.view import View
from grok_tui.ui.widgets.grid import CellGrid
from grok_tui.ui.widgets.scatter import Scatter
from tests.ui.gallery import Gallery, state_of
from tests.ui.planted import KEYS, D, P, arrays, frames, greeting, logits
from tests.ui.story import hello

PANES: tuple[type[Pane], ...] = (AttentionPane, NeuronsPane, LogitsPane, ClustersPane, EmbeddingPane)
GROKKED = state_of(frames(2000, 10_000))
SIZES = [(1, 1), (20, 4), (30, 6), (40, 10), (80, 22), (200, 58)]
Compare = Callable[..., bool]
drawn_here = pytest.mark.skipif(
    textual.__version__ != "8.2.8",
    reason="the pictures were made on Textual 8.2.8; other versions draw frames otherwise",
)


async def said(pane: type[Pane], state: RunState, view: View | None = None, size: tuple[int, int] = (110, 34)) -> str:
    """What a pane says of a state."""
    app = Gallery(state, view, panes=(pane,))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return app.text(pane)


def test_every_pane_says_what_to_look_for_and_where_it_is_known_from() -> None:
    for pane in PANES:
        assert pane.title
        assert 0 < len(pane.look_for) <= 90
        assert "Nanda et al. 2023" in pane.figure


@pytest.mark.parametrize("pane", PANES)
async def test_before_its_array_a_pane_says_when_that_will_come(pane: type[Pane]) -> None:
    assert "no data yet" in await said(pane, RunState())
    assert "not measured yet: every 500 epochs" in await said(pane, state_of([greeting()]))
    assert "not measured in this run" in await said(pane, state_of([hello()]))
    assert "first measured at epoch 2,000" in await said(pane, GROKKED, View(cursor=1999))


async def test_the_heads_show_their_frequencies_and_how_well_a_wave_explains_them() -> None:
    text = await said(AttentionPane, GROKKED)
    assert "4 heads at frequencies 14 35 41 52, one wave explains 93% of its scores" in text
    assert "head 0 · k 14 · 91%" in text
    assert "head 3 · k 52 · 96%" in text


async def test_neurons_name_their_cluster() -> None:
    text = await said(NeuronsPane, GROKKED, size=(200, 50))
    assert "the best-explained neuron of 4 clusters" in text
    assert "neuron 1 · k 35" in text


async def test_the_logits_key_blocks_are_marked_and_their_share_is_said() -> None:
    text = await said(LogitsPane, GROKKED)
    assert "of the squared norm in the blocks of 14 35 41 52" in text
    assert text.splitlines()[-5].split()[1:-1] == ["14", "35", "41", "52"]
    assert "56 keys" in await said(LogitsPane, GROKKED, View(cursor=2000))


def test_the_share_in_key_blocks_is_of_squares() -> None:
    norms = logits(1.0)
    norms[0, 0] = 0.0
    inside = 4 * len(KEYS) * 5000.0**2
    assert inside_blocks(norms, list(KEYS)) == pytest.approx(inside / (norms**2).sum())
    assert inside_blocks(norms, []) == 0
    assert inside_blocks(np.zeros((P, P)), [1]) == 0


async def test_norms_too_large_for_half_precision_are_drawn_as_the_largest() -> None:
    values = logits(1.0).astype(np.float16)
    values[27, 27] = np.inf
    assert "k" in await said(LogitsPane, state_of([greeting(), Array(500, "logits_2d", values)]))


async def test_neurons_above_the_line_are_counted() -> None:
    state = state_of(frames(10_000))
    above = int((state.arrays["neuron_fve"][0].values.astype(float) > 0.85).sum())
    text = await said(ClustersPane, state)
    assert f"{above} of 512 neurons have 85% of their variance from one frequency" in text
    assert all(f"k {k}" in text for k in KEYS)


async def test_the_embedding_shows_the_planes_of_its_strongest_frequencies_and_the_principal_one() -> None:
    text = await said(EmbeddingPane, GROKKED, size=(120, 38))
    assert [k for k in range(1, 57) if f"frequency {k} ·" in text] == list(KEYS)
    assert "principal plane" in text
    past = await said(EmbeddingPane, GROKKED, View(cursor=3000), size=(120, 38))
    assert "at 2,000" in past
    assert "along the axes of epoch 10,000" in past


async def test_the_principal_plane_does_not_turn_from_frame_to_frame() -> None:
    state = state_of([greeting()])
    rng = np.random.default_rng(0)
    app = Gallery(state, panes=(EmbeddingPane,))
    async with app.run_test(size=(60, 14)) as pilot:
        seen = []
        for epoch in (500, 1000):
            turn, _ = np.linalg.qr(rng.standard_normal((D, D)))  # the model may turn; what is seen must not
            W_E = arrays(10_000)["W_E"].astype(np.float64)
            state.apply(Array(epoch, "W_E", (turn @ W_E).astype(np.float16)))
            app.look()
            await pilot.pause()
            seen.append(app.query_one(Scatter).planes[-1].points)
        assert np.abs(seen[0] - seen[1]).max() < 0.02 * np.abs(seen[0]).max()


@pytest.mark.parametrize("pane", PANES)
async def test_a_pane_is_drawn_again_only_when_its_arrays_change(
    pane: type[Pane], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = state_of(frames(2000))
    app = Gallery(state, panes=(pane,))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        drawn = []
        monkeypatch.setattr(pane, "present", lambda *_: drawn.append(1))
        state.apply(Array(2500, "alpha", np.ones(56, np.float32)))
        app.look()
        app.look(View(cursor=2000))
        app.look(View(cursor=2400))
        assert len(drawn) == 1  # for the cursor, which has the epoch written; where it stands changes nothing
        for name, values in arrays(10_000).items():
            state.apply(Array(2400, name, values))
        app.look()
        assert len(drawn) == 2


@pytest.mark.parametrize("pane", PANES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_size_is_drawn(pane: type[Pane], size: tuple[int, int]) -> None:
    for dark in (True, False):
        app = Gallery(GROKKED, View(cursor=9000), panes=(pane,), dark=dark)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            if size == (20, 4):
                assert "needs more room" in app.text(pane)
            for grid in app.query(CellGrid):
                assert (grid.cells.width, grid.cells.height) in (tuple(grid.size), (0, 0))


@pytest.mark.parametrize("pane", PANES)
async def test_odd_arrays_are_no_reason_to_fail(pane: type[Pane]) -> None:
    for shape in ((0,), (3,), (2, 2), (1, 3, 3), (0, 0, 0)):
        told = [
            Array(500, name, np.full(shape, 0 if values.dtype.kind == "i" else np.nan, values.dtype))
            for name, values in arrays(0).items()
        ]
        await said(pane, state_of([greeting(), *told]), size=(60, 14))


@pytest.mark.parametrize("pane", PANES)
async def test_drawing_costs_a_few_milliseconds(pane: type[Pane]) -> None:
    app = Gallery(GROKKED, panes=(pane,))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        shown = app.query_one(pane)
        spent = []
        for turn in range(12):
            start = thread_time()
            shown.present(GROKKED, View(cursor=(2000, 10_000)[turn % 2]))
            spent.append(thread_time() - start)
        assert min(spent) < 0.010  # half of that where nothing else runs


@drawn_here
@pytest.mark.parametrize("size", [(80, 22), (120, 38), (200, 58)], ids=["80x24", "120x40", "200x60"])
def test_the_panes_look_as_they_did(snap_compare: Compare, size: tuple[int, int]) -> None:
    panes = PANES if size[0] > 100 else (AttentionPane, ClustersPane)
    assert snap_compare(Gallery(GROKKED, panes=panes), terminal_size=size)


@drawn_here
@pytest.mark.parametrize("pane", [LogitsPane, EmbeddingPane, NeuronsPane], ids=["logits", "embedding", "neurons"])
def test_a_pane_alone_looks_as_it_did_at_80x24(snap_compare: Compare, pane: type[Pane]) -> None:
    assert snap_compare(Gallery(GROKKED, View(cursor=10_000), panes=(pane,)), terminal_size=(80, 22))


@drawn_here
def test_the_panes_on_a_light_screen_look_as_they_did(snap_compare: Compare) -> None:
    assert snap_compare(Gallery(GROKKED, panes=PANES, dark=False), terminal_size=(120, 38))


async def test_an_embedding_of_one_dimension_is_drawn_on_a_line() -> None:
    line = np.random.default_rng(0).standard_normal((1, P)).astype(np.float16)
    text = await said(EmbeddingPane, state_of([greeting(), Array(0, "W_E", line)]))
    assert "of the variance" in text
    assert "principal plane · 100%" in text or "PCA" in text
