"""What the probe reports is what the textbook model and the brute-force measures say."""

from __future__ import annotations

import pytest
import torch

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train import textbook
from grok_tui.train.probe import ARRAYS, SERIES, Probe
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table
from tests.science import brute

CPU = torch.device("cpu")


def test_a_look_equals_the_textbook_model_measured_by_brute_force() -> None:
    """On a model that has begun to grok, so that every number means something."""
    changes = {"task.p": 23, "model.d_model": 32, "model.d_mlp": 64, "data.fraction": 0.6}
    changes |= {"optimizer.lr": 0.01, "optimizer.weight_decay": 1.0}
    config = configs.override(Config(), changes.items())
    table = Table.of(config, CPU)
    stepper = Stepper(config, table, CPU)
    stepper.advance(250)
    found = Probe(stepper.model, table).look(stepper.weights, stepper.flat)

    p = 23
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    with torch.no_grad():
        logits = textbook.logits({n: w.double() for n, w in stepper.weights.items()}, pairs, p)[:, :p].view(p, p, p)
    train = torch.zeros(p, p, dtype=torch.bool)
    train[table.train_a, table.train_b] = True
    alpha = brute.coefficients(logits)
    keys = [k for k in range(1, 12) if alpha[k - 1] >= 0.05 * alpha.max() and alpha[k - 1] > 0]
    right = logits.argmax(-1) == (pairs.sum(1) % p).view(p, p)
    expected = {
        "test_loss": brute.loss(logits, ~train),
        "test_accuracy": float(right[~train].double().mean()),
        "restricted_loss": brute.restricted(logits, keys, ~train),
        "excluded_loss": brute.excluded(logits, keys, train),
        "excluded_loss_key_free": brute.excluded(logits, list(range(1, 12)), train),
        "test_fve": brute.explained_on(logits, ~train),
        "sum_of_squares": sum(float(w.detach().double().square().sum()) for w in stepper.weights.values()),
        "key_count": len(keys),
    }
    assert found.numbers == {name: pytest.approx(value, rel=1e-4, abs=1e-6) for name, value in expected.items()}
    assert 0.05 < expected["test_accuracy"] <= 1
    assert found.arrays["key_frequencies"].tolist() == keys
    assert found.arrays["alpha"] == pytest.approx(alpha.numpy(), abs=1e-4)
    W_E = stepper.weights["W_E"].detach().double()
    components = (brute.basis(p) @ W_E[:, :p].T).norm(dim=1)
    assert found.arrays["fourier_W_E"][0] == pytest.approx(components[1::2].numpy(), rel=1e-5)
    assert found.arrays["fourier_W_E"][1] == pytest.approx(components[2::2].numpy(), rel=1e-5)


def test_the_catalogue_announces_what_a_look_finds() -> None:
    config = configs.override(Config(), {"task.p": 11, "model.d_model": 8, "model.d_mlp": 8}.items())
    table = Table.of(config, CPU)
    stepper = Stepper(config, table, CPU)
    found = Probe(stepper.model, table).look(stepper.weights, stepper.flat)
    named = {info.name for info in SERIES}
    assert set(found.numbers) | {"train_loss", "train_accuracy"} == named
    assert set(found.arrays) == {info.name for info in ARRAYS}
    assert all(info.about for info in (*SERIES, *ARRAYS))
