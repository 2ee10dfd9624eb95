"""Pictures against the epoch."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from grok_tui.figures import drawing, style
from grok_tui.figures.drawing import Subject
from grok_tui.series import Floats

STRONGEST = 6
"""Frequencies that are drawn one by one."""

LOSSES = ("train_loss", "test_loss", "restricted_loss", "excluded_loss", "excluded_loss_key_free")


def accuracy(ax: Axes, subject: Subject) -> None:
    """Train and test accuracy."""
    drawing.lines(ax, subject, ("train_accuracy", "test_accuracy"))
    drawing.share_y(ax, "accuracy")
    _finish(ax, subject)


def loss(ax: Axes, subject: Subject) -> None:
    """Train and test loss."""
    _losses(ax, subject, ("train_loss", "test_loss"))


def losses(ax: Axes, subject: Subject) -> None:
    """Train, test, restricted and excluded loss."""
    _losses(ax, subject, LOSSES)


def excluded(ax: Axes, subject: Subject) -> None:
    """Excluded loss in all of its readings."""
    _losses(ax, subject, ("excluded_loss", "excluded_loss_key_free", "train_loss"))


def restricted(ax: Axes, subject: Subject) -> None:
    """Restricted loss beside train and test loss."""
    _losses(ax, subject, ("train_loss", "test_loss", "restricted_loss"))


def gini(ax: Axes, subject: Subject) -> None:
    """Gini coefficients of the Fourier norms."""
    drawing.lines(ax, subject, ("gini_W_E", "gini_W_L"))
    drawing.share_y(ax, "Gini coefficient")
    _finish(ax, subject)


def squares(ax: Axes, subject: Subject) -> None:
    """The sum of squared weights."""
    drawing.lines(ax, subject, ("sum_of_squares",))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("sum of squared weights")
    drawing.thousands(ax)
    _finish(ax, subject, legend=False)


def matrices(ax: Axes, subject: Subject) -> None:
    """The sum of squares of each matrix."""
    infos = [info for info in subject.whole.state.catalogue.series if info.name.startswith("sum_of_squares_W")]
    for nth, info in enumerate(infos):
        if (points := subject.series(info.name)) is not None:
            name = info.name.removeprefix("sum_of_squares_W_")
            drawing.line(ax, *points, style.track(nth, f"$W_{{{name}}}$"), log_x=subject.log_x)
    drawing.lines(ax, subject, ("sum_of_squares",))
    drawing.decades(ax)
    ax.set_ylabel("sum of squares")
    _finish(ax, subject)


def restricted_accuracy(ax: Axes, subject: Subject) -> None:
    """Accuracy of the key frequencies alone, and what cannot leak beside it."""
    drawing.lines(ax, subject, ("train_accuracy", "test_accuracy", "restricted_accuracy", "test_fve"))
    drawing.share_y(ax, "accuracy; share of variance")
    _finish(ax, subject)


def alpha(ax: Axes, subject: Subject) -> None:
    """The coefficient of each frequency's cosine in the logits."""
    _tracks(ax, subject, "alpha", r"$\alpha_k$ (all pairs)")


def alpha_test(ax: Axes, subject: Subject) -> None:
    """The same on test pairs alone: no leak of the training pairs."""
    _tracks(ax, subject, "alpha_test", r"$\alpha_k$ (test pairs alone)")


def excluded_each(ax: Axes, subject: Subject) -> None:
    """Train loss without one frequency, for each of the strongest."""
    _tracks(ax, subject, "excluded_per_frequency", "loss (nats)")
    if (points := subject.series("train_loss")) is not None:
        drawing.line(ax, *points, style.Look("train, all in place", style.INK, width=0.9))
    drawing.log_y(ax, subject)
    drawing.legend(ax, subject)


def decay(ax: Axes, subject: Subject) -> None:
    """The weight decay that was set."""
    history = [(e, v) for e, v in subject.whole.state.control_line("weight_decay") if e <= subject.until]
    if not history:
        return drawing.empty(ax, "no weight decay is recorded")
    epochs, values = zip(*history, (subject.until, history[-1][1]), strict=True)
    ax.step(epochs, values, where="post", color=style.KEY, linewidth=1.5)
    ax.set_ylim(bottom=0, top=max(values) * 1.15 or 1)
    ax.set_ylabel("weight decay")
    return _finish(ax, subject, legend=False)


MARGINS = ("margin_train", "margin_test", "margin_test_05", "margin_test_50", "margin_test_95")
SHAPES = ("distance_irrelevance", "gradient_symmetricity", "circularity", "ipr_W_E", "ipr_neurons")


def margins(ax: Axes, subject: Subject) -> None:
    """By how much the right answers are ahead."""
    _named(ax, subject, MARGINS)
    ax.set_ylabel("right logit less the best wrong one (nats)")
    _finish(ax, subject)


def structure(ax: Axes, subject: Subject) -> None:
    """Clock or pizza, circles, and how few frequencies carry the power."""
    _named(ax, subject, SHAPES)
    drawing.share_y(ax, "share, cosine")
    _finish(ax, subject)


def dimension(ax: Axes, subject: Subject) -> None:
    """The effective dimension of the embedding."""
    _named(ax, subject, ("effective_dimension",))
    ax.set_ylim(bottom=0)
    ax.set_ylabel("effective dimension of $W_E$")
    _finish(ax, subject, legend=False)


def one(name: str, ax: Axes, subject: Subject) -> None:
    """Any series of the catalogue."""
    drawing.lines(ax, subject, (name.removesuffix("_hindsight") if subject.series(name) is None else name,))
    info = subject.whole.state.info(name)
    label = info.label if info else name.replace("_", " ")
    ax.set_ylabel(f"{label} ({info.unit})" if info and info.unit else label)
    if info and info.log:
        drawing.decades(ax)
    _finish(ax, subject)


def _named(ax: Axes, subject: Subject, names: tuple[str, ...]) -> None:
    """Series in looks of their own, under their names in the catalogue."""
    for nth, name in enumerate(names):
        if (points := subject.series(name)) is not None:
            info = subject.whole.state.info(name)
            drawing.line(ax, *points, style.track(nth, info.label if info else name), log_x=subject.log_x)


def _losses(ax: Axes, subject: Subject, names: tuple[str, ...]) -> None:
    drawing.lines(ax, subject, names)
    drawing.log_y(ax, subject)
    _finish(ax, subject)


def _finish(ax: Axes, subject: Subject, *, legend: bool = True) -> None:
    drawing.over_epochs(ax, subject)
    if legend:
        drawing.legend(ax, subject)


def _tracks(ax: Axes, subject: Subject, name: str, label: str) -> None:
    """The entries of an array at each epoch as lines: keys in looks of their own, the others as a faint crowd."""
    arrays = [array for array in subject.whole.arrays.get(name, []) if array.epoch <= subject.until]
    if not arrays:
        return drawing.empty(ax, f"{name} is not recorded yet")
    epochs = np.array([array.epoch for array in arrays])
    table: Floats = np.stack([array.values.ravel() for array in arrays]).astype(np.float64)
    keys = strongest(subject)
    crowd = [k for k in range(1, table.shape[1] + 1) if k not in keys]
    for nth, k in enumerate(crowd):
        ax.plot(
            epochs, table[:, k - 1], color=style.MUTED, alpha=0.25, linewidth=0.5, label="others" if not nth else ""
        )
    for nth, k in enumerate(keys):
        drawing.line(ax, epochs, table[:, k - 1], style.track(nth, f"k = {k}"), log_x=subject.log_x)
    ax.set_ylabel(label)
    return _finish(ax, subject)


def strongest(subject: Subject) -> tuple[int, ...]:
    """The key frequencies with the largest alpha, in their order."""
    found = subject.array("alpha")
    if found is None:
        return subject.key_frequencies()[:STRONGEST]
    size = np.abs(found.values.ravel())
    among = [k for k in subject.key_frequencies() if k <= len(size)] or list(range(1, len(size) + 1))
    return tuple(sorted(sorted(among, key=lambda k: -size[k - 1])[:STRONGEST]))
