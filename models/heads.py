"""Heads (rho): from one vector to class scores or one number."""

from __future__ import annotations

from torch import nn

from setbench.models.ops.layers import mlp


def head(name: str, latent: int, width: int, out: int) -> nn.Module:
    """``out`` numbers from a vector: "linear", or "mlp" with one hidden layer of ReLUs.

    Raises:
        ValueError: another name.
    """
    if name == "linear":
        return nn.Linear(latent, out)
    if name == "mlp":
        return mlp(latent, width, out)
    raise ValueError(f"no head is called {name!r}; known: linear, mlp")
