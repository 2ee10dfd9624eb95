"""Figures for print: the right numbers on the right axes, each reading named, and how it was made in the file."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from grok_tui import branches, notes
from grok_tui.cli import cli
from grok_tui.errors import ConfigError, ExchangeError
from grok_tui.export import whole
from grok_tui.figures import drawing, gallery, out, sheet, style
from grok_tui.figures.drawing import Subject
from grok_tui.protocol import Array
from grok_tui.ui import panes
from tests.share import planted
from tests.ui import measures, story

pytestmark = pytest.mark.usefixtures("own_home")

UNTIL = 9000


@cache
def subject(*, looked_back: bool = True, changes: tuple[tuple[int, str, float], ...] = ()) -> Subject:
    """A run with everything in it: read once, and never changed."""
    run = planted.run(UNTIL, changes, weights=(1000, 3000, 6000), looked_back=looked_back, full=not changes)
    rng = np.random.default_rng(0)
    frequency = rng.choice(story.KEYS, 64).astype(np.int16)
    maps: dict[str, NDArray[Any]] = {
        "neuron_fve": rng.uniform(0, 1, 64).astype(np.float16),
        "neuron_frequency": frequency,
        "attention_pattern": rng.uniform(0, 1, (4, 11, 11)).astype(np.float16),
        "attention_frequency": np.array([28, 7, 13, 0], np.int16),
        "attention_head_fve": np.array([0.9, 0.8, 0.7, np.nan], np.float32),
        "neuron_maps": rng.uniform(0, 3, (2, 11, 11)).astype(np.float16),
        "neuron_maps_index": np.array([5, 9], np.int16),
        "logits_2d": rng.uniform(0, 60, (113, 113)).astype(np.float16),
    }
    planted.record(run, [Array(UNTIL, name, values) for name, values in maps.items()])
    return Subject(whole.read(run))


def lines(ax: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What is drawn in an axes, by its label."""
    return {
        str(line.get_label()): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in ax.get_lines()
        if not str(line.get_label()).startswith("_")
    }


def titled(figure: Figure, part: str) -> Axes:
    return next(ax for ax in figure.axes if part in ax.get_title(loc="left"))


def written(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", [recipe.name for recipe in gallery.RECIPES])
def test_every_figure_is_drawn_from_a_recording_with_nothing_missing(name: str) -> None:
    figure = sheet.draw(gallery.find(name), subject())
    for ax in figure.axes:
        assert ax.axison, written(ax)
        assert ax.get_xlabel() or ax.get_ylabel()
    figure.draw_without_rendering()


def test_fig_7_draws_each_measure_of_the_recording_and_names_its_reading() -> None:
    drawn = subject()
    figure = sheet.draw(gallery.find("nanda-fig7"), drawn)
    excluded, restricted = lines(titled(figure, "Excluded")), lines(titled(figure, "Restricted"))
    series = drawn.whole.state.series
    epochs, values = excluded["excluded (key-free)"]
    assert np.array_equal(epochs, series["excluded_loss_key_free"].epochs)
    assert np.array_equal(values, series["excluded_loss_key_free"].values)
    assert np.array_equal(restricted["test"][1], series["test_loss"].values)
    assert np.array_equal(restricted["restricted (hindsight)"][1], series["restricted_loss_hindsight"].values)
    assert titled(figure, "Excluded").get_yscale() == "log"
    assert lines(titled(figure, "Gini")).keys() == {"$W_E$", "$W_L$"}


def test_provisional_points_stand_only_where_hindsight_has_none() -> None:
    drawn = subject()
    found = lines(titled(sheet.draw(gallery.find("nanda-fig7"), drawn), "Restricted"))
    epochs, values = found["restricted (provisional)"]
    assert np.isnan(values[(epochs >= 1000) & (epochs <= 6000)]).all()
    assert np.isfinite(values[(epochs < 1000) | (epochs > 6000)]).all()
    alone = subject(looked_back=False)
    found = lines(titled(sheet.draw(gallery.find("nanda-fig7"), alone), "Restricted"))
    assert "restricted (hindsight)" not in found
    assert np.array_equal(found["restricted (provisional)"][1], alone.whole.state.series["restricted_loss"].values)


def test_a_figure_with_provisional_keys_says_how_to_have_the_final_ones(tmp_path: Path) -> None:
    run = planted.run(500, (), weights=(0,), looked_back=False)
    assert f"grok-tui hindsight {run.name}" in out.figure([run], "losses", tmp_path / "a.svg")
    assert "hindsight" not in out.figure([run], "power-fig1", tmp_path / "b.svg")
    planted.look_back(run, [0])
    assert "hindsight" not in out.figure([run], "losses", tmp_path / "c.svg")


def test_phases_are_shaded_where_the_rules_place_them_and_named() -> None:
    drawn = subject()
    ax = titled(sheet.draw(gallery.find("nanda-fig2"), drawn), "Accuracy")
    boundaries = [(b.epoch, str(b.phase)) for b in drawn.whole.state.phases.boundaries]
    assert len(boundaries) >= 3
    shades = [(patch.get_x(), patch.get_facecolor()) for patch in ax.patches]  # type: ignore[attr-defined]
    assert [x for x, _ in shades] == [epoch for epoch, _ in boundaries]
    assert "circuit formation" in written(ax)


def test_interventions_are_marked_at_their_epochs() -> None:
    drawn = subject(changes=((2000, "weight_decay", 0.3), (5000, "lr", 5e-4)))
    ax = titled(sheet.draw(gallery.find("nanda-fig2"), drawn), "Accuracy")
    marks = [np.asarray(line.get_xdata())[0] for line in ax.get_lines() if line.get_color() == style.KEY]
    assert marks == [2000, 5000]
    assert {"wd 0.3", "lr 5e-4"} <= set(written(ax))
    stepped = sheet.draw(gallery.find("decay"), drawn).axes[0].get_lines()[0]
    assert np.asarray(stepped.get_xydata()).tolist() == [[0, 1.0], [2000, 0.3], [UNTIL, 0.3]]


def test_what_was_changed_is_told_above_the_axes_and_nothing_hides_a_curve() -> None:
    changes = tuple(
        (epoch, "weight_decay", value) for epoch, value in ((2000, 0.3), (2100, 3.0), (2200, 0.5), (8000, 2.0))
    )
    for name in ("nanda-fig7", "nanda-fig2"):
        figure = sheet.draw(gallery.find(name), subject(changes=changes))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        for ax in figure.axes:
            told = [text for text in ax.texts if text.get_text().startswith("wd ")]
            above = [text.get_window_extent(renderer) for text in told if text.get_rotation() == 0]
            assert (len(told), len(above)) == (4, 3)  # for the one in between there is no room
            assert all(box.y0 > ax.bbox.y1 for box in above)
            titles = [ax.title, ax._left_title]  # type: ignore[attr-defined]
            boxes = above + [title.get_window_extent(renderer) for title in titles if title.get_text()]
            assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
            assert all(text.get_bbox_patch() is None for text in ax.texts)
            curves = min((line.get_zorder() for line in ax.get_lines() if np.size(line.get_xdata()) > 2), default=2)
            assert all(text.get_zorder() < curves for text in told if text.get_rotation())


def test_what_was_done_at_one_epoch_has_one_mark() -> None:
    parent = planted.run(1500, (), weights=(0,), looked_back=False)
    child = branches.create(parent, 1000, {"weight_decay": 0.0})
    ax = sheet.draw(gallery.find("nanda-fig2"), Subject(whole.read(child))).axes[0]
    assert [text for text in written(ax) if "branched" in text] == ["branched, wd 0"]


def test_losses_that_hardly_differ_stand_on_a_linear_axis_from_0() -> None:
    drawn = subject()
    for epoch, scale in ((500, "linear"), (UNTIL, "log")):
        ax = sheet.draw(gallery.find("nanda-fig6"), replace(drawn, epoch=epoch)).axes[0]
        assert (ax.get_yscale(), ax.get_ylim()[0] == 0) == (scale, scale == "linear")


@pytest.mark.parametrize(("low", "high", "ticks"), [(1e-7, 20.0, 8), (5.0, 21.0, 3), (0.8, 16.0, 4)])
def test_a_logarithmic_axis_of_any_span_can_be_read(low: float, high: float, ticks: int) -> None:
    figure = Figure()
    ax = figure.add_subplot()
    ax.plot([0, 1], [low, high])
    drawing.decades(ax)
    ax.set_ylim(low, high)
    figure.draw_without_rendering()
    shown = [
        label.get_text() for at, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True) if low <= at <= high
    ]
    assert len([text for text in shown if text]) >= ticks


def test_notes_stand_beside_their_flags() -> None:
    run = planted.run(500, (), weights=(0,))
    notes.add(run, 300, "a slingshot? costs $5 and is long to tell")
    ax = sheet.draw(gallery.find("nanda-fig2"), Subject(whole.read(run))).axes[0]
    (flag,) = [line for line in ax.get_lines() if line.get_color() == style.OTHER]
    assert np.asarray(flag.get_xdata()).tolist() == [300]
    assert r"a slingshot? costs \$5 a…" in written(ax)


def test_fig_3_has_a_bar_for_each_component_and_names_the_keys() -> None:
    ax = sheet.draw(gallery.find("nanda-fig3"), subject()).axes[0]
    heights = [patch.get_height() for patch in ax.patches]  # type: ignore[attr-defined]
    last = list(range(499, UNTIL + 1, 500))[-1]
    assert np.allclose(heights, story.norms_at(last).ravel().astype(float))
    named = {int(k) for text in written(ax) for k in text.split(", ")}
    assert named == set(story.KEYS)


def test_fig_6_reaches_from_the_floor_to_each_loss() -> None:
    ax = sheet.draw(gallery.find("nanda-fig6"), subject()).axes[0]
    tops = [patch.get_y() + patch.get_height() for patch in ax.patches]  # type: ignore[attr-defined]
    assert np.allclose(tops, 1.3 * measures.excluded_at(UNTIL), rtol=1e-5)
    assert ax.get_yscale() == "log"


def test_an_earlier_epoch_shows_nothing_of_what_came_later() -> None:
    figure = sheet.draw(gallery.find("overview"), replace(subject(), epoch=4000))
    for ax in figure.axes:
        for epochs, _ in lines(ax).values():
            assert max(epochs) <= 4000
    assert "3,999" in titled(figure, "Fourier").get_title(loc="left")


def test_a_logarithmic_axis_of_epochs_is_one_and_loses_no_late_point() -> None:
    figure = sheet.draw(gallery.find("losses"), replace(subject(), log_x=True))
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_xlim()[1] == UNTIL


def test_several_runs_share_axes_and_are_told_apart_by_what_differs() -> None:
    one, other = subject(), subject(changes=((2000, "weight_decay", 0.3),))
    figure = sheet.compare([one, other])
    found = lines(titled(figure, "Test loss"))
    labels = sheet.labels([one, other])
    assert [label.split(",")[0] for label in labels] == [one.whole.run.name, other.whole.run.name]
    assert "0.3" in labels[1]
    assert set(labels) <= set(found)
    assert np.array_equal(found[labels[0]][1], one.whole.state.series["test_loss"].values)


def test_runs_of_several_moduli_have_a_line_of_chance_for_each() -> None:
    figure = sheet.compare([subject(), of_modulus(31)])
    for title in ("Test loss", "Excluded loss"):
        found = {label: y[0] for label, (_, y) in lines(titled(figure, title)).items() if label.startswith("chance")}
        assert found == pytest.approx({"chance, ln 31": np.log(31), "chance, ln 113": np.log(113)})
        assert {"ln 31", "ln 113"} <= set(written(titled(figure, title)))
    alone = lines(titled(sheet.compare([subject(), subject()]), "Test loss"))
    assert [label for label in alone if label.startswith("chance")] == ["chance, ln 113"]


def test_a_long_way_of_a_control_breaks_its_line_of_the_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "LEGEND", 30)
    label = sheet.labels([subject(), subject(changes=((2000, "weight_decay", 0.3),))])[1]
    assert max(map(len, label.split("\n"))) <= 30 < len(label)


def of_modulus(p: int) -> Subject:
    """The same run, as if its task had another modulus."""
    found = subject()
    state = copy.copy(found.whole.state)
    assert state.hello
    tables = {**state.hello.config, "task": {**state.hello.config["task"], "p": p}}
    state.hello = replace(state.hello, config=tables)
    return Subject(replace(found.whole, state=state))


def test_each_format_carries_how_it_was_made(tmp_path: Path) -> None:
    run = planted.run(500, (), weights=(0,))
    for ending in sheet.ENDINGS:
        out.figure([run], "power-fig1", tmp_path / f"a{ending}")
    with Image.open(tmp_path / "a.png") as image:
        png = image.info
        assert image.width > 1500
    assert json.loads(png["Description"])[run.name]["configuration"]["task"]["p"] == 113
    assert png["Software"].startswith("grok-tui ")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    (told,) = root.iter("{http://purl.org/dc/elements/1.1/}description")
    assert json.loads(told.text or "")[run.name]["seeds"] == {"data": 0, "model": 0}
    assert b"/Keywords" in (tmp_path / "a.pdf").read_bytes()


def test_every_pane_after_a_figure_of_the_paper_can_be_printed_after_the_same_one() -> None:
    assert set(gallery.PANES) <= set(panes.NAMES)
    sources = {recipe.source for recipe in gallery.RECIPES}
    for name, pane in panes.every().items():
        if re.fullmatch(r"Nanda et al. 2023, Fig. \d+", pane.figure) and name != "phase":
            assert name in gallery.PANES
            assert pane.figure in sources, name


def test_what_cannot_be_drawn_is_said_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    run = planted.run(500, (), weights=(0,))
    for like, said in (
        ("nanda-fig4", "has not recorded attention_pattern and neuron_maps and logits_2d yet"),
        ("nanda-fig77", "did you mean 'nanda-fig7'"),
        ("compare", "."),
    ):
        with pytest.raises(ConfigError, match=said):
            out.figure([run], like, tmp_path / "a.svg")
    with pytest.raises(ConfigError, match="is of one run"):
        out.figure([run, planted.run(500, (), weights=(0,))], "nanda-fig2", tmp_path / "a.svg")
    with pytest.raises(ExchangeError, match=r"\.svg or \.png or \.pdf was expected"):
        out.figure([run], "nanda-fig2", tmp_path / "a.gif")
    with pytest.raises(ConfigError, match="there is no epoch 600"):
        out.figure([run], "nanda-fig2", tmp_path / "a.svg", epoch=600)
    with pytest.raises(ConfigError, match="no pane or series 'lossses'; did you mean 'losses'"):
        out.charts(run, tmp_path / "a.svg", ["lossses"])
    assert not list(tmp_path.glob("a.*"))
    (tmp_path / "a.svg").write_text("mine")
    with pytest.raises(ExchangeError, match="--force"):
        out.figure([run], "nanda-fig2", tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text() == "mine"


def test_panes_and_series_are_chosen_by_name_on_the_command_line(tmp_path: Path) -> None:
    run = planted.run(500, (), weights=(0,))
    words = ["export", run.name, str(tmp_path / "a.svg"), "--pane", "losses", "--pane", "test_fve", "--log-x"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "a.svg").read_text()
    assert "losses, test_fve" in text
    drawn = sheet.draw(gallery.of_panes(["losses", "test_fve"], ["test_fve"]), Subject(whole.read(run)))
    assert [ax.get_title(loc="left") for ax in drawn.axes] == ["(a) Losses", "(b) test fve"]
    done = CliRunner().invoke(cli, ["figure", run.name, "--list"])
    assert "nanda-fig7" in done.output
    assert "not recorded: attention_pattern" in done.output


def test_matplotlib_is_loaded_by_figures_alone(tmp_path: Path) -> None:
    run = planted.run(500, (), weights=(0,))
    script = (
        "import sys; from pathlib import Path; from grok_tui import runs, packing; from grok_tui.export import out;"
        f"run = runs.find({run.name!r}); packing.pack(run, Path({str(tmp_path / 'a.grok')!r}));"
        f"out.export(run, 'csv', Path({str(tmp_path / 'a.csv')!r}));"
        "print([name for name in ('matplotlib', 'pyarrow', 'torch', 'textual') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ.copy())
    assert done.stdout == "[]\n", done.stderr
