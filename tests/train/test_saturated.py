"""A confident model's gradient is still a gradient: the loss is float64 all the way to the logits' gradient."""

from __future__ import annotations

import torch

from grok_tui import config as configs
from grok_tui.config import Config
from grok_tui.train.step import Stepper
from grok_tui.train.task import Table

CPU = torch.device("cpu")


def confident() -> tuple[Stepper, Stepper]:
    """A memorised table in float32, and the same weights in float64."""
    changes = {"task.p": 11, "data.fraction": 0.6, "model.d_model": 32, "model.d_mlp": 64, "optimizer.lr": 1e-2}
    config = configs.override(Config(), (changes | {"optimizer.weight_decay": 0.1}).items())
    table = Table.of(config, CPU)
    single, double = Stepper(config, table, CPU), Stepper(config, table, CPU, torch.float64)
    single.advance(600)
    double.flat.copy_(single.flat)
    return single, double


def test_the_gradient_of_a_confident_model_is_not_rounding() -> None:
    single, double = confident()
    loss, _ = single.loss_and_gradient()
    double.loss_and_gradient()
    assert 0 < float(loss) < 1e-5
    for name in double.weights:
        found, exact = single.gradients[name], double.gradients[name]
        assert float((found.double() - exact).norm()) < 1e-4 * float(exact.norm()), name


def test_the_classes_gradients_cancel_for_a_confident_model() -> None:
    single, _ = confident()
    single.loss_and_gradient()
    gradient = single.gradients["W_U"]
    assert float(gradient.sum(1).norm()) < 1e-5 * float(gradient.norm())
