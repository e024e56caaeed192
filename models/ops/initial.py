"""How networks begin where torch's own way does not do."""

from __future__ import annotations

from torch import nn


def xavier(module: nn.Module) -> None:
    """Xavier-uniform weights and zero biases for every linear and convolutional layer inside; others keep theirs.

    Zhang et al. 2019 do so throughout (the LSTM keeps its default).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def keeps_size(*layers: nn.Linear, gain: float = 1.0) -> None:
    """Weights of variance gain^2 / inputs: what comes out has the mean square of what went in, times gain^2.

    A gain of sqrt(2) makes up for a ReLU (He et al. 2015). Biases are kept as they are: torch's, in +-1 / sqrt(inputs).
    """
    for layer in layers:
        nn.init.normal_(layer.weight, std=gain * layer.in_features**-0.5)
