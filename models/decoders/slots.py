"""The iterations of Slot Attention (Locatello et al. 2020) on linear maps of one vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.competition import Competition
from setbench.models.decoders.memory import Memory
from setbench.models.interfaces import SetDecoder
from setbench.models.ops.layers import mlp
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class CodeSlots(SetDecoder):
    """Slots compete for the tokens of the code, several times over; an MLP reads an element from each.

    This is not Slot Attention, which sees a feature map (``slot_attention``): all that there is to attend to are
    ``tokens`` linear maps of ONE code (``Memory``).

    Args:
        spec: the sets to predict.
        latent: size of the code.
        width: size of slots and tokens, and hidden width.
        iterations: of the attention; 3 as in the paper.
        tokens: how many tokens are made of the code.

    Where we differ beside: slots start from a learned vector each, not from draws of one Gaussian. Nothing squashes the
    outputs, as for every decoder here.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, iterations: int = 3, tokens: int = 16) -> None:
        super().__init__(spec, latent)
        self.iterations = iterations
        self.memory = Memory(latent, tokens, width)
        self.first = nn.Parameter(torch.randn(spec.max_size, width))
        self.competition = Competition(width, width)
        self.to_slot = mlp(width, width, spec.features + 1)

    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        first = self.first.expand(len(code), -1, -1)
        return [split(self.to_slot(self.competition(first, self.memory(code), self.iterations)))]
