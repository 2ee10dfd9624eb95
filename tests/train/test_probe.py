"""What the probe reports is what the textbook model and the brute-force measures say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from grok_tui import catalogue
from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train import textbook
from grok_tui.train.probe import Probe
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table
from tests.science import brute

CPU = torch.device("cpu")


SMALL = {"task.p": 17, "model.d_model": 32, "model.d_mlp": 64, "data.fraction": 0.6, "optimizer.lr": 0.01}


def textbook_grid(stepper: Stepper) -> Tensor:
    """Logits of the textbook model.  -> [a, b, c] in float64."""
    pairs = torch.cartesian_prod(torch.arange(17), torch.arange(17))
    with torch.no_grad():
        weights = {n: w.double() for n, w in stepper.weights.items()}
        return textbook.logits(weights, pairs, 17)[:, :17].view(17, 17, 17)


def mask(table: Table) -> Tensor:
    """Bool [a, b], the training pairs."""
    train = torch.zeros(table.p, table.p, dtype=torch.bool)
    train[table.train_a, table.train_b] = True
    return train


def test_a_look_equals_the_textbook_model_measured_by_brute_force() -> None:
    """On a model that has begun to grok, so that every number means something."""
    config = configs.override(Config(), SMALL.items())
    table = Table.of(config, CPU)
    stepper = Stepper(config, table, CPU)
    stepper.advance(250)
    found = Probe(config, table).look(stepper.weights)

    p = 17
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    logits, train = textbook_grid(stepper), mask(table)
    alpha = brute.coefficients(logits)
    keys = [k for k in range(1, 9) if alpha[k - 1] >= 0.05 * alpha.max() and alpha[k - 1] > 0]
    right = logits.argmax(-1) == (pairs.sum(1) % p).view(p, p)
    expected = {
        "test_loss": brute.loss(logits, ~train),
        "test_accuracy": float(right[~train].double().mean()),
        "restricted_loss": brute.restricted(logits, keys, ~train),
        "restricted_loss_train": brute.restricted(logits, keys, train),
        "restricted_loss_all": brute.restricted(logits, keys, torch.ones_like(train)),
        "excluded_loss": brute.excluded(logits, keys, train),
        "excluded_loss_test": brute.excluded(logits, keys, ~train),
        "excluded_loss_all": brute.excluded(logits, keys, torch.ones_like(train)),
        "excluded_loss_key_free": brute.excluded(logits, list(range(1, 9)), train),
        "test_fve": brute.explained_on(logits, ~train),
        "sum_of_squares": sum(float(w.detach().double().square().sum()) for w in stepper.weights.values()),
        "key_count": len(keys),
        "logit_fve": brute.explained_on(logits, torch.ones_like(train)),
        "margin_test": float(over_the_rest(logits)[~train].mean()),
        "margin_train": float(over_the_rest(logits)[train].mean()),
        "about_to_flip": float((over_the_rest(logits)[~train].abs() < 1).double().mean()),
        "sum_of_squares_W_out": float(stepper.weights["W_out"].double().square().sum()),
        "weight_norm_ratio": float(stepper.flat.norm() / Stepper(config, table, CPU).flat.norm()),
        "norm_W_U": float(stepper.weights["W_U"].norm()),
    }
    assert {name: found.numbers[name] for name in expected} == {
        name: pytest.approx(value, rel=1e-4, abs=1e-6) for name, value in expected.items()
    }
    assert 0.05 < expected["test_accuracy"] <= 1
    assert found.arrays["key_frequencies"].tolist() == keys
    assert found.arrays["alpha"] == pytest.approx(alpha.numpy(), abs=1e-4)
    W_E = stepper.weights["W_E"].detach().double()
    components = (brute.basis(p) @ W_E[:, :p].T).norm(dim=1)
    assert found.arrays["fourier_W_E"][0] == pytest.approx(components[1::2].numpy(), rel=1e-5)
    assert found.arrays["fourier_W_E"][1] == pytest.approx(components[2::2].numpy(), rel=1e-5)


def test_a_close_look_equals_the_same_measures_one_by_one() -> None:
    """On the textbook's activations; each measure itself is held against brute force in tests/science."""
    config = configs.override(Config(), [*SMALL.items(), ("measure.neuron_level", "true")])
    table = Table.of(config, CPU)
    stepper = Stepper(config, table, CPU)
    stepper.advance(250)
    found = Probe(config, table).look(stepper.weights, closely=True)
    logits, train = textbook_grid(stepper), mask(table)
    each = [brute.excluded(logits, [k], train) for k in range(1, 9)]
    assert found.arrays["excluded_per_frequency"] == pytest.approx(each, rel=1e-3)
    assert found.numbers["excluded_loss_max"] == pytest.approx(max(each), rel=1e-3)
    everywhere = torch.ones_like(train)
    ablated = [brute.excluded(logits, [k], everywhere) for k in range(1, 9)]
    assert found.arrays["ablation_per_frequency"] == pytest.approx(ablated, rel=1e-3)
    F = brute.basis(17)
    spectrum = torch.einsum("ia,jb,abc->ijc", F, F, logits).norm(dim=-1)
    assert found.arrays["logits_2d"] == pytest.approx(spectrum.numpy(), rel=2e-3, abs=1e-3)
    assert found.arrays["W_E"] == pytest.approx(stepper.weights["W_E"][:, :17].numpy(), abs=1e-3)
    assert found.arrays["attention_pattern"].shape == (4, 17, 17)
    shown = found.arrays["neuron_maps_index"]
    h = textbook_neurons(stepper)  # [a, b, m]
    assert len(shown) >= 2
    for number, neuron in enumerate(shown):
        assert found.arrays["neuron_maps"][number] == pytest.approx(h[:, :, int(neuron)].numpy(), abs=5e-3)


def textbook_neurons(stepper: Stepper) -> Tensor:
    """Activations after the ReLU, position by position as the textbook has it.  -> [a, b, m]."""
    w, p = {n: v.double() for n, v in stepper.weights.items()}, 17
    tokens = torch.cartesian_prod(torch.arange(p), torch.arange(p), torch.tensor([p]))
    x = w["W_E"].T[tokens] + w["W_pos"]
    q, k, v = (torch.einsum("hed,nid->nhie", w[name], x) for name in ("W_Q", "W_K", "W_V"))
    pattern = (q[:, :, 2:] @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
    z = (pattern @ v)[:, :, 0].flatten(1)
    return torch.relu((x[:, 2] + z @ w["W_O"].T) @ w["W_in"].T + w["b_in"]).view(p, p, -1)


def over_the_rest(logits: Tensor) -> Tensor:
    """The right logit less the largest other one.  [a, b, c] -> [a, b]."""
    p = len(logits)
    a = torch.arange(p)
    right = (a[:, None] + a) % p
    rest = logits.clone().scatter_(2, right[..., None], -torch.inf)
    return logits.gather(2, right[..., None])[..., 0] - rest.amax(2)


@pytest.mark.parametrize("neuron_level", ["false", "true"])
def test_the_catalogue_announces_what_a_look_finds(neuron_level: str) -> None:
    changes: dict[str, str | float] = {
        "task.p": 11,
        "model.d_model": 8,
        "model.d_mlp": 8,
        "measure.neuron_level": neuron_level,
    }
    config = configs.override(Config(), changes.items())
    table = Table.of(config, CPU)
    found = Probe(config, table).look(Stepper(config, table, CPU).weights, closely=True)
    series, arrays = catalogue.series(config), catalogue.arrays(config)
    assert set(found.numbers) | {"train_loss", "train_accuracy", "train_spike"} == {info.name for info in series}
    assert set(found.arrays) == {info.name for info in arrays}
    assert all(info.about for info in series)
    assert all(info.about for info in arrays)


def test_a_look_from_afar_finds_what_is_announced_for_each_measure() -> None:
    config = configs.override(Config(), {"task.p": 11, "model.d_model": 8, "model.d_mlp": 8}.items())
    table = Table.of(config, CPU)
    found = Probe(config, table).look(Stepper(config, table, CPU).weights)
    each = {info.name for info in catalogue.series(config) if not info.every}
    assert set(found.numbers) | {"train_loss", "train_accuracy", "train_spike"} == each
    assert set(found.arrays) == {info.name for info in catalogue.arrays(config) if not info.every}


@pytest.mark.parametrize("p", [3, 5])
def test_the_smallest_tasks_can_be_looked_at(p: int) -> None:
    config = configs.override(
        Config(), {"task.p": p, "model.d_model": 4, "model.d_mlp": 1, "data.fraction": 0.5}.items()
    )
    table = Table.of(config, CPU)
    found = Probe(config, table).look(Stepper(config, table, CPU).weights, closely=True)
    assert found.arrays["alpha"].shape == ((p - 1) // 2,)
