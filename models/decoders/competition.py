"""Slots that compete for tokens, the iterations of Slot Attention (Locatello et al. 2020, algorithm 1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.ops.layers import mlp

SMALL = 1e-8
"""Added to the attention before it is normalised over tokens (the authors')."""


class Competition(nn.Module):
    """One iteration: softmax over slots of k(token) . q(slot) / sqrt(width), normalised over tokens, gives each slot a
    mean of v(token); a GRU cell and then a residual MLP update the slot.

    Args:
        features: numbers of a token.
        width: numbers of a slot; the MLP's hidden width is twice as much.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.norm_tokens, self.norm_slots, self.norm_update = map(nn.LayerNorm, (features, width, width))
        self.query = nn.Linear(width, width, bias=False)
        self.key, self.value = (nn.Linear(features, width, bias=False) for _ in range(2))
        self.gru = nn.GRUCell(width, width)
        self.update = mlp(width, 2 * width, width)

    def forward(
        self,
        slots: Float[Tensor, "batch slots width"],
        tokens: Float[Tensor, "batch tokens features"],
        iterations: int,
    ) -> Float[Tensor, "batch slots width"]:
        tokens = self.norm_tokens(tokens)
        keys, values = self.key(tokens), self.value(tokens)
        for _ in range(iterations):
            queries = self.query(self.norm_slots(slots)) * keys.shape[-1] ** -0.5
            attention = torch.softmax(queries @ keys.mT, dim=1) + SMALL  # slots compete for each token
            seen = attention / attention.sum(dim=2, keepdim=True) @ values.to(attention.dtype)
            slots = updated(self.gru, seen, slots)
            slots = slots + self.update(self.norm_update(slots))
        return slots


def updated(
    gru: nn.GRUCell, seen: Float[Tensor, "batch slots width"], slots: Float[Tensor, "batch slots width"]
) -> Float[Tensor, "batch slots width"]:
    """Every slot, moved by what it has seen."""
    return gru(seen.flatten(0, 1), slots.flatten(0, 1).to(seen.dtype)).unflatten(0, slots.shape[:2])
