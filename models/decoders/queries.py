"""A transformer decoder with learned queries (Carion et al. 2020, DETR) on one vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.memory import Memory
from setbench.models.interfaces import SetDecoder
from setbench.models.ops.layers import mlp
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class LearnedQueries(SetDecoder):
    """One learned query a slot; layers of attention among queries, to the tokens of the code, and an MLP.

    Args:
        spec: the sets to predict.
        latent: size of the code.
        width: size of queries and tokens; a multiple of ``heads``. The layers' hidden width is twice as much.
        layers: how many; DETR has 6.
        heads: of every attention.
        tokens: how many tokens are made of the code.

    Where we differ: DETR attends to a feature map, here to linear maps of the code (``Memory``); it adds its queries
    before every attention, here they are the input of the first layer; layers are pre-norm, and there is no dropout.
    """

    def __init__(
        self, spec: SetSpec, latent: int, width: int, layers: int = 2, heads: int = 4, tokens: int = 16
    ) -> None:
        super().__init__(spec, latent)
        if width % heads:
            raise ValueError(f"queries: {heads} heads do not divide a width of {width}")
        self.memory = Memory(latent, tokens, width)
        self.queries = nn.Parameter(torch.randn(spec.max_size, width))
        layer = nn.TransformerDecoderLayer(width, heads, 2 * width, dropout=0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerDecoder(layer, layers, norm=nn.LayerNorm(width))
        self.to_slot = mlp(width, width, spec.features + 1)

    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        return [split(self.to_slot(self.layers(self.queries.expand(len(code), -1, -1), self.memory(code))))]
