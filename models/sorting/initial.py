"""The initialisation that the FSPool and DSPN papers share."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def xavier(network: M) -> M:
    """Xavier-uniform weights and zero biases for every linear layer of ``network``, in place; returns it."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
