"""Checkpoints of other programs as runs: measured as what they are, or one line on why not."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grok_tui import catalogue, launch, record
from grok_tui import config as configs
from grok_tui.commands import exchange as commands
from grok_tui.errors import ConfigError, ExchangeError, GrokTuiError, RunError
from grok_tui.protocol import Array, Event, Hello, Points
from grok_tui.train import checkpoint, exchange
from grok_tui.train.task import Table, split
from tests.train.others import (
    PAIRS,
    D,
    M,
    P,
    answers_of_hooked,
    answers_of_published,
    changed,
    command,
    full_run,
    hooked,
    published,
    saved,
    take_in,
)


def test_a_published_run_becomes_a_finished_run_with_all_measures(tmp_path: Path, own_home: Path) -> None:
    run, said = take_in(saved(tmp_path, full_run([0, 100, 200]), "full_run_data.pth"))
    assert run.path == own_home / "runs" / "full_run_data-1"
    assert said[0].startswith("full_run_data-1: 3 epochs, 0 to 200, of the published training code: p = 11")
    frames, end = record.read(run.frames)
    assert end == run.frames.stat().st_size
    assert isinstance(frames[0], Hello)
    assert frames[0].run == run.name
    points = [frame for frame in frames if isinstance(frame, Points)]
    assert [frame.epochs.tolist() for frame in points] == [[0], [100], [200]]
    announced = {info.name for info in frames[0].catalogue.series}
    assert announced == {info.name for info in catalogue.series(run.config)} - {"train_spike"}
    assert set(points[0].values) == announced
    arrays = {frame.name for frame in frames if isinstance(frame, Array) and frame.epoch == 200}
    assert arrays | {"key_frequencies"} == {info.name for info in catalogue.arrays(run.config)}
    assert [frame.what for frame in frames if isinstance(frame, Event)] == ["started", *["imported"] * 3, "finished"]
    assert points[0].values["weight_norm_ratio"][0] == 1
    assert run.state["state"] == "finished"
    assert run.state["epoch"] == 200
    assert not run.alive
    with pytest.raises(RunError, match="has finished"):
        launch.resume(run)
    weights, epoch = checkpoint.read(run.weights / "00000100.safetensors")
    assert epoch == 100
    assert torch.equal(weights["W_E"], published(1)["embed.W_E"])


def test_the_losses_of_an_import_are_those_of_the_split_that_was_asked_for(tmp_path: Path, own_home: Path) -> None:
    file = saved(tmp_path, published(), "5000.pth")
    run, said = take_in(file, changes=(("data.fraction", "0.5"), ("data.seed", "3")))
    assert run.config.data == configs.Data(0.5, 3)
    assert "  split: the published procedure, fraction 0.5, seed 3 (split assumed)" in said
    logits = answers_of_published(published())
    train = [a * P + b for a, b in split(P, 0.5, 3)[0]]
    right = PAIRS.sum(1) % P
    loss = torch.nn.functional.cross_entropy(logits[train], right[train])
    rest = [row for row in range(P * P) if row not in train]
    test_loss = torch.nn.functional.cross_entropy(logits[rest, :P], right[rest])
    values = run.state["values"]
    assert values["train_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert values["test_loss"] == pytest.approx(float(test_loss), rel=1e-5)
    assert run.state["epoch"] == 5000
    assert own_home in run.path.parents


def test_without_an_output_for_the_equals_sign_train_loss_is_over_the_numbers(tmp_path: Path, own_home: Path) -> None:
    run, said = take_in(saved(tmp_path, hooked(P)), name="demo", epoch=99)
    train = [a * P + b for a, b in split(P, 0.3, 0)[0]]
    loss = torch.nn.functional.cross_entropy(answers_of_hooked(hooked(P))[train], (PAIRS.sum(1) % P)[train])
    assert run.state["values"]["train_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert run.path == own_home / "runs" / "demo-1"
    assert any('the output for "="' in line for line in said)
    assert any("assumed: a checkpoint does not say" in line for line in said)


@pytest.mark.usefixtures("own_home")
def test_a_folder_is_read_in_the_order_of_its_epochs_and_its_split_is_recognised(tmp_path: Path) -> None:
    folder = tmp_path / "grok_1"
    folder.mkdir()
    train = [(a, b, P) for a, b in split(P, 0.4, 2)[0]]
    saved(folder, {"model": published(0), "train_data": train, "test_data": []}, "init.pth")
    saved(folder, {"model": published(1), "train_loss": 1.0, "test_loss": 2.0, "epoch": 1000}, "1000.pth")
    saved(folder, {"model": published(2), "train_loss": 1.0, "test_loss": 2.0, "epoch": 200}, "200.pth")
    run, said = take_in(folder)
    assert sorted(int(path.stem) for path in run.weights.iterdir()) == [0, 200, 1000]
    assert run.config.data == configs.Data(0.4, 2)
    assert "  split: the published procedure, fraction 0.4, seed 2" in said
    other = [pair for pair in train if pair[0] != pair[1]]
    saved(folder, {"model": published(0), "train_data": other}, "init.pth")
    with pytest.raises(ExchangeError, match="of no split that grok-tui makes"):
        take_in(folder)


@pytest.mark.usefixtures("own_home")
def test_the_files_own_configuration_and_losses_are_believed_and_compared(tmp_path: Path) -> None:
    settings = {"p": P, "fn_name": "add", "frac_train": 0.4, "seed": 1, "weight_decay": 0.3, "lr": 1e-3}
    run, _ = take_in(saved(tmp_path, full_run([7], config=settings)))
    assert run.config.data == configs.Data(0.4, 1)
    assert run.config.optimizer.weight_decay == 0.3
    true = run.state["values"]["train_loss"]
    _, said = take_in(saved(tmp_path, full_run([7], train_losses=[9.0] * 7 + [true], config=settings)))
    assert "another split" not in said[-1]
    _, said = take_in(saved(tmp_path, full_run([7], train_losses=[9.0] * 7 + [true / 100], config=settings)))
    assert "another split? --fraction, --data-seed and --split choose it" in said[-1]
    for key, value in (("fn_name", "subtract"), ("act_type", "GeLU"), ("normalization_type", "LN")):
        with pytest.raises(ExchangeError, match=f"{key} = '{value}': another model"):
            take_in(saved(tmp_path, full_run([7], config={**settings, key: value})))


@pytest.mark.usefixtures("own_home")
def test_a_configuration_object_beside_the_weights_is_read_without_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("transformer_lens.HookedTransformerConfig")
    cls = type("HookedTransformerConfig", (), {"__module__": module.__name__})
    module.HookedTransformerConfig = cls  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "transformer_lens", types.ModuleType("transformer_lens"))
        patch.setitem(sys.modules, module.__name__, module)
        config = cls()
        config.__dict__.update(act_fn="gelu", attn_scale=np.float64(2.0))
        file = saved(tmp_path, {"model": hooked(), "config": config, "epoch": 3})
    with pytest.raises(ExchangeError, match="act_fn = 'gelu': another model"):
        take_in(file)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (changed(hooked(), blocks__0__ln1__w=torch.ones(D)), "'blocks.0.ln1.w' is a LayerNorm"),
        (changed(published(), blocks__1__attn__W_K=torch.ones(4)), "'blocks.1.attn.W_K' is a second layer"),
        (changed(hooked(), blocks__0__mlp__W_gate=torch.ones(4)), "'blocks.0.mlp.W_gate' is a gated MLP"),
        (changed(published(), head__weight=torch.ones(4)), "'head.weight' is not a part of a one-layer transformer"),
        (changed(published(), unembed__W_U=None), "has no unembed.W_U"),
        (changed(hooked(), unembed__b_U=torch.arange(12.0)), "unembed.b_U is not zero"),
        (changed(published(), pos_embed__W_pos=torch.ones(4, D)), "pos_embed.W_pos is 4x16; 3 positions"),
        (changed(published(), blocks__0__mlp__W_in=torch.ones(M, D + 1)), "blocks.0.mlp.W_in is 24x17; with p = 11"),
        (changed(published(), unembed__W_U=torch.ones(D, 10)), "unembed.W_U is 16x10; with p = 11"),
        (changed(published(), blocks__0__attn__W_O=torch.ones(D)), "blocks.0.attn.W_O has 1 dimensions"),
        (
            changed(published(), blocks__0__mlp__b_in=torch.full((M,), torch.nan)),
            "b_in holds values that are not finite",
        ),
        (changed(published(), embed__W_E=torch.ones(D, P + 1).int()), "embed.W_E is not a tensor of floating-point"),
        (changed(published(), embed__W_E=[1.0]), "embed.W_E is not a tensor"),
        (published(p=12), "task.p = 12 is even"),
        ([1, 2], "holds a list, not a state dict"),
        ({}, "holds an empty table"),
        ({"state_dicts": [published()], "epochs": [1, 2]}, "does not give an epoch for each of the 1 state_dicts"),
        ({"state_dicts": [published()], "epochs": [-1]}, "holds '-1', which is no epoch"),
        ({"state_dicts": [1], "epochs": [1]}, "is not a list of state dicts"),
        ({"state_dicts": [published(), published(p=13)], "epochs": [1, 2]}, "epoch 2: of another model than the first"),
        ({"state_dicts": [published(), published()], "epochs": [5, 5]}, "both are of epoch 5"),
    ],
)
def test_what_our_model_cannot_be_is_refused_in_one_line_and_nothing_is_left(
    tmp_path: Path, own_home: Path, state: Any, says: str
) -> None:
    with pytest.raises(GrokTuiError) as refusal:
        take_in(saved(tmp_path, state))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not list((own_home / "runs").glob("*")) if (own_home / "runs").exists() else True


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.sign}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_its_code_not_run(tmp_path: Path, own_home: Path, zipped: bool) -> None:
    file = tmp_path / "evil.pth"
    content = {**published(), "embed.W_E": Hostile(tmp_path / "was-run")}
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ExchangeError, match=r"evil\.pth: not loaded, for it is more than data: it asks for \w+\.system"
    ):
        take_in(file)
    assert not (tmp_path / "was-run").exists()
    assert not (own_home / "runs").exists()


def test_a_file_cut_short_anywhere_is_refused_in_one_line(tmp_path: Path, own_home: Path) -> None:
    whole = saved(tmp_path, published()).read_bytes()
    state = {name: x.contiguous() for name, x in hooked().items()}
    tensors = exchange._bytes(Path("x.safetensors"), state)
    for suffix, data in ((".pth", whole), (".safetensors", tensors)):
        for part in (0, 1, 9, 100, len(data) // 3, len(data) - 30, len(data) - 1):
            file = tmp_path / f"cut{suffix}"
            file.write_bytes(data[:part])
            with pytest.raises(ExchangeError, match=f"cut{suffix}: .*not a ") as refusal:
                take_in(file)
            assert "\n" not in str(refusal.value)
    for data in (b"hello\n", random.Random(0).randbytes(2000), whole[:500] + b"\0" * 500 + whole[1000:]):
        (tmp_path / "other.pth").write_bytes(data)
        with pytest.raises(ExchangeError, match=r"other\.pth: "):
            take_in(tmp_path / "other.pth")
    with pytest.raises(ExchangeError, match=r"nowhere\.pth: cannot be read \(No such file"):
        take_in(tmp_path / "nowhere.pth")
    assert not (own_home / "runs").exists()


@pytest.mark.usefixtures("own_home")
def test_epochs_that_no_file_tells_are_asked_for(tmp_path: Path) -> None:
    first, second = saved(tmp_path, published(), "a.pth"), saved(tmp_path, published(), "b.pth")
    with pytest.raises(ExchangeError, match="of which epoch"):
        take_in(first, second)
    with pytest.raises(ExchangeError, match="--epoch names one"):
        take_in(first, second, epoch=5)
    assert take_in(first, epoch=5)[0].state["epoch"] == 5
    assert "  shown as epoch 1: the file names none; --epoch N does" in take_in(first)[1]
    with pytest.raises(ConfigError, match=r"^data\.fraction = 1\.5 is out of bounds"):
        take_in(first, changes=(("data.fraction", "1.5"),))


def test_the_split_of_torch_is_that_of_its_global_generator() -> None:
    state = torch.random.get_rng_state()
    torch.manual_seed(598)
    order = torch.randperm(113 * 113)
    torch.random.set_rng_state(state)
    train, test = split(113, 0.3, 598, "torch-randperm")
    assert [a * 113 + b for a, b in train + test] == order.tolist()
    assert len(train) == 3830
    config = configs.override(configs.preset("nanda113"), [("data.split", "torch-randperm"), ("data.seed", 598)])
    table = Table.of(config, torch.device("cpu"))
    assert {*zip(table.train_a.tolist(), table.train_b.tolist(), strict=True)} == set(train)
    assert configs.limits("data.split")["choices"] == commands.SPLITS


def test_an_import_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    file = saved(tmp_path, full_run(list(range(400))))
    process = command("import", str(file), home=tmp_path)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/.new-*/*/weights/*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    process.communicate()
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("name", ["README.md", "out.pth.json", "notes.pth", "text.safetensors"])
def test_a_file_that_never_was_a_checkpoint_is_told_from_one_cut_short(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text('{"n_layers": 1}\n' if name.endswith("json") else "# A text about something else\n")
    with pytest.raises(ExchangeError, match="expected") as refusal:
        take_in(file)
    assert "cut short" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
    whole = saved(tmp_path, published()).read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ExchangeError, match="may be cut short"):
        take_in(tmp_path / "half.pth")


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("row", [([], []), (1.5, 2), (1,), 7, (True, 1), ("1", "2")])
def test_training_pairs_are_whole_numbers_or_refused_in_one_line(tmp_path: Path, row: object) -> None:
    with pytest.raises(ExchangeError, match=r"'train_data' holds .*; two whole numbers were expected"):
        take_in(saved(tmp_path, {"model": published(), "train_data": [(1, 2), row]}))


def test_what_was_assumed_the_run_says_for_good(tmp_path: Path, own_home: Path) -> None:
    run, said = take_in(saved(tmp_path, published()))
    split = "the split is assumed: the published procedure, fraction 0.3, seed 0"
    told = [frame.text for frame in record.read(run.frames)[0] if isinstance(frame, Event) and frame.what == "imported"]
    others = ["the weight decay is assumed: 1", "the learning rate is assumed: 0.001", "the epoch is assumed: 1"]
    assert told == [split, *others]
    assert run.config.about.endswith(". T" + ". T".join(text[1:] for text in told) + ".")
    hello = record.read(run.frames)[0][0]
    assert isinstance(hello, Hello)
    assert hello.config["about"] == run.config.about == configs.load(run.path / "config.toml").about
    assert "  learning rate: shown as 0.001 (assumed; --lr says otherwise)" in said
    assert own_home in run.path.parents


@pytest.mark.parametrize("name", ["../evil", "", "a b", "-x", "a/b", "x" * 41, ".hidden", "end.", "ümlaut", "a\nb"])
def test_a_name_that_is_no_plain_word_is_refused_in_one_line(tmp_path: Path, own_home: Path, name: str) -> None:
    with pytest.raises(ExchangeError, match=r"--name .*a plain word was expected") as refusal:
        take_in(saved(tmp_path, published()), name=name)
    assert "\n" not in str(refusal.value)
    assert not (own_home / "runs").exists()


@pytest.mark.usefixtures("own_home")
def test_the_name_that_was_given_is_kept_and_the_runs_own_said(tmp_path: Path) -> None:
    run, said = take_in(saved(tmp_path, published()), name="again")
    assert run.name == "again-1"
    assert said[0].startswith("again-1: ")
