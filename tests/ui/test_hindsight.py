"""What the losses pane makes of recomputed measures: strong where they are, weak where keys are provisional."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from grok_tui import hindsight
from grok_tui.protocol import PROTOCOL, Array, Catalogue, Frame, Hello, Points, SeriesInfo
from grok_tui.ui.panes import LossesPane, lines, tracks
from grok_tui.ui.view import View
from grok_tui.ui.widgets.cells import Token
from grok_tui.ui.widgets.chart import Chart
from tests.ui.gallery import Gallery, state_of
from tests.ui.story import KEYS, frames, hello

EPOCHS = np.arange(500, 8001, 500)


def looked_back(
    epochs: Sequence[int] = tuple(EPOCHS), total: int = len(EPOCHS), keys: Sequence[int] = KEYS
) -> list[Frame]:
    table = {"keys": sorted(keys), "rule": hindsight.RULE, "total": total}
    values = np.geomspace(4.0, 1e-8, len(epochs))
    columns = {"restricted_loss_hindsight": values, "excluded_loss_hindsight": np.geomspace(1e-3, 16, len(epochs))}
    greeting = Hello(PROTOCOL, "nanda113-1", "0.1.0", {"hindsight": table}, {}, 0, Catalogue(hindsight.SERIES))
    return [greeting, Points(np.array(epochs, np.int64), columns)]


async def pane(
    frames: Sequence[Frame], view: View | None = None, size: tuple[int, int] = (130, 24)
) -> tuple[str, Chart]:
    app = Gallery(state_of(frames), view, panes=(LossesPane,))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return app.text(LossesPane), app.query_one(Chart)


async def test_each_curve_says_which_reading_it_is() -> None:
    text, _ = await pane([*frames(until=9000), *looked_back()])
    assert "restricted (final keys)" in text
    assert "excluded (final keys)" in text
    assert "excluded (key-free)" in text
    assert "restricted (provisional keys)" in text
    assert "final keys: 1 4 7 13 28" in text
    assert "dim: keys are provisional" in text


async def test_provisional_points_are_weak_and_only_where_hindsight_is_not() -> None:
    _, chart = await pane([*frames(until=9000), *looked_back()])
    assert chart.plot is not None
    found = {(line.name, line.notes[1]): line for line in chart.plot.lines}
    weak, strong = found["restricted", "prov."], found["restricted", "final"]
    assert weak.weak
    assert weak.style == Token.RESTRICTED_WEAK
    assert strong.style == Token.RESTRICTED
    finite = weak.series.epochs[np.isfinite(weak.series.values)]
    assert finite.min() == 0
    assert finite.max() == 9000
    assert not ((finite >= 500) & (finite <= 8000)).any()
    names = [line.notes[1] for line in chart.plot.lines if line.name == "restricted"]
    assert names == ["prov.", "final"]  # the last is on top


async def test_where_hindsight_is_everywhere_nothing_provisional_is_left() -> None:
    told = frames(until=8000)
    text, chart = await pane([*told, *looked_back((0, *EPOCHS), len(EPOCHS) + 1)])
    assert chart.plot is not None
    assert not any(line.weak for line in chart.plot.lines)
    assert "provisional" not in text


async def test_the_pixels_of_the_past_change_when_the_final_keys_are_known() -> None:
    view = View(log_y=True)
    before, _ = await pane(frames(until=8000), view)
    after, _ = await pane([*frames(until=8000), *looked_back((0, *EPOCHS), len(EPOCHS) + 1)], view)
    assert before.splitlines()[4:-2] != after.splitlines()[4:-2]


async def test_while_it_is_being_recomputed_it_says_how_far() -> None:
    text, _ = await pane([*frames(until=9000), *looked_back((500, 8000), 160)])
    assert "final keys: 1 4 7 13 28 (2 of 160 epochs)" in text


async def test_the_cursor_reads_the_final_keys() -> None:
    text, chart = await pane([*frames(until=9000), *looked_back()], View(cursor=500))
    assert "restricted (final keys) 4 " in text
    assert chart.plot is not None
    assert {line.read(500) for line in chart.plot.lines if line.weak} == {"–"}


async def test_many_keys_are_cut_short() -> None:
    state = state_of([hello(), *looked_back(keys=range(1, 30))])
    assert lines.reading(state) == "final keys: 1 2 3 4 5 6 7 8 …"


def outgrown() -> list[Frame]:
    """Recomputed with the keys of epoch 2,000, and the run has others since."""
    keys = [Array(2000, "key_frequencies", np.array([26, 1, 3, 5, 20, 22], np.int32)), now(8500, 20, 22, 26)]
    greeting, points = looked_back(keys=(1, 3, 5, 20, 22, 26))
    return [*frames(until=1500), *keys, *frames(until=9000)[-1:], greeting, points]


def now(epoch: int, *keys: int) -> Array:
    return Array(epoch, "key_frequencies", np.array(keys, np.int32))


async def test_keys_that_the_run_has_outgrown_are_not_called_final() -> None:
    told = outgrown()
    text, _ = await pane(told)
    assert "hindsight, keys of epoch 2,000: 1 3 5 20 22 26 (now 20 22 26)" in text
    assert "excluded (keys of epoch 2,000)" in text
    assert "final" not in text
    state = state_of(told)
    assert not state.keys_are_final
    state.apply(now(9000, 1, 3, 5, 20, 22, 26))
    assert state.keys_are_final
    assert lines.reading(state) == "final keys: 1 3 5 20 22 26"


async def test_keys_that_were_never_the_runs_are_other_keys() -> None:
    text, _ = await pane([*frames(until=9000), *looked_back(keys=(2, 3))])
    assert "hindsight, other keys: 2 3 (now 1 4 7 13 28)" in text
    assert "excluded (other keys)" in text


def test_the_strongest_of_the_newest_keys_are_called_final_only_when_they_are() -> None:
    alpha = Array(8500, "alpha", np.linspace(0, 1, 56, dtype=np.float32))
    state = state_of([*outgrown(), alpha])
    assert tracks.note(state) == "3 provisional keys"
    for frame in looked_back(keys=(20, 22, 26)):
        state.apply(frame)
    assert tracks.note(state) == "the 3 strongest key frequencies"


@pytest.mark.parametrize("size", [(40, 8), (60, 13), (100, 20)])
async def test_a_value_is_never_without_its_reading_and_every_curve_has_one(size: tuple[int, int]) -> None:
    text, _ = await pane([*frames(until=8000), *looked_back((0, *EPOCHS), len(EPOCHS) + 1)], size=size)
    legend = " ".join(text.splitlines()[1:4])
    for sign, name, readings in (
        ("▲", "restr", ("restricted (final", "restr. final", "restr.final", "restrᶠ")),
        ("◆", "excl", ("excluded (final", "excl. final", "excl.final", "exclᶠ")),
        ("□", "excl", ("excluded (key-free", "excluded (free", "excl. free", "excl.free", "excl°")),
    ):
        assert sign in legend
        assert any(reading in legend for reading in readings), (name, legend)
    if "ᶠ" in legend:  # then the border says what it means
        assert "° key-free, ᶠ final keys" in text.splitlines()[-1]


async def test_what_was_recomputed_differs_from_the_provisional_without_colour() -> None:
    _, chart = await pane([*frames(until=9000), *looked_back()])
    assert chart.plot is not None
    markers = {line.notes[1]: line.marker for line in chart.plot.lines if line.name == "restricted"}
    assert markers == {"prov.": "△", "final": "▲"}
    markers = {line.notes[1]: line.marker for line in chart.plot.lines if line.name == "excluded"}
    assert len(set(markers.values())) == 3


async def test_dim_is_said_only_where_something_is_not() -> None:
    text, _ = await pane(frames(until=9000))
    assert "keys are provisional" in text
    assert "dim" not in text


async def test_a_picture_is_drawn_again_only_when_something_has_come() -> None:
    state = state_of([*frames(until=9000), *looked_back((500, 8000), 160)])
    app = Gallery(state, panes=(LossesPane,))
    async with app.run_test(size=(130, 24)) as pilot:
        await pilot.pause()
        chart = app.query_one(Chart)
        first = chart.plot
        app.look()
        assert chart.plot is first
        for frame in looked_back((500, 4000, 8000), 160):
            state.apply(frame)
        app.look()
        assert chart.plot is not first


async def test_losses_of_other_pairs_and_frequencies_are_left_to_other_panes() -> None:
    greeting = hello()
    more = tuple(SeriesInfo(name, name, "nats", log=True) for name in ("restricted_loss_train", "margin_test"))
    told = [
        Hello(
            PROTOCOL, greeting.run, "", greeting.config, {}, 100, Catalogue((*greeting.catalogue.series, *more)),
        ),
        Points(np.arange(3), dict.fromkeys(("train_loss", "restricted_loss_train", "margin_test"), np.ones(3))),
        *looked_back(),
    ]  # fmt: skip
    _, chart = await pane(told)
    assert chart.plot is not None
    assert [line.name for line in chart.plot.lines] == ["excluded", "restricted", "train"]
