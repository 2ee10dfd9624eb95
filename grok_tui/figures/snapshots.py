"""Pictures of one epoch: spectra, neurons, attention, logits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from grok_tui.figures import drawing, style
from grok_tui.figures.curves import strongest
from grok_tui.figures.drawing import Subject
from grok_tui.protocol import Array
from grok_tui.series import Floats

DECADES = 30.0
"""From which ratio of the largest to the least on an axis is logarithmic."""

HATCHES = ("", "////", "\\\\\\\\", "....", "xxxx", "----", "||||", "oo")
"""What tells clusters apart without colour."""

NAMED = 12
"""Key frequencies that are named; before the circuit has formed there are too many."""

LINE = 0.85
"""The share that makes a neuron one of a frequency."""


def embedding(ax: Axes, subject: Subject) -> None:
    """Fourier norms of the number embeddings."""
    _spectrum(ax, subject, "fourier_W_E", "$W_E$")


def output(ax: Axes, subject: Subject) -> None:
    """Fourier norms of the neuron-logit map."""
    _spectrum(ax, subject, "fourier_W_L", "$W_L$")


def ablation(ax: Axes, subject: Subject) -> None:
    """The loss over all pairs without each frequency."""
    found = subject.array("ablation_per_frequency")
    if found is None:
        return drawing.empty(ax, "the loss without each frequency is not measured yet")
    values, keys = found.values.ravel().astype(np.float64), subject.key_frequencies()
    k = np.arange(1, len(values) + 1)
    chosen = np.isin(k, keys)
    least = float(np.nanmin(values[values > 0])) if (values > 0).any() else 1.0
    wide = float(np.nanmax(values)) > DECADES * least
    floor = least / 3 if wide else 0.0
    ax.bar(k, values - floor, bottom=floor, color=np.where(chosen, style.KEY, style.MUTED).tolist(), width=0.8)
    level = unablated(subject, found.epoch)
    if np.isfinite(level) and level > 0:
        ax.axhline(level, color=style.TRAIN, linewidth=0.9, linestyle="--", label="with all frequencies")
        drawing.legend(ax, subject)
    if wide:
        ax.set_yscale("log", nonpositive="mask")
        ax.minorticks_off()
    ax.set_ylabel("loss on all pairs (nats)")
    ax.set_ylim(floor, (2.5 if wide else 1.15) * float(np.nanmax(values)))
    _name(ax, [k for k in keys if k <= len(values)], values)
    _frequencies(ax, len(values))
    ax.set_title(f"Loss without each frequency, {drawing.at(found)}")
    return None


def unablated(subject: Subject, epoch: int) -> float:
    """The loss over all pairs with every frequency in place."""
    fraction = float(subject.whole.state.setting("data", "fraction") or 0)
    parts = []
    for name in ("train_loss", "test_loss"):
        series = subject.whole.state.series.get(name)
        found = series.at(epoch) if series else None
        parts.append(found[1] if found else float("nan"))
    return fraction * parts[0] + (1 - fraction) * parts[1]


def clusters(ax: Axes, subject: Subject) -> None:
    """How much of each neuron one frequency explains."""
    share, frequency = subject.array("neuron_fve"), subject.array("neuron_frequency")
    if share is None or frequency is None:
        return drawing.empty(ax, "the neurons are not measured yet")
    values, ks = share.values.ravel().astype(np.float64), frequency.values.ravel().astype(np.int64)
    bins = np.linspace(0, 1, 41)
    sizes = {int(k): int((ks[values > LINE] == k).sum()) for k in np.unique(ks[values > LINE])}
    named = sorted(sorted(sizes, key=lambda k: -sizes[k])[: len(style.TRACKS)])
    groups = [values[ks == k] for k in named]
    rest = values[~np.isin(ks, named)]
    colours = [style.TRACKS[nth][0] for nth in range(len(named))] + ["#c9ced4"]
    labels = [f"k = {k}: {sizes[k]} beyond the line" for k in named] + ["other frequencies"]
    _, _, patches = ax.hist([*groups, rest], bins=bins.tolist(), stacked=True, color=colours, label=labels)
    for nth, container in enumerate(patches if isinstance(patches, list) else [patches]):
        for patch in container:  # type: ignore[union-attr]
            patch.set_hatch(HATCHES[nth % len(HATCHES)] if nth < len(groups) else "")
            patch.set_edgecolor("white")
            patch.set_linewidth(0.2)
    ax.axvline(LINE, color=style.INK, linewidth=0.8, linestyle="--")
    ax.set_xlabel("share of a neuron's variance that one frequency explains")
    ax.set_ylabel("neurons")
    ax.set_xlim(0, 1)
    ax.legend(loc="upper left")
    ax.set_title(
        f"Neurons by frequency, {drawing.at(share)}: {int((values > LINE).sum())} of {len(values)} beyond {LINE:.0%}"
    )
    return None


def interference(ax: Axes, subject: Subject) -> None:
    """The waves of the key frequencies, and their sum, against the distance from the right answer."""
    found, keys = subject.array("alpha"), strongest(subject)
    if found is None or not keys or not subject.p:
        return drawing.empty(ax, "the logits' cosines are not measured yet")
    p, values = subject.p, found.values.ravel().astype(np.float64)
    x = np.arange(-((p - 1) // 2), p // 2 + 1)
    every = [k for k in subject.key_frequencies() if k <= len(values)] or list(keys)
    waves = {k: values[k - 1] * np.cos(2 * np.pi * k * x / p) for k in every}
    for nth, k in enumerate(keys):
        colour, line, _ = style.TRACKS[nth % len(style.TRACKS)]
        ax.plot(x, waves[k], color=colour, linestyle=line, linewidth=0.6, alpha=0.8, label=f"k = {k}")
    ax.plot(x, np.sum(list(waves.values()), axis=0), color=style.INK, linewidth=1.6, label=f"sum of {len(waves)}")
    ax.set_xlim(x[0], x[-1])
    ax.set_xlabel(f"a + b − c  (mod {p})")
    ax.set_ylabel("logit")
    drawing.legend(ax, subject)
    ax.set_title(f"Constructive interference, {drawing.at(found)}")
    return None


def attention(head: int, ax: Axes, subject: Subject) -> None:
    """Attention from "=" to a, over all pairs, of one head."""
    found = subject.array("attention_pattern")
    if found is None or head >= len(found.values):
        return drawing.empty(ax, "the attention is not measured yet")
    k, share = _entry(subject.array("attention_frequency"), head), _entry(subject.array("attention_head_fve"), head)
    _map(ax, found.values[head].astype(np.float64), 'attention of "=" to a')
    rest = f", k = {k:.0f}" if k > 0 else ""
    rest += f" ({share:.0%})" if share == share else ""
    ax.set_title(f"Head {head}{rest}\n{drawing.at(found)}")
    return None


def neuron(ax: Axes, subject: Subject) -> None:
    """The activation of the best-explained neuron of the largest cluster."""
    found, index = subject.array("neuron_maps"), subject.array("neuron_maps_index")
    if found is None or not len(found.values):
        return drawing.empty(ax, "no neuron follows a wave yet")
    number = int(_entry(index, 0)) if index is not None else 0
    k, share = _entry(subject.array("neuron_frequency"), number), _entry(subject.array("neuron_fve"), number)
    _map(ax, found.values[0].astype(np.float64), "activation")
    rest = f", k = {k:.0f} ({share:.0%})" if k == k and share == share else ""
    ax.set_title(f"Neuron {number}{rest}\n{drawing.at(found)}")
    return None


def logits(ax: Axes, subject: Subject) -> None:
    """The logits in the two-dimensional Fourier basis of the inputs."""
    found = subject.array("logits_2d")
    if found is None:
        return drawing.empty(ax, "the logits are not measured yet")
    values = np.nan_to_num(found.values.astype(np.float64), posinf=float(np.finfo(np.float16).max))
    values[0, 0] = 0.0  # the mean logit of each c: no wave, and it would set the scale
    picture = ax.imshow(np.log10(1 + values), origin="lower", cmap=style.HEAT, interpolation="nearest")
    _bar(ax, picture, r"$\log_{10}(1 + $ norm$)$")
    keys = [k for k in subject.key_frequencies() if 2 * k < len(values)]
    groups = together(keys) if len(keys) <= NAMED else []
    ticks, names = [2 * np.mean(group) - 0.5 for group in groups], [", ".join(map(str, group)) for group in groups]
    ax.set_xticks(ticks, names, rotation=90, fontsize=6)
    ax.set_yticks(ticks, names, fontsize=6)
    ax.set_xlabel("component of b (key k)")
    ax.set_ylabel("component of a (key k)")
    ax.set_title(f"Logits, 2D Fourier basis\n{drawing.at(found)}")
    return None


def together(keys: Sequence[int]) -> list[list[int]]:
    """Frequencies too close to each other for a name each, in groups."""
    groups: list[list[int]] = []
    for k in sorted(keys):
        if groups and k - groups[-1][-1] <= 2:
            groups[-1].append(k)
        else:
            groups.append([k])
    return groups


def _spectrum(ax: Axes, subject: Subject, name: str, matrix: str) -> None:
    found = subject.array(name)
    if found is None or found.values.ndim != 2 or len(found.values) != 2:
        return drawing.empty(ax, f"the Fourier norms of {matrix} are not recorded yet")
    norms: Floats = found.values.astype(np.float64)
    k = np.arange(1, norms.shape[1] + 1)
    ax.bar(k - 0.21, norms[0], width=0.42, color=style.COS, label="cos")
    ax.bar(k + 0.21, norms[1], width=0.42, color=style.SIN, label="sin", hatch="////", edgecolor="white", linewidth=0.2)
    keys = [key for key in subject.key_frequencies() if key <= len(k)]
    _name(ax, keys, norms.max(axis=0))
    _frequencies(ax, len(k))
    ax.set_ylabel(f"norm of {matrix}'s component")
    ax.set_ylim(0, 1.22 * float(np.nanmax(norms)) or 1)
    ax.legend(loc="upper left", ncols=2)
    ax.set_title(f"Fourier components of {matrix}, {drawing.at(found)}")
    return None


def _name(ax: Axes, keys: list[int], tops: Floats) -> None:
    """Write the key frequencies above their bars, while they are few."""
    for group in together(keys) if len(keys) <= NAMED else ():
        place = (float(np.mean(group)), float(max(tops[k - 1] for k in group)))
        text = ", ".join(map(str, group))
        ax.annotate(text, place, xytext=(0, 1.5), textcoords="offset points", ha="center", color=style.KEY, fontsize=7)


def _frequencies(ax: Axes, count: int) -> None:
    ax.set_xlim(0, count + 1)
    ax.set_xlabel("frequency k")
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))


def _map(ax: Axes, values: Floats, label: str) -> None:
    signed = float(np.nanmin(values)) < 0
    reach = float(np.nanmax(np.abs(values))) or 1.0
    colours, low = (style.SIGNED, -reach) if signed else (style.HEAT, 0.0)
    picture = ax.imshow(values, origin="lower", cmap=colours, interpolation="nearest", vmin=low, vmax=reach)
    _bar(ax, picture, label)
    ax.set_xlabel("b")
    ax.set_ylabel("a")


def _bar(ax: Axes, picture: object, label: str) -> None:
    figure = ax.figure
    bar = figure.colorbar(picture, ax=ax, fraction=0.046, pad=0.03)  # type: ignore[arg-type]
    bar.set_label(label, fontsize=7)
    bar.outline.set_linewidth(0.4)


def _entry(array: Array | None, index: int) -> float:
    values = array.values.ravel() if array is not None else np.zeros(0)
    return float(values[index]) if 0 <= index < len(values) else float("nan")
