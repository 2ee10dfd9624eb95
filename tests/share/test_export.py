"""A run in the formats of other programs: read back with what their users read them with."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from grok_tui import branches, config, runs
from grok_tui.cli import cli
from grok_tui.errors import ExchangeError, GrokTuiError, RecordError
from grok_tui.export import made, out, whole
from grok_tui.protocol import Event
from grok_tui.runs import Run
from tests.share import planted
from tests.ui import story

pytestmark = pytest.mark.usefixtures("own_home")

EXACT = [0.1 + 0.2, 5e-324, 1.7976931348623157e308]


def test_pandas_reads_from_csv_every_number_of_the_recording_bit_for_bit(run: Run, tmp_path: Path) -> None:
    out.export(run, "csv", tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv", index_col="epoch")
    for column in whole.read(run).columns:
        found = table[column.heading].loc[column.epochs].to_numpy(np.float64)
        assert np.array_equal(found, column.values, equal_nan=True), column.info.name
    assert table["exact"].loc[[100, 200, 300]].tolist() == EXACT
    assert table["weight_decay"].loc[[999, 1000, 2750]].tolist()[1:] == [3.0, 3.0]


def test_the_columns_say_what_depends_on_a_choice_of_keys_and_the_answer_where_the_rest_stands(
    run: Run, tmp_path: Path
) -> None:
    answer = out.export(run, "csv", tmp_path / "a.csv")
    assert answer.splitlines()[1] == "  how it was made, which a csv cannot hold: a.about.json"
    headings = set(pd.read_csv(tmp_path / "a.csv", nrows=1).columns)
    assert {"restricted_loss_provisional", "restricted_loss_hindsight"} <= headings
    assert {"train_loss", "test_loss", "excluded_loss_key_free", "test_fve", "lr"} <= headings
    assert not {"restricted_loss", "excluded_loss", "restricted_loss_hindsight_hindsight"} & headings
    about = json.loads((tmp_path / "a.about.json").read_text())
    assert {series["column"] for series in about["series"]} | {"epoch"} == headings
    keyed = [each for each in about["series"] if each["reading"] in ("provisional", "hindsight")]
    assert all(each["column"].endswith(each["reading"]) for each in keyed)
    out.export(run, "parquet", tmp_path / "a.parquet")
    assert set(pd.read_parquet(tmp_path / "a.parquet").columns) == headings
    assert "a.about.json" not in out.export(run, "json", tmp_path / "a.json")


def test_an_empty_cell_was_not_measured_and_nan_was(run: Run, tmp_path: Path) -> None:
    out.export(run, "csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = {int(row["epoch"]): row for row in csv.DictReader(file)}
    assert [rows[epoch]["odd"] for epoch in (99, 100, 200, 300)] == ["", "NaN", "Inf", "-Inf"]


def test_beside_the_csv_stand_ledger_events_phases_and_how_it_was_made(run: Run, tmp_path: Path) -> None:
    out.export(run, "csv", tmp_path / "a.csv")
    ledger = pd.read_csv(tmp_path / "a.ledger.csv")
    assert ledger[["seq", "epoch", "ok", "control", "value", "previous"]].values.tolist()[:2] == [
        [1, 1000, True, "weight_decay", 3.0, 1.0],
        [2, 2000, True, "lr", 5e-4, 1e-3],
    ]
    assert ledger["text"].iloc[2] == "momentum is no control"
    assert not ledger["ok"].iloc[2]
    assert pd.read_csv(tmp_path / "a.events.csv")["what"].tolist().count("changed") == 2
    assert pd.read_csv(tmp_path / "a.phases.csv")["phase"].tolist()[:2] == ["fitting", "memorization"]
    about = json.loads((tmp_path / "a.about.json").read_text())
    by_hand = "--plan 'at 1000: set weight_decay 3' --plan 'at 2000: set lr 0.0005'"
    assert about["again"] == f"grok-tui --preset nanda113 {by_hand}"
    assert about["seeds"] == {"data": 0, "model": 0}
    assert about["trained"][0]["machine"]["torch"] == "2.13.0"
    readings = {series["name"]: series["reading"] for series in about["series"]}
    assert readings["restricted_loss"] == "provisional"
    assert readings["excluded_loss_key_free"] == "key-free"
    assert readings["train_loss"] == "measured"
    hindsight = next(s for s in about["series"] if s["name"] == "restricted_loss_hindsight")
    assert (hindsight["reading"], hindsight["keys"]) == ("hindsight", sorted(story.KEYS))


def test_a_branch_says_of_which_run_it_is_one_and_a_preset_what_was_set(tmp_path: Path) -> None:
    parent = planted.run(looked_back=False)
    child = branches.create(parent, 2500, {"weight_decay": 0.25}, [("training.epochs", "50000")])
    how = made.made(whole.read(child))
    assert how["lineage"]["parent"] == parent.name
    expected = f"grok-tui branch {parent.name} --epoch 2500 --weight-decay 0.25 --set training.epochs=50000"
    assert how["again"] == expected
    context = cli.commands["branch"].make_context("branch", expected.split()[2:])
    assert context.params["epoch"] == "2500"
    base = runs.Run(parent.path.rename(parent.path.with_name("base")))
    assert made.made(whole.read(child))["again"] == expected.replace(parent.name, "base")
    base.path.rename(tmp_path / "away")
    anew = "grok-tui --preset nanda113 --set training.epochs=50000"
    for epoch, change in ((1000, "weight_decay 3"), (2000, "lr 0.0005"), (2500, "weight_decay 0.25")):
        anew += f" --plan 'at {epoch}: set {change}'"
    assert made.made(whole.read(child))["again"] == anew
    planted.record(runs.create(config.preset("nanda113")), [story.hello(), Event(0, "started", "started", 1.7e9)])
    assert made.made(whole.read(child))["again"] == anew, "another run has its name"
    settings = config.override(config.preset("demo"), [("data.seed", "7"), ("notify.bell", "true")])
    settings = dataclasses.replace(settings, plan=config.Plan(("when cleanup: pause",)))
    other = runs.create(settings)
    planted.record(other, [dataclasses.replace(story.hello(other.name), config=config.to_tables(settings))])
    again = made.made(whole.read(other))["again"]
    assert again == "grok-tui --preset demo --set data.seed=7 --set notify.bell=true --plan 'when cleanup: pause'"


def test_of_a_run_that_was_trained_in_a_stack_the_command_names_it_and_promises_nothing_where_that_has_changed() -> (
    None
):
    alone, stacked, mixed = planted.run(looked_back=False), *(runs.create(config.preset("nanda113")) for _ in range(2))
    greeting = story.hello(stacked.name)
    greeting = dataclasses.replace(greeting, machine={**greeting.machine, "stack": 4})
    begun = (greeting, Event(0, "started", "started", 1.7e9))
    planted.record(stacked, begun)
    planted.record(mixed, [*begun, story.hello(mixed.name)])
    how = made.made(whole.read(stacked))
    assert (how["again"], how["again_differs"]) == ("grok-tui --preset nanda113 --stack 4", "")
    assert made.made(whole.read(mixed))["again_differs"].startswith("trained in a stack of 4, then alone: these round")
    assert made.made(whole.read(alone))["again_differs"] == ""


def test_parquet_tells_null_from_nan_and_carries_readings_with_the_columns(run: Run, tmp_path: Path) -> None:
    out.export(run, "parquet", tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    rows = dict(zip(table["epoch"].to_pylist(), table["odd"].to_pylist(), strict=True))
    assert rows[99] is None
    assert math.isnan(rows[100])
    assert (rows[200], rows[300]) == (math.inf, -math.inf)
    metadata = table.schema.field("restricted_loss_hindsight").metadata
    assert (metadata[b"reading"], metadata[b"keys"]) == (b"hindsight", str(sorted(story.KEYS)).encode())
    assert json.loads(table.schema.metadata[b"grok-tui"])["run"] == run.name
    frame = pd.read_parquet(tmp_path / "a.parquet").set_index("epoch")
    assert frame["exact"].dropna().tolist() == EXACT


def test_parquet_has_every_array_whole(run: Run, tmp_path: Path) -> None:
    out.export(run, "parquet", tmp_path / "a.parquet")
    found = pd.read_parquet(tmp_path / "a.arrays.parquet")
    recorded = whole.read(run).arrays
    assert len(found) == sum(map(len, recorded.values()))
    last = recorded["fourier_W_E"][-1]
    row = found[(found["name"] == "fourier_W_E") & (found["epoch"] == last.epoch)].iloc[0]
    assert np.array_equal(row["values"].reshape(row["shape"]), last.values)


@pytest.mark.parametrize("program", ["csv", "parquet"])
def test_the_long_table_has_a_row_for_each_point_with_its_reading(run: Run, tmp_path: Path, program: str) -> None:
    out.export(run, program, file := tmp_path / f"a.{program}", long=True)
    table = pd.read_csv(file) if program == "csv" else pd.read_parquet(file)
    columns = whole.read(run).columns
    assert len(table) == sum(len(column.epochs) for column in columns)
    assert set(table[table["series"] == "excluded_loss"]["reading"]) == {"provisional"}
    assert table[table["series"] == "exact"]["value"].tolist() == EXACT


def test_json_is_strict_and_says_what_became_of_what_is_not_finite(run: Run, tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    out.export(run, "json", tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert found["series"]["odd"]["values"] == [None, "Infinity", "-Infinity"]
    assert found["series"]["exact"]["values"] == EXACT
    assert "null" in found["how"]["not_finite"]
    assert found["arrays"]["alpha"]["snapshots"][0]["shape"] == [56]


def test_tensorboard_reads_every_point_with_its_own_reader(run: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    out.export(run, "tensorboard", tmp_path / "tb")
    sizes = {event_accumulator.SCALARS: 0, event_accumulator.TENSORS: 0}
    events = event_accumulator.EventAccumulator(str(tmp_path / "tb"), sizes)
    events.Reload()
    columns = {f"{column.reading}/{column.info.name}": column for column in whole.read(run).columns}
    assert set(events.Tags()["scalars"]) == set(columns)
    for tag, column in columns.items():
        points = events.Scalars(tag)
        assert [point.step for point in points] == column.epochs.tolist()
        with np.errstate(over="ignore"):
            rounded = column.values.astype(np.float32)
        assert np.array_equal(np.array([point.value for point in points], np.float32), rounded, equal_nan=True), tag
    told = events.Tensors("events/changed")
    assert [(each.step, each.wall_time) for each in told] == [(e, story.BEGIN + e / story.RATE) for e in (1000, 2000)]
    assert b"weight_decay 1" in tensor_util.make_ndarray(told[0].tensor_proto).item()
    between = events.Scalars("measured/train_loss")[1500].wall_time
    assert between == pytest.approx(story.BEGIN + 1500 / story.RATE)
    assert "4 7 13 28" in events.SummaryMetadata("hindsight/restricted_loss_hindsight").summary_description


def test_what_is_there_stays_unless_forced(run: Run, tmp_path: Path) -> None:
    for program, name in (("csv", "a.csv"), ("json", "a.json"), ("tensorboard", "tb")):
        out.export(run, program, tmp_path / name)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(ExchangeError, match="--force"):
            out.export(run, program, tmp_path / name)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        out.export(run, program, tmp_path / name, force=True)
    (tmp_path / "b.events.csv").write_text("mine")
    with pytest.raises(ExchangeError, match=r"b\.events\.csv is there already"):
        out.export(run, "csv", tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("program", ["csv", "parquet", "json", "tensorboard"])
def test_a_full_disk_leaves_nothing(run: Run, tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    (place := tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExchangeError, match="No space left on device"):
        out.export(run, program, place / ("tb" if program == "tensorboard" else f"a.{program}"))
    assert not list(place.rglob("*"))


def test_a_missing_package_is_said_in_one_line_with_what_installs_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ExchangeError, match=r"pyarrow.*pip install 'grok-tui\[share\]'"):
        out.export(run, "parquet", tmp_path / "a.parquet")


def test_a_run_without_a_recording_says_so(tmp_path: Path) -> None:
    run = planted.run()
    run.frames.unlink()
    with pytest.raises(RecordError, match="recorded nothing yet"):
        out.export(run, "csv", tmp_path / "a.csv")


def test_the_ending_says_the_format_and_options_that_do_not_fit_are_refused(run: Run, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["export", run.name, str(tmp_path / "a.csv")])
    assert done.exit_code == 0, done.output
    assert "series in" in done.output
    for words, said in (
        (["a.txt"], "--to is needed"),
        (["a.csv", "--maps"], "--maps does not go with --to csv"),
        (["a.json", "--epoch", "3"], "--epoch does not go with --to json"),
        (["a.pth", "--long"], "--long does not go with --to transformerlens"),
        (["a.csv", "--to", "json"], ".json was expected at its end"),
    ):
        done = CliRunner().invoke(cli, ["export", run.name, *words])
        text = str(done.exception) if isinstance(done.exception, GrokTuiError) else done.output
        assert done.exit_code != 0
        assert said in text
