"""DSPN's encoder for CLEVR (Zhang, Hare, Prügel-Bennett 2019): a relation network pooled by FSPool."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.featurewise import FeaturewiseSortPool
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import SplitLinear, in_chunks


class RelationFSPool(SetEncoder):
    """A two-layer network of every ordered pair of elements, i = j included, pooled featurewise over all pairs.

    With the CLEVR states and presence (19 features), width 512 and latent 512 it has 293,376 parameters: the paper's,
    less a linear layer of 512 x 512 that the authors' code holds and never uses.

    Args:
        spec: the sets.
        latent: size of the code, and channels that are sorted.
        width: hidden width of the pair network.
        pieces: pieces of the weight function.

    The paper divides by the number of pairs of the padded set (100): here by ``spec.max_size ** 2``, so that padding
    has no effect.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, pieces: int = 20) -> None:
        super().__init__(spec, latent)
        self.pair = SplitLinear(2, spec.features, width)
        self.out = nn.Linear(width, latent)
        xavier(self)
        self.pool = FeaturewiseSortPool(latent, pieces)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        left, right = (part.permute(2, 0, 1).contiguous() for part in self.pair(elements))
        left = left + self.pair.bias[:, None, None]

        def codes(start: int, stop: int) -> Tensor:
            hidden = (left[:, start:stop, :, None] + right[:, start:stop, None, :]).relu()
            pairs = (mask[start:stop, :, None] & mask[start:stop, None, :]).flatten(1, 2)
            values = torch.addmm(self.out.bias[:, None], self.out.weight, hidden.flatten(1))
            return self.pool.channels_first(values.unflatten(1, pairs.shape), pairs).T

        # All pairs of a set are sorted together, so what is chunked is the batch.
        pooled = in_chunks(codes, len(elements), mask.shape[1] ** 2 * len(left), "cat").T
        return pooled / self.spec.max_size**2
