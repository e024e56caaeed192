"""Slot attention (Locatello et al. 2020) as a decoder of one vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.memory import Memory
from setbench.models.interfaces import PredictedSets, SetDecoder, SetSpec
from setbench.models.ops.layers import mlp
from setbench.models.ops.presence import split

SMALL = 1e-8
"""Added to the attention before it is normalised over tokens (the authors')."""


class SlotAttention(SetDecoder):
    """Slots compete for the tokens of the code, several times over; an MLP reads an element from each.

    One iteration: softmax over slots of k(token) . q(slot) / sqrt(width), normalised over tokens, gives each slot a
    mean of v(token); a GRU cell and then a residual MLP update the slot (algorithm 1).

    Args:
        spec: the sets to predict.
        latent: size of the code.
        width: size of slots and tokens, and hidden width.
        iterations: of the attention; 3 as in the paper.
        tokens: how many tokens are made of the code.

    Where we differ: the paper attends to a feature map, here to linear maps of the code (``Memory``). Slots start from
    a learned vector each, not from draws of one Gaussian: predictions do not depend on chance, and as many slots as
    points have different starts. Nothing squashes the outputs, as for every decoder here.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, iterations: int = 3, tokens: int = 16) -> None:
        super().__init__(spec, latent)
        self.iterations = iterations
        self.memory = Memory(latent, tokens, width)
        self.first = nn.Parameter(torch.randn(spec.max_size, width))
        self.norm_tokens, self.norm_slots, self.norm_update = (nn.LayerNorm(width) for _ in range(3))
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.gru = nn.GRUCell(width, width)
        self.update = mlp(width, 2 * width, width)
        self.to_slot = mlp(width, width, spec.features + 1)

    def forward(  # type: ignore[override]  # no variants
        self, code: Float[Tensor, "batch latent"]
    ) -> list[PredictedSets]:
        tokens = self.norm_tokens(self.memory(code))
        keys, values = self.key(tokens), self.value(tokens)
        slots = self.first.expand(len(code), -1, -1)
        for _ in range(self.iterations):
            queries = self.query(self.norm_slots(slots)) * keys.shape[-1] ** -0.5
            attention = torch.softmax(queries @ keys.mT, dim=1) + SMALL  # slots compete for each token
            seen = attention / attention.sum(dim=2, keepdim=True) @ values
            slots = self.gru(seen.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
            slots = slots + self.update(self.norm_update(slots))
        return [split(self.to_slot(slots))]
