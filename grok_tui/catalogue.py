"""What the trainer measures, announced: each series and array with its label, unit, reading and source. No torch."""

from __future__ import annotations

from dataclasses import replace

from grok_tui.config import Config
from grok_tui.protocol import ArrayInfo, SeriesInfo

PAPER = "Nanda et al. 2023"

MATRICES = ("W_E", "W_pos", "W_K", "W_Q", "W_V", "W_O", "W_in", "b_in", "W_out", "b_out", "W_U")
"""The parameters by the paper's names, in the order in which the trainer draws them."""

EACH_EPOCH = (
    SeriesInfo(
        "train_loss", "train", "nats", log=True,
        about="Cross-entropy on the training pairs over all p+1 outputs, as it is minimised; before the epoch's step.",
    ),
    SeriesInfo("train_accuracy", "train", about="Share of training pairs whose largest number-logit is right."),
)  # fmt: skip

SPIKES = SeriesInfo(
    "train_spike", "spike of train loss", log=True,
    about="The largest train loss since the last measure, over the median of the 200 epochs before it: slingshots.",
)  # fmt: skip
"""Of the losses, not of the weights: the session finds it."""

SERIES = (
    SeriesInfo("test_loss", "test", "nats", log=True, about="Cross-entropy on the test pairs over the p numbers."),
    SeriesInfo("test_accuracy", "test", about="Share of test pairs whose largest number-logit is right."),
    SeriesInfo(
        "restricted_loss", "restricted", "nats", log=True, reading="provisional",
        about=f"Test loss of the key sum directions and the constant alone ({PAPER}, 5.1; logit level).",
    ),
    SeriesInfo(
        "restricted_loss_train", "restricted, train", "nats", log=True, reading="provisional",
        about="The same on the training pairs.",
    ),
    SeriesInfo(
        "restricted_loss_all", "restricted, all pairs", "nats", log=True, reading="provisional",
        about="The same on all pairs, as the published code has it.",
    ),
    SeriesInfo(
        "restricted_accuracy", "restricted", reading="provisional",
        about=f"Accuracy of the restricted logits on all pairs ({PAPER}, Fig. 13). Leaks: a lookup table has 100 %.",
    ),
    SeriesInfo(
        "excluded_loss", "excluded", "nats", log=True, reading="provisional",
        about=f"Train loss without the key sum directions ({PAPER}, 5.1; logit level).",
    ),
    SeriesInfo(
        "excluded_loss_test", "excluded, test", "nats", log=True, reading="provisional",
        about="The same on the test pairs.",
    ),
    SeriesInfo(
        "excluded_loss_all", "excluded, all pairs", "nats", log=True, reading="provisional",
        about="The same on all pairs.",
    ),
    SeriesInfo(
        "excluded_loss_key_free", "excluded, key-free", "nats", log=True, reading="key-free",
        about="Train loss without any sum direction: no choice of keys is involved.",
    ),
    SeriesInfo(
        "test_fve", "cos fit on test", reading="key-free",
        about="Share of the test logits' variance that sums of cos(w_k(a+b-c)) explain, fitted on test pairs alone.",
    ),
    SeriesInfo(
        "logit_fve", "cos fit on all pairs", reading="key-free",
        about=f"The same on all pairs ({PAPER}, Table 5); logits centred over the classes.",
    ),
    SeriesInfo("gini_W_E", "Gini of W_E", about=f"Of its (p-1)/2 paired Fourier norms ({PAPER}, Fig. 7)."),
    SeriesInfo("gini_W_L", "Gini of W_L", about=f"Of those of the neuron-logit map W_U W_out ({PAPER}, Fig. 7)."),
    SeriesInfo("sum_of_squares", "sum of squared weights", log=True, about="Over all parameters, biases too."),
    SeriesInfo("weight_norm_ratio", "||w|| / ||w_0||", about="The weights' norm over that at epoch 0."),
    SeriesInfo("norm_W_U", "||W_U||", about="Of the last layer: its cyclic growth goes with slingshots."),
    SeriesInfo(
        "zero_losses", "exact-zero losses",
        about="Training pairs whose loss would be exactly 0 in float32; training here computes it in float64.",
    ),
    SeriesInfo("margin_train", "margin, train", "nats", about="Mean of the right logit less the best wrong one."),
    SeriesInfo("margin_test", "margin, test", "nats", about="The same on the test pairs."),
    SeriesInfo("margin_test_05", "margin, 5 %", "nats", about="5 % of the test pairs have less."),
    SeriesInfo("margin_test_50", "margin, 50 %", "nats", about="Half of the test pairs have less."),
    SeriesInfo("margin_test_95", "margin, 95 %", "nats", about="95 % of the test pairs have less."),
    SeriesInfo("about_to_flip", "about to flip", about="Share of test pairs whose margin is within 1 nat of 0."),
    SeriesInfo(
        "key_count", "key frequencies", reading="provisional",
        about="How many frequencies have alpha_k of at least 5 % of the largest.",
    ),
)  # fmt: skip
"""With each measure. `series` adds the sum of squares of each matrix."""

CLOSE_SERIES = (
    SeriesInfo(
        "excluded_loss_max", "excluded, largest of all k", "nats", log=True, reading="key-free",
        about=f"Train loss without one frequency, for the frequency where it is largest ({PAPER}, footnote 3).",
    ),
    SeriesInfo("neurons_above_85", "neurons of one frequency", about=f"That it explains to 85 % ({PAPER}, 4.3)."),
    SeriesInfo(
        "mlp_fve", "MLP fit", reading="provisional",
        about=f"Share of the key readouts u_k.h, v_k.h that one wave of a+b explains, mean ({PAPER}, Table 1).",
    ),
    SeriesInfo(
        "W_L_residual", "W_L outside the keys", reading="provisional",
        about=f"Share of its Frobenius norm that is not in the key frequencies' rows ({PAPER}, 4.2).",
    ),
    SeriesInfo(
        "attention_pattern_fve", "attention pattern as one wave",
        about=f"Share of each head's attention to a that one frequency explains, mean ({PAPER}, C.1.3).",
    ),
    SeriesInfo("attention_fve", "attention as one wave", about=f"Of the heads' score tables, mean ({PAPER}, C.1.3)."),
    SeriesInfo(
        "distance_irrelevance", "distance irrelevance",
        about="Near 1 for a clock, low for a pizza (Zhong et al. 2023, 4.2).",
    ),
    SeriesInfo(
        "gradient_symmetricity", "gradient symmetricity",
        about="Near 1 for a pizza, low for a clock (Zhong et al. 2023, 4.1).",
    ),
    SeriesInfo("circularity", "circularity", about="How far W_E's main components are waves (Zhong et al. 2023)."),
    SeriesInfo("effective_dimension", "effective dimension", about="e^S of W_E's components (Liu et al. 2022, 4.2)."),
    SeriesInfo("ipr_W_E", "IPR of W_E", about="Inverse participation ratio of its Fourier power; 1: one frequency."),
    SeriesInfo("ipr_neurons", "IPR of neurons", about="The same of activations, mean (after Gromov 2023)."),
)  # fmt: skip
"""Every `measure.closely_every` epochs."""

NEURON_LEVEL = (
    SeriesInfo(
        "restricted_loss_neurons", "restricted, neuron level", "nats", log=True, reading="provisional",
        about="Test loss of the neurons' key sum directions: the TransformerLens demo's variant, not the paper's.",
    ),
    SeriesInfo(
        "excluded_loss_neurons", "excluded, neuron level", "nats", log=True, reading="provisional",
        about="Train loss without the neurons' key sum directions, skip path whole: the demo's variant.",
    ),
)  # fmt: skip

ARRAYS = (
    ArrayInfo(
        "fourier_W_E", "Fourier norms of W_E", "frequency k",
        about=f"[cos, sin] x k: norm of each Fourier component of the number embeddings ({PAPER}, Fig. 3).",
    ),
    ArrayInfo(
        "fourier_W_L", "Fourier norms of W_L", "frequency k",
        about=f"[cos, sin] x k: the same of the neuron-logit map along its classes ({PAPER}, Fig. 3).",
    ),
    ArrayInfo(
        "alpha", "alpha_k", "frequency k",
        about=f"Coefficient of cos(w_k(a+b-c)) in the logits over all pairs ({PAPER}, Fig. 14).",
    ),
    ArrayInfo("alpha_test", "alpha_k, test", "frequency k", about="The same fitted on test pairs alone: leak-free."),
    ArrayInfo(
        "key_frequencies", "key frequencies", about="The k whose alpha_k is at least 5 % of the largest; provisional."
    ),
)  # fmt: skip

CLOSE_ARRAYS = (
    ArrayInfo(
        "excluded_per_frequency", "excluded loss of each k", "frequency k",
        about=f"Train loss without the sum directions of k ({PAPER}, Fig. 15).",
    ),
    ArrayInfo(
        "ablation_per_frequency", "loss without each k", "frequency k",
        about=f"Loss on all pairs without the sum directions of k ({PAPER}, Fig. 6).",
    ),
    ArrayInfo("neuron_frequency", "frequency of each neuron", "neuron", about=f"The likeliest ({PAPER}, Fig. 5)."),
    ArrayInfo("neuron_fve", "share of each neuron", "neuron", about="That a polynomial of its frequency explains."),
    ArrayInfo("attention_pattern", "attention to a", "[head, a, b]", about=f'From "=" ({PAPER}, Fig. 4).'),
    ArrayInfo("attention_frequency", "frequency of each head", "head", about=f"Of its score table ({PAPER}, C.1.3)."),
    ArrayInfo("attention_head_fve", "share of each head", "head", about="Of its score table that one wave explains."),
    ArrayInfo("neuron_maps", "activations", "[neuron, a, b]", about=f"Of each cluster's best ({PAPER}, Fig. 4)."),
    ArrayInfo("neuron_maps_index", "which neurons", "neuron", about="Those of neuron_maps; largest cluster first."),
    ArrayInfo(
        "logits_2d", "logits in the Fourier basis", "[a, b]: 1, cos 1, sin 1, cos 2, ...",
        about=f"Norm over the classes of each 2-D component ({PAPER}, Fig. 4).",
    ),
    ArrayInfo("W_E", "number embeddings", "[d, number]", about="For the planes that they lie on."),
)  # fmt: skip


def series(config: Config) -> tuple[SeriesInfo, ...]:
    """All that a run of `config` will send, with how often."""
    matrices = tuple(
        SeriesInfo(f"sum_of_squares_{name}", name, log=True, about=f"Sum of the squares of {name}.")
        for name in MATRICES
    )
    close = CLOSE_SERIES + (NEURON_LEVEL if config.measure.neuron_level else ())
    return (*EACH_EPOCH, *SERIES, SPIKES, *matrices, *(replace(info, every=_close(config)) for info in close))


def arrays(config: Config) -> tuple[ArrayInfo, ...]:
    """The same of the arrays."""
    return ARRAYS + tuple(replace(info, every=_close(config)) for info in CLOSE_ARRAYS)


def _close(config: Config) -> int:
    return max(config.measure.closely_every, config.measure.every)
