"""Heads (rho): from one vector to class scores or one number."""

from __future__ import annotations

from torch import nn

from setbench.models.entry import HEADS
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import mlp


def head(name: str, latent: int, width: int, out: int) -> nn.Module:
    """``out`` numbers from a vector: "linear", "linear_xavier" (Xavier-uniform weights and zero biases, as the released
    code of Janossy pooling begins), or "mlp" with one hidden layer of ReLUs.

    Raises:
        ValueError: another name.
    """
    if name in ("linear", "linear_xavier"):
        layer = nn.Linear(latent, out)
        if name == "linear_xavier":
            xavier(layer)
        return layer
    if name == "mlp":
        return mlp(latent, width, out)
    raise ValueError(f"no head is called {name!r}; known: {', '.join(HEADS)}")
