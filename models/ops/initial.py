"""How the set-prediction papers initialise their networks."""

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
