"""Which figures there are, by the paper that each is known from, and by the pane of the screen."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from grok_tui.errors import ConfigError
from grok_tui.figures import curves, snapshots
from grok_tui.figures.drawing import Subject

Draw = Callable[[Axes, Subject], None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture in a figure."""

    draw: Draw
    title: str = ""
    """Empty where the picture writes its own."""
    square: bool = False
    """A map, rather than a chart."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One figure."""

    name: str
    about: str
    source: str
    panels: tuple[Panel, ...]
    columns: int = 1
    needs: tuple[str, ...] = ()
    """Series or arrays without which it says nothing."""


ACCURACY = Panel(curves.accuracy, "Accuracy")
LOSS = Panel(curves.loss, "Loss")
LOSSES = Panel(curves.losses, "Losses")
EXCLUDED = Panel(curves.excluded, "Excluded loss")
RESTRICTED = Panel(curves.restricted, "Restricted loss")
GINI = Panel(curves.gini, "Gini coefficients in the Fourier basis")
SQUARES = Panel(curves.squares, "Sum of squared weights")
W_E, W_L = Panel(snapshots.embedding), Panel(snapshots.output)
HEADS = tuple(Panel(partial(snapshots.attention, head), square=True) for head in range(4))
NEURON, LOGITS = Panel(snapshots.neuron, square=True), Panel(snapshots.logits, square=True)
ALPHA, ALPHA_TEST = Panel(curves.alpha, "Cosines in the logits"), Panel(curves.alpha_test, "The same, test pairs alone")

SCREEN = "of the screen"
NANDA, POWER = "Nanda et al. 2023", "Power et al. 2022"

RECIPES = (
    Recipe("power-fig1", "train and test accuracy", f"{POWER}, Fig. 1", (ACCURACY,), 1, ("test_accuracy",)),
    Recipe("nanda-fig2", "accuracy and loss", f"{NANDA}, Fig. 2", (ACCURACY, LOSS), 2, ("test_loss",)),
    Recipe("nanda-fig3", "Fourier norms of W_E and W_L", f"{NANDA}, Fig. 3", (W_E, W_L), 2, ("fourier_W_E",)),
    Recipe(
        "nanda-fig4",
        "attention, a neuron, the logits in the Fourier basis",
        f"{NANDA}, Fig. 4",
        (HEADS[0], NEURON, LOGITS),
        3,
        ("attention_pattern", "neuron_maps", "logits_2d"),
    ),
    Recipe(
        "nanda-fig5",
        "neurons by the frequency that explains them",
        f"{NANDA}, Fig. 5",
        (Panel(snapshots.clusters),),
        1,
        ("neuron_fve",),
    ),
    Recipe(
        "nanda-fig6",
        "loss without each frequency",
        f"{NANDA}, Fig. 6",
        (Panel(snapshots.ablation),),
        1,
        ("ablation_per_frequency",),
    ),
    Recipe(
        "nanda-fig7",
        "the four progress measures, with the phases",
        f"{NANDA}, Fig. 7",
        (EXCLUDED, RESTRICTED, GINI, SQUARES),
        2,
        ("excluded_loss_key_free", "restricted_loss"),
    ),
    Recipe(
        "nanda-fig8",
        "constructive interference of the key frequencies",
        f"{NANDA}, Fig. 8",
        (Panel(snapshots.interference),),
        1,
        ("alpha",),
    ),
    Recipe("nanda-fig9", "attention of each head", f"{NANDA}, Fig. 9", HEADS, 2, ("attention_pattern",)),
    Recipe(
        "nanda-fig13",
        "restricted accuracy, and what cannot leak beside it",
        f"{NANDA}, Fig. 13",
        (Panel(curves.restricted_accuracy, "Restricted accuracy (leaks: a lookup table alone scores well)"),),
        1,
        ("restricted_accuracy",),
    ),
    Recipe("nanda-fig14", "the logits' cosines over time", f"{NANDA}, Fig. 14", (ALPHA, ALPHA_TEST), 2, ("alpha",)),
    Recipe(
        "nanda-fig15",
        "excluded loss of each frequency",
        f"{NANDA}, Fig. 15",
        (Panel(curves.excluded_each, "Train loss without one frequency"),),
        1,
        ("excluded_per_frequency",),
    ),
    Recipe("losses", "train, test, restricted and excluded loss", SCREEN, (LOSSES,), 1, ("test_loss",)),
    Recipe(
        "weights",
        "sum of squares of each matrix",
        SCREEN,
        (Panel(curves.matrices, "Sum of squares"),),
        1,
        ("sum_of_squares",),
    ),
    Recipe("decay", "weight decay as it was set", SCREEN, (Panel(curves.decay, "Weight decay"),), 1, ("test_loss",)),
    Recipe("margins", "margins of the right answers", SCREEN, (Panel(curves.margins, "Margins"),), 1, ("margin_test",)),
    Recipe(
        "structure",
        "clock or pizza, circularity, effective dimension",
        "Zhong et al. 2023, Sec. 4; Liu et al. 2022, Sec. 4.2",
        (Panel(curves.structure, "Structure"), Panel(curves.dimension, "Effective dimension")),
        2,
        ("circularity",),
    ),
    Recipe(
        "overview",
        "accuracy, losses, Fourier norms, weights",
        SCREEN,
        (ACCURACY, LOSSES, W_E, SQUARES),
        2,
        ("test_loss",),
    ),
)

COMPARE = "compare"
COMPARED = Recipe(COMPARE, "several runs in one figure: accuracy, losses, weights", SCREEN, ())

PANES = {
    "accuracy": "power-fig1",
    "losses": "losses",
    "progress": "nanda-fig7",
    "fourier": "W_E",
    "output": "W_L",
    "ablation": "nanda-fig6",
    "clusters": "nanda-fig5",
    "neurons": "neuron",
    "attention": "nanda-fig9",
    "logits": "logits",
    "alpha": "nanda-fig14",
    "excluded": "nanda-fig15",
    "interference": "nanda-fig8",
    "restricted": "nanda-fig13",
    "decay": "decay",
    "weights": "weights",
    "margins": "margins",
    "structure": "structure",
}
"""The screen's panes, and the figure or picture that each is in print."""

SINGLE = {"W_E": (W_E,), "W_L": (W_L,), "neuron": (NEURON,), "logits": (LOGITS,)}


def find(name: str) -> Recipe:
    """The figure of that name.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    known = {recipe.name: recipe for recipe in RECIPES}
    if name not in known:
        raise ConfigError(f"there is no figure {name!r}; {_hint(name, list(known))}")
    return known[name]


def of_panes(names: Sequence[str], series: Sequence[str]) -> Recipe:
    """A figure of these panes, or of series of the run by their names, in this order.

    Raises:
        ConfigError: there is no such pane or series.
    """
    panels: list[Panel] = []
    for name in names:
        if name in PANES:
            kept = PANES[name]
            panels += SINGLE[kept] if kept in SINGLE else find(kept).panels
        elif name in series:
            panels.append(Panel(partial(curves.one, name), name.replace("_", " ")))
        else:
            raise ConfigError(f"there is no pane or series {name!r}; {_hint(name, [*PANES, *series])}")
    return Recipe("panes", ", ".join(names), SCREEN, tuple(panels), 1 if len(panels) < 3 else 2)


def lacking(recipe: Recipe, subject: Subject) -> list[str]:
    """What of a figure's needs the run has not recorded up to that epoch."""
    return [name for name in recipe.needs if subject.series(name) is None and subject.array(name) is None]


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
