"""Weights under the names of other programs: the same answers both ways, and files that they can read."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from grok_tui import __version__
from grok_tui.cli import cli
from grok_tui.commands import exchange as commands
from grok_tui.errors import ExchangeError, GrokTuiError
from grok_tui.ledger import Ledger
from grok_tui.train import checkpoint, exchange, foreign, translate
from tests.train.others import (
    P,
    answers_of_hooked,
    answers_of_published,
    command,
    full_run,
    hooked,
    ours,
    published,
    saved,
    take_in,
)

needs_transformerlens = pytest.mark.skipif(
    importlib.util.find_spec("transformer_lens") is None,
    reason="transformer-lens is not installed; pip install -c constraints.txt -e '.[dev]' brings it",
)


def test_published_weights_give_the_answers_of_the_published_forward_pass() -> None:
    state = published()
    found = translate.ours(state, "here")
    assert (found.style, found.outputs, found.notes) == (translate.PUBLISHED, P + 1, ())
    assert ours(found.weights).numpy() == pytest.approx(answers_of_published(state).numpy(), abs=1e-5)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("outputs", [P, P + 1])
def test_transformerlens_weights_give_its_answers_with_every_bias_put_elsewhere(outputs: int, biased: bool) -> None:
    state = hooked(outputs, biased)
    found = translate.ours(state, "here")
    assert (found.style, found.outputs) == (translate.TRANSFORMERLENS, outputs)
    theirs = answers_of_hooked(state) - 2.0 * biased  # b_U, the same for every output, is left out
    assert ours(found.weights)[:, :outputs].numpy() == pytest.approx(theirs.numpy(), abs=2e-5)
    named = {note.split()[0].strip(",") for note in found.notes if note.startswith("b_")}
    assert named == ({"b_Q", "b_K", "b_V", "b_O", "b_U"} if biased else set())


def test_out_and_in_again_gives_the_same_weights_bit_for_bit() -> None:
    weights = translate.ours(published(), "here").weights
    state, _ = translate.transformerlens(weights)
    again = translate.ours(state, "there")
    assert again.notes == ()
    assert all(torch.equal(again.weights[name], weights[name]) for name in weights)


IN_TRANSFORMERLENS = """
import json, sys, torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
place, p = sys.argv[1], int(sys.argv[2])
tokens = torch.cat((torch.cartesian_prod(torch.arange(p), torch.arange(p)), torch.full((p * p, 1), p)), 1)
with torch.no_grad():
    config = json.load(open(f"{place}/out.pth.json"))["transformerlens"]
    model = HookedTransformer(HookedTransformerConfig.from_dict(config))
    model.load_state_dict(torch.load(f"{place}/out.pth"))
    loaded = model(tokens)[:, -1]
    config = HookedTransformerConfig(n_layers=1, d_model=16, n_ctx=3, d_head=4, n_heads=4, d_mlp=24, d_vocab=p + 1,
        d_vocab_out=p, act_fn="relu", normalization_type=None, device="cpu", seed=5)
    model = HookedTransformer(config)
    for name, tensor in model.named_parameters():
        if name != "unembed.b_U":
            torch.nn.init.normal_(tensor, std=0.3)
    own = model(tokens)[:, -1]
torch.save({"loaded": loaded, "own": own}, f"{place}/logits.pth")
rows = torch.randperm(p * p, generator=torch.Generator().manual_seed(598))[: int(0.3 * p * p)]
torch.save({"model": model.state_dict(), "config": config, "checkpoints": [model.state_dict()],
    "checkpoint_epochs": [99], "train_losses": [1.0] * 100, "train_indices": rows}, f"{place}/demo.pth")
"""


@needs_transformerlens
def test_the_real_transformerlens_loads_what_we_write_and_we_load_what_it_saves(tmp_path: Path, own_home: Path) -> None:
    run, _ = take_in(saved(tmp_path, published()))
    exchange.export(run, None, tmp_path / "out.pth")
    words = [sys.executable, "-W", "ignore", "-c", IN_TRANSFORMERLENS, str(tmp_path), str(P)]
    subprocess.run(words, check=True, env=os.environ | {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}, timeout=300)
    logits = torch.load(tmp_path / "logits.pth", weights_only=True)
    mine = ours(checkpoint.read(run.weights / "00000001.safetensors")[0])
    assert logits["loaded"].numpy() == pytest.approx(mine.numpy(), abs=1e-5)
    demo, said = take_in(tmp_path / "demo.pth")
    assert own_home in demo.path.parents
    mine = ours(checkpoint.read(demo.weights / "00000099.safetensors")[0])[:, :P]
    assert logits["own"].numpy() == pytest.approx(mine.numpy(), abs=1e-5)
    assert any("torch-randperm, fraction 0.3, seed 598" in line for line in said)


@pytest.mark.usefixtures("own_home")
def test_export_writes_whole_new_files_or_none(tmp_path: Path) -> None:
    run, _ = take_in(saved(tmp_path, full_run([100, 200])))
    with pytest.raises(ExchangeError, match="epoch 150 are not stored; the nearest are of 100 and 200"):
        exchange.export(run, 150, tmp_path / "out.pth")
    with pytest.raises(ExchangeError, match=r"\.safetensors or \.pth or \.pt was expected"):
        exchange.export(run, None, tmp_path / "out.onnx")
    with pytest.raises(ExchangeError, match="no such folder"):
        exchange.export(run, None, tmp_path / "nowhere" / "out.pth")
    assert not list(tmp_path.glob("out*"))
    for file in (tmp_path / "out.pth", tmp_path / "tensors.safetensors"):
        exchange.export(run, 100, file)
        found = translate.ours(foreign.read([file]).checkpoints[0].state, "there").weights
        assert torch.equal(found["W_O"], published(0)["blocks.0.attn.W_O"])
        beside = json.loads((tmp_path / f"{file.name}.json").read_text())
        assert beside["transformerlens"]["d_vocab"] == P + 1
    with pytest.raises(ExchangeError, match=r"/out\.pth is there already"):
        exchange.export(run, 200, tmp_path / "out.pth")
    exchange.export(run, 200, tmp_path / "out.safetensors")  # its JSON is another than that of out.pth
    (tmp_path / "out.safetensors").unlink()
    with pytest.raises(ExchangeError, match=r"/out\.safetensors\.json is there already"):
        exchange.export(run, 200, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
    exchange.export(run, 200, tmp_path / "out.safetensors", force=True)
    exchange.export(run, 200, tmp_path / "out.pth", force=True)
    replaced = translate.ours(foreign.read([tmp_path / "out.pth"]).checkpoints[0].state, "there").weights
    assert torch.equal(replaced["W_O"], published(1)["blocks.0.attn.W_O"])
    assert json.loads((tmp_path / "out.pth.json").read_text())[foreign.OURS]["epoch"] == 200


def test_force_reaches_the_process_that_writes_for_transformerlens(monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[list[str]] = []
    monkeypatch.setattr(commands, "_run", lambda given: words.append(given))
    for more in ([], ["--force"]):
        assert CliRunner().invoke(cli, ["export", "demo-1", "out.pth", *more]).exit_code == 0
    assert words == [["export", "--", "demo-1", "out.pth"], ["export", "--force", "--", "demo-1", "out.pth"]]


CHANGES = (
    ("data.fraction", "0.5"),
    ("data.seed", "3"),
    ("data.split", "torch-randperm"),
    ("optimizer.weight_decay", "0.25"),
    ("optimizer.lr", "0.002"),
)


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_known_of_exported_weights_comes_back_with_them(tmp_path: Path, suffix: str) -> None:
    run, _ = take_in(saved(tmp_path, full_run([100, 200])), changes=CHANGES)
    file = tmp_path / f"out{suffix}"
    exchange.export(run, 100, file)
    told = json.loads((tmp_path / f"out{suffix}.json").read_text())["grok-tui"]
    values = {key: value if key == "data.split" else float(value) for key, value in CHANGES}
    assert told == {"version": __version__, "run": run.name, "epoch": 100, "task.p": P, **values}
    again, said = take_in(file)
    assert again.config.data == run.config.data
    assert again.config.optimizer == run.config.optimizer
    assert again.state["epoch"] == 100
    assert f"  out{suffix}.json says: run {run.name}, epoch 100, exported by grok-tui {__version__}" in said[1]
    assert not any("assumed" in line for line in (*said, again.config.about))
    assert take_in(file, changes=(("data.seed", "4"),))[0].config.data.seed == 4


@pytest.mark.usefixtures("own_home")
def test_an_assumption_does_not_become_knowledge_on_the_way_out_and_in(tmp_path: Path) -> None:
    run, _ = take_in(saved(tmp_path, published()), changes=(("data.fraction", "0.5"),))
    exchange.export(run, None, tmp_path / "out.pth")
    told = json.loads((tmp_path / "out.pth.json").read_text())["grok-tui"]
    assert told == {"version": __version__, "run": run.name, "task.p": P, "data.fraction": 0.5}
    again, _ = take_in(tmp_path / "out.pth")
    assert again.config.data == run.config.data
    assert "Of the split, its seed and who shuffled it are assumed" in again.config.about


@pytest.mark.usefixtures("own_home")
def test_an_export_says_the_weight_decay_that_was_in_force_at_its_epoch(tmp_path: Path) -> None:
    run, _ = take_in(saved(tmp_path, full_run([100, 200])), changes=CHANGES)
    ledger = Ledger(run.ledger)
    ledger.append(150, "changed", True, "", control="weight_decay", value=2.0)
    ledger.append(160, "changed", False, "", control="weight_decay", value=7.0)
    ledger.close()
    for epoch, decay in ((100, 0.25), (200, 2.0)):
        exchange.export(run, epoch, tmp_path / f"{epoch}.pth")
        told = json.loads((tmp_path / f"{epoch}.pth.json").read_text())["grok-tui"]
        assert told["optimizer.weight_decay"] == decay


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize(
    ("beside", "says"),
    [
        ("{", r"out\.pth\.json: not whole"),
        ('{"grok-tui": {"task.p": 13}}', "of p = 11, but beside it p = 13 is said"),
        ('{"grok-tui": {"data.fraction": "much"}}', r"data\.fraction = 'much'"),
        ('{"grok-tui": {"data.seed": -1}}', r"data\.seed = -1 is out of bounds"),
    ],
)
def test_what_is_said_beside_weights_is_checked(tmp_path: Path, beside: str, says: str) -> None:
    (tmp_path / "out.pth.json").write_text(beside)
    with pytest.raises(GrokTuiError, match=says):
        take_in(saved(tmp_path, published(), "out.pth"))
    (tmp_path / "out.pth.json").write_text('["of another program"]')
    assert take_in(tmp_path / "out.pth")[0].state["state"] == "finished"


def test_the_commands_say_what_they_did_or_one_line_on_why_not(tmp_path: Path) -> None:
    file = saved(tmp_path, published(), "5000.pth")
    taken = command("import", str(file), "--fraction", "0.4", "--name", "theirs", home=tmp_path)
    out, err = taken.communicate(timeout=120)
    assert (taken.returncode, err) == (0, "")
    assert out.startswith("theirs-1: epoch 5,000 of the published training code")
    shown = command("attach", "theirs-1", "--once", home=tmp_path)
    shown_text = shown.communicate(timeout=120)[0]
    assert "finished" in shown_text
    assert "\n  epoch 5,000: of the split, its seed and who shuffled it are assumed: the published" in shown_text
    written = command("export", "theirs-1", str(tmp_path / "out.pth"), home=tmp_path)
    assert f"{tmp_path}/out.pth and {tmp_path}/out.pth.json" in written.communicate(timeout=120)[0]
    other = command("export", "theirs-1", "--to", "onnx", "out.onnx", home=tmp_path)
    assert "'onnx' is not one of 'csv', 'parquet'" in other.communicate(timeout=60)[1]
    (tmp_path / "bad.pth").write_bytes(b"?")
    bad = command("import", str(tmp_path / "bad.pth"), home=tmp_path)
    out, err = bad.communicate(timeout=120)
    assert (bad.returncode, out) == (1, "")
    assert err.startswith(f"grok-tui: {tmp_path}/bad.pth: not a checkpoint: a .pth or .pt that torch")
    assert err.count("\n") == 1
