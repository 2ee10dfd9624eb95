"""The norms of the neuron-logit map's Fourier components."""

from __future__ import annotations

from typing import ClassVar

from grok_tui.ui.panes.fourier import FourierPane


class OutputPane(FourierPane):
    """What the neurons write into the logits, W_L = W_U W_out: the sparsest place of the finished circuit."""

    matrix: ClassVar[str] = "fourier_W_L"
    title: ClassVar[str] = "Fourier norms of W_L"
    look_for: ClassVar[str] = "only the key frequencies stay, more sharply than in W_E"
    figure: ClassVar[str] = "Nanda et al. 2023, Fig. 3"
