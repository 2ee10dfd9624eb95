"""What is varied: axes, the grid of members, and what is refused before anything starts."""

from __future__ import annotations

import pytest

from grok_tui import config as configs
from grok_tui import grids
from grok_tui.config import Config
from grok_tui.errors import ConfigError

DECAYS = {"optimizer.weight_decay": "0.3,1,3"}


def test_the_grid_is_the_product_of_the_axes_with_the_last_one_fastest() -> None:
    axes = grids.axes(DECAYS, [], 2, None)
    places = grids.places(Config(), axes)
    assert [axis.label for axis in axes] == ["weight decay", "seed"]
    assert [place.at for place in places] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert places[3].said == "weight decay 1, seed 1"
    made = configs.override(Config(), places[3].changes)
    assert (made.optimizer.weight_decay, made.data.seed, made.model.seed) == (1.0, 1, 1)


def test_the_whole_grid_comes_on_the_first_seed_before_any_on_the_next() -> None:
    axes = grids.axes(DECAYS, [], None, "5,7")
    order = grids.queue(axes, grids.places(Config(), axes))
    assert [dict(place.changes)["data.seed"] for place in order] == ["5", "5", "5", "7", "7", "7"]


def test_any_key_of_the_preset_is_an_axis() -> None:
    axes = grids.axes({}, ["model.d_mlp=64, 128", "measure.neuron_level=true,false"], None, None)
    last = configs.override(Config(), grids.places(Config(), axes)[-1].changes)
    assert (last.model.d_mlp, last.measure.neuron_level) == (128, False)


def test_a_bad_member_is_named_before_anything_starts() -> None:
    axes = grids.axes({"optimizer.lr": "1e-3,5"}, [], 2, None)
    with pytest.raises(ConfigError, match=r"member 3 \(lr 5, seed 0\): .*out of bounds: 0 to 1"):
        grids.places(Config(), axes)


def test_a_member_whose_values_do_not_go_together_is_named_too() -> None:
    axes = grids.axes({}, ["model.n_heads=4,3"], None, None)
    with pytest.raises(ConfigError, match=r"member 2 \(model.n_heads 3\): .*does not divide"):
        grids.places(Config(), axes)


@pytest.mark.parametrize(
    ("options", "vary", "words"),
    [
        ({"optimizer.lr": "1,,2"}, [], "value missing"),
        ({"optimizer.lr": "1e-3,0.001"}, [], "stands twice"),
        ({"optimizer.lr": "1e-3"}, ["optimizer.lr=1"], "optimizer.lr is varied twice"),
        ({}, ["data.seed=1,2"], "data.seed is varied twice"),
        ({}, ["optimizer.lr"], "KEY=VALUE,VALUE"),
        ({}, ["=1,2"], "KEY=VALUE,VALUE"),
        ({}, ["optimizer.lrr=1"], "did you mean 'optimizer.lr'"),
    ],
)
def test_what_makes_no_grid_is_refused_in_a_line(options: dict[str, str | None], vary: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        grids.places(Config(), grids.axes(options, vary, 2, None))


def test_a_key_cannot_be_fixed_and_varied() -> None:
    with pytest.raises(ConfigError, match="fixed and varied"):
        grids.places(Config(), grids.axes(DECAYS, [], None, None), ["optimizer.weight_decay"])


def test_a_grid_that_nobody_could_look_at_is_refused() -> None:
    with pytest.raises(ConfigError, match="more than 500"):
        grids.places(Config(), grids.axes(DECAYS, [], 200, None))
